/* SPDX-License-Identifier: Apache-2.0 */
/* Judges what the engine wants of the kernel's data plane. The engine parses what strangers send;
 * one that was taken over may ask for anything. So the monitor, which carries out, asks of each
 * command whether the configuration allows it: a state that leads our packets elsewhere, lets
 * others' packets in, or encrypts with less than the policy of the connection is refused here.
 *
 * What only takes away (remove, forget) or reads is let through for any reqid of ours: it may be
 * about a child that a reload has just removed, and what is left without an SA is held back by
 * traps and guards.
 *
 * Pure functions of the configuration in force, what the kernel can do, and the command.
 */
#ifndef DAEMON_GATEKEEPER_H
#define DAEMON_GATEKEEPER_H

#include "conf/model.h"

/* OK, or ERR_DENIED with words about what does not fit in `why`. */
MUST_USE enum err gate_judge(const struct conf *c, const struct plane_caps *kernel,
			     const struct sa_cmd *cmd, char why[static SA_WHY_MAX]);

#endif
