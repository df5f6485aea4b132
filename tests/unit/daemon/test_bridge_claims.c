/* SPDX-License-Identifier: Apache-2.0 */
/* An engine asks a plane about all that there is. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/daemon/bridge_world.h"
#include "tests/unit/unit.h"

static struct span answer_to(uint8_t b[static PROTO_SMALL_MAX], const struct sa_cmd *cmd)
{
	const struct sa_done done = { .ticket = cmd->ticket, .spi = cmd->sa.spi, .dir = SA_OUT };
	struct wr w = wr_into(b, PROTO_SMALL_MAX);

	sa_done_encode(&w, &done);
	return wr_done(&w);
}

static enum err plane_answers(void *ctx, const struct chan_msg *m)
{
	struct world *w = ctx;
	uint8_t b[PROTO_SMALL_MAX];
	struct sa_cmd cmd;

	ck_assert_int_eq(sa_cmd_decode(m->body, &cmd), OK);
	ck_assert_int_eq(link_send(&w->plane, MSG_SA_DONE, answer_to(b, &cmd), -1), OK);
	sa_desc_wipe(&cmd.sa);
	return OK;
}

/* It takes and answers a few while the engine asks a thousand, if that may. */
static void monitor_answers(void *ctx)
{
	struct world *w = ctx;
	uint8_t b[PROTO_SMALL_MAX];
	struct sa_cmd cmd = w->claim;

	for (int i = 0; i < 64 && w->n_done < w->claim.ticket; i++) {
		struct chan_msg m = { .type = MSG_SA_DONE, .fd = -1 };

		cmd.ticket = w->n_done + 1;
		m.body = answer_to(b, &cmd);
		w->queued -= w->size;
		ck_assert_int_eq(bridge_kernel(w->b, &m), OK);
	}
	loop_timer_set(w->loop, &w->monitor, mono_now());
}

static void turn(void *ctx)
{
	bridge_drain(((struct world *)ctx)->b);
}

/* After a restore. No command fails for want of room, nor does an answer. */
START_TEST(what_a_channel_cannot_hold_is_asked_by_and_by)
{
	struct world w;

	world_open(&w);
	w.claim = outbound(_i ? PLANE_KERNEL : PLANE_USER, "u");
	w.claim.op = SA_QUERY;
	snprintf(w.claim.sa.connection, sizeof w.claim.sa.connection, "%s",
		 "a-name-as-people-write");
	w.n_claims = N_CLAIMS;
	w.plane = (struct link){ .loop = w.loop, .on_msg = plane_answers, .ctx = &w };
	ck_assert_int_eq(link_open(&w.plane, dup(w.esp), proto_from_engine(ROLE_ESP),
				   proto_to_engine(ROLE_ESP)),
			 OK);
	w.monitor = (struct loop_timer){ .fire = monitor_answers, .ctx = &w };
	loop_timer_set(w.loop, &w.monitor, _i ? mono_now() : NEVER);
	loop_after(w.loop, turn, &w);
	bridge_drain(w.b);
	ck_assert_int_eq(loop_run(w.loop), 3);
	ck_assert_uint_eq(w.n_failed, 0);
	loop_timer_set(w.loop, &w.monitor, NEVER);
	link_close(&w.plane);
	world_close(&w);
}
END_TEST

/* A half that could not be claimed is asked for again, so the sweep behind it may not take it. */
START_TEST(nothing_is_swept_where_something_could_not_be_claimed)
{
	struct sa_cmd claim = outbound(PLANE_KERNEL, "k"), sweep = { .op = SA_SWEEP };
	struct world w;

	world_open(&w);
	claim.op = SA_CLAIM;
	claim.ticket = 1;
	sweep.sa.plane = PLANE_KERNEL;
	w.queued = _i ? CHAN_QUEUE_MAX : 0;
	command(&w, &claim);
	ck_assert_uint_eq(w.n_failed, _i ? 1 : 0);
	w.queued = 0;
	command(&w, &sweep);
	ck_assert_int_eq(w.queued > 0, !_i);
	w.queued = 0;
	command(&w, &sweep);
	ck_assert_uint_gt(w.queued, 0);
	world_close(&w);
}
END_TEST

UNIT("daemon/bridge-claims")
{
	tcase_add_loop_test(tc, what_a_channel_cannot_hold_is_asked_by_and_by, 0, 2);
	tcase_add_loop_test(tc, nothing_is_swept_where_something_could_not_be_claimed, 0, 2);
}
