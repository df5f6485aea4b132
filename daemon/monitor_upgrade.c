/* SPDX-License-Identifier: Apache-2.0 */
/* Another program in our place, at the same path, under the same pid: `postern upgrade`, SIGUSR2.
 *
 * First it is asked, as a process of its own that touches nothing, whether it can go on with what
 * there is (monitor_take.c): it sees the very record and the very descriptors. If it says no,
 * cannot be started or does not answer, nothing has happened. Then the engine ends without a word
 * to its peers, the others behind it, all of them leaving what another process of their kind goes
 * on with, as when they crash. Then the program is executed with the descriptors that the record
 * names. Sockets, devices, routes, rules, guards, states and policies stand through it, and packets
 * wait or go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "config.h"
#include "daemon/monitor_state.h"

#define CHECK_PATIENCE (10 * NS_PER_S)
#define KILL_PATIENCE  NS_PER_S /* from SIGKILL to the end */

enum { SAID_MAX = UPGRADE_SAID_MAX, OPTION_MAX = 64, EXIT_EXEC = 126 };

/* ---- the record ---- */

struct listing {
	struct handover *h;
	size_t most;
};

static void count_device(void *ctx, const char *name, uint32_t if_id, const int *fds)
{
	struct listing *l = ctx;

	(void)name;
	(void)if_id;
	(void)fds;
	l->most++;
}

static void list_device(void *ctx, const char *name, uint32_t if_id, const int *fds)
{
	struct listing *l = ctx;
	struct handover_device *d = &l->h->devices[l->h->n_devices++];

	snprintf(d->name, sizeof d->name, "%s", name);
	d->if_id = if_id;
	memcpy(d->fd, fds, sizeof d->fd);
}

static enum err list_devices(struct monitor *m, struct handover *h)
{
	struct listing l = { .h = h };

	own_tuns_each(warden_devices(m->warden), count_device, &l);
	h->devices = calloc(l.most + 1, sizeof *h->devices);
	if (h->devices == NULL)
		return ERR_NOMEM;
	own_tuns_each(warden_devices(m->warden), list_device, &l);
	return OK;
}

/* The descriptors stay the monitor's. */
static enum err record_fill(struct monitor *m, struct handover *h)
{
	handover_blank(h);
	snprintf(h->version, sizeof h->version, "%s", PACKAGE_VERSION);
	h->sockets = m->sockets;
	snprintf(h->tun_name, sizeof h->tun_name, "%s", m->now->conf->tun_name);
	memcpy(h->tun, m->tun, sizeof h->tun);
	h->control = m->control;
	h->notify = m->notify.fd;
	h->watchdog = m->notify.watchdog;
	h->left_at = boot_now();
	memcpy(h->bundle, m->now->bundle, sizeof h->bundle);
	memcpy(h->mark_key, m->mark_key, sizeof h->mark_key);
	h->engine = m->kept[ROLE_ENGINE].fd;
	h->esp = m->kept[ROLE_ESP].fd;
	h->caps = m->plane.caps;
	return list_devices(m, h);
}

/* ---- the other program ---- */

/* Our own arguments, without those of an upgrade before. */
static char **args_make(const struct monitor *m, const char *option)
{
	char **of = m->o->argv, **args;
	size_t n = 0, k = 1;

	while (of[n] != NULL)
		n++;
	args = calloc(n + 2, sizeof *args);
	if (args == NULL)
		return NULL;
	args[0] = (char *)(uintptr_t)m->path;
	for (size_t i = 1; i < n; i++) {
		if (!options_take_over(of[i]))
			args[k++] = of[i];
	}
	args[k] = (char *)(uintptr_t)option;
	return args;
}

static void option_make(char option[static OPTION_MAX], const char *name, int record)
{
	snprintf(option, OPTION_MAX, "--%s=%d", name, record);
}

