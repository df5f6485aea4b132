/* SPDX-License-Identifier: Apache-2.0 */
/* The fetcher: the only process that asks other machines for something (names today; CRLs and OCSP
 * later), as a user of its own, beside no key and no certificate.
 *
 * getaddrinfo cannot be cancelled, so each question has a thread, of which there are few, and a
 * deadline at which the engine gets its answer whatever the thread does. A thread that comes later
 * finds its question closed.
 */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/pack.h"
#include "daemon/answer.h"
#include "daemon/process.h"
#include "daemon/processes.h"

enum { QUESTIONS_MAX = 16, QUESTION_SECONDS = 10, FETCHER_STACK = 256 * 1024 };

/* A place for one question. The thread writes `answer` and then `done`, both under the lock, and
 * does not touch the place any more: it is free again as soon as the loop has seen that. */
struct question {
	struct fetcher *f;
	uint64_t ticket;
	bool busy; /* a thread works here */
	bool done;
	bool answered; /* at the deadline, or nobody wants it any more */
	struct loop_timer deadline;
	char name[PROTO_HOST_MAX + 1];
	struct msg_resolved answer;
};

struct fetcher {
	struct process *process;
	struct link engine;
	pthread_mutex_t lock;
	int wake; /* eventfd: some thread is done */
	struct loop_watch wake_watch;
	struct question q[QUESTIONS_MAX];
};

/* ---- a thread ---- */

static void answer_fill(struct msg_resolved *m, const struct addrinfo *list)
{
	for (const struct addrinfo *ai = list; ai != NULL && m->n < CONF_ADDRS_MAX;
	     ai = ai->ai_next) {
		struct endpoint e;

		if (endpoint_from_sockaddr(&e, ai->ai_addr))
			m->addr[m->n++] = e.addr;
	}
	m->err = m->n > 0 ? OK : ERR_RESOLVE;
}

static void *question_thread(void *arg)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG };
	struct question *q = arg;
	struct fetcher *f = q->f;
	struct msg_resolved m = { .ticket = q->ticket, .err = ERR_RESOLVE };
	struct addrinfo *list = NULL;
	const uint64_t one = 1;

	if (getaddrinfo(q->name, NULL, &hints, &list) == 0)
		answer_fill(&m, list);
	if (list != NULL)
		freeaddrinfo(list);
	pthread_mutex_lock(&f->lock);
	q->answer = m;
	q->done = true;
	pthread_mutex_unlock(&f->lock);
	while (write(f->wake, &one, sizeof one) < 0 && errno == EINTR)
		;
	return NULL;
}

/* ---- the loop ---- */

static void tell_answer(struct fetcher *f, const struct msg_resolved *m)
{
	uint8_t buf[PROTO_SMALL_MAX];
	struct wr w = wr_into(buf, sizeof buf);

	msg_resolved_put(&w, m);
	/* An engine that is gone asks again when it is back. */
	answer_send(f->process, &f->engine, MSG_RESOLVED, wr_done(&w));
}

static void on_deadline(void *ctx)
{
	struct question *q = ctx;
	const struct msg_resolved late = { .ticket = q->ticket, .err = ERR_RESOLVE };

	q->answered = true;
	tell_answer(q->f, &late);
}

static void on_wake(void *ctx, uint32_t events)
{
	struct fetcher *f = ctx;
	uint64_t n;

	(void)events;
	if (read(f->wake, &n, sizeof n) < 0 && errno != EAGAIN)
		return;
	for (size_t i = 0; i < QUESTIONS_MAX; i++) {
		struct question *q = &f->q[i];
		struct msg_resolved m;
		bool done;

		pthread_mutex_lock(&f->lock);
		done = q->busy && q->done;
		m = q->answer;
		pthread_mutex_unlock(&f->lock);
		if (!done)
			continue;
		loop_timer_set(process_loop(f->process), &q->deadline, NEVER);
		if (!q->answered)
			tell_answer(f, &m);
		q->busy = false;
	}
}

