/* SPDX-License-Identifier: Apache-2.0 */
/* Nexthop objects: where does one lead? */
#ifndef XFRM_NEXTHOP_H
#define XFRM_NEXTHOP_H

#include "xfrm/netlink.h"

enum { NEXTHOP_GROUP_MAX = 32 };

/* One object, or a group of them. */
struct nexthop {
	uint32_t device; /* 0: none, or a group */
	uint32_t member[NEXTHOP_GROUP_MAX];
	size_t n; /* SIZE_MAX: too many */
};

struct ask nexthop_ask(uint32_t id);
/* ERR_SYNTAX: malformed. */
MUST_USE enum err nexthop_read(const struct nlmsghdr *m, struct nexthop *got);
/* Of the object or of a member of the group. ERR_NOT_FOUND: there is none. */
typedef bool device_fn(const void *ctx, uint32_t ifindex);
MUST_USE enum err nexthop_any(struct netlink *route, uint32_t id, device_fn *fn, const void *ctx,
			      bool *any);

#endif
