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
 * Its addresses are judged by what the host says of them, too: an engine that was taken over could
 * name any local address where the configuration pins none, or lead a tunnel to the host itself.
 *
 * Pure functions of the configuration in force, what the kernel can do, what the host says, and the
 * command.
 */
#ifndef DAEMON_GATEKEEPER_H
#define DAEMON_GATEKEEPER_H

#include "base/clock.h"
#include "conf/model.h"
#include "xfrm/kernel.h"
#include "xfrm/whose.h"

/* What the host says when the command comes, of what it is asked about: those that make or change
 * an SA. */
struct gate_facts {
	enum whose local; /* the addresses of its path */
	enum whose remote;
	struct kernel_count halves; /* that stand already */
	mono_ns now;
};

/* Halves of children that the kernel is given: in all as many as the userspace plane has SPIs for;
 * of a connection with one peer as many as that peer's IKE SAs may have (SAME_PEER_MAX, and the one
 * for which the oldest gives way; SA_PAIRS_MAX each, those included that replace others), however
 * few children are configured, for a peer may take one by pairs of addresses (RFC 7296 2.9); of one
 * whose peers are not known beforehand half of all. Each costs memory in the kernel that nobody
 * gets back but by removing it. */
enum { GATE_HALVES_MAX = 2 * SPI_SLOTS };
size_t gate_connection_max(const struct conf_connection *cn);

/* OK, or with words about what does not fit in `why`: ERR_DENIED, or ERR_LIMIT when only their
 * number does not. */
MUST_USE enum err gate_judge(const struct conf *c, const struct plane_caps *kernel,
			     const struct gate_facts *facts, const struct sa_cmd *cmd,
			     char why[static SA_WHY_MAX]);

#endif
