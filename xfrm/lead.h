/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules and routes lead the children's packets into the TUN device. Pure functions.
 *
 * The rules, by priority:
 *
 *   LEAD_MARK     mark of our outer packets: past the end, whatever the addresses, so that ESP to a
 *                 peer inside its own tunnel's selectors does not run in a circle
 *   LEAD_OUTER, LEAD_OUTER_DEAD  beside children with devices of their own (`routed`) these say
 *                 where such packets go: xfrm/outer.h
 *   LEAD_ERROR_BACK  with the mark of errors, past the end for networks that are exceptions: none
 *                 goes there, but a strict reverse path filter asks for the way to its sender with
 *                 its mark
 *   LEAD_ERROR    an ICMP error that a tunnel carries for what it quotes (xfrm/nft_errors.h): our
 *                 table. If that has no route, the error is dropped behind routing
 *   LEAD_PAIRS    a level for each narrowness of pairs, the narrowest first, and on each level
 *     +0          what has to stay out of the tunnel, and transport mode of the kernel's plane
 *                 (SHARE_BESIDE): past the end, also before a tunnel that is narrower by a single
 *                 port alone, whose guard then holds its packets back
 *     +1          from local to remote: our table
 *     +2          from local to remote: unreachable. So when the TUN dies, and its routes with it,
 *                 nothing falls through to the main table; also not for a socket that is bound to a
 *                 device, which our table's routes do not fit
 *   LEAD_SOURCED  IPv6 that has a source address already: past the end (see below)
 *   LEAD_NEW      the same levels for packets of this host that have no source address yet: only if
 *                 the host owns an address of the local selector, which the route then gives them
 *   LEAD_END
 *
 * "No source yet" is 0.0.0.0/32 for IPv4. In IPv6 a rule with a source never matches such a packet
 * and one without always does, so those with a source are led away first: ::/1 and 8000::/1 match
 * every address but not the lack of one.
 */
#ifndef XFRM_LEAD_H
#define XFRM_LEAD_H

#include "xfrm/own.h"
#include "xfrm/pair.h"
#include "xfrm/route.h"
#include "xfrm/rule.h"

enum {
	LEAD_LEVELS = PAIR_NARROW_MAX / 2 + 1, /* single ports do not make a level of their own */
	LEAD_MARK = HOST_RULE_PRIORITY,
	LEAD_OUTER,
	LEAD_OUTER_DEAD,
	LEAD_ERROR_BACK,
	LEAD_ERROR,
	LEAD_PAIRS,
	LEAD_SOURCED = LEAD_PAIRS + 3 * LEAD_LEVELS,
	LEAD_NEW,
	LEAD_END = LEAD_NEW + 3 * LEAD_LEVELS,
};

/* Where in a level. */
enum lead_step { LEAD_EXEMPT, LEAD_LOOKUP, LEAD_DEAD };

struct lead_host {
	const struct own_list *own;
	const struct host_child *beside; /* SHARE_BESIDE */
	size_t n_beside;
	bool routed; /* there are devices of children */
	bool has6;   /* and IPv6, of which our outer packets may be */
};

/* Settled, in the order to add. Nothing at all when there are no pairs, and nothing is routed. */
MUST_USE enum err lead_rules(struct rule_list *l, const struct host_child *v, size_t n,
			     const struct lead_host *host);
/* One for each remote network; mtu is 0. */
MUST_USE enum err lead_routes(struct route_list *l, const struct pair_list *pairs,
			      const struct own_list *own, uint32_t device);
/* Into the device of a child, by the main table: a route and a dead one behind it for each remote
 * network that is not everything. */
MUST_USE enum err lead_device_routes(struct route_list *l, const struct host_child *c,
				     const struct own_list *own, uint32_t device);

#endif
