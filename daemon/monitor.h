/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor: the only process with capabilities, and no byte from the network ever reaches it.
 *
 * Order of its start: users, configuration, guards, sockets, control socket, then capabilities down
 * to six, TUN with routes and rules, then the others. When something is in the way it ends, and the
 * guards that are up stay up.
 *
 * Order of its end: the engine says goodbye to its peers, the others end, routes, rules and the
 * device go, the guards stay: between "configured" and "taken down by an operator" nothing leaves
 * in clear.
 */
#ifndef DAEMON_MONITOR_H
#define DAEMON_MONITOR_H

#include "daemon/options.h"

int monitor_main(const struct options *o);

#endif
