/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/process.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/privilege.h"
#include "daemon/sandbox.h"

struct process {
	const struct process_ops *ops;
	void *ctx;
	struct loop *loop;
	struct link monitor;
	void *prepared;
	uint64_t generation; /* of prepared */
	time_t config_read;
};

static void process_log(enum log_level level, const char *event, const char *why)
{
	struct log_line l = log_event(level, event);

	log_str(&l, "why", why);
	log_write(&l);
}

enum err process_send(struct process *p, uint8_t type, struct span body)
{
	return link_send(&p->monitor, type, body, -1);
}

size_t process_queued(const struct process *p)
{
	return link_queued(&p->monitor);
}

void process_tell(struct process *p, uint8_t type, struct span body)
{
	if (process_send(p, type, body) != OK)
		process_exit(p, EXIT_FAILED);
}

void process_accuse(struct process *p, enum role r)
{
	uint8_t b[4];
	struct wr w = wr_into(b, sizeof b);

	msg_role_put(&w, r);
	process_tell(p, MSG_ACCUSE, wr_done(&w));
}

void process_exit(struct process *p, int code)
{
	loop_stop(p->loop, code);
}

time_t process_config_read(const struct process *p)
{
	return p->config_read;
}

struct loop *process_loop(struct process *p)
{
	return p->loop;
}

/* ---- messages of the monitor ---- */

static void tell_ready(struct process *p, uint64_t generation)
{
	uint8_t b[8];
	struct wr w = wr_into(b, sizeof b);

	msg_number_put(&w, generation);
	process_tell(p, MSG_READY, wr_done(&w));
}

static void tell_refused(struct process *p, uint64_t generation, enum err e, const char *why)
{
	uint8_t b[PROTO_SMALL_MAX];
	struct wr w = wr_into(b, sizeof b);
	struct msg_text m = { .ticket = generation,
			      .err = e,
			      .text = span_str(why[0] != '\0' ? why : err_text(e)) };

	msg_text_put(&w, &m);
	process_tell(p, MSG_REFUSED, wr_done(&w));
}

static void forget_prepared(struct process *p)
{
	if (p->prepared != NULL)
		p->ops->discard(p->prepared);
	p->prepared = NULL;
}

static enum err prepare_from(struct process *p, int fd, uint8_t workers,
			     char why[static PROCESS_WHY_MAX])
{
	struct conf_problems problems = { 0 };
	struct bundle *b = NULL;
	struct conf *c = NULL;
	enum err e = bundle_read(fd, &b);

	if (e == OK)
		e = bundle_load(b, &c, &problems);
	bundle_free(b);
	return e == OK ? p->ops->prepare(p->ctx, c, workers, &p->prepared, why) : e;
}

/* A bundle is written once, by who reads the file, and is the same for all who come after. */
static time_t written_at(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_mtim.tv_sec : time(NULL);
}

static enum err on_config(struct process *p, const struct chan_msg *m)
{
	char why[PROCESS_WHY_MAX] = "";
	struct msg_config k;
	enum err e = msg_config_get(m->body, &k);

	if (e != OK) {
		close(m->fd);
		return e;
	}
	forget_prepared(p);
	e = prepare_from(p, m->fd, k.workers, why);
	p->config_read = written_at(m->fd);
	close(m->fd);
	p->generation = k.generation;
	if (e == OK)
		tell_ready(p, k.generation);
	else
		tell_refused(p, k.generation, e, why);
	return OK;
}

static enum err on_commit(struct process *p, struct span body)
{
	uint64_t generation;
	void *prepared = p->prepared;
	enum err e = msg_number_get(body, &generation);

	if (e != OK || prepared == NULL || generation != p->generation)
		return ERR_SYNTAX;
	p->prepared = NULL;
	e = p->ops->commit(p->ctx, prepared);
	if (e != OK) {
		process_log(LOG_LEVEL_ERROR, "start_failed", err_text(e));
		process_exit(p, EXIT_FAILED);
	}
	return OK;
}

