/* SPDX-License-Identifier: Apache-2.0 */
/* A new configuration is taken whole or refused whole: the monitor reads and judges it, every
 * process prepares it from its bundle, and only when all are ready is it committed: guards of new
 * children first, then routes, then the processes. Until then nothing has changed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/monitor_state.h"

enum {
	RELOAD_SECONDS = 10,
	WHY_MAX = 256,
	CHANGES_TOLD = 40,
	CHANGE_MAX = 256, /* a line of it */
	CHANGES_MAX = (CHANGES_TOLD + 1) * CHANGE_MAX
};

/* The problems of a configuration, those lines of the report that say what is wrong and where. */
static void log_report(const char *report)
{
	char line[512];

	for (const char *p = report; p != NULL && *p != '\0' && *p != PROTO_CHANGES;) {
		size_t len = strcspn(p, "\n");
		size_t n = len < sizeof line - 1 ? len : sizeof line - 1;

		memcpy(line, p, n);
		line[n] = '\0';
		if (strncmp(line, "error: ", 7) == 0 || strstr(line, ": error: ") != NULL ||
		    strstr(line, ": warning: ") != NULL)
			monitor_log(LOG_LEVEL_WARNING, "config_problem", line);
		p += len;
		p += strspn(p, "\n");
	}
}

/* `text`: the report of problems when it stands in one, else one reason in words. */
static void reload_answer(struct monitor *m, uint64_t ticket, enum err e, const char *text)
{
	struct log_line l = log_event(e == OK ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERROR,
				      e == OK ? "reloaded" : "reload_refused");
	bool report = text != NULL && strchr(text, '\n') != NULL;

	if (report)
		log_report(text);
	if (e != OK)
		log_err(&l, e);
	if (e != OK && text != NULL && !report)
		log_str(&l, "why", text);
	log_write(&l);
	if (ticket != 0)
		monitor_send_reloaded(m, ticket, e, text != NULL ? text : "");
	notify_send(&m->notify, "READY=1");
}

static void reload_clear(struct monitor *m)
{
	loaded_free(m->reload.next);
	free(m->reload.report);
	conf_diff_free(&m->reload.diff);
	m->reload.next = NULL;
	m->reload.report = NULL;
	loop_timer_set(m->loop, &m->reload.deadline, NEVER);
}

void reload_failed(struct monitor *m, enum err e, const char *why)
{
	for (unsigned int r = ROLE_MONITOR + 1; r < N_ROLES; r++)
		monitor_send_number(m, (enum role)r, MSG_ABORT, m->reload.generation);
	for (unsigned int r = ROLE_MONITOR + 1; r < N_ROLES; r++) {
		if (m->ready[r] == m->reload.generation)
			m->ready[r] = m->generation;
	}
	reload_clear(m);
	reload_answer(m, m->reload.ticket, e, why);
}

static void on_deadline(void *ctx)
{
	reload_failed(ctx, ERR_BUSY, "a process did not answer in time: try again");
}

/* What cannot change while the sockets and the device stand is refused. The caller frees *d. */
static enum err judge_change(const struct monitor *m, const struct conf *c, struct conf_diff *d,
			     char why[static WHY_MAX])
{
	enum err e = conf_diff(m->now->conf, c, d);

	if (e == OK && d->daemon_option != NULL) {
		snprintf(why, WHY_MAX, "`%s` changes only by a restart of posternd",
			 d->daemon_option);
		e = ERR_CONFIG;
	}
	/* Its routes, its queues or number, and what may come out of it change one after the other:
	 * in between one child's packets would go to the peer of the other. */
	if (e == OK && conf_device_moves(m->now->conf, c, why))
		e = ERR_CONFIG;
	return e;
}

static void log_change(const char *connection, const char *change)
{
	struct log_line l = log_event(LOG_LEVEL_NOTICE, "config_changed");

	log_str(&l, "connection", connection);
	log_str(&l, "change", change);
	log_write(&l);
}

/* Which connections the new configuration touches, and by what. All is logged, and the first of it
 * told to whoever asked. */
static void tell_changes(const struct conf_diff *d, struct wr *told)
{
	char text[128], line[CHANGE_MAX];
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct conf_diff_row *row = &d->rows[i];
		const char *name = row->is != NULL ? row->is->name : row->was->name;

		if (row->change == CONF_UNCHANGED)
			continue;
		log_change(name, conf_diff_text(row, text));
		snprintf(line, sizeof line, "%s: %s\n", name, text);
		if (n++ < CHANGES_TOLD)
			wr_span(told, span_str(line));
	}
	snprintf(line, sizeof line, "%zu more, which the log has\n", n - CHANGES_TOLD);
	if (n > CHANGES_TOLD)
		wr_span(told, span_str(line));
}

