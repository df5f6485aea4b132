/* SPDX-License-Identifier: Apache-2.0 */
/* The next hops of a route with several (RTA_MULTIPATH), for a route that shall be like it. */
#ifndef XFRM_HOPS_H
#define XFRM_HOPS_H

#include "xfrm/netlink.h"

/* Where a hop over this device leads in the new route; 0: the new route has not got it. */
typedef uint32_t hop_fn(const void *ctx, uint32_t ifindex);

/* Puts what is left of the hops into the request, as the kernel would show it: one alone is a
 * gateway and RTA_OIF. Gives their number; with 0 nothing is put. Malformed hops break the request.
 */
size_t hops_put(struct ask *a, const struct nlattr *hops, hop_fn *to, const void *ctx);
/* Puts the next of the hops alone, in the same form. `*at`: 0 for the first, and then left alone.
 * False: there is no further one, and nothing is put; or they are malformed, and it is broken. */
bool hops_put_next(struct ask *a, const struct nlattr *hops, hop_fn *to, const void *ctx,
		   size_t *at);

#endif