static struct question *question_free_place(struct fetcher *f)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++) {
		if (!f->q[i].busy)
			return &f->q[i];
	}
	return NULL;
}

static bool question_start(struct question *q)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool started;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, FETCHER_STACK);
	started = pthread_create(&thread, &attr, question_thread, q) == 0;
	pthread_attr_destroy(&attr);
	return started;
}

static enum err on_resolve(void *ctx, const struct chan_msg *msg)
{
	struct fetcher *f = ctx;
	struct msg_text m;
	struct question *q;

	if (msg_text_get(msg->body, &m) != OK || m.text.len == 0 || m.text.len > PROTO_HOST_MAX)
		return ERR_SYNTAX;
	q = question_free_place(f);
	if (q == NULL) {
		tell_answer(f, &(struct msg_resolved){ .ticket = m.ticket, .err = ERR_BUSY });
		return OK;
	}
	*q = (struct question){
		.f = f,
		.busy = true,
		.ticket = m.ticket,
		.deadline = { .fire = on_deadline, .ctx = q },
	};
	memcpy(q->name, m.text.p, m.text.len);
	if (!question_start(q)) {
		q->busy = false;
		tell_answer(f, &(struct msg_resolved){ .ticket = m.ticket, .err = ERR_SYSTEM });
		return OK;
	}
	loop_timer_set(process_loop(f->process), &q->deadline,
		       mono_now() + QUESTION_SECONDS * NS_PER_S);
	return OK;
}

/* An engine counts its tickets from one: what an earlier one asked must not answer its successor.
 */
static void forget_questions(struct fetcher *f)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++) {
		if (!f->q[i].busy)
			continue;
		f->q[i].answered = true;
		loop_timer_set(process_loop(f->process), &f->q[i].deadline, NEVER);
	}
}

static void on_engine_gone(void *ctx, enum err why)
{
	struct fetcher *f = ctx;

	forget_questions(f);
	if (why != ERR_NOT_FOUND)
		process_accuse(f->process, ROLE_ENGINE);
}

static enum err fetcher_peer(void *ctx, enum role r, int fd)
{
	struct fetcher *f = ctx;

	if (r != ROLE_ENGINE) {
		close(fd);
		return ERR_SYNTAX;
	}
	link_close(&f->engine);
	forget_questions(f);
	return link_open(&f->engine, fd, proto_from_engine(ROLE_FETCHER),
			 proto_to_engine(ROLE_FETCHER));
}

/* ---- the configuration means nothing here yet ---- */

static enum err fetcher_prepare(void *ctx, struct conf *c, uint8_t workers, void **prepared,
				char why[static PROCESS_WHY_MAX])
{
	(void)workers;
	(void)why;
	conf_free(c);
	*prepared = ctx;
	return OK;
}

static void fetcher_discard(void *prepared)
{
	(void)prepared;
}

static enum err fetcher_commit(void *ctx, void *prepared)
{
	(void)ctx;
	(void)prepared;
	return OK;
}

static const struct process_ops ops = {
	.role = ROLE_FETCHER,
	.prepare = fetcher_prepare,
	.discard = fetcher_discard,
	.commit = fetcher_commit,
	.peer = fetcher_peer,
};

int fetcher_main(const struct options *o)
{
	struct fetcher *f = calloc(1, sizeof *f);
	int code;

	(void)o;
	if (f == NULL)
		return EXIT_FAILED;
	pthread_mutex_init(&f->lock, NULL);
	f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->process = process_new(&ops, f);
	if (f->wake < 0 || f->process == NULL)
		return EXIT_FAILED;
	f->engine = (struct link){
		.loop = process_loop(f->process),
		.on_msg = on_resolve,
		.on_gone = on_engine_gone,
		.ctx = f,
	};
	f->wake_watch = (struct loop_watch){ .fd = f->wake, .ready = on_wake, .ctx = f };
	if (loop_add(process_loop(f->process), &f->wake_watch, EPOLLIN) != OK)
		return EXIT_FAILED;
	code = process_run(f->process);
	/* Threads may still be in getaddrinfo and hold *f. */
	_exit(code);
}
