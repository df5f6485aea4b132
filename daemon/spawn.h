/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a process of ours: fork, another user, and the same program once more with --role=NAME.
 */
#ifndef DAEMON_SPAWN_H
#define DAEMON_SPAWN_H

#include <sys/types.h>

#include "daemon/privilege.h"

struct spawn {
	int exe; /* our own program, opened at the start: an upgrade on disk does not mix versions
		  */
	enum log_level level;
};

/* The child has fd 0 to 2 of ours and `chan` as ROLE_CHAN_FD, nothing else, and next to nothing of
 * our environment. Returns its pid, or -1 with errno. */
pid_t spawn_role(const struct spawn *s, enum role r, const struct user_ids *ids, int chan);
/* Can that user run the program at all? It is asked for its version. Waits for that. */
MUST_USE bool spawn_is_possible(int exe, const struct user_ids *ids);

#endif
