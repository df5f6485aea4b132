/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation after the other fails while the bridge carries out what an engine asks of all the
 * processes: each request goes out, or is answered as failed; and the next ones are carried out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/daemon/bridge_world.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

enum { EACH = 20, ALLOCATIONS_MAX = 1000, N_ACTIONS = 4 * EACH + 4 };

static const enum role served[] = { ROLE_ESP, ROLE_SIGNER, ROLE_FETCHER };
enum { N_SERVED = sizeof(served) / sizeof(served[0]) };

/* What is asked, and the other ends of the channels. */
struct asking {
	struct world w;
	int end[N_SERVED];
	struct conf conf;
	struct sa_cmd cmds[2 * EACH];
	struct job jobs[EACH], ke;
	struct ike_note refused;
	struct ike_action actions[N_ACTIONS];
	size_t n_notes;
	size_t n_out; /* requests that went out */
};

static char host[] = "gw.example.org";
static struct conf_connection office = { .name = "office", .address_name = host };
static uint8_t secret[32] = { 8 };

static void on_note(void *ctx, const struct ike_note *n)
{
	(void)n;
	((struct asking *)ctx)->n_notes++;
}

/* ---- what the engine asks ---- */

static void commands_fill(struct asking *a, struct ike_action **at)
{
	for (size_t i = 0; i < 2 * EACH; i++) {
		a->cmds[i] = outbound(i % 2 ? PLANE_KERNEL : PLANE_USER, "u");
		a->cmds[i].ticket = i + 1;
		a->cmds[i].sa.spi += (uint32_t)(i << 8);
		*(*at)++ = (struct ike_action){ .kind = IKE_ACT_SA, .sa = &a->cmds[i] };
	}
}

static void others_fill(struct asking *a, struct ike_action *at)
{
	for (size_t i = 0; i < EACH; i++) {
		a->jobs[i] = (struct job){ .ticket = 1000 + i, .kind = JOB_SIGN };
		*at++ = (struct ike_action){ .kind = IKE_ACT_JOB, .job = &a->jobs[i] };
		*at++ = (struct ike_action){ .kind = IKE_ACT_RESOLVE,
					     .resolve.connection = &office };
	}
	a->ke = (struct job){ .ticket = 2000,
			      .kind = JOB_KE,
			      .ke = { .group = 31, .secret = span_of(secret, sizeof(secret)) } };
	a->refused = (struct ike_note){ .kind = IKE_NOTE_REFUSED, .err = ERR_AUTH };
	*at++ = (struct ike_action){ .kind = IKE_ACT_JOB, .job = &a->ke };
	*at++ = (struct ike_action){ .kind = IKE_ACT_NOTE, .note = &a->refused };
	*at++ = (struct ike_action){ .kind = IKE_ACT_NOTE, .note = &a->refused };
	*at++ = (struct ike_action){ .kind = IKE_ACT_CHILD_MTU,
				     .child = { .connection = "office", .child = "u", .mtu = 1 } };
}

/* A ticket is given once. */
static void ask(struct asking *a)
{
	for (size_t i = 0; i < 2 * EACH; i++)
		a->cmds[i].ticket += 10000;
	for (size_t i = 0; i < EACH; i++)
		a->jobs[i].ticket += 10000;
	a->ke.ticket += 10000;
	a->w.actions = a->actions;
	a->w.n_actions = N_ACTIONS;
	bridge_drain_all(a->w.b);
}

/* ---- what comes of it ---- */

static void take(struct asking *a)
{
	uint8_t b[1];

	for (size_t i = 0; i < N_SERVED; i++) {
		while (recv(a->end[i], b, sizeof(b), MSG_DONTWAIT) > 0)
			a->n_out++;
	}
}

static size_t heard_of(const struct asking *a)
{
	return a->n_out + a->w.n_sent + a->w.n_failed + a->w.n_not_done + a->w.n_computed;
}

