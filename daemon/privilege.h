/* SPDX-License-Identifier: Apache-2.0 */
/* Who a process is and what it may: users, capabilities, and what the kernel lets others see of it.
 */
#ifndef DAEMON_PRIVILEGE_H
#define DAEMON_PRIVILEGE_H

#include <sys/types.h>

#include "base/err.h"
#include "daemon/role.h"

struct user_ids {
	uid_t uid;
	gid_t gid;
};

enum { PRIVILEGE_WHY_MAX = 256 };

/* The user of each role, looked up once at the start. A missing one is an error that says how to
 * make it. */
MUST_USE enum err users_find(struct user_ids ids[static N_ROLES],
			     char why[static PRIVILEGE_WHY_MAX]);

/* The monitor keeps NET_ADMIN, NET_RAW, NET_BIND_SERVICE, SETUID, SETGID and KILL (and
 * DAC_READ_SEARCH when it is not root), in the bounding set too where it may, and no_new_privs for
 * itself and all that it starts. */
MUST_USE enum err privilege_monitor(char why[static PRIVILEGE_WHY_MAX]);

/* In a child between fork and exec: becomes the user for good. */
MUST_USE enum err privilege_become(const struct user_ids *ids);

/* First thing in a process: dies with the monitor, leaves no core, cannot be traced by its own
 * user, and has no capability: ERR_DENIED when it does. */
MUST_USE enum err privilege_process(enum role r, char why[static PRIVILEGE_WHY_MAX]);
/* What of it holds for the monitor as well: no core, not traced. */
void privilege_hide(void);
/* Keeps secrets off the swap where the limit allows. */
void privilege_lock_memory(void);

#endif
