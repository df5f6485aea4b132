/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor makes of deaths: when what a process kept is thrown away, and when SAs go that
 * have no engine. Time is this test's, and what stands around the monitor only writes down.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/monitor_state.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

static struct world {
	struct monitor m;
	mono_ns now;
	mono_ns patience; /* when it ends; NEVER */
	unsigned int n_flushed;
	unsigned int n_distrusted;
	unsigned int n_killed;
	int exit_code; /* of loop_stop; 0: it goes on */
	struct msg_text answer; /* to a reload, without its text */
	enum err answer_err;
	bool lied[N_ROLES];
	bool asked[N_ROLES]; /* by crew_settle */
} w;

/* ---- what stands in the place of the other parts ---- */

mono_ns mono_now(void)
{
	return w.now;
}

void loop_timer_set(struct loop *l, struct loop_timer *t, mono_ns at)
{
	(void)l;
	ck_assert_ptr_eq(t, &w.m.patience);
	w.patience = at;
	t->node.set = at != NEVER;
}

void loop_stop(struct loop *l, int code)
{
	(void)l;
	w.exit_code = code;
}

void crew_send(struct crew *c, enum role r, uint8_t type, struct span body, int fd)
{
	(void)c;
	(void)r;
	(void)fd;
	if (type == MSG_RELOADED)
		w.answer_err = msg_text_get(body, &w.answer);
}

void crew_settle(struct crew *c, enum role r)
{
	(void)c;
	w.asked[r] = true;
}

void crew_kill(struct crew *c, enum role r, const char *why)
{
	(void)c;
	(void)r;
	(void)why;
	w.n_killed++;
}

void crew_distrust(struct crew *c, enum role r, const char *why)
{
	(void)c;
	(void)why;
	w.lied[r] = true;
	w.n_distrusted++;
}

bool crew_has_lied(const struct crew *c, enum role r)
{
	(void)c;
	return w.lied[r];
}

void monitor_stop(struct monitor *m)
{
	(void)m;
}

void upgrade_begin(struct monitor *m, uint64_t ticket)
{
	(void)m;
	(void)ticket;
}

void upgrade_tell(struct monitor *m)
{
	(void)m;
}

void restart_begin(struct monitor *m, const struct msg_restart *asked)
{
	(void)m;
	(void)asked;
}

void monitor_kernel_flush(struct monitor *m)
{
	(void)m;
	w.n_flushed++;
}

enum err warden_guard_all(struct warden *x, char why[static HOST_WHY_MAX])
{
	(void)x;
	(void)why;
	return OK;
}

void monitor_log(enum log_level level, const char *event, const char *why)
{
	(void)level;
	(void)event;
	(void)why;
}

/* What does nothing here. */
void monitor_kernel_unclaim(struct monitor *m)
{
	(void)m;
}
void monitor_kernel_tell(struct monitor *m)
{
	(void)m;
}
void monitor_kernel_ask_again(struct monitor *m)
{
	(void)m;
}
void monitor_kernel_prepare(struct monitor *m)
{
	(void)m;
}
enum err monitor_kernel_command(struct monitor *m, struct span body)
{
	(void)m;
	(void)body;
	return OK;
}
void monitor_net_tell(struct monitor *m)
{
	(void)m;
}
void monitor_mtu_changed(struct monitor *m)
{
	(void)m;
}
void monitor_host_retry(struct monitor *m)
{
	(void)m;
}
void reload_begin(struct monitor *m, uint64_t ticket)
{
	(void)m;
	(void)ticket;
}
void reload_silently(struct monitor *m)
{
	(void)m;
}
void reload_ready(struct monitor *m)
{
	(void)m;
}
void reload_failed(struct monitor *m, enum err e, const char *why)
{
	(void)m;
	(void)e;
	(void)why;
}
enum err warden_guard(struct warden *x, const struct msg_child *c, char why[static HOST_WHY_MAX])
{
	(void)x;
	(void)c;
	(void)why;
	return OK;
}
enum err warden_mtu(struct warden *x, const struct msg_child *c, char why[static HOST_WHY_MAX])
{
	(void)x;
	(void)c;
	(void)why;
	return OK;
}
struct own_tuns *warden_devices(struct warden *x)
{
	(void)x;
	return NULL;
}
void own_tuns_again(struct own_tuns *t)
{
	(void)t;
}
void own_tuns_hand_over(struct own_tuns *t, own_tun_fn *fn, void *ctx)
{
	(void)t;
	(void)fn;
	(void)ctx;
}

/* ---- the world ---- */

static struct loaded loaded;
static struct options options;

