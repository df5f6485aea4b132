/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define RESTART_FIRST  (50 * NS_PER_MS)
#define RESTART_STEPS  7		 /* doubled so often: 6.4 s between tries at most */
#define LIVED_LONG     (60 * NS_PER_S)	 /* a death after that is a first one again */
#define END_PATIENCE   (500 * NS_PER_MS) /* from the end of the channel to that of the process */
#define PULSE	       (5 * NS_PER_S)
#define PULSE_PATIENCE (30 * NS_PER_S) /* no message of ours keeps a process busy for so long */
#define STOP_PATIENCE  (2 * NS_PER_S)  /* for the deletes of an engine that is asked to end */

enum { OFFER_MAX = CHAN_QUEUE_MAX / 8 };

struct member {
	struct crew *crew;
	enum role role;
	pid_t pid; /* 0: not running */
	bool asked_to_end;
	bool lied;	     /* it was killed for what it had sent */
	unsigned int deaths; /* soon after the start, in a row */
	mono_ns started;
	mono_ns heard; /* its last message */
	uint64_t pings, pongs;
	uint64_t settles; /* with so many of the latter; 0: nobody wants to know */
	struct link link;
	struct loop_timer restart;
	struct loop_timer patience;
};

struct crew {
	struct crew_env env;
	bool stopping;
	bool leaving; /* ... and others go on */
	struct loop_timer pulse;
	mono_ns pulsed; /* last */
	struct member m[N_ROLES];
};

static void crew_log(enum log_level level, const char *event, const struct member *m,
		     const char *why)
{
	struct log_line l = log_event(level, event);

	log_str(&l, "process", role_row(m->role)->name);
	if (m->pid != 0)
		log_num(&l, "pid", m->pid);
	if (why != NULL)
		log_str(&l, "why", why);
	log_write(&l);
}

/* ---- wiring ---- */

static void send_peer(struct member *to, enum role about, int fd)
{
	uint8_t b[4];
	struct wr w = wr_into(b, sizeof b);

	msg_role_put(&w, about);
	crew_send(to->crew, to->role, MSG_PEER, wr_done(&w), fd);
}

/* A fresh channel between the engine and one of those that serve it, when both run. */
static void wire(struct crew *c, enum role r)
{
	struct member *engine = &c->m[ROLE_ENGINE], *other = &c->m[r];
	int fd[2];

	if (!role_row(r)->serves_engine || engine->pid == 0 || other->pid == 0)
		return;
	if (chan_pair(fd) != OK) {
		crew_log(LOG_LEVEL_ERROR, "process_unwired", other, strerror(errno));
		return;
	}
	send_peer(engine, r, fd[0]);
	send_peer(other, ROLE_ENGINE, fd[1]);
	close(fd[0]);
	close(fd[1]);
}

static void wire_all(struct crew *c, enum role r)
{
	if (r != ROLE_ENGINE) {
		wire(c, r);
		return;
	}
	for (unsigned int i = 0; i < N_ROLES; i++)
		wire(c, (enum role)i);
}

/* ---- channels to the monitor ---- */

/* Messages are read and answered in their order. */
static void on_pong(struct member *m)
{
	struct crew *c = m->crew;

	if (m->pongs < m->pings)
		m->pongs++;
	if (m->settles == 0 || m->pongs < m->settles)
		return;
	m->settles = 0;
	c->env.settled(c->env.ctx, m->role);
}

static enum err on_msg(void *ctx, const struct chan_msg *msg)
{
	struct member *m = ctx;
	bool keys = msg->type == MSG_SA;
	enum err e;

	m->heard = mono_now();
	if (msg->type == MSG_PONG) {
		on_pong(m);
		return OK;
	}
	e = m->crew->env.message(m->crew->env.ctx, m->role, msg);
	if (keys && link_is_open(&m->link))
		chan_wipe(m->link.chan);
	return e;
}

/* Its channel ended: most often it is just dying, and SIGCHLD follows. One that lives on without a
 * channel is of no use. */
static void on_gone(void *ctx, enum err why)
{
	struct member *m = ctx;

	if (why == ERR_NOT_FOUND)
		loop_timer_set(m->crew->env.loop, &m->patience, mono_now() + END_PATIENCE);
	else
		crew_distrust(m->crew, m->role, "sent what its table does not allow");
}

/* ---- start ---- */

static enum err member_start(struct member *m)
{
	struct crew *c = m->crew;
	enum err e;
	int fd[2];

