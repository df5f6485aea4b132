/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor between a kernel that tells without end and an engine that does not read: a process
 * that sleeps, and whose end of the channel this test holds.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/monitor_state.h"
#include "tests/unit/daemon/gate_scene.h"
#include "tests/unit/unit.h"

enum { PER_CALL = 500, CALLS = 200, EXPIRES = 1000 };

/* One test is one process, so what follows is its own. */
static struct world {
	struct monitor m;
	struct loaded now;
	struct scene scene;
	int engine; /* its end of the channel */
	pid_t engine_pid;
	int kernel[2];	/* readable: the kernel has something to tell */
	size_t n_calls; /* of kernel_events */
	size_t n_told;
	mono_ns per_call; /* how long each takes, at least */
	mono_ns first;	  /* the first began */
	mono_ns last;	  /* the last began */
	mono_ns in_calls; /* spent in all before that */
	mono_ns in_last;
	size_t n_forgets;
	uint32_t forgot;  /* the last reqid */
	size_t n_expires; /* that the engine heard, in their order */
	size_t n_acquires;
	size_t n_halves; /* that the kernel has */
	size_t n_looks;	 /* at what they have carried */
	mono_ns looked;	 /* ... when last */
	struct loop_timer step;
	bool ready; /* it said so */
} w;

/* ---- what stands in the place of the other parts ---- */

pid_t spawn_role(const struct spawn *s, enum role r, const struct user_ids *ids, int chan)
{
	pid_t pid = fork();

	(void)s;
	(void)ids;
	while (pid == 0)
		pause();
	if (r == ROLE_ENGINE) {
		w.engine = dup(chan);
		w.engine_pid = pid;
	}
	return pid;
}

static void tell(kernel_event_fn *fn, void *ctx)
{
	struct plane_event ev = { .kind = PLANE_ACQUIRE, .reqid = w.scene.ch->reqid };

	for (int i = 0; i < PER_CALL; i++) {
		ev.acquire++;
		fn(ctx, &ev);
	}
	ev = (struct plane_event){ .kind = PLANE_EXPIRE, .dir = SA_IN };
	for (int i = 0; i < EXPIRES / CALLS; i++) {
		ev.spi = (uint32_t)++w.n_told;
		fn(ctx, &ev);
	}
}

void kernel_events(struct kernel *k, kernel_event_fn *fn, void *ctx)
{
	(void)k;
	w.last = mono_now();
	w.first = w.n_calls++ == 0 ? w.last : w.first;
	w.in_calls += w.in_last;
	if (w.per_call == 0 && w.n_told < EXPIRES)
		tell(fn, ctx);
	while (mono_now() < w.last + w.per_call)
		;
	w.in_last = mono_now() - w.last;
}

int kernel_fd(const struct kernel *k)
{
	(void)k;
	return w.kernel[0];
}

void kernel_command(struct kernel *k, const struct sa_cmd *cmd, struct sa_done *done)
{
	(void)k;
	done->err = OK;
	if (cmd->op == SA_INSTALL) {
		w.n_halves++;
		return;
	}
	ck_assert_int_eq(cmd->op, SA_FORGET);
	w.n_forgets++;
	w.forgot = cmd->sa.reqid;
}

void kernel_look(struct kernel *k, uint64_t now_ns, kernel_event_fn *fn, void *ctx)
{
	const struct plane_event ev = { .kind = PLANE_SILENT, .dir = SA_OUT, .spi = 1 };

	(void)k;
	(void)now_ns;
	w.n_looks++;
	w.looked = mono_now();
	fn(ctx, &ev);
}

uint64_t kernel_look_pause(const struct kernel *k)
{
	(void)k;
	return (uint64_t)NS_PER_S;
}

