/* SPDX-License-Identifier: Apache-2.0 */
/* What people and routing daemons put on a device of a child, for the device that takes its place:
 * addresses, and routes of all tables but ours.
 *
 * It is added to the new device while the old one still has it, beside it and not in its place. So
 * the old one can be deleted then, and there is no moment in which a packet would follow the next
 * best route, in clear. What leads into the device by way of a nexthop object leads into the new
 * one without; routes of the kernel come with the addresses.
 */
#ifndef XFRM_CARRY_H
#define XFRM_CARRY_H

#include "xfrm/netlink.h"

/* Both are there, and up. What `to` has already stays. On failure `from` shall not go. */
MUST_USE enum err carry_over(struct netlink *route, uint32_t from, uint32_t to, char *why);

/* Messages. ERR_NOT_FOUND: it is not of `from`, or not to be carried; ERR_SYNTAX: malformed. The
 * request is the caller's. */
struct carry {
	uint32_t from;
	uint32_t to;
};
MUST_USE enum err carry_route(const struct nlmsghdr *m, const struct carry *c, struct ask *a);
/* The same route without its gateway, of which such a device has no need. */
MUST_USE enum err carry_route_plain(const struct nlmsghdr *m, const struct carry *c, struct ask *a);
MUST_USE enum err carry_address(const struct nlmsghdr *m, const struct carry *c, struct ask *a);

#endif
