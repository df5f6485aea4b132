/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "crypto/random.h"
#include "daemon/listen.h"
#include "daemon/monitor_state.h"

void monitor_log(enum log_level level, const char *event, const char *why)
{
	struct log_line l = log_event(level, event);

	if (why != NULL)
		log_str(&l, "why", why);
	log_write(&l);
}

/* ---- signals and timers ---- */

/* For the next engine, to say goodbye. It may never come. */
#define GOODBYE_PATIENCE (5 * NS_PER_S)

static void on_late_stop(void *ctx)
{
	struct monitor *m = ctx;

	if (m->stop_wanted)
		monitor_stop(m);
}

void monitor_await_goodbye(struct monitor *m)
{
	loop_timer_set(m->loop, &m->late_stop, mono_now() + GOODBYE_PATIENCE);
}

/* There are SAs, and the engine that has them is not there yet. Signals do not come in their order,
 * so one may have died that is not buried yet. */
static bool engine_is_coming(struct monitor *m)
{
	if (m->stopping || (!m->follows && !m->up))
		return false;
	crew_bury(m->crew);
	return m->ready[ROLE_ENGINE] == 0;
}

/* While one program, or one engine, follows the other there is none that could say goodbye, so the
 * stop waits for the next one, for some seconds. Not in a restart: a service manager sends SIGTERM
 * then in any case, and the end is near without it (restart_go). Who asks twice does not want to
 * wait. */
void monitor_stop(struct monitor *m)
{
	const bool soon = m->leaving || engine_is_coming(m);

	if (soon && !m->stop_wanted) {
		m->stop_wanted = true;
		if (!m->by_restart)
			monitor_await_goodbye(m);
		return;
	}
	m->stop_wanted = false;
	m->leaving = false;
	m->stopping = true;
	monitor_log(LOG_LEVEL_NOTICE, "stopping", NULL);
	notify_send(&m->notify, "STOPPING=1");
	crew_stop(m->crew);
}

static void on_signal(void *ctx, uint32_t events)
{
	struct monitor *m = ctx;
	struct signalfd_siginfo si;

	(void)events;
	while (read(m->signals, &si, sizeof si) == (ssize_t)sizeof si) {
		if (si.ssi_signo == SIGCHLD) {
			crew_bury(m->crew);
		} else if (si.ssi_signo == SIGHUP) {
			reload_begin(m, 0);
		} else if (si.ssi_signo == SIGUSR2) {
			upgrade_begin(m, 0);
		} else {
			monitor_stop(m);
		}
	}
}

static void on_watchdog(void *ctx)
{
	struct monitor *m = ctx;

	notify_alive(&m->notify);
	loop_timer_set(m->loop, &m->watchdog, mono_now() + m->notify.watchdog);
}

void monitor_stopped(void *ctx)
{
	struct monitor *m = ctx;

	if (m->leaving && m->by_restart)
		restart_go(m);
	else if (m->leaving)
		upgrade_go(m);
	else
		loop_stop(m->loop, 0);
}

static enum err signals_open(struct monitor *m)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return ERR_SYSTEM;
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m->signals < 0)
		return ERR_SYSTEM;
	m->signal_watch = (struct loop_watch){ .fd = m->signals, .ready = on_signal, .ctx = m };
	return loop_add(m->loop, &m->signal_watch, EPOLLIN);
}

/* ---- start ---- */

static unsigned int workers_of(const struct conf *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int n = c->workers != 0 ? c->workers : cores > 0 ? (unsigned int)cores : 1;

	return n < SOCKETS_WORKERS_MAX ? n : SOCKETS_WORKERS_MAX;
}

static int failed(enum err e, const char *why)
{
	fprintf(stderr, "error: %s\n", why[0] != '\0' ? why : err_text(e));
	return EXIT_FAILED;
}

/* The configuration is refused, perhaps for a certificate that is over since yesterday. What it
 * wants protected is still not to leave in clear: after a boot nobody else has seen to that. Of a
 * text that is wrong nobody knows what it wants. */
