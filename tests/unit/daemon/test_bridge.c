/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge between an engine that only writes down what it hears, a monitor that does the same,
 * and an esp process that says what it likes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/bridge.h"
#include "esp/esp.h"
#include "tests/unit/unit.h"

enum { N_CLAIMS = 2 * 30000 };

struct told {
	enum sa_plane from;
	struct plane_event plane;
};

struct world {
	struct loop *loop;
	struct bridge *b;
	int esp; /* its end of the channel */
	struct told heard[16];
	size_t n_heard;
	size_t n_wanted;    /* then it is enough */
	uint64_t failed[4]; /* tickets, and how much had been heard by then */
	size_t heard_before[4];
	size_t n_failed;
	const struct sa_cmd *commands;
	size_t n_commands;
	/* Many: each is the same command by another ticket, and whoever works that plane answers. */
	struct sa_cmd claim;
	size_t n_claims, n_done, queued, size; /* bytes at the monitor, of one command */
	struct link plane;
	struct loop_timer monitor;
	char mtu_of[16]; /* the children that the monitor was told an MTU of: a letter each */
	enum role accused;
	struct loop_timer patience;
};

/* ---- what stands in the place of the other parts ---- */

struct loop *process_loop(struct process *p)
{
	return ((struct world *)p)->loop;
}

void process_tell(struct process *p, uint8_t type, struct span body)
{
	struct world *w = (struct world *)p;
	struct msg_child c;

	ck_assert_int_eq(type, MSG_MTU);
	ck_assert_int_eq(msg_child_get(body, &c), OK);
	ck_assert_uint_lt(strlen(w->mtu_of) + 1, sizeof w->mtu_of);
	w->mtu_of[strlen(w->mtu_of)] = c.child[0];
}

enum err process_send(struct process *p, uint8_t type, struct span body)
{
	struct world *w = (struct world *)p;

	(void)type;
	w->size = body.len;
	w->queued += w->size;
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

void ike_engine_event(struct ike_engine *e, const struct ike_event *ev, mono_ns now)
{
	struct world *w = (struct world *)e;

	(void)now;
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

/* Without an engine; esp is waited for so long, 0: as usual. */
static void world_begin(struct world *w, mono_ns esp_patience)
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

static void engine_comes(void *ctx)
{
	struct world *w = ctx;

	bridge_set(w->b, (struct ike_engine *)w, NULL);
	ck_assert_int_eq(bridge_begin(w->b), OK);
}

static void world_open(struct world *w)
{
	world_begin(w, 0);
	engine_comes(w);
}

static void world_close(struct world *w)
{
	loop_timer_set(w->loop, &w->patience, NEVER);
	bridge_free(w->b);
	loop_free(w->loop);
	close(w->esp);
}

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
	struct loop_timer later = { .fire = engine_comes, .ctx = &w };

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

static struct sa_cmd outbound(enum sa_plane plane, const char *child)
{
	struct sa_cmd cmd = { .op = SA_INSTALL, .sa = { .dir = SA_OUT, .plane = plane } };

	cmd.sa.spi = 0x2000u + (unsigned int)plane;
	cmd.sa.child[0] = child[0];
	ck_assert(addr_parse("192.0.2.1", &cmd.sa.path.local.addr));
	ck_assert(addr_parse("203.0.113.2", &cmd.sa.path.remote.addr));
	return cmd;
}

static void esp_comes(void *ctx)
{
	struct world *w = ctx;
	int fd[2];

	ck_assert_int_eq(chan_pair(fd), OK);
	ck_assert_int_eq(bridge_peer(w->b, ROLE_ESP, fd[0]), OK);
	w->esp = fd[1];
}

static void command(struct world *w, const struct sa_cmd *cmd)
{
	w->commands = cmd;
	w->n_commands = 1;
	bridge_drain_all(w->b);
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
	engine_comes(&w);
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
	engine_comes(&w);
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

/* ---- more than a channel holds ---- */

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

UNIT("daemon/bridge")
{
	tcase_add_loop_test(tc, what_a_channel_cannot_hold_is_asked_by_and_by, 0, 2);
	tcase_add_test(tc, the_engine_hears_whose_word_it_is);
	tcase_add_test(tc, what_is_said_waits_for_the_engine);
	tcase_add_test(tc, who_says_that_a_plane_is_gone_is_gone);
	tcase_add_loop_test(tc, an_esp_that_dies_is_waited_for, 0, 2);
	tcase_add_test(tc, an_esp_that_does_not_come_back_is_gone);
	tcase_add_test(tc, an_esp_that_is_not_there_yet_is_waited_for);
	tcase_add_test(tc, a_path_is_smaller_for_the_plane_that_says_so);
}
