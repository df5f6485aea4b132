/* SPDX-License-Identifier: Apache-2.0 */
/* A start that goes on where another program ended: nothing of what it handed over is made anew,
 * and nothing of it is guessed. Sockets, devices and memory are as they were, the configuration is
 * the one that ran, the kernel's plane is what it was found to be. All else is a start like any
 * other: guards, rules and routes are set again and found to be there.
 *
 * By execve it is this or nothing. Out of a service manager's store it is this or a start from
 * nothing, as behind a kill.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "config.h"
#include "daemon/listen.h"
#include "daemon/monitor_state.h"

/* The record has the device's queues, and the configuration its name. */
static enum err judge_tun_name(const struct handover *h, const struct conf *c,
			       char why[static HANDOVER_WHY_MAX])
{
	if (strcmp(h->tun_name, c->tun_name) == 0)
		return OK;
	snprintf(why, HANDOVER_WHY_MAX, "the device is %s, and the configuration says %s",
		 h->tun_name, c->tun_name);
	return ERR_DENIED;
}

/* ---- the question ---- */

static int say_no(enum err e, const char *why)
{
	fprintf(stderr, "%s\n", why[0] != '\0' ? why : err_text(e));
	return EXIT_FAILED;
}

/* Of a file that only root may execute there would be a monitor, and nobody else. */
static enum err judge_program(const struct user_ids *ids, char why[static HANDOVER_WHY_MAX])
{
	int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	enum err e = exe >= 0 ? OK : ERR_SYSTEM;

	for (unsigned int r = 0; r < N_ROLES && e == OK; r++) {
		const char *user = role_row((enum role)r)->user;

		if (user == NULL || spawn_is_possible(exe, &ids[r]))
			continue;
		snprintf(
			why, HANDOVER_WHY_MAX,
			"user %s cannot execute it: look at the modes of the file (0755) and of its libraries",
			user);
		e = ERR_DENIED;
	}
	if (exe >= 0)
		close(exe);
	return e;
}

int take_check(const struct options *o)
{
	char why[HANDOVER_WHY_MAX] = "";
	char users[PRIVILEGE_WHY_MAX] = "";
	struct user_ids ids[N_ROLES];
	struct handover h;
	enum err e;

	privilege_hide();
	e = users_find(ids, users);
	if (e != OK)
		return say_no(e, users);
	e = handover_read(o->take_over, NULL, &h, why);
	if (e == OK)
		e = handover_judge(&h, why);
	if (e == OK)
		e = judge_program(ids, why);
	if (e == OK && loader_try(h.bundle) != OK) {
		snprintf(why, sizeof why, "the running configuration is none for posternd %s",
			 PACKAGE_VERSION);
		e = ERR_CONFIG;
	}
	handover_free(&h);
	if (e != OK)
		return say_no(e, why);
	/* Not any program that ends well can go on. */
	fprintf(stderr, "%s\n", handover_formats(why));
	return 0;
}

/* ---- the start ---- */

static void log_taken(const struct handover *h)
{
	struct log_line l = log_event(LOG_LEVEL_NOTICE, "taken_over");

	log_str(&l, "version", PACKAGE_VERSION);
	log_str(&l, "from", h->version);
	log_write(&l);
}

static void adopt(struct monitor *m)
{
	const struct handover *h = m->taken;

	m->sockets = h->sockets;
	memcpy(m->tun, h->tun, sizeof m->tun);
	m->control = h->control;
	m->follows = true;
	m->kept[ROLE_ENGINE].fd = h->engine;
	m->kept[ROLE_ESP].fd = h->esp;
	if (h->notify >= 0) {
		notify_close(&m->notify);
		m->notify = (struct notify){ .fd = h->notify, .watchdog = h->watchdog };
	}
	notify_alive(&m->notify);
	memcpy(m->mark_key, h->mark_key, sizeof m->mark_key);
	m->generation = 1;
}

/* Nothing was renewed meanwhile, and a machine that sleeps does not know how long. */
static enum err judge_age(const struct handover *h, char why[static HANDOVER_WHY_MAX])
{
	const mono_ns now = boot_now();

	if (handover_is_fresh(h, now))
		return OK;
	if (h->left_at > now)
		snprintf(why, HANDOVER_WHY_MAX, "it was left by the clock of another machine");
	else
		snprintf(why, HANDOVER_WHY_MAX, "it was left %" PRIu64 " seconds ago",
			 (now - h->left_at) / NS_PER_S);
	return ERR_DENIED;
}