static void guard_refused(struct monitor *m, const struct loaded *refused)
{
	char why[HOST_WHY_MAX] = "";
	struct conf *c = loader_selectors(m->o->config, refused);
	enum err e = c != NULL ? warden_new(&m->warden, why) : OK;

	if (c != NULL && e == OK)
		e = warden_set(m->warden, c, why);
	if (e != OK)
		(void)failed(e, why);
	else
		fputs(c != NULL ? MONITOR_GUARDED : MONITOR_NOT_GUARDED, stderr);
	warden_free(m->warden, false);
	m->warden = NULL;
	conf_free(c);
}

/* The configuration; or every problem of it on stderr, and guards for what can be read of it. */
static int start_config(struct monitor *m)
{
	struct loaded *l;
	char *report;
	enum err e =
		loader_load(m->o->config, span_of(m->mark_key, sizeof m->mark_key), &l, &report);

	if (report != NULL)
		fputs(report, stderr);
	free(report);
	m->generation = 1;
	if (e == OK) {
		m->now = l;
		return 0;
	}
	guard_refused(m, l);
	loaded_free(l);
	return e == ERR_CONFIG ? EXIT_CONFIG : EXIT_FAILED;
}

static enum err start_sockets(struct monitor *m, char why[static MONITOR_WHY_MAX])
{
	enum err e;

	monitor_kernel_probe(m);
	e = sockets_open(&m->sockets, workers_of(m->now->conf),
			 plane_caps_esp(&m->plane.caps) && m->plane.caps.encap, why);
	if (e == OK)
		e = listen_dirs(m->o->run_dir, m->o->state_dir, why);
	return e == OK ? listen_control(m->o->run_dir, &m->control, why) : e;
}

static enum err start_tun(struct monitor *m, char why[static HOST_WHY_MAX])
{
	if (m->taken != NULL)
		return take_devices(m, why);
	return warden_tun(m->warden, m->now->conf->tun_name, m->sockets.n_workers, m->tun, why);
}

/* Guards before anything else is there that could fail. */
static int start_host(struct monitor *m)
{
	char why[MONITOR_WHY_MAX] = "";
	enum err e = warden_new(&m->warden, why);

	if (e == OK)
		e = warden_set(m->warden, m->now->conf, why);
	if (e == OK && m->taken != NULL)
		monitor_kernel_know(m, &m->taken->caps);
	else if (e == OK)
		e = start_sockets(m, why);
	if (e == OK)
		e = privilege_monitor(why);
	/* The sockets are ours: no other posternd runs here whose SAs these could be. */
	if (e == OK)
		e = monitor_kernel_take(m, why);
	if (e == OK)
		e = start_tun(m, why);
	return e == OK ? 0 : failed(e, why);
}

static enum err begin_crew(struct monitor *m)
{
	if (!m->follows)
		return crew_start(m->crew);
	crew_go_on(m->crew);
	return OK;
}

static int start_crew(struct monitor *m)
{
	struct crew_env env = {
		.spawn = { .level = m->o->level },
		.equip = monitor_equip,
		.ended = monitor_ended,
		.message = monitor_message,
		.settled = monitor_settled,
		.stopped = monitor_stopped,
		.ctx = m,
	};
	char why[HOST_WHY_MAX] = "";
	enum err e = loop_new(&m->loop);

	m->exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (e == OK && m->exe < 0)
		e = ERR_SYSTEM;
	if (e == OK)
		e = signals_open(m);
	env.loop = m->loop;
	env.spawn.exe = m->exe;
	memcpy(env.ids, m->ids, sizeof env.ids);
	if (e == OK)
		e = crew_new(&env, &m->crew);
	if (e == OK)
		e = monitor_watch_host(m, why);
	if (e == OK)
		e = monitor_kernel_watch(m);
	if (e == OK)
		e = monitor_net_watch(m);
	if (e == OK) {
		reload_init(m);
		e = begin_crew(m);
	}
	return e == OK ? 0 : failed(e, why);
}

/* The configuration: another program's, or that of the file. Who follows by a restart was started
 * as anybody is. */
