/* SPDX-License-Identifier: Apache-2.0 */
/* What a process gives up once it has all it needs, on top of users and capabilities. */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

#include "base/err.h"
#include "daemon/role.h"

/* Called by every process behind its start, before it reads a byte from a stranger. */
MUST_USE enum err sandbox_enter(enum role r);

#endif
