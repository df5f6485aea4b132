/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/jobserver.h"

#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "daemon/answer.h"

enum { RESULT_MAX = 8192 };

struct jobserver {
	const struct jobserver_ops *ops;
	struct process *process;
	struct link engine;
	void *store;	/* what prepare made */
	int waiting_fd; /* a channel that came before it; -1: none */
};

static void answer(struct jobserver *s, const struct job *j)
{
	uint8_t bytes[SIG_MAX], out[RESULT_MAX];
	struct job_result r = { .ticket = j->ticket, .kind = j->kind, .err = ERR_SYSTEM };
	struct wr w = wr_into(out, sizeof out);

	s->ops->work(s->store, j, bytes, sizeof bytes, &r);
	r.ticket = j->ticket;
	r.kind = j->kind;
	job_result_encode(&w, &r);
	answer_send(s->process, &s->engine, MSG_RESULT, wr_done(&w));
	secret_wipe(bytes, sizeof bytes);
	secret_wipe(out, sizeof out);
}

static enum err on_job(void *ctx, const struct chan_msg *m)
{
	struct jobserver *s = ctx;
	struct job j;
	enum err e = job_decode(m->body, &j);

	if (e != OK)
		return e;
	/* A job of another process's kind is no mistake that an honest engine makes. */
	if ((s->ops->kinds & (1u << j.kind)) == 0)
		return ERR_SYNTAX;
	answer(s, &j);
	return OK;
}

static void on_engine_gone(void *ctx, enum err why)
{
	struct jobserver *s = ctx;

	if (why != ERR_NOT_FOUND)
		process_accuse(s->process, ROLE_ENGINE);
}

static enum err engine_open(struct jobserver *s, int fd)
{
	enum role self = s->ops->process.role;

	link_close(&s->engine);
	return link_open(&s->engine, fd, proto_from_engine(self), proto_to_engine(self));
}

static void waiting_replace(struct jobserver *s, int fd)
{
	if (s->waiting_fd >= 0)
		close(s->waiting_fd);
	s->waiting_fd = fd;
}

/* Jobs that come before the first configuration wait in the channel. */
static enum err server_peer(void *ctx, enum role r, int fd)
{
	struct jobserver *s = ctx;

	if (r != ROLE_ENGINE) {
		close(fd);
		return ERR_SYNTAX;
	}
	if (s->store != NULL)
		return engine_open(s, fd);
	waiting_replace(s, fd);
	return OK;
}

static enum err server_commit(void *ctx, void *prepared)
{
	struct jobserver *s = ctx;
	int fd = s->waiting_fd;

	if (s->store != NULL)
		s->ops->process.discard(s->store);
	s->store = prepared;
	s->waiting_fd = -1;
	return fd >= 0 ? engine_open(s, fd) : OK;
}

int jobserver_main(const struct jobserver_ops *ops)
{
	struct process_ops process = ops->process;
	struct jobserver s = { .ops = ops, .waiting_fd = -1 };
	int code;

	process.peer = server_peer;
	process.commit = server_commit;
	s.process = process_new(&process, &s);
	if (s.process == NULL)
		return EXIT_FAILED;
	s.engine = (struct link){
		.loop = process_loop(s.process),
		.on_msg = on_job,
		.on_gone = on_engine_gone,
		.ctx = &s,
	};
	code = process_run(s.process);
	waiting_replace(&s, -1);
	if (s.store != NULL)
		ops->process.discard(s.store);
	return code;
}