	if (chan_pair(fd) != OK)
		return ERR_SYSTEM;
	m->pid = spawn_role(&c->env.spawn, m->role, &c->env.ids[m->role], fd[1]);
	close(fd[1]);
	if (m->pid < 0) {
		m->pid = 0;
		close(fd[0]);
		return ERR_SYSTEM;
	}
	m->started = mono_now();
	m->heard = m->started;
	m->asked_to_end = false;
	m->lied = false;
	m->pings = 0;
	m->pongs = 0;
	m->settles = 0;
	e = link_open(&m->link, fd[0], proto_from_process(m->role), proto_from_monitor(m->role));
	if (e != OK) {
		(void)kill(m->pid, SIGKILL);
		return e;
	}
	crew_log(LOG_LEVEL_DEBUG, "process_started", m, NULL);
	c->env.equip(c->env.ctx, m->role);
	wire_all(c, m->role);
	return OK;
}

static void restart_later(struct member *m)
{
	unsigned int step = m->deaths < RESTART_STEPS ? m->deaths : RESTART_STEPS;

	loop_timer_set(m->crew->env.loop, &m->restart, mono_now() + (RESTART_FIRST << step));
}

static void on_restart(void *ctx)
{
	struct member *m = ctx;

	if (member_start(m) == OK)
		return;
	crew_log(LOG_LEVEL_ERROR, "process_not_started", m, strerror(errno));
	m->deaths++;
	/* One that was started all the same is dying: its burial starts the next. */
	if (m->pid == 0)
		restart_later(m);
}

static void on_patience(void *ctx)
{
	struct member *m = ctx;

	crew_kill(m->crew, m->role,
		  m->asked_to_end ? "did not end when asked" : "closed its channel and lives on");
}

static void ping(struct member *m)
{
	m->pings++;
	crew_send(m->crew, m->role, MSG_PING, SPAN_EMPTY, -1);
}

/* One that hangs, whatever it was that made it, is as good as dead. But when we come late ourselves
 * (a reload that waits for a file), nobody was asked, and what they said is not read yet. */
static void on_pulse(void *ctx)
{
	struct crew *c = ctx;
	mono_ns now = mono_now();
	bool late = now - c->pulsed > 2 * PULSE;

	for (unsigned int r = 0; r < N_ROLES; r++) {
		if (c->m[r].pid == 0)
			continue;
		if (late)
			c->m[r].heard = now;
		if (now - c->m[r].heard > PULSE_PATIENCE)
			crew_kill(c, (enum role)r, "does not answer any more");
		else
			ping(&c->m[r]);
	}
	c->pulsed = now;
	loop_timer_set(c->env.loop, &c->pulse, now + PULSE);
}

enum err crew_new(const struct crew_env *env, struct crew **out)
{
	struct crew *c = calloc(1, sizeof *c);

	*out = c;
	if (c == NULL)
		return ERR_NOMEM;
	c->env = *env;
	c->pulse = (struct loop_timer){ .fire = on_pulse, .ctx = c };
	for (unsigned int r = 0; r < N_ROLES; r++) {
		struct member *m = &c->m[r];

		m->crew = c;
		m->role = (enum role)r;
		m->link = (struct link){ .loop = env->loop,
					 .on_msg = on_msg,
					 .on_gone = on_gone,
					 .ctx = m };
		m->restart = (struct loop_timer){ .fire = on_restart, .ctx = m };
		m->patience = (struct loop_timer){ .fire = on_patience, .ctx = m };
	}
	return OK;
}

static void begin(struct crew *c)
{
	c->stopping = false;
	c->leaving = false;
	c->pulsed = mono_now();
	loop_timer_set(c->env.loop, &c->pulse, c->pulsed + PULSE);
}

enum err crew_start(struct crew *c)
{
	enum err e = OK;

	begin(c);
	for (unsigned int r = ROLE_MONITOR + 1; r < N_ROLES && e == OK; r++)
		e = member_start(&c->m[r]);
	return e;
}

void crew_go_on(struct crew *c)
{
	begin(c);
	for (unsigned int r = ROLE_MONITOR + 1; r < N_ROLES; r++)
		on_restart(&c->m[r]);
}

void crew_send(struct crew *c, enum role r, uint8_t type, struct span body, int fd)
{
	struct member *m = &c->m[r];
	enum err e;

	if (!link_is_open(&m->link))
		return;
	e = link_send(&m->link, type, body, fd);
	if (e != OK && e != ERR_NOT_FOUND)
		crew_kill(c, r, err_text(e));
}

