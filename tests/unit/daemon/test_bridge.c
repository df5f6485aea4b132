/* SPDX-License-Identifier: Apache-2.0 */
/* What comes to the engine from the processes beside it, and what becomes of them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/daemon/bridge_world.h"
#include "tests/unit/unit.h"

static struct span message(uint8_t b[static PROTO_SMALL_MAX], const struct plane_event *ev)
{
	struct wr w = wr_into(b, PROTO_SMALL_MAX);

	wr_u8(&w, MSG_PLANE);
	plane_event_encode(&w, ev);
	return wr_done(&w);
}

static void esp_says(struct world *w, const struct plane_event *ev)
{
	uint8_t b[PROTO_SMALL_MAX];
	struct span s = message(b, ev);

	ck_assert_int_eq(send(w->esp, s.p, s.len, 0), (ssize_t)s.len);
}

static void monitor_says(struct world *w, const struct plane_event *ev)
{
	uint8_t b[PROTO_SMALL_MAX];
	struct span s = message(b, ev);
	const struct chan_msg m = { .type = MSG_PLANE, .body = span_tail(s, 1), .fd = -1 };

	ck_assert_int_eq(bridge_kernel(w->b, &m), OK);
}

/* ---- tests ---- */

/* Whatever the number is, and whoever's SA: the engine hears who said it. */
START_TEST(the_engine_hears_whose_word_it_is)
{
	const struct plane_event kernels = { .kind = PLANE_EXPIRE, .spi = 0x1000, .dir = SA_IN };
	const struct plane_event peers = { .kind = PLANE_EXPIRE, .spi = 0xc0000001, .dir = SA_OUT };
	const struct plane_event asks = { .kind = PLANE_ACQUIRE, .reqid = SA_REQID_BASE + 1 };
	struct world w;

	world_open(&w);
	monitor_says(&w, &kernels);
	monitor_says(&w, &peers);
	w.n_wanted = 5;
	esp_says(&w, &kernels);
	esp_says(&w, &peers);
	esp_says(&w, &asks);
	ck_assert_int_eq(loop_run(w.loop), 1);
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(w.heard[i].from, i < 2 ? PLANE_KERNEL : PLANE_USER);
	ck_assert_uint_eq(w.heard[3].plane.spi, peers.spi);
	ck_assert_int_eq(w.accused, ROLE_MONITOR);
	world_close(&w);
}
END_TEST

/* Before it has what another engine has left it would not know what is said of that. */
START_TEST(what_is_said_waits_for_the_engine)
{
	const struct plane_event ev = { .kind = PLANE_EXPIRE, .spi = 0xc0000001, .dir = SA_OUT };
	struct world w;
	struct loop_timer later = { .fire = world_engine_comes, .ctx = &w };

	world_begin(&w, 0);
	w.n_wanted = 1;
	esp_says(&w, &ev);
	loop_timer_set(w.loop, &later, mono_now());
	ck_assert_int_eq(loop_run(w.loop), 1);
	ck_assert_uint_eq(w.heard[0].plane.spi, ev.spi);
	world_close(&w);
}
END_TEST

/* Of its own death nobody tells, so a plane that says so lies; its channel ends, and then the SAs
 * of userspace are gone, not the kernel's. */
START_TEST(who_says_that_a_plane_is_gone_is_gone)
{
	const struct plane_event gone = { .kind = PLANE_GONE };
	struct world w;

	world_open(&w);
	esp_says(&w, &gone);
	ck_assert_int_eq(loop_run(w.loop), 2);
	ck_assert_int_eq(w.accused, ROLE_ESP);
	ck_assert_uint_eq(w.n_heard, 1);
	ck_assert_int_eq(w.heard[0].from, PLANE_USER);
	ck_assert_int_eq(w.heard[0].plane.kind, PLANE_GONE);
	world_close(&w);
}
END_TEST

static void esp_comes(void *ctx)
{
	struct world *w = ctx;
	int fd[2];

	ck_assert_int_eq(chan_pair(fd), OK);
	ck_assert_int_eq(bridge_peer(w->b, ROLE_ESP, fd[0]), OK);
	w->esp = fd[1];
}

/* The next one may have its SAs. What was asked of it, and what is asked while it is away, is
 * neither answered nor given to the next one: the engine asks anew, and does not wait any more. */