static int start_with(struct monitor *m)
{
	struct random rng = random_system();
	char why[HANDOVER_WHY_MAX] = "";
	enum err e;

	if (m->o->take_over >= 0) {
		e = take_over(m, why);
		return e == OK ? 0 : failed(e, why);
	}
	e = take_kept(m, why);
	if (e != ERR_NOT_FOUND)
		return e == OK ? 0 : failed(e, why);
	if (!random_fill(&rng, m->mark_key, sizeof m->mark_key))
		return failed(ERR_SYSTEM, "there is no randomness");
	return start_config(m);
}

/* As it was called, for that is where its next version will be; a name without a path says nothing.
 */
static void remember_path(struct monitor *m)
{
	ssize_t n = 0;

	if (m->o->argv[0][0] == '/')
		snprintf(m->path, sizeof m->path, "%s", m->o->argv[0]);
	else
		n = readlink("/proc/self/exe", m->path, sizeof m->path - 1);
	if (n < 0)
		m->path[0] = '\0';
}

static int start(struct monitor *m)
{
	char why[PRIVILEGE_WHY_MAX] = "";
	enum err e;
	int code;

	remember_path(m);
	privilege_hide();
	if (geteuid() != 0)
		return failed(
			ERR_DENIED,
			"posternd must be started as root: it gives up what it does not need");
	e = users_find(m->ids, why);
	if (e != OK) {
		take_nothing(m);
		return failed(e, why);
	}
	code = start_with(m);
	if (code == 0)
		code = start_host(m);
	if (code == 0)
		code = start_crew(m);
	if (code == 0)
		take_end(m);
	if (code == 0 && m->notify.watchdog != 0)
		on_watchdog(m);
	return code;
}

/* ---- end ---- */

static void monitor_close(struct monitor *m)
{
	take_end(m);
	if (m->control >= 0) {
		close(m->control);
		listen_remove(m->o->run_dir);
	}
	crew_free(m->crew);
	monitor_kernel_close(m);
	monitor_net_close(m);
	/* Routes into the device go while it is there; the guards and their unreachable routes
	 * stay. */
	warden_free(m->warden, m->tun[0] >= 0 && !m->left);
	for (unsigned int i = 0; i < SOCKETS_WORKERS_MAX; i++) {
		if (m->tun[i] >= 0)
			close(m->tun[i]);
	}
	sockets_close(&m->sockets);
	loaded_free(m->reload.next);
	free(m->reload.report);
	conf_diff_free(&m->reload.diff);
	loaded_free(m->now);
	secret_wipe(m->mark_key, sizeof m->mark_key);
	loop_free(m->loop);
	notify_close(&m->notify);
	store_free(&m->store);
	if (m->signals >= 0)
		close(m->signals);
	if (m->exe >= 0)
		close(m->exe);
	for (unsigned int r = 0; r < N_ROLES; r++) {
		if (m->kept[r].fd >= 0)
			close(m->kept[r].fd);
	}
}

int monitor_main(const struct options *o)
{
	struct monitor m = { .o = o,
			     .control = -1,
			     .exe = -1,
			     .signals = -1,
			     .plane = { .route = { .fd = -1 } },
			     .net = { .listen = { .fd = -1 }, .ask = { .fd = -1 } } };
	int code;

	if (o->check)
		return take_check(o);
	for (unsigned int r = 0; r < N_ROLES; r++)
		m.kept[r].fd = -1;
	memset(m.tun, 0xff, sizeof m.tun);
	memset(&m.sockets, 0xff, sizeof m.sockets);
	m.stored = o->take_over < 0 ? store_take(&m.store) : ERR_NOT_FOUND;
	m.notify = notify_open();
	m.watchdog = (struct loop_timer){ .fire = on_watchdog, .ctx = &m };
	m.late_stop = (struct loop_timer){ .fire = on_late_stop, .ctx = &m };
	code = start(&m);
	if (code == 0)
		code = loop_run(m.loop);
	monitor_close(&m);
	return code;
}
