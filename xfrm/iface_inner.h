/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that bring devices to the plan share; the plan is in xfrm/iface.h. */
#ifndef XFRM_IFACE_INNER_H
#define XFRM_IFACE_INNER_H

#include "xfrm/iface.h"

/* Asks; `what` is the verb of the sentence that says what failed. */
MUST_USE enum err iface_tell(struct netlink *route, struct ask req, const struct iface *i,
			     const char *what, char *why);
/* Somebody else has what this one needs. */
MUST_USE enum err iface_refuse(const struct iface *want, const struct iface *have, char *why);
/* An XFRM interface, down and without an alias. */
MUST_USE enum err iface_make(struct netlink *route, const struct iface *want, char *why);
/* As it shall be; `have` is as it is, under the name of `want`. */
MUST_USE enum err iface_adjust(struct netlink *route, const struct iface *want,
			       const struct iface *have, char *why);
/* Of the addresses with our protocol number exactly the wanted ones: adds first. Where the kernel
 * does not keep who made an address, none is taken away. */
MUST_USE enum err iface_addresses_set(struct netlink *route, const struct iface *want,
				      uint32_t ifindex, char *why);

#endif