static void check_child(struct monitor *m, struct handover *h, int record, int said)
{
	char option[OPTION_MAX];
	char **args;

	(void)setpgid(0, 0);
	/* Whoever starts behind a monitor that was killed wants the ports. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	option_make(option, OPTION_CHECK, record);
	args = args_make(m, option);
	if (args == NULL || dup2(said, STDERR_FILENO) < 0)
		_exit(EXIT_EXEC);
	handover_inherit(h, true);
	(void)fcntl(record, F_SETFD, 0);
	execv(m->path, args);
	dprintf(STDERR_FILENO, "%s\n", strerror(errno));
	_exit(EXIT_EXEC);
}

static bool readable(int fd, mono_ns deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	const mono_ns now = mono_now();

	return poll(&p, 1, now < deadline ? (int)((deadline - now) / NS_PER_MS) + 1 : 0) > 0;
}

static enum err no_answer(char said[static SAID_MAX])
{
	snprintf(said, SAID_MAX, "it does not answer");
	return ERR_UNSUPPORTED;
}

/* What it says, in one line of printable characters, up to its end. */
static enum err hear(int fd, mono_ns deadline, char said[static SAID_MAX])
{
	char rest[256];
	size_t len = 0;
	ssize_t n = 1;

	while (n != 0 && mono_now() < deadline) {
		const bool room = len < SAID_MAX - 1;

		if (!readable(fd, deadline))
			continue;
		n = room ? read(fd, said + len, SAID_MAX - 1 - len) : read(fd, rest, sizeof rest);
		if (n < 0)
			break;
		len += room ? (size_t)n : 0;
	}
	while (len > 0 && said[len - 1] == '\n')
		len--;
	said[len] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (said[i] == '\n')
			said[i] = ';';
		else if (said[i] < 0x20 || said[i] > 0x7e)
			said[i] = '?';
	}
	return n == 0 ? OK : no_answer(said);
}

/* One that says no more may live on. */
static enum err wait_end(pid_t pid, mono_ns deadline, char said[static SAID_MAX])
{
	const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool ended = false;

	if (fd < 0) {
		snprintf(said, SAID_MAX,
			 "this kernel, or what this runs in, has no pidfd_open (%s), which it takes to ask a program",
			 strerror(errno));
		return ERR_SYSTEM;
	}
	while (!ended && mono_now() < deadline)
		ended = readable(fd, deadline);
	close(fd);
	return ended ? OK : no_answer(said);
}

/* Whatever it has started goes with it: that has our descriptors, too. Its number is nobody else's
 * until it is waited for. What waits for some file systems dies only when they answer: the crew
 * buries it. */
static enum err check_end(pid_t pid, enum err heard, char said[static SAID_MAX])
{
	char yes[HANDOVER_WHY_MAX], no[SAID_MAX];
	int status = 0, flags = 0;

	(void)kill(-pid, SIGKILL);
	if (heard != OK && wait_end(pid, mono_now() + KILL_PATIENCE, no) != OK)
		flags = WNOHANG;
	while (waitpid(pid, &status, flags) < 0) {
		if (errno != EINTR)
			return ERR_SYSTEM;
	}
	if (heard != OK)
		return heard;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	    strcmp(said, handover_formats(yes)) == 0)
		return OK;
	if (said[0] == '\0')
		snprintf(said, SAID_MAX, "it ends without a word");
	return ERR_UNSUPPORTED;
}

/* Can the program at our path go on with this? */
static enum err check(struct monitor *m, struct handover *h, int record, char said[static SAID_MAX])
{
	const mono_ns deadline = mono_now() + CHECK_PATIENCE;
	int fd[2];
	enum err e;
	pid_t pid;

	notify_alive(&m->notify);
	if (pipe2(fd, O_CLOEXEC) != 0)
		return ERR_SYSTEM;
	pid = fork();
	if (pid == 0)
		check_child(m, h, record, fd[1]);
	if (pid > 0)
		(void)setpgid(pid, pid); /* whoever is first */
	close(fd[1]);
	e = pid > 0 ? hear(fd[0], deadline, said) : ERR_SYSTEM;
	if (e == OK)
		e = wait_end(pid, deadline, said);
	close(fd[0]);
	return pid > 0 ? check_end(pid, e, said) : e;
}

/* ---- the question ---- */

/* A start that cannot set all of ours on the host ends, and with it every tunnel. Who runs already
 * tries again. */
static const char *not_now(const struct monitor *m)
{
	if (m->host.lacks)
		return "something of ours is missing on the host, and is tried again: see host_failed "
		       "and guard_failed in the log";
	return reload_not_now(m);
}

static bool count(void *ctx, const struct handover_place *p)
{
	size_t *n = ctx;

	*n += *p->fd >= 0;
	return true;
}

enum err upgrade_ask(struct monitor *m, size_t *n, char said[static SAID_MAX])
{
	const char *why = not_now(m);
	struct handover h;
	int record = -1;
	enum err e;

