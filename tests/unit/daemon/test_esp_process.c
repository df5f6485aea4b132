/* SPDX-License-Identifier: Apache-2.0 */
/* When the esp process counts its SAs as nobody's: engines come and go at the other end of its
 * channel. Time is this test's, and userspace ESP only writes down.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/process.h"
#include "daemon/processes.h"
#include "esp/esp.h"
#include "tests/unit/daemon/gate_scene.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

static struct world {
	const struct process_ops *ops;
	void *ctx;
	mono_ns now;
	struct loop_timer *timer; /* the one that is set; NULL: none is */
	mono_ns at;
	struct loop_watch *watch; /* of the engine's channel */
	int engine;		  /* its end of that; -1: none */
	unsigned int n_flushed;
	int code; /* it wants to end with; 0: it does not */
	void (*story)(void);
} w;

/* ---- what stands in the place of the other parts ---- */

mono_ns mono_now(void)
{
	return w.now;
}

void loop_timer_set(struct loop *l, struct loop_timer *t, mono_ns at)
{
	(void)l;
	t->node.set = at != NEVER;
	w.timer = at != NEVER ? t : NULL;
	w.at = at;
}

enum err loop_add(struct loop *l, struct loop_watch *x, uint32_t events)
{
	(void)l;
	(void)events;
	w.watch = x;
	return OK;
}

void loop_change(struct loop *l, struct loop_watch *x, uint32_t events)
{
	(void)l;
	(void)x;
	(void)events;
}

void loop_del(struct loop *l, struct loop_watch *x)
{
	(void)l;
	if (w.watch == x)
		w.watch = NULL;
}

struct process *process_new(const struct process_ops *ops, void *ctx)
{
	w.ops = ops;
	w.ctx = ctx;
	return (struct process *)(void *)&w;
}

struct loop *process_loop(struct process *p)
{
	return (struct loop *)(void *)p;
}

/* It is heard of, unless the next one comes before that. */
static void engine_dies(bool heard)
{
	close(w.engine);
	if (heard)
		w.watch->ready(w.watch->ctx, EPOLLIN);
}

int process_run(struct process *p)
{
	(void)p;
	w.story();
	if (w.watch != NULL)
		engine_dies(true); /* its channel is given back */
	return 0;
}

void process_exit(struct process *p, int code)
{
	(void)p;
	w.code = code;
}

void process_accuse(struct process *p, enum role r)
{
	(void)p;
	ck_abort_msg("%s is accused", role_row(r)->name);
}

enum err esp_new(const struct esp_env *env, struct esp **e)
{
	(void)env;
	*e = (struct esp *)(void *)&w;
	return OK;
}

enum err esp_keep(struct esp *e, const struct esp_memory *m, struct esp_kept *kept)
{
	(void)e;
	(void)m;
	*kept = (struct esp_kept){ .restored = 2 };
	return OK;
}

enum err esp_start(struct esp *e)
{
	(void)e;
	return OK;
}

void esp_command(struct esp *e, const struct sa_cmd *cmd, struct sa_done *done)
{
	(void)e;
	(void)cmd;
	*done = (struct sa_done){ .err = OK };
}

void esp_flush(struct esp *e)
{
	(void)e;
	w.n_flushed++;
}

/* What does nothing here. */
void esp_free(struct esp *e)
{
	(void)e;
}
void esp_hold(struct esp *e, bool hold)
{
	(void)e;
	(void)hold;
}
void esp_unclaim(struct esp *e)
{
	(void)e;
}
enum err esp_device(struct esp *e, uint32_t if_id, const int *fds)
{
	(void)e;
	(void)if_id;
	(void)fds;
	return OK;
}
void esp_devices_keep(struct esp *e, const uint32_t *if_ids, size_t n)
{
	(void)e;
	(void)if_ids;
	(void)n;
}

/* ---- the world ---- */

static void begins(void)
{
	char why[PROCESS_WHY_MAX] = "";
	void *prepared = NULL;
	struct scene s;

	scene_open(&s);
	ck_assert_int_eq(w.ops->prepare(w.ctx, s.c, 1, &prepared, why), OK);
	ck_assert_int_eq(w.ops->commit(w.ctx, prepared), OK);
}

static void engine_comes(void)
{
	int fd[2];

	ck_assert_int_eq(chan_pair(fd), OK);
	ck_assert_int_eq(w.ops->peer(w.ctx, ROLE_ENGINE, fd[0]), OK);
	w.engine = fd[1];
}

