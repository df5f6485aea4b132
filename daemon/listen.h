/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket, made by the monitor and served by the engine: RUN_DIR/control.sock, for root
 * and the group postern. What a caller may ask is decided by its credentials (SO_PEERCRED), not by
 * the file's mode alone.
 */
#ifndef DAEMON_LISTEN_H
#define DAEMON_LISTEN_H

#include "base/bytes.h"
#include "base/err.h"

enum { LISTEN_WHY_MAX = 256 };

/* Makes the directories where they are missing (run 0755, state 0700). */
MUST_USE enum err listen_dirs(const char *run_dir, const char *state_dir,
			      char why[static LISTEN_WHY_MAX]);
/* Listening, close-on-exec, non-blocking. A socket that nobody serves any more is replaced;
 * ERR_EXISTS: somebody does. */
MUST_USE enum err listen_control(const char *run_dir, int *fd, char why[static LISTEN_WHY_MAX]);
void listen_remove(const char *run_dir);

#endif