static void world_open(void)
{
	memset(&w, 0, sizeof w);
	options = (struct options){ .take_over = -1 };
	w.m.o = &options;
	memset(&w.m.sockets, 0xff, sizeof w.m.sockets);
	w.m.sockets.n_workers = 1;
	w.m.tun[0] = -1;
	w.m.control = -1;
	w.m.now = &loaded;
	w.m.generation = 1;
	w.m.notify.fd = -1;
	w.now = 1000 * NS_PER_S;
	w.patience = NEVER;
	for (unsigned int r = 0; r < N_ROLES; r++)
		w.m.kept[r].fd = -1;
}

static void says_ready(enum role r)
{
	uint8_t b[8];
	struct wr wr = wr_into(b, sizeof b);
	struct chan_msg msg = { .type = MSG_READY, .fd = -1 };

	msg_number_put(&wr, 1);
	msg.body = wr_done(&wr);
	ck_assert_int_eq(monitor_message(&w.m, r, &msg), OK);
}

/* Started, and its configuration is committed. */
static void begins(enum role r)
{
	w.asked[r] = false;
	w.lied[r] = false;
	monitor_equip(&w.m, r);
	says_ready(r);
	ck_assert(w.asked[r]);
}

static void lives(enum role r)
{
	begins(r);
	monitor_settled(&w.m, r);
	w.now += 10 * NS_PER_S;
}

static void dies(enum role r, mono_ns later)
{
	w.now += later;
	monitor_ended(&w.m, r);
	if (w.patience <= w.now) {
		w.m.patience.node.set = false;
		w.patience = NEVER;
		w.m.patience.fire(w.m.patience.ctx);
	}
}

static enum err accuses(enum role by, enum role of)
{
	uint8_t b[4];
	struct wr wr = wr_into(b, sizeof b);
	struct chan_msg msg = { .type = MSG_ACCUSE, .fd = -1 };

	msg_role_put(&wr, of);
	msg.body = wr_done(&wr);
	return monitor_message(&w.m, by, &msg);
}

static void refuses(enum role r)
{
	const struct msg_text t = { .ticket = 1, .err = ERR_CONFIG, .text = span_str("not this") };
	uint8_t b[64];
	struct wr wr = wr_into(b, sizeof b);
	struct chan_msg msg = { .type = MSG_REFUSED, .fd = -1 };

	msg_text_put(&wr, &t);
	msg.body = wr_done(&wr);
	ck_assert_int_eq(monitor_message(&w.m, r, &msg), OK);
}

static void world_close(void)
{
	for (unsigned int r = 0; r < N_ROLES; r++) {
		if (w.m.kept[r].fd >= 0)
			close(w.m.kept[r].fd);
	}
}

/* ---- tests ---- */

static const enum role keepers[] = { ROLE_ENGINE, ROLE_ESP };

/* However long it takes to go through what it finds. */
START_TEST(who_dies_of_what_it_finds_three_times_finds_nothing)
{
	const enum role r = keepers[_i];

	world_open();
	lives(r);
	dies(r, 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_ge(w.m.kept[r].fd, 0);
		ck_assert_uint_eq(w.m.kept[r].deaths, (unsigned int)i);
		begins(r);
		dies(r, 5 * NS_PER_S);
	}
	ck_assert_uint_eq(w.m.kept[r].deaths, 3);
	begins(r); /* with another one */
	ck_assert_uint_eq(w.m.kept[r].deaths, 0);
	world_close();
}
END_TEST

/* ... and who lived with it died of something else. */
START_TEST(who_lives_with_what_it_finds_keeps_it)
{
	const enum role r = keepers[_i];

	world_open();
	for (int i = 0; i < 10; i++) {
		begins(r);
		dies(r, 5 * NS_PER_S);
		lives(r);
		dies(r, 0);
		ck_assert_uint_eq(w.m.kept[r].deaths, 0);
	}
	begins(r);
	monitor_settled(&w.m, r);
	dies(r, NS_PER_MS); /* ... but not of that */
	ck_assert_uint_eq(w.m.kept[r].deaths, 1);
	world_close();
}
END_TEST

/* Upgrades that fail in the end, one right behind the other: each time all have ended, as asked. */
START_TEST(who_is_asked_to_end_has_not_died_of_it)
{
	const enum role r = keepers[_i];
	int fd;

	world_open();
	begins(r);
	fd = w.m.kept[r].fd;
	for (int i = 0; i < 5; i++) {
		monitor_settled(&w.m, r);
		w.m.leaving = true;
		dies(r, NS_PER_MS);
		w.m.leaving = false;
		ck_assert_uint_eq(w.m.kept[r].deaths, 0);
		begins(r);
		ck_assert_int_eq(w.m.kept[r].fd, fd);
	}
	world_close();
}
END_TEST