static void engine_says(enum sa_op op)
{
	const struct sa_cmd cmd = { .op = op };
	uint8_t b[4096] = { MSG_SA };
	struct wr wr = wr_into(b + 1, sizeof b - 1);

	sa_cmd_encode(&wr, &cmd);
	ck_assert(wr_ok(&wr));
	ck_assert_int_gt((int)send(w.engine, b, wr_done(&wr).len + 1, 0), 0);
	w.watch->ready(w.watch->ctx, EPOLLIN);
}

/* ... and the `nth` allocation for it fails; 0: none. */
static void engine_asks(uint64_t ticket, size_t nth)
{
	const struct sa_cmd cmd = { .op = SA_QUERY, .ticket = ticket };
	uint8_t b[4096] = { MSG_SA };
	struct wr wr = wr_into(b + 1, sizeof b - 1);

	sa_cmd_encode(&wr, &cmd);
	ck_assert_int_gt((int)send(w.engine, b, wr_done(&wr).len + 1, 0), 0);
	failing_arm(nth);
	w.watch->ready(w.watch->ctx, EPOLLIN);
	(void)failing_disarm();
}

static void wait_for(mono_ns time)
{
	struct loop_timer *t = w.timer;

	w.now += time;
	if (t == NULL || w.at > w.now)
		return;
	t->node.set = false;
	w.timer = NULL;
	t->fire(t->ctx);
}

static void tell(void (*story)(void))
{
	const struct options o = { .config = NULL };

	w = (struct world){ .story = story, .now = 1000 * NS_PER_S };
	ck_assert_int_eq(esp_main(&o), 0);
}

/* ---- tests ---- */

static int which;

static void loop_of_crashes(void)
{
	begins();
	for (int i = 0; i < 12; i++) {
		engine_comes();
		if (which & 1)
			engine_says(SA_CLAIM);
		wait_for(5 * NS_PER_S - 1);
		engine_dies((which & 2) != 0);
		ck_assert_uint_eq(w.n_flushed, 0);
	}
	if (!(which & 2))
		engine_comes();
	wait_for(NS_PER_S);
	ck_assert_uint_eq(w.n_flushed, 1);
}

/* Each has its channel at once, says something or not, and dies of what it finds. */
START_TEST(a_loop_of_crashes_is_no_engine)
{
	which = _i;
	tell(loop_of_crashes);
}
END_TEST

static void engines_that_go_on(void)
{
	begins();
	for (int i = 0; i < 12; i++) {
		wait_for(50 * NS_PER_S);
		engine_comes();
		engine_says(SA_CLAIM);
		engine_says(SA_SWEEP);
		ck_assert_ptr_null(w.timer);
		wait_for(50 * NS_PER_S);
		engine_dies(true);
	}
	ck_assert_uint_eq(w.n_flushed, 0);
	wait_for(61 * NS_PER_S);
	ck_assert_uint_eq(w.n_flushed, 1);
}

START_TEST(an_engine_that_goes_on_ends_the_waiting)
{
	tell(engines_that_go_on);
}
END_TEST

static void engine_without_sweep(void)
{
	begins();
	engine_comes();
	engine_says(SA_CLAIM);
	wait_for(61 * NS_PER_S);
	ck_assert_uint_eq(w.n_flushed, 0);
}

/* ... for not all could be claimed. */
START_TEST(an_engine_that_lives_and_does_not_sweep_is_one)
{
	tell(engine_without_sweep);
}
END_TEST

static void answers_wait(void)
{
	const int little = 1;

	begins();
	engine_comes();
	ck_assert_int_eq(setsockopt(w.watch->fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)),
			 0);
	for (uint64_t i = 1; i < 1000 && w.code == 0; i++)
		engine_asks(i, (size_t)which);
	ck_assert_int_eq(w.code, which ? EXIT_FAILED : 0);
}

/* The engine waits for it without a clock, and the next esp goes on with the SAs. */
START_TEST(who_has_no_memory_for_an_answer_ends)
{
	which = _i;
	tell(answers_wait);
}
END_TEST

UNIT("daemon/esp-process")
{
	tcase_add_loop_test(tc, who_has_no_memory_for_an_answer_ends, 0, 2);
	tcase_add_loop_test(tc, a_loop_of_crashes_is_no_engine, 0, 4);
	tcase_add_test(tc, an_engine_that_goes_on_ends_the_waiting);
	tcase_add_test(tc, an_engine_that_lives_and_does_not_sweep_is_one);
}