static enum err on_peer(struct process *p, const struct chan_msg *m)
{
	enum role r;
	enum err e = msg_role_get(m->body, &r);

	if (e != OK) {
		close(m->fd);
		return e;
	}
	return p->ops->peer(p->ctx, r, m->fd);
}

static enum err on_socket(struct process *p, const struct chan_msg *m)
{
	struct msg_socket s;
	enum err e = msg_socket_get(m->body, &s);

	if (e != OK || p->ops->socket == NULL) {
		close(m->fd);
		return ERR_SYNTAX;
	}
	return p->ops->socket(p->ctx, &s, m->fd);
}

static enum err on_reloaded(struct process *p, struct span body)
{
	struct msg_text t;
	enum err e = msg_text_get(body, &t);

	if (e == OK && p->ops->reloaded != NULL)
		p->ops->reloaded(p->ctx, &t);
	return e;
}

static enum err on_stop(struct process *p)
{
	if (p->ops->stop != NULL)
		p->ops->stop(p->ctx);
	else
		process_exit(p, 0);
	return OK;
}

static enum err on_msg(void *ctx, const struct chan_msg *m)
{
	struct process *p = ctx;

	switch (m->type) {
	case MSG_CONFIG:
		return on_config(p, m);
	case MSG_COMMIT:
		return on_commit(p, m->body);
	case MSG_ABORT:
		forget_prepared(p);
		return OK;
	case MSG_PEER:
		return on_peer(p, m);
	case MSG_SOCKET:
		return on_socket(p, m);
	case MSG_RELOADED:
		return on_reloaded(p, m->body);
	case MSG_CAPS:
	case MSG_ADDRESSES:
	case MSG_SA_DONE:
	case MSG_PLANE:
		return p->ops->plane != NULL ? p->ops->plane(p->ctx, m) : ERR_SYNTAX;
	case MSG_STOP:
		return on_stop(p);
	case MSG_LEAVE:
		if (p->ops->leave == NULL)
			return ERR_SYNTAX;
		p->ops->leave(p->ctx);
		return OK;
	case MSG_PING:
		process_tell(p, MSG_PONG, SPAN_EMPTY);
		return OK;
	default:
		return ERR_SYNTAX;
	}
}

/* The monitor is gone, or is none of ours: no process of a gateway outlives its monitor. */
static void on_gone(void *ctx, enum err why)
{
	struct process *p = ctx;

	process_exit(p, why == ERR_NOT_FOUND ? 0 : EXIT_FAILED);
}

struct process *process_new(const struct process_ops *ops, void *ctx)
{
	char why[PRIVILEGE_WHY_MAX] = "not started by a monitor";
	struct process *p = calloc(1, sizeof *p);
	enum err e = p != NULL ? privilege_process(ops->role, why) : ERR_NOMEM;

	if (e == OK)
		e = loop_new(&p->loop);
	if (e == OK) {
		p->ops = ops;
		p->ctx = ctx;
		p->monitor = (struct link){ .loop = p->loop,
					    .on_msg = on_msg,
					    .on_gone = on_gone,
					    .ctx = p };
		e = link_open(&p->monitor, ROLE_CHAN_FD, proto_from_monitor(ops->role),
			      proto_from_process(ops->role));
	}
	if (e == OK)
		e = sandbox_enter(ops->role);
	if (e == OK)
		return p;
	process_log(LOG_LEVEL_ERROR, "start_failed", why);
	if (p != NULL)
		loop_free(p->loop);
	free(p);
	return NULL;
}

void process_free(struct process *p)
{
	link_close(&p->monitor);
	forget_prepared(p);
	loop_free(p->loop);
	free(p);
}

int process_run(struct process *p)
{
	int code = loop_run(p->loop);

	process_free(p);
	return code;
}