void crew_settle(struct crew *c, enum role r)
{
	ping(&c->m[r]);
	c->m[r].settles = c->m[r].pings;
}

bool crew_is_behind(const struct crew *c, enum role r)
{
	return link_queued(&c->m[r].link) >= OFFER_MAX;
}

bool crew_offer(struct crew *c, enum role r, uint8_t type, struct span body)
{
	if (crew_is_behind(c, r))
		return false;
	crew_send(c, r, type, body, -1);
	return true;
}

void crew_kill(struct crew *c, enum role r, const char *why)
{
	struct member *m = &c->m[r];

	if (m->pid == 0)
		return;
	crew_log(LOG_LEVEL_WARNING, "process_killed", m, why);
	(void)kill(m->pid, SIGKILL);
}

void crew_distrust(struct crew *c, enum role r, const char *why)
{
	c->m[r].lied = true;
	crew_kill(c, r, why);
}

bool crew_has_lied(const struct crew *c, enum role r)
{
	return c->m[r].lied;
}

/* ---- ends ---- */

static void ask_to_end(struct member *m)
{
	if (m->pid == 0 || m->asked_to_end)
		return;
	m->asked_to_end = true;
	crew_send(m->crew, m->role,
		  m->crew->leaving && m->role == ROLE_ENGINE ? MSG_LEAVE : MSG_STOP, SPAN_EMPTY,
		  -1);
	loop_timer_set(m->crew->env.loop, &m->patience, mono_now() + STOP_PATIENCE);
}

static void log_death(const struct member *m, int status)
{
	bool expected = m->asked_to_end && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	struct log_line l =
		log_event(expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, "process_ended");

	log_str(&l, "process", role_row(m->role)->name);
	log_num(&l, "pid", m->pid);
	if (WIFSIGNALED(status))
		log_num(&l, "signal", WTERMSIG(status));
	else
		log_num(&l, "exit", WEXITSTATUS(status));
	log_write(&l);
}

static bool all_ended(const struct crew *c)
{
	for (unsigned int r = 0; r < N_ROLES; r++) {
		if (c->m[r].pid != 0)
			return false;
	}
	return true;
}

static void ask_all_to_end(struct crew *c)
{
	for (unsigned int r = 0; r < N_ROLES; r++)
		ask_to_end(&c->m[r]);
}

static void member_ended(struct member *m, int status)
{
	struct crew *c = m->crew;

	log_death(m, status);
	link_close(&m->link);
	loop_timer_set(c->env.loop, &m->patience, NEVER);
	if (m->asked_to_end || mono_now() - m->started > LIVED_LONG)
		m->deaths = 0;
	m->pid = 0;
	c->env.ended(c->env.ctx, m->role);
	if (c->stopping) {
		if (m->role == ROLE_ENGINE)
			ask_all_to_end(c);
		if (all_ended(c))
			c->env.stopped(c->env.ctx);
		return;
	}
	restart_later(m);
	m->deaths++;
}

void crew_bury(struct crew *c)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned int r = 0; r < N_ROLES; r++) {
			if (c->m[r].pid == pid)
				member_ended(&c->m[r], status);
		}
	}
}

static void all_end(struct crew *c)
{
	c->stopping = true;
	for (unsigned int r = 0; r < N_ROLES; r++)
		loop_timer_set(c->env.loop, &c->m[r].restart, NEVER);
	if (c->m[ROLE_ENGINE].pid != 0)
		ask_to_end(&c->m[ROLE_ENGINE]);
	else
		ask_all_to_end(c);
	if (all_ended(c))
		c->env.stopped(c->env.ctx);
}

void crew_stop(struct crew *c)
{
	c->leaving = false;
	all_end(c);
}

void crew_leave(struct crew *c)
{
	c->leaving = true;
	all_end(c);
}

void crew_free(struct crew *c)
{
	if (c == NULL)
		return;
	loop_timer_set(c->env.loop, &c->pulse, NEVER);
	for (unsigned int r = 0; r < N_ROLES; r++) {
		struct member *m = &c->m[r];

		loop_timer_set(c->env.loop, &m->restart, NEVER);
		loop_timer_set(c->env.loop, &m->patience, NEVER);
		link_close(&m->link);
		if (m->pid == 0)
			continue;
		(void)kill(m->pid, SIGKILL);
		(void)waitpid(m->pid, NULL, 0);
	}
	free(c);
}