/* What is not called here. */
enum err kernel_open(struct kernel **out, char why[static HOST_WHY_MAX])
{
	(void)why;
	*out = NULL;
	return ERR_UNSUPPORTED;
}
void kernel_probe(struct kernel *k, struct plane_caps *caps)
{
	(void)k;
	(void)caps;
}
enum err kernel_clear(struct kernel *k, char why[static HOST_WHY_MAX])
{
	(void)k;
	(void)why;
	return OK;
}
void kernel_began(struct kernel *k, mono_ns now)
{
	(void)k;
	(void)now;
}
enum err kernel_pass_on(const struct kernel *k, struct vault *v)
{
	(void)k;
	(void)v;
	return OK;
}
enum err kernel_go_on(struct kernel *k, const struct vault *v, char why[static HOST_WHY_MAX])
{
	(void)k;
	(void)v;
	(void)why;
	return OK;
}
void kernel_know(struct kernel *k, const struct plane_caps *caps)
{
	(void)k;
	(void)caps;
}
void kernel_prepare(struct kernel *k)
{
	(void)k;
}
int kernel_hold_error(const struct kernel *k)
{
	(void)k;
	return 0;
}
void kernel_flush(struct kernel *k)
{
	(void)k;
}
void kernel_unclaim(struct kernel *k)
{
	(void)k;
}
void kernel_close(struct kernel *k)
{
	(void)k;
}
bool kernel_doubts(const struct kernel *k)
{
	(void)k;
	return false;
}
void monitor_host_retry(struct monitor *m)
{
	(void)m;
}
struct kernel_count kernel_count(const struct kernel *k, const char *connection)
{
	(void)k;
	(void)connection;
	return (struct kernel_count){ .all = w.n_halves };
}
enum whose whose_ask(struct netlink *route, const struct addr *a)
{
	(void)route;
	return addr_eq(a, &w.scene.cmd.sa.path.local.addr) ? WHOSE_OURS : WHOSE_OTHER;
}
enum err netlink_open(struct netlink *nl, int protocol)
{
	(void)nl;
	(void)protocol;
	return OK;
}
void netlink_close(struct netlink *nl)
{
	(void)nl;
}
bool warden_interfaces(struct warden *x)
{
	(void)x;
	return false;
}
void warden_kernel(struct warden *x, struct kernel *k, const struct plane_caps *caps)
{
	(void)x;
	(void)k;
	(void)caps;
}
enum err warden_set(struct warden *x, const struct conf *c, char why[static HOST_WHY_MAX])
{
	(void)x;
	(void)c;
	(void)why;
	return OK;
}
void monitor_log(enum log_level level, const char *event, const char *why)
{
	(void)level;
	(void)event;
	(void)why;
}

/* ---- the world ---- */

static void equip(void *ctx, enum role r)
{
	(void)ctx;
	(void)r;
}

static enum err message(void *ctx, enum role r, const struct chan_msg *m)
{
	(void)ctx;
	ck_assert_int_eq(r, ROLE_ENGINE);
	ck_assert_int_eq(m->type, MSG_READY);
	w.ready = true;
	return OK;
}

static void settled(void *ctx, enum role r)
{
	(void)ctx;
	ck_assert_int_eq(r, ROLE_ENGINE);
	loop_stop(w.m.loop, w.ready ? 5 : 6);
}

static void world_open(void)
{
	struct crew_env env = { .equip = equip,
				.ended = equip,
				.message = message,
				.settled = settled };

	memset(&w, 0, sizeof w);
	log_setup(LOG_LEVEL_ERROR, LOG_FORM_BARE, "test");
	scene_open(&w.scene);
	w.now.conf = w.scene.c;
	w.m.now = &w.now;
	w.m.plane.caps = w.scene.kernel;
	w.m.plane.kernel = (struct kernel *)&w; /* never looked into */
	ck_assert_int_eq(loop_new(&w.m.loop), OK);
	env.loop = w.m.loop;
	ck_assert_int_eq(crew_new(&env, &w.m.crew), OK);
	ck_assert_int_eq(crew_start(w.m.crew), OK);
	ck_assert_int_eq(pipe(w.kernel), 0);
	ck_assert_int_eq(write(w.kernel[1], "x", 1), 1);
	ck_assert_int_eq(monitor_kernel_watch(&w.m), OK);
}

static void world_close(void)
{
	crew_free(w.m.crew);
	loop_free(w.m.loop);
	scene_close(&w.scene);
	close(w.engine);
	close(w.kernel[0]);
	close(w.kernel[1]);
}

static void hear(const uint8_t *p, size_t len)
{
	struct plane_event ev;

	if (p[0] != MSG_PLANE)
		return;
	ck_assert_int_eq(plane_event_decode(span_of(p + 1, len - 1), &ev), OK);
	w.n_acquires += ev.kind == PLANE_ACQUIRE;
	if (ev.kind == PLANE_EXPIRE)
		ck_assert_uint_eq(ev.spi, ++w.n_expires);
}

/* Once it has been told everything, it wakes up and reads. */
static void step(void *ctx)
{
	static uint8_t b[4096];
	ssize_t n;

	(void)ctx;
	loop_timer_set(w.m.loop, &w.step, mono_now() + NS_PER_MS);
	if (w.n_told < EXPIRES)
		return;
	while ((n = recv(w.engine, b, sizeof b, MSG_DONTWAIT)) > 0)
		hear(b, (size_t)n);
	ck_assert(n < 0 && errno == EAGAIN);
	if (w.n_expires == EXPIRES && w.n_forgets > 0 && !w.m.plane.lost_some)
		loop_stop(w.m.loop, 1);
}