/* Each says that it is ready, and dies of what it is to go on with. */
START_TEST(a_loop_of_crashes_is_no_engine)
{
	world_open();
	lives(ROLE_ENGINE);
	for (int i = 0; i < 12; i++) {
		ck_assert_uint_eq(w.n_flushed, 0);
		dies(ROLE_ENGINE, i > 0 ? 5 * NS_PER_S : 0);
		begins(ROLE_ENGINE);
	}
	dies(ROLE_ENGINE, 5 * NS_PER_S);
	ck_assert_uint_eq(w.n_flushed, 1);
	world_close();
}
END_TEST

START_TEST(an_engine_that_lives_again_ends_the_waiting)
{
	world_open();
	for (int i = 0; i < 12; i++) {
		lives(ROLE_ENGINE);
		ck_assert(w.patience == NEVER);
		dies(ROLE_ENGINE, 0);
		ck_assert_uint_eq(w.patience, w.now + 60 * NS_PER_S);
	}
	ck_assert_uint_eq(w.n_flushed, 0);
	world_close();
}
END_TEST

/* It may have written what it likes. */
START_TEST(what_a_liar_kept_is_nobodys)
{
	const enum role r = keepers[_i];

	world_open();
	lives(r);
	ck_assert_int_ge(w.m.kept[r].fd, 0);
	ck_assert_int_eq(accuses(r == ROLE_ENGINE ? ROLE_SIGNER : ROLE_ENGINE, r), OK);
	ck_assert(w.lied[r]);
	dies(r, 0);
	ck_assert_int_lt(w.m.kept[r].fd, 0);
	world_close();
}
END_TEST

/* Whoever was taken over cannot have any other process killed, nor what that keeps thrown away. */
START_TEST(only_who_has_a_channel_to_somebody_accuses)
{
	const enum role by = (enum role)(_i / N_ROLES), of = (enum role)(_i % N_ROLES);
	const bool fits = (by == ROLE_ENGINE && role_row(of)->serves_engine) ||
			  (of == ROLE_ENGINE && role_row(by)->serves_engine);

	world_open();
	ck_assert_int_eq(accuses(by, of), fits ? OK : ERR_SYNTAX);
	ck_assert_uint_eq(w.n_distrusted, fits ? 1 : 0);
	world_close();
}
END_TEST

/* A service manager starts nobody again whose configuration was refused. */
START_TEST(only_at_a_start_a_refusal_is_the_end)
{
	world_open();
	refuses(ROLE_ESP);
	ck_assert_int_eq(w.exit_code, EXIT_CONFIG);
	ck_assert_uint_eq(w.n_killed, 0);
	world_open();
	w.m.up = true;
	refuses(ROLE_ESP);
	ck_assert_int_eq(w.exit_code, 0);
	ck_assert_uint_eq(w.n_killed, 1);
	world_close();
}
END_TEST

START_TEST(behind_a_take_over_who_refuses_tries_again)
{
	world_open();
	w.m.follows = true;
	refuses(ROLE_ESP);
	ck_assert_int_eq(w.exit_code, 0);
	ck_assert_uint_eq(w.n_killed, 1);
	world_close();
}
END_TEST

/* Its client waits for it at the control socket. */
START_TEST(a_reload_is_answered_without_memory)
{
	static char text[2 * PROTO_TEXT_MAX];

	memset(text, 'x', sizeof text - 1);
	world_open();
	failing_arm(_i ? 1 : 0);
	monitor_send_reloaded(&w.m, 7, ERR_CONFIG, text);
	(void)failing_disarm();
	ck_assert_int_eq(w.answer_err, OK);
	ck_assert_uint_eq(w.answer.ticket, 7);
	ck_assert_int_eq(w.answer.err, ERR_CONFIG);
	ck_assert_uint_eq(w.answer.text.len, PROTO_TEXT_MAX);
	world_close();
}
END_TEST

UNIT("daemon/monitor-crew")
{
	tcase_add_loop_test(tc, a_reload_is_answered_without_memory, 0, 2);
	tcase_add_test(tc, only_at_a_start_a_refusal_is_the_end);
	tcase_add_test(tc, behind_a_take_over_who_refuses_tries_again);
	tcase_add_loop_test(tc, what_a_liar_kept_is_nobodys, 0, 2);
	tcase_add_loop_test(tc, only_who_has_a_channel_to_somebody_accuses, 0, N_ROLES * N_ROLES);
	tcase_add_loop_test(tc, who_dies_of_what_it_finds_three_times_finds_nothing, 0, 2);
	tcase_add_loop_test(tc, who_lives_with_what_it_finds_keeps_it, 0, 2);
	tcase_add_loop_test(tc, who_is_asked_to_end_has_not_died_of_it, 0, 2);
	tcase_add_test(tc, a_loop_of_crashes_is_no_engine);
	tcase_add_test(tc, an_engine_that_lives_again_ends_the_waiting);
}
