/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify without libsystemd: datagrams to the socket that NOTIFY_SOCKET names (sd_notify(3)).
 * Without such a socket every call does nothing.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include "base/bytes.h"
#include "base/clock.h"

struct notify {
	int fd;		  /* -1: nobody listens */
	mono_ns watchdog; /* WATCHDOG=1 is due this often; 0: never */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of the environment. */
struct notify notify_open(void);
void notify_close(struct notify *n);
/* "READY=1\nSTATUS=..." */
void notify_send(const struct notify *n, const char *state);
/* WATCHDOG=1, when somebody waits for it. The loop says it twice in the time that is allowed (30 s
 * in the unit). Nothing else holds the monitor for longer than half of it, and what waits says it
 * first: the file is read (LOAD_SECONDS of daemon/loader.c, 6 s), another program is asked
 * (CHECK_PATIENCE of daemon/monitor_upgrade.c, 10 s), a barrier is taken and answered (5 s each).
 */
void notify_alive(const struct notify *n);
/* STATUS=text */
void notify_status(const struct notify *n, struct span text);
/* A line, and a descriptor or -1, for what has to arrive: waits for room, some seconds at most.
 * False: nobody listens. */
bool notify_pass(const struct notify *n, const char *state, int fd);
/* Has all that was sent been heard (sd_notify_barrier(3), systemd 246)? Waits as long. */
MUST_USE bool notify_barrier(const struct notify *n);
/* RELOADING=1 with the time that systemd wants beside it. */
void notify_reloading(const struct notify *n, mono_ns now);

#endif
