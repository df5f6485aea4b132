/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the children something on the host is for: each data plane leaves a different part of
 * the work to rules, routes and the TUN device. Pure functions.
 */
#ifndef XFRM_SHARE_H
#define XFRM_SHARE_H

#include "xfrm/host.h"

enum share {
	/* Its packets go into a device, the TUN of userspace ESP or one of the child's own: what
	 * opens the guards for that, and what stands in for the guard that is lifted. Other
	 * children of the kernel's plane need no way past the guards: their own policies stand
	 * above them. */
	SHARE_DEVICE,
	/* Rules and routes lead its packets towards the TUN device. Those of a tunnel of the kernel
	 * are caught by its policies on the way, and have got a route, a source address and an MTU
	 * by then. But XFRM does not look for a route again for a packet that stays what it is, in
	 * transport mode: that one must have the route of its peer from the start. */
	SHARE_LED,
	/* Such a one: inside what is led for a wider child, it is let out again. */
	SHARE_BESIDE,
	/* It has a device of its own, with routes in the main table. */
	SHARE_ROUTED,
	/* ICMP errors that its selectors do not name are led into the TUN by what they quote: its
	 * SA may carry them. The kernel's policies cannot tell them, and routes into a device of
	 * the child's own lead them there anyway. */
	SHARE_ERRORS,
};

bool share_has(enum share s, const struct host_child *c);
/* Those that it has, in their order: malloc'd, at least one place; NULL: no memory. What they
 * borrow they borrow still. */
struct host_child *share_pick(enum share s, const struct host_child *v, size_t n, size_t *n_picked);

#endif