START_TEST(an_esp_that_dies_is_waited_for)
{
	struct sa_cmd before = outbound(PLANE_USER, "u"), after = before, away = before;
	struct world w;
	struct loop_timer later = { .fire = esp_comes, .ctx = &w };
	char b[1];

	world_open(&w);
	before.ticket = 1;
	after.ticket = 2;
	away.ticket = 3;
	command(&w, &before);
	close(w.esp);
	command(&w, &after); /* its end was not heard of yet */
	if (_i)
		esp_comes(&w); /* ... nor before the next one is here */
	else
		loop_timer_set(w.loop, &later, mono_now() + 1);
	w.n_wanted = 1;
	if (!_i)
		ck_assert_int_eq(loop_run(w.loop), 1);
	ck_assert_uint_eq(w.n_heard, 1);
	ck_assert_int_eq(w.heard[0].from, PLANE_USER);
	ck_assert_int_eq(w.heard[0].plane.kind, PLANE_BACK);
	ck_assert_uint_eq(w.n_failed, 2);
	ck_assert_uint_eq(w.failed[0] + w.failed[1], 3);
	ck_assert_uint_eq(w.heard_before[0], 1);
	ck_assert_int_lt((int)recv(w.esp, b, 1, MSG_DONTWAIT), 0);
	command(&w, &away);
	ck_assert_int_eq((int)recv(w.esp, b, 1, MSG_DONTWAIT), 1);
	ck_assert_uint_eq(w.n_failed, 2);
	world_close(&w);
}
END_TEST

/* ... for some time, and then its SAs count as gone. */
START_TEST(an_esp_that_does_not_come_back_is_gone)
{
	struct sa_cmd cmd = outbound(PLANE_USER, "u");
	struct world w;

	world_begin(&w, NS_PER_MS);
	world_engine_comes(&w);
	cmd.ticket = 1;
	command(&w, &cmd);
	close(w.esp);
	w.n_wanted = 1;
	ck_assert_int_eq(loop_run(w.loop), 1);
	ck_assert_int_eq(w.heard[0].from, PLANE_USER);
	ck_assert_int_eq(w.heard[0].plane.kind, PLANE_GONE);
	ck_assert_uint_eq(w.n_failed, 1);
	ck_assert_uint_eq(w.heard_before[0], 0);
	command(&w, &cmd); /* at once: nobody is waited for */
	ck_assert_uint_eq(w.n_failed, 2);
	esp_comes(&w);
	ck_assert_int_eq(w.heard[1].plane.kind, PLANE_BACK);
	world_close(&w);
}
END_TEST

/* An engine that begins while there is none. */
START_TEST(an_esp_that_is_not_there_yet_is_waited_for)
{
	struct sa_cmd cmd = outbound(PLANE_USER, "u");
	struct bridge_env env = { .note = NULL };
	struct world w = { .accused = ROLE_MONITOR };

	cmd.ticket = 1;
	env.process = (struct process *)&w;
	ck_assert_int_eq(loop_new(&w.loop), OK);
	ck_assert_int_eq(bridge_new(&env, &w.b), OK);
	world_engine_comes(&w);
	command(&w, &cmd);
	ck_assert_uint_eq(w.n_failed, 0);
	esp_comes(&w);
	ck_assert_uint_eq(w.n_heard, 1);
	ck_assert_int_eq(w.heard[0].plane.kind, PLANE_BACK);
	ck_assert_uint_eq(w.n_failed, 1);
	bridge_free(w.b);
	loop_free(w.loop);
	close(w.esp);
}
END_TEST

/* One peer, a child on each plane. */
START_TEST(a_path_is_smaller_for_the_plane_that_says_so)
{
	const struct sa_cmd commands[] = { outbound(PLANE_USER, "u"), outbound(PLANE_KERNEL, "k") };
	struct plane_event ev = { .kind = PLANE_MTU, .mtu = 1200 };
	struct world w;

	world_open(&w);
	w.commands = commands;
	w.n_commands = 2;
	bridge_drain_all(w.b);
	ev.remote.addr = commands[0].sa.path.remote.addr;
	w.n_wanted = 2; /* what it is of the child, and the event itself */
	esp_says(&w, &ev);
	ck_assert_int_eq(loop_run(w.loop), 1);
	ck_assert_str_eq(w.mtu_of, "u");
	ck_assert_int_eq(w.heard[0].from, PLANE_USER);
	ev.mtu = 1300;
	monitor_says(&w, &ev);
	ck_assert_str_eq(w.mtu_of, "uk");
	ck_assert_int_eq(w.heard[2].from, PLANE_KERNEL);
	world_close(&w);
}
END_TEST

UNIT("daemon/bridge")
{
	tcase_add_test(tc, the_engine_hears_whose_word_it_is);
	tcase_add_test(tc, what_is_said_waits_for_the_engine);
	tcase_add_test(tc, who_says_that_a_plane_is_gone_is_gone);
	tcase_add_loop_test(tc, an_esp_that_dies_is_waited_for, 0, 2);
	tcase_add_test(tc, an_esp_that_does_not_come_back_is_gone);
	tcase_add_test(tc, an_esp_that_is_not_there_yet_is_waited_for);
	tcase_add_test(tc, a_path_is_smaller_for_the_plane_that_says_so);
}
