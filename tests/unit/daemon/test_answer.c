/* SPDX-License-Identifier: Apache-2.0 */
/* An answer that cannot be given: there is no memory for one that has to wait, or nobody is there
 * any more. The engine did not lie; and it does not wait for ever.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/jobserver.h"
#include "daemon/processes.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

enum { QUESTIONS = 2000, FITS = 0, STARVES = 1, LEAVES = 2 };

static struct world {
	const struct process_ops *ops;
	void *ctx;
	struct loop_watch *watch[2]; /* the last is of the engine's channel */
	size_t n_watches;
	int engine; /* its end of that */
	int code;   /* what the process ends with; -1: it goes on */
	bool accuses;
	void (*story)(void);
} w;

/* ---- what stands in the place of the other parts ---- */

void loop_timer_set(struct loop *l, struct loop_timer *t, mono_ns at)
{
	(void)l;
	t->node.set = at != NEVER;
}

enum err loop_add(struct loop *l, struct loop_watch *x, uint32_t events)
{
	(void)l;
	(void)events;
	w.watch[w.n_watches++] = x;
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
	(void)x;
	w.n_watches--;
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

void process_exit(struct process *p, int code)
{
	(void)p;
	w.code = code;
}

void process_accuse(struct process *p, enum role r)
{
	(void)p;
	(void)r;
	w.accuses = true;
}

static void engine_is_heard(void)
{
	struct loop_watch *x = w.watch[w.n_watches - 1];

	failing_hold(false);
	x->ready(x->ctx, EPOLLIN);
	failing_hold(true);
}

int process_run(struct process *p)
{
	(void)p;
	w.story();
	return w.code;
}

/* ---- the story: 0 when it went as it should, else the line ---- */

static int which;
static struct span (*question)(uint8_t *b, size_t size, uint64_t ticket);

static void engine_comes(void)
{
	const int little = 1;
	int fd[2];

	if (chan_pair(fd) != OK ||
	    setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)) != 0 ||
	    w.ops->peer(w.ctx, ROLE_ENGINE, fd[0]) != OK)
		abort();
	w.engine = fd[1];
}

static void engine_asks(uint64_t ticket)
{
	uint8_t b[PROTO_SMALL_MAX];
	struct span s = question(b, sizeof(b), ticket);

	if (send(w.engine, s.p, s.len, MSG_NOSIGNAL) != (ssize_t)s.len)
		abort();
}

/* Of the fetcher: a thread has its answer. */
static void answer_comes(void)
{
	struct pollfd p = { .fd = w.watch[0]->fd, .events = POLLIN };

	if (w.n_watches < 2 || poll(&p, 1, 10000) != 1)
		return;
	failing_hold(false);
	w.watch[0]->ready(w.watch[0]->ctx, EPOLLIN);
	failing_hold(true);
}

static void engine_asks_on(void)
{
	failing_hold(true);
	engine_comes();
	failing_arm(which == STARVES ? 1 : 0);
	for (uint64_t i = 1; i <= QUESTIONS && w.code < 0 && !w.accuses; i++) {
		engine_asks(i);
		if (which == LEAVES)
			close(w.engine);
		engine_is_heard();
		answer_comes();
		if (which == LEAVES)
			break;
	}
	failing_disarm();
	if (which != LEAVES)
		close(w.engine);
	if (w.n_watches == 2 || (w.ops->role != ROLE_FETCHER && w.n_watches == 1))
		engine_is_heard();
	failing_hold(false);
}

static void judge(int code)
{
	ck_assert(!w.accuses);
	ck_assert_int_eq(code, which == STARVES ? EXIT_FAILED : 0xff);
}

/* ---- the signer's and the verifier's part ---- */

static struct span job(uint8_t *b, size_t size, uint64_t ticket)
{
	struct job j = { .ticket = ticket, .kind = JOB_SIGN };
	struct wr wr = wr_into(b, size);

	wr_u8(&wr, MSG_JOB);
	job_encode(&wr, &j);
	return wr_done(&wr);
}

static void work(void *store, const struct job *j, uint8_t *buf, size_t size, struct job_result *r)
{
	(void)store;
	(void)j;
	(void)buf;
	(void)size;
	r->err = OK;
}

static void discard(void *prepared)
{
	(void)prepared;
}

static void jobs(void)
{
	static int store;

	if (w.ops->commit(w.ctx, &store) != OK)
		abort();
	engine_asks_on();
}

START_TEST(who_has_no_memory_for_a_result_ends_and_blames_nobody)
{
	static const struct jobserver_ops ops = {
		.process = { .role = ROLE_SIGNER, .discard = discard },
		.kinds = 1u << JOB_SIGN,
		.work = work,
	};
	const long before = failing_live();

	which = _i;
	question = job;
	w = (struct world){ .story = jobs, .code = -1 };
	judge(jobserver_main(&ops) & 0xff);
	ck_assert_int_eq(failing_live(), before);
}
END_TEST

/* ---- the fetcher's ---- */

static struct span name(uint8_t *b, size_t size, uint64_t ticket)
{
	const struct msg_text m = { .ticket = ticket, .text = span_str("192.0.2.1") };
	struct wr wr = wr_into(b, size);

	wr_u8(&wr, MSG_RESOLVE);
	msg_text_put(&wr, &m);
	return wr_done(&wr);
}

static void names(void)
{
	engine_asks_on();
	if (w.accuses)
		w.code = 99;
}

/* It ends by itself, for its threads. */
START_TEST(who_has_no_memory_for_addresses_ends_and_blames_nobody)
{
	const struct options o = { .config = NULL };
	int status;
	pid_t pid;

	which = _i;
	question = name;
	w = (struct world){ .story = names, .code = -1 };
	pid = fork();
	if (pid == 0)
		_exit(fetcher_main(&o));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	judge(WEXITSTATUS(status));
}
END_TEST

UNIT("daemon/answer")
{
	tcase_add_loop_test(tc, who_has_no_memory_for_a_result_ends_and_blames_nobody, FITS,
			    LEAVES + 1);
	tcase_add_loop_test(tc, who_has_no_memory_for_addresses_ends_and_blames_nobody, FITS,
			    LEAVES + 1);
}
