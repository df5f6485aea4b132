/* SPDX-License-Identifier: Apache-2.0 */
/* The way of our outer packets where devices of children stand in the main table.
 *
 * Whoever routes everything into such a device hides the route to the peer, and ESP would run in a
 * circle. So, as soon as there is one such device, packets with our outer mark are not routed by
 * the main table as it is: first they look there past routes into the devices (a rule with
 * suppress_ifgroup); when the best one leads into a device, they look into a table of ours
 * (HOST_TABLE_OUTER) with a copy of the default routes that lead elsewhere, and of the networks on
 * the links; then nowhere. Rules of others with a priority behind ours do not count for them.
 */
#ifndef XFRM_OUTER_H
#define XFRM_OUTER_H

#include "xfrm/copies.h"
#include "xfrm/iface.h"
#include "xfrm/netlink.h"

/* One message of a dump of the main table as routes of HOST_TABLE_OUTER, for in IPv6 each hop is
 * one of its own: `*at` is 0 for the first, and then left alone. ERR_NOT_FOUND: that table needs no
 * (further) one; ERR_SYNTAX: malformed. The request is the caller's. */
MUST_USE enum err outer_copy(const struct nlmsghdr *m, const struct iface_list *devices, size_t *at,
			     struct copy *c);
/* ... of a dump of that table itself, to compare. */
MUST_USE enum err outer_copied(const struct nlmsghdr *m, size_t *at, struct copy *c);
/* Is it about a route of the main table that others made, and that is copied? For events. */
bool outer_concerns(const struct nlmsghdr *m);

/* Brings the copy to what the main table is now; with `any` false, takes it away. `lacks` (as long
 * as `why`): words about a route that cannot be copied; "": none. */
MUST_USE enum err outer_apply(struct netlink *route, bool any, char *lacks, char *why);

#endif
