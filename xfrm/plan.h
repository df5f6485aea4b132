/* SPDX-License-Identifier: Apache-2.0 */
/* Which policies shall stand, computed from the configuration and the host's own addresses. Pure
 * functions. */
#ifndef XFRM_PLAN_H
#define XFRM_PLAN_H

#include "xfrm/pair.h"
#include "xfrm/policy.h"

/* The guards: block policies out (local to remote), in and forward (remote to local), and their
 * exceptions. Sorted by policy_cmp, none twice. */
MUST_USE enum err plan_guards(struct policy_list *l, const struct host_child *v, size_t n,
			      const struct own_list *own);
/* What lets packets pass the guards between the TUN device `ifindex` and the rest of the host. */
MUST_USE enum err plan_plane(struct policy_list *l, const struct host_child *v, size_t n,
			     int ifindex);
/* The same for a child's own device. What came through an XFRM interface is looked up by policies
 * of its number alone, so only the way in to the device is opened here; for a TUN plan_plane opens
 * the way out, by the mark. Not sorted with what is in the list: before plan_plane. */
MUST_USE enum err plan_device(struct policy_list *l, const struct host_child *c, int ifindex);

#endif