/* All that can be refused comes before anything is the monitor's. */
static enum err take(struct monitor *m, int record, struct store *kept,
		     char why[static HANDOVER_WHY_MAX])
{
	struct handover *h = calloc(1, sizeof *h);
	struct loaded *now = NULL;
	enum err e = h != NULL ? handover_read(record, kept, h, why) : ERR_NOMEM;

	if (e == OK && kept != NULL)
		e = judge_age(h, why);
	if (e == OK) {
		handover_inherit(h, false);
		e = handover_judge(h, why);
	}
	if (e == OK)
		e = loader_take(h->bundle, &now);
	if (e == OK)
		e = judge_tun_name(h, now->conf, why);
	if (e != OK) {
		loaded_free(now);
		if (h != NULL)
			handover_free(h);
		free(h);
		return e;
	}
	m->taken = h;
	m->now = now;
	adopt(m);
	log_taken(h);
	return OK;
}

/* The control socket, where it was not handed over: a service manager has not kept it. */
static enum err take_control(struct monitor *m, char why[static HANDOVER_WHY_MAX])
{
	enum err e = m->control < 0 ? listen_dirs(m->o->run_dir, m->o->state_dir, why) : OK;

	return e == OK && m->control < 0 ? listen_control(m->o->run_dir, &m->control, why) : e;
}

enum err take_over(struct monitor *m, char why[static HANDOVER_WHY_MAX])
{
	enum err e = take(m, m->o->take_over, NULL, why);

	close(m->o->take_over);
	return e == OK ? take_control(m, why) : e;
}

/* ---- what a service manager has kept ---- */

static void log_refused(enum err e, const char *why)
{
	struct log_line l = log_event(LOG_LEVEL_ERROR, "restart_lost");

	log_err(&l, e);
	if (why[0] != '\0')
		log_str(&l, "why", why);
	log_write(&l);
}

/* Ports and devices are taken for as long as anybody has these descriptors, we or the manager. Some
 * may be closed already (loader_take): their numbers are nobody's, for all that is open of our own
 * was opened when the store's were there. */
static enum err refuse_kept(struct monitor *m, const struct store *s,
			    char why[static HANDOVER_WHY_MAX])
{
	store_close(s);
	/* Without a manager there is nobody who keeps any. */
	if (m->notify.fd < 0 || notify_barrier(&m->notify))
		return ERR_NOT_FOUND;
	snprintf(why, HANDOVER_WHY_MAX, "the service manager does not let go of what it has kept");
	return ERR_BUSY;
}

enum err take_kept(struct monitor *m, char why[static HANDOVER_WHY_MAX])
{
	struct store *s = &m->store;
	enum err e = m->stored;
	int record = e == OK ? store_find(s, HANDOVER_RECORD) : -1;

	if (e == ERR_DENIED)
		log_refused(e, "LISTEN_PID is not ours: what LISTEN_FDS counts is left alone");
	if (e == ERR_NOT_FOUND || e == ERR_DENIED)
		return ERR_NOT_FOUND;
	if (e == OK)
		e = take(m, record, s, why);
	store_clear(s, &m->notify);
	if (e == OK) {
		close(record);
		m->reread = true;
		e = take_control(m, why);
	} else {
		log_refused(e, why);
		e = refuse_kept(m, s, why);
	}
	store_free(s);
	return e;
}

/* The next start may come in time for what is fresh. All else would keep ports and keys for as long
 * as starts fail. */
void take_nothing(struct monitor *m)
{
	char why[HANDOVER_WHY_MAX];
	struct handover h;
	int record = m->stored == OK ? store_find(&m->store, HANDOVER_RECORD) : -1;
	bool fresh;

	if (m->stored == ERR_NOT_FOUND || m->stored == ERR_DENIED)
		return;
	/* As one that only asks: who reads it otherwise is the only one who ever does. */
	fresh = handover_read(record, NULL, &h, why) == OK && handover_is_fresh(&h, boot_now());
	handover_free(&h);
	if (fresh)
		return;
	store_clear(&m->store, &m->notify);
	if (m->notify.fd >= 0 && !notify_barrier(&m->notify))
		monitor_log(LOG_LEVEL_ERROR, "restart_lost",
			    "the service manager does not let go of what it has kept");
}

enum err take_devices(struct monitor *m, char why[static HOST_WHY_MAX])
{
	const struct handover *h = m->taken;
	enum err e = OK;

	for (size_t i = 0; i < h->n_devices && e == OK; i++)
		e = own_tuns_take(warden_devices(m->warden), h->devices[i].name,
				  h->devices[i].if_id, h->devices[i].fd, h->sockets.n_workers);
	return e == OK ? warden_tun_take(m->warden, h->tun_name, h->sockets.n_workers, why) : e;
}

void take_end(struct monitor *m)
{
	if (m->taken == NULL)
		return;
	if (m->taken->book >= 0)
		close(m->taken->book);
	handover_free(m->taken);
	free(m->taken);
	m->taken = NULL;
	if (m->crew != NULL)
		monitor_await_engine(m);
}