/* Both rounds, without two notes and an MTU each. */
enum { N_ASKED = 2 * (N_ACTIONS - 3) };

static void look(void *ctx)
{
	struct asking *a = ctx;

	if (heard_of(a) >= N_ASKED)
		loop_stop(a->w.loop, 4);
}

static void on_patience(void *ctx)
{
	loop_stop(ctx, 9);
}

/* A key exchange takes its time. */
static void judge(struct asking *a, bool failed)
{
	a->w.patience = (struct loop_timer){ .fire = on_patience, .ctx = a->w.loop };
	loop_timer_set(a->w.loop, &a->w.patience, mono_now() + 10 * NS_PER_S);
	loop_after(a->w.loop, look, a);
	ck_assert_int_eq(loop_run(a->w.loop), 4);
	ck_assert_uint_eq(heard_of(a), N_ASKED);
	ck_assert_uint_le(a->w.n_failed + a->w.n_not_done, failed);
	ck_assert_uint_eq(a->n_notes, 4);
	ck_assert_int_eq(a->w.accused, ROLE_MONITOR);
	loop_timer_set(a->w.loop, &a->w.patience, NEVER);
}

/* ---- one run ---- */

static enum err begin(struct asking *a, const int near[N_SERVED])
{
	const struct bridge_env env = { .process = (struct process *)&a->w,
					.note = on_note,
					.ctx = a };
	enum err e = bridge_new(&env, &a->w.b);

	for (size_t i = 0; i < N_SERVED; i++) {
		if (e == OK)
			e = bridge_peer(a->w.b, served[i], near[i]);
		else
			close(near[i]);
	}
	if (e != OK)
		return e;
	bridge_set(a->w.b, (struct ike_engine *)&a->w, &a->conf);
	return bridge_begin(a->w.b);
}

static void world_make(struct asking *a, int near[N_SERVED])
{
	struct ike_action *at = a->actions;

	*a = (struct asking){ .w.accused = ROLE_MONITOR };
	a->conf.connections = &office;
	a->conf.n_connections = 1;
	commands_fill(a, &at);
	others_fill(a, at);
	ck_assert_int_eq(loop_new(&a->w.loop), OK);
	for (size_t i = 0; i < N_SERVED; i++) {
		int fd[2];

		ck_assert_int_eq(chan_pair(fd), OK);
		near[i] = fd[0];
		a->end[i] = fd[1];
	}
}

static bool run(size_t nth)
{
	static struct asking a;
	int near[N_SERVED];
	bool failed;
	enum err e;

	world_make(&a, near);
	failing_arm(nth);
	e = begin(&a, near);
	if (e == OK)
		ask(&a);
	failed = failing_disarm() && nth > 0;
	ck_assert_int_eq(e, failed && e != OK ? ERR_NOMEM : OK);
	if (e == OK) {
		take(&a);
		ask(&a);
		take(&a);
		judge(&a, failed);
	}
	bridge_free(a.w.b);
	loop_free(a.w.loop);
	for (size_t i = 0; i < N_SERVED; i++)
		close(a.end[i]);
	return failed;
}

START_TEST(a_request_goes_out_or_is_answered_as_failed)
{
	size_t n = 0;
	long before;

	/* The crypto library keeps what it makes the first time. */
	ck_assert(!run(0));
	before = failing_live();
	ck_assert(!run(0));
	ck_assert_int_eq(failing_live(), before);
	while (run(++n)) {
		ck_assert_uint_lt(n, ALLOCATIONS_MAX);
		ck_assert_msg(failing_live() == before, "allocation %zu: %ld are left", n,
			      failing_live() - before);
	}
	if (getenv("MEMORY_COUNT"))
		fprintf(stderr, "%zu allocations\n", n - 1);
	ck_assert_uint_gt(n, 5 * EACH);
}
END_TEST

UNIT("daemon/bridge-memory")
{
	tcase_add_test(tc, a_request_goes_out_or_is_answered_as_failed);
}
