/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/daemon/bridge_world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp/esp.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

/* ---- what stands in the place of the other parts ---- */

struct loop *process_loop(struct process *p)
{
	return ((struct world *)p)->loop;
}

/* What the world asserts with is none of the bridge's memory. */
void process_tell(struct process *p, uint8_t type, struct span body)
{
	struct world *w = (struct world *)p;
	struct msg_child c;

	failing_hold(true);
	ck_assert_int_eq(type, MSG_MTU);
	ck_assert_int_eq(msg_child_get(body, &c), OK);
	ck_assert_uint_lt(strlen(w->mtu_of) + 1, sizeof w->mtu_of);
	w->mtu_of[strlen(w->mtu_of)] = c.child[0];
	failing_hold(false);
}

enum err process_send(struct process *p, uint8_t type, struct span body)
{
	struct world *w = (struct world *)p;

	(void)type;
	w->size = body.len;
	w->queued += w->size;
	w->n_sent++;
	return w->queued > CHAN_QUEUE_MAX ? ERR_LIMIT : OK;
}

size_t process_queued(const struct process *p)
{
	return ((const struct world *)p)->queued;
}

void process_accuse(struct process *p, enum role r)
{
	struct world *w = (struct world *)p;

	w->accused = r;
	loop_stop(w->loop, 2);
}

static void hear(struct world *w, const struct ike_event *ev)
{
	w->n_not_done += (ev->kind == IKE_EV_JOB && ev->job->err != OK) ||
			 (ev->kind == IKE_EV_RESOLVED && ev->resolved->err != OK);
	w->n_computed += ev->kind == IKE_EV_JOB && ev->job->err == OK;
	if (ev->kind == IKE_EV_SA && ev->sa->err == OK && ++w->n_done == N_CLAIMS)
		loop_stop(w->loop, 3);
	if (ev->kind == IKE_EV_SA && ev->sa->err != OK) {
		ck_assert_uint_lt(w->n_failed, 4);
		w->heard_before[w->n_failed] = w->n_heard;
		w->failed[w->n_failed++] = ev->sa->ticket;
	}
	if (ev->kind != IKE_EV_PLANE)
		return;
	ck_assert_uint_lt(w->n_heard, 16);
	w->heard[w->n_heard++] = (struct told){ ev->from, *ev->plane };
	if (w->n_heard == w->n_wanted)
		loop_stop(w->loop, 1);
}

void ike_engine_event(struct ike_engine *e, const struct ike_event *ev, mono_ns now)
{
	(void)now;
	failing_hold(true);
	hear((struct world *)e, ev);
	failing_hold(false);
}

void ike_engine_datagram(struct ike_engine *e, const struct path *p, struct span d, mono_ns now)
{
	(void)e;
	(void)p;
	(void)d;
	(void)now;
}

void ike_engine_tick(struct ike_engine *e, mono_ns now)
{
	(void)e;
	(void)now;
}

bool ike_engine_next(struct ike_engine *e, struct ike_action *a)
{
	struct world *w = (struct world *)e;

	if (w->n_claims > 0) {
		w->n_claims--;
		w->claim.ticket++;
		*a = (struct ike_action){ .kind = IKE_ACT_SA, .sa = &w->claim };
		return true;
	}
	if (w->n_actions > 0) {
		w->n_actions--;
		*a = *w->actions++;
		return true;
	}
	if (w->n_commands == 0)
		return false;
	w->n_commands--;
	*a = (struct ike_action){ .kind = IKE_ACT_SA, .sa = w->commands++ };
	return true;
}

mono_ns ike_engine_deadline(const struct ike_engine *e)
{
	(void)e;
	return NEVER;
}

uint16_t esp_inner_mtu(const struct sa_desc *sa, uint16_t path_mtu)
{
	(void)sa;
	return (uint16_t)(path_mtu - 60);
}

/* ---- the world ---- */

static void on_patience(void *ctx)
{
	loop_stop(ctx, 9);
}

void world_begin(struct world *w, mono_ns esp_patience)
{
	struct bridge_env env = { .process = (struct process *)w, .esp_patience = esp_patience };
	int fd[2];

	*w = (struct world){ .accused = ROLE_MONITOR };
	ck_assert_int_eq(loop_new(&w->loop), OK);
	ck_assert_int_eq(bridge_new(&env, &w->b), OK);
	ck_assert_int_eq(chan_pair(fd), OK);
	ck_assert_int_eq(bridge_peer(w->b, ROLE_ESP, fd[0]), OK);
	w->esp = fd[1];
	w->patience = (struct loop_timer){ .fire = on_patience, .ctx = w->loop };
	loop_timer_set(w->loop, &w->patience, mono_now() + 10 * NS_PER_S);
}

void world_engine_comes(void *ctx)
{
	struct world *w = ctx;

	bridge_set(w->b, (struct ike_engine *)w, NULL);
	ck_assert_int_eq(bridge_begin(w->b), OK);
}

void world_open(struct world *w)
{
	world_begin(w, 0);
	world_engine_comes(w);
}

void world_close(struct world *w)
{
	loop_timer_set(w->loop, &w->patience, NEVER);
	bridge_free(w->b);
	loop_free(w->loop);
	close(w->esp);
}

struct sa_cmd outbound(enum sa_plane plane, const char *child)
{
	struct sa_cmd cmd = { .op = SA_INSTALL, .sa = { .dir = SA_OUT, .plane = plane } };

	cmd.sa.spi = 0x2000u + (unsigned int)plane;
	cmd.sa.child[0] = child[0];
	ck_assert(addr_parse("192.0.2.1", &cmd.sa.path.local.addr));
	ck_assert(addr_parse("203.0.113.2", &cmd.sa.path.remote.addr));
	return cmd;
}

void command(struct world *w, const struct sa_cmd *cmd)
{
	w->commands = cmd;
	w->n_commands = 1;
	bridge_drain_all(w->b);
}