/* 100 000 packets that ask, 1000 SAs that end, and nobody who reads. */
START_TEST(a_storm_of_events_does_not_end_an_engine_that_is_busy)
{
	size_t heard;

	world_open();
	w.step = (struct loop_timer){ .fire = step };
	loop_timer_set(w.m.loop, &w.step, mono_now());
	ck_assert_int_eq(loop_run(w.m.loop), 1);
	ck_assert_int_eq(waitpid(w.engine_pid, NULL, WNOHANG), 0);
	heard = w.n_acquires;
	/* No end of an SA was lost (else this would not end); of the questions most, and then the
	 * kernel was told to ask again, for the two children that it carries. */
	ck_assert_uint_eq(heard + w.m.plane.lost, PER_CALL * CALLS);
	ck_assert_uint_gt(w.m.plane.lost, PER_CALL * CALLS / 2);
	ck_assert_uint_lt(heard, PER_CALL * CALLS / 2);
	ck_assert_uint_eq(w.n_forgets % 2, 0);
	world_close();
}
END_TEST

static void look(void *ctx)
{
	loop_timer_set(ctx, &w.step, mono_now() + NS_PER_MS);
	if (w.n_calls > 5)
		loop_stop(ctx, 3);
}

/* A kernel whose tables take 10 ms to be put right, over and over: there is time for the rest. */
START_TEST(a_kernel_that_tells_without_end_gets_a_quarter_of_the_time)
{
	world_open();
	w.per_call = 10 * NS_PER_MS;
	w.step = (struct loop_timer){ .fire = look, .ctx = w.m.loop };
	loop_timer_set(w.m.loop, &w.step, mono_now());
	ck_assert_int_eq(loop_run(w.m.loop), 3);
	ck_assert_uint_ge(w.in_calls, 5 * w.per_call);
	ck_assert_uint_ge(w.last - w.first, 4 * w.in_calls - NS_PER_MS);
	world_close();
}
END_TEST

/* The SA goes after the second look, and nobody looks any more. */
static void await_looks(void *ctx)
{
	loop_timer_set(ctx, &w.step, mono_now() + 10 * NS_PER_MS);
	if (w.n_looks == 2)
		w.n_halves = 0;
	if (w.n_looks == 2 && !w.m.plane.looks)
		loop_stop(ctx, 4);
}

START_TEST(what_sas_have_carried_is_looked_at_while_there_are_any)
{
	uint8_t b[4096], x;
	struct wr wr = wr_into(b, sizeof b);
	mono_ns begin;

	world_open();
	ck_assert_int_eq(read(w.kernel[0], &x, 1), 1); /* it has nothing to tell */
	ck_assert(!w.m.plane.looks);
	sa_cmd_encode(&wr, &w.scene.cmd);
	begin = mono_now();
	ck_assert_int_eq(monitor_kernel_command(&w.m, wr_done(&wr)), OK);
	ck_assert_uint_eq(w.n_halves, 1);
	ck_assert(w.m.plane.looks);
	w.step = (struct loop_timer){ .fire = await_looks, .ctx = w.m.loop };
	loop_timer_set(w.m.loop, &w.step, mono_now());
	ck_assert_int_eq(loop_run(w.m.loop), 4);
	ck_assert_uint_eq(w.n_looks, 2);
	ck_assert_uint_ge(w.looked - begin, 2 * NS_PER_S);
	world_close();
}
END_TEST

static void engine_says(uint8_t type)
{
	const uint8_t b[9] = { type };

	ck_assert_int_gt((int)send(w.engine, b, type == MSG_READY ? sizeof b : 1, 0), 0);
}

/* Not when it has answered what it was asked before. */
START_TEST(who_has_answered_has_done_what_came_before)
{
	world_open();
	crew_settle(w.m.crew, ROLE_ENGINE);
	crew_settle(w.m.crew, ROLE_ENGINE);
	engine_says(MSG_PONG);
	engine_says(MSG_READY);
	engine_says(MSG_PONG);
	ck_assert_int_eq(loop_run(w.m.loop), 5);
	world_close();
}
END_TEST

UNIT("daemon/monitor-kernel")
{
	tcase_add_test(tc, who_has_answered_has_done_what_came_before);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_storm_of_events_does_not_end_an_engine_that_is_busy);
	tcase_add_test(tc, what_sas_have_carried_is_looked_at_while_there_are_any);
	tcase_add_test(tc, a_kernel_that_tells_without_end_gets_a_quarter_of_the_time);
}