/* As many whole lines of `text` as fit. */
static struct span lines_that_fit(struct span text, size_t room)
{
	if (text.len <= room)
		return text;
	while (room > 0 && text.p[room - 1] != '\n')
		room--;
	return span_head(text, room);
}

/* The report of problems, and behind it what changes. The new configuration holds already: nothing
 * here may fail for want of memory. Returns `told`. */
static const char *reload_tell(const struct reload *r, char told[static PROTO_TEXT_MAX + 1])
{
	struct wr w = wr_into(told, PROTO_TEXT_MAX);
	const struct span report = span_str(r->report != NULL ? r->report : "");

	wr_span(&w, lines_that_fit(report, PROTO_TEXT_MAX - CHANGES_MAX - 1));
	wr_u8(&w, PROTO_CHANGES);
	tell_changes(&r->diff, &w);
	told[wr_len(&w)] = '\0';
	return told;
}

static enum err load(const struct monitor *m, struct loaded **next, char **report)
{
	notify_alive(&m->notify);
	return loader_load(m->o->config, span_of(m->mark_key, sizeof m->mark_key), next, report);
}

bool reload_needs_restart(const struct monitor *m, char *why, size_t size)
{
	struct loaded *next = NULL;
	char *report = NULL;
	char refused[WHY_MAX] = "";
	struct conf_diff diff = { .n = 0 };
	bool needs =
		load(m, &next, &report) == OK && judge_change(m, next->conf, &diff, refused) != OK;

	conf_diff_free(&diff);
	loaded_free(next);
	free(report);
	if (needs)
		snprintf(why, size, "%s", refused);
	return needs;
}

const char *reload_not_now(const struct monitor *m)
{
	if (m->stopping)
		return "it is stopping";
	if (m->leaving)
		return "another program is about to go on: try again";
	if (m->reload.next != NULL || !m->up)
		return "another reload is under way: try again";
	for (unsigned int r = ROLE_MONITOR + 1; r < N_ROLES; r++) {
		if (m->ready[r] != m->generation)
			return "a process is just being restarted: try again";
	}
	return NULL;
}

static void reload_hand_out(struct monitor *m)
{
	m->reload.generation++;
	loop_timer_set(m->loop, &m->reload.deadline, mono_now() + RELOAD_SECONDS * NS_PER_S);
	for (unsigned int r = ROLE_MONITOR + 1; r < N_ROLES; r++)
		monitor_send_config(m, (enum role)r, m->reload.next, m->reload.generation);
}

static void reload(struct monitor *m, uint64_t ticket)
{
	const char *why = reload_not_now(m);
	struct loaded *next = NULL;
	char *report = NULL;
	char refused[WHY_MAX] = "";
	struct conf_diff diff = { .n = 0 };
	enum err e;

	if (why != NULL) {
		reload_answer(m, ticket, ERR_BUSY, why);
		return;
	}
	e = load(m, &next, &report);
	if (e == OK)
		e = judge_change(m, next->conf, &diff, refused);
	if (e == OK)
		e = loader_judge(m->o->config, next, &m->plane.caps, &report);
	if (e != OK) {
		reload_answer(m, ticket, e, refused[0] != '\0' ? refused : report);
		conf_diff_free(&diff);
		loaded_free(next);
		free(report);
		return;
	}
	m->reload.next = next;
	m->reload.report = report;
	m->reload.diff = diff;
	m->reload.ticket = ticket;
	reload_hand_out(m);
}

void reload_begin(struct monitor *m, uint64_t ticket)
{
	notify_reloading(&m->notify, mono_now());
	reload(m, ticket);
}

void reload_silently(struct monitor *m)
{
	reload(m, 0);
}

static void reload_commit(struct monitor *m)
{
	struct loaded *old = m->now;
	char why[HOST_WHY_MAX] = "", told[PROTO_TEXT_MAX + 1];
	enum err e = warden_set(m->warden, m->reload.next->conf, why);

	if (e != OK) {
		reload_failed(m, e, why);
		/* Nor may all of the old one have gone back. */
		monitor_host_retry(m);
		return;
	}
	monitor_send_devices(m);
	monitor_kernel_settled(m);
	m->now = m->reload.next;
	m->generation = m->reload.generation;
	m->reload.next = NULL;
	for (unsigned int r = ROLE_MONITOR + 1; r < N_ROLES; r++)
		monitor_send_number(m, (enum role)r, MSG_COMMIT, m->generation);
	reload_answer(m, m->reload.ticket, OK, reload_tell(&m->reload, told));
	reload_clear(m);
	loaded_free(old);
}

void reload_ready(struct monitor *m)
{
	for (unsigned int r = ROLE_MONITOR + 1; r < N_ROLES; r++) {
		if (m->ready[r] != m->reload.generation)
			return;
	}
	reload_commit(m);
}

void reload_init(struct monitor *m)
{
	m->reload = (struct reload){ .generation = m->generation,
				     .deadline = { .fire = on_deadline, .ctx = m } };
}