	if (why != NULL) {
		snprintf(said, SAID_MAX, "%s", why);
		return ERR_BUSY;
	}
	e = record_fill(m, &h);
	*n = 0;
	(void)handover_each(&h, count, n);
	if (e == OK)
		e = handover_write(&h, &record);
	if (e == OK)
		e = check(m, &h, record, said);
	if (record >= 0)
		close(record);
	handover_free(&h);
	return e;
}

void upgrade_answer(struct monitor *m, const char *event, uint64_t ticket, enum err e,
		    const char *said)
{
	struct log_line l = log_event(e == OK ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERROR, event);
	char words[SAID_MAX + PATH_MAX];

	log_str(&l, "program", m->path);
	if (e != OK)
		log_err(&l, e);
	if (e != OK && said[0] != '\0')
		log_str(&l, "why", said);
	log_write(&l);
	/* What the other program said, or did not. */
	if (e == ERR_UNSUPPORTED)
		snprintf(words, sizeof words, "%s cannot go on: %s", m->path, said);
	else
		snprintf(words, sizeof words, "%s", said);
	/* Otherwise MSG_LEAVE is the answer: who asks again asks the next engine. */
	if (ticket != 0 && e != OK)
		monitor_send_reloaded(m, ticket, e, words);
}

void upgrade_tell(struct monitor *m)
{
	if (m->not_executed[0] != '\0')
		monitor_send_reloaded(m, 0, ERR_SYSTEM, m->not_executed);
}

void upgrade_begin(struct monitor *m, uint64_t ticket)
{
	char said[SAID_MAX] = "";
	size_t n;
	enum err e = upgrade_ask(m, &n, said);

	upgrade_answer(m, e == OK ? "upgrade" : "upgrade_refused", ticket, e, said);
	if (e != OK)
		return;
	/* Not RELOADING=1: systemd would not ask before a restart meanwhile. */
	m->leaving = true;
	m->not_executed[0] = '\0';
	crew_leave(m->crew);
}

/* ---- the end ---- */

/* It was for the other program; `stop_wanted` is still so here. */
static void unqueue_signal(int signal)
{
	const struct timespec now = { .tv_sec = 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	(void)sigtimedwait(&set, NULL, &now);
}

/* Returns when it could not be. */
static enum err become(struct monitor *m, struct handover *h, int record)
{
	char option[OPTION_MAX];
	char **args;
	int error;

	option_make(option, OPTION_TAKE_OVER, record);
	args = args_make(m, option);
	if (args == NULL)
		return ERR_NOMEM;
	handover_inherit(h, true);
	(void)fcntl(record, F_SETFD, 0);
	if (m->stop_wanted)
		(void)kill(getpid(), SIGTERM); /* blocked, so the other one hears it */
	execv(m->path, args);
	error = errno;
	if (m->stop_wanted)
		unqueue_signal(SIGTERM);
	handover_inherit(h, false);
	free(args);
	errno = error;
	return ERR_SYSTEM;
}

void leave_failed(struct monitor *m, const char *event, const char *why)
{
	monitor_log(LOG_LEVEL_ERROR, event, why);
	m->leaving = false;
	m->by_restart = false;
	if (m->stop_wanted)
		monitor_await_goodbye(m);
	crew_go_on(m->crew);
}

enum err leave_record(struct monitor *m, struct handover *h, bool by_restart, int *record)
{
	enum err e = record_fill(m, h);

	*record = -1;
	/* A service manager has its own socket, and tells the next one where it listens. Nobody is
	 * to wait at ours for one that may never come. */
	if (by_restart)
		h->notify = h->control = -1;
	if (e == OK)
		e = monitor_kernel_pass_on(m, &h->book);
	return e == OK ? handover_write(h, record) : e;
}

void leave_close(struct handover *h, int record)
{
	if (record >= 0)
		close(record);
	if (h->book >= 0)
		close(h->book);
	handover_free(h);
}

void upgrade_go(struct monitor *m)
{
	struct handover h;
	int record;
	enum err e = leave_record(m, &h, false, &record);

	notify_alive(&m->notify); /* nobody looks at timers until the next one has started */
	if (e == OK)
		e = become(m, &h, record);
	snprintf(m->not_executed, sizeof m->not_executed, "%s",
		 e == ERR_SYSTEM ? strerror(errno) : err_text(e));
	leave_close(&h, record);
	leave_failed(m, "upgrade_failed", m->not_executed);
}
