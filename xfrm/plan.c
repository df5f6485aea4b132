/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of policies: see xfrm/plan.h.
 *
 * How the kernel looks policies up, which decides the shape of the plan. A selector's device is
 * matched against the outgoing device of a forwarded packet and of a local IPv4 packet; for a local
 * IPv6 packet it is matched against the device that the socket is bound to, usually none; for what
 * comes in it is always the loopback. So what comes out of the TUN is known by a mark
 * (xfrm/nft_table.c sets it), what goes into it by the device, and local IPv6 packets by neither:
 * their guard is lifted while the data plane is in place, and rules that end in "unreachable"
 * (xfrm/lead.c) and a drop behind routing (xfrm/nft_table.c) stand for it.
 */
#include "xfrm/plan.h"

#include <stdlib.h>

enum {
	DHCP_SERVER = 67,
	DHCP_CLIENT = 68,
	/* RFC 4861: router solicitation and advertisement, neighbour solicitation and
	   advertisement, redirect. */
	ND_FIRST = 133,
	ND_LAST = 137,
};

static const struct net any4 = { .addr = { .family = AF_INET } };
static const struct net any6 = { .addr = { .family = AF_INET6 } };

static const struct net *any_of(sa_family_t family)
{
	return family == AF_INET6 ? &any6 : &any4;
}

static int policy_order_cmp(const void *x, const void *y)
{
	return policy_cmp(x, y);
}

/* Of two that the kernel takes for one the better stays, a guard before an exception from a wider
 * one. */
static void plan_settle(struct policy_list *l)
{
	size_t n = 0;

	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), policy_order_cmp);
	for (size_t i = 0; i < l->n; i++) {
		if (n == 0 || policy_cmp(&l->v[n - 1], &l->v[i]) != 0)
			l->v[n++] = l->v[i];
		else if (l->v[i].priority < l->v[n - 1].priority)
			l->v[n - 1] = l->v[i];
	}
	l->n = n;
}

/* Only a single port can stand in a policy. A range that is neither one port nor all of them
 * becomes all: the guard then holds back more than the tunnel will carry, never less. */
static bool port_single(uint16_t lo, uint16_t hi)
{
	return lo == hi;
}

static struct xfrm_selector pair_selector(const struct pair *p, bool outward)
{
	struct xfrm_selector sel = policy_selector(outward ? &p->local : &p->remote,
						   outward ? &p->remote : &p->local, p->proto);
	void (*local_port)(struct xfrm_selector *, uint16_t) =
		outward ? policy_source_port : policy_target_port;
	void (*remote_port)(struct xfrm_selector *, uint16_t) =
		outward ? policy_target_port : policy_source_port;

	if (port_single(p->local_port_lo, p->local_port_hi))
		local_port(&sel, p->local_port_lo);
	if (port_single(p->remote_port_lo, p->remote_port_hi))
		remote_port(&sel, p->remote_port_lo);
	return sel;
}

static enum err plan_add(struct policy_list *l, const struct pair *pair, uint8_t dir,
			 enum policy_order order)
{
	struct policy p = {
		.sel = pair_selector(pair, dir == XFRM_POLICY_OUT),
		.dir = dir,
		.action = order == POLICY_GUARDS ? XFRM_POLICY_BLOCK : XFRM_POLICY_ALLOW,
		.priority = policy_priority(pair->narrow, order),
	};

	return policy_list_add(l, &p);
}

static enum err plan_pair(struct policy_list *l, const struct pair *p, enum policy_order order)
{
	enum err err = plan_add(l, p, XFRM_POLICY_OUT, order);

	if (err == OK)
		err = plan_add(l, p, XFRM_POLICY_IN, order);
	if (err == OK)
		err = plan_add(l, p, XFRM_POLICY_FWD, order);
	return err;
}

/* DHCP of IPv4 renews by unicast, with whatever server there is. Under a selector that covers the
 * broadcast address too, such a server may be anywhere. (DHCPv6 uses link-local addresses.) */
static enum err plan_dhcp(struct policy_list *l, const struct pair *p)
{
	struct pair dhcp = {
		.local = p->local,
		.remote = p->remote,
		.proto = IPPROTO_UDP,
		.local_port_lo = DHCP_CLIENT,
		.local_port_hi = DHCP_CLIENT,
		.remote_port_lo = DHCP_SERVER,
		.remote_port_hi = DHCP_SERVER,
		.narrow = p->narrow,
	};

	if (p->remote.addr.family != AF_INET || p->remote.bits != 0 ||
	    (p->proto != 0 && p->proto != IPPROTO_UDP))
		return OK;
	return plan_pair(l, &dhcp, POLICY_EXEMPTS);
}

/* Without neighbour discovery no packet leaves at all, our own ESP included, also between two
 * single hosts. It never crosses a router (hop limit 255), so there is no exception for forwarding.
 * The type stands in the source port. */
static enum err plan_neighbours(struct policy_list *l)
{
	enum err err = OK;

	for (uint16_t type = ND_FIRST; type <= ND_LAST && err == OK; type++) {
		struct policy p = {
			.sel = policy_selector(&any6, &any6, IPPROTO_ICMPV6),
			.dir = XFRM_POLICY_OUT,
			.action = XFRM_POLICY_ALLOW,
			.priority = POLICY_PRIORITY_BEST,
		};

		policy_source_port(&p.sel, type);
		err = policy_list_add(l, &p);
		p.dir = XFRM_POLICY_IN;
		if (err == OK)
			err = policy_list_add(l, &p);
	}
	return err;
}

static bool pair_stops_neighbours(const struct pair *p)
{
	return p->local.addr.family == AF_INET6 && (p->proto == 0 || p->proto == IPPROTO_ICMPV6);
}

/* A fragment that is forwarded shows the kernel no ports: it takes them for 0, the first one's as
 * well. So it would pass a guard of one port, and has a guard of its own, which holds back those of
 * other ports too. (Where connections are tracked, packets are put together before.) */
static bool pair_has_pieces(const struct pair *p)
{
	return port_single(p->local_port_lo, p->local_port_hi) ||
	       port_single(p->remote_port_lo, p->remote_port_hi);
}

static struct pair pieces_of(const struct pair *p)
{
	struct pair pieces = *p;

	pieces.local_port_lo = pieces.local_port_hi = 0;
	pieces.remote_port_lo = pieces.remote_port_hi = 0;
	return pieces;
}

static enum err plan_pieces(struct policy_list *l, const struct pair *p)
{
	const struct pair pieces = pieces_of(p);

	return pair_has_pieces(p) ? plan_pair(l, &pieces, POLICY_GUARDS) : OK;
}

static enum err plan_pairs(struct policy_list *l, const struct pair_list *pairs)
{
	bool neighbours = false;
	enum err err = OK;

	for (size_t i = 0; i < pairs->n && err == OK; i++) {
		neighbours = neighbours || pair_stops_neighbours(&pairs->v[i]);
		err = plan_pair(l, &pairs->v[i], POLICY_GUARDS);
		if (err == OK)
			err = plan_pieces(l, &pairs->v[i]);
		if (err == OK)
			err = plan_dhcp(l, &pairs->v[i]);
	}
	return err == OK && neighbours ? plan_neighbours(l) : err;
}

enum err plan_guards(struct policy_list *l, const struct host_child *v, size_t n,
		     const struct own_list *own)
{
	struct pair_list pairs = { .n = 0 };
	struct pair_list exempt = { .n = 0 };
	enum err err = pair_list_fill(&pairs, v, n);

	if (err == OK)
		err = plan_pairs(l, &pairs);
	if (err == OK)
		err = pair_list_fill_exempt(&exempt, v, n, own);
	for (size_t i = 0; i < exempt.n && err == OK; i++)
		err = plan_pair(l, &exempt.v[i], POLICY_EXEMPTS);
	plan_settle(l);
	pair_list_free(&pairs);
	pair_list_free(&exempt);
	return err;
}

/* From the TUN: whatever the addresses, for userspace ESP has compared them with the SA's
 * selectors. */
static enum err plan_from_tun(struct policy_list *l, sa_family_t family, uint8_t dir)
{
	struct policy p = {
		.sel = policy_selector(any_of(family), any_of(family), 0),
		.mark = { .v = HOST_MARK_INNER, .m = HOST_MARK_MASK },
		.dir = dir,
		.action = XFRM_POLICY_ALLOW,
		.priority = POLICY_PRIORITY_BEST,
	};

	return policy_list_add(l, &p);
}

/* Into the TUN; direction forward sees the outgoing device as well. */
static enum err plan_into_tun(struct policy_list *l, sa_family_t family, uint8_t dir, int ifindex)
{
	struct policy p = {
		.sel = policy_selector(any_of(family), any_of(family), 0),
		.dir = dir,
		.action = XFRM_POLICY_ALLOW,
		.priority = POLICY_PRIORITY_BEST,
	};

	p.sel.ifindex = ifindex;
	return policy_list_add(l, &p);
}

/* Lifts the outward guard of IPv6 (see the head of this file) for packets without a mark of ours,
 * and for errors, which the mark leads into the TUN.
 * Forwarded packets are caught again in direction forward, where the device is known. */
static enum err plan_lift6(struct policy_list *l, const struct pair *pair)
{
	struct policy p = {
		.sel = pair_selector(pair, true),
		.mark = { .v = 0, .m = HOST_MARK_LIFT },
		.dir = XFRM_POLICY_OUT,
		.action = XFRM_POLICY_ALLOW,
	};
	enum err err;

	p.priority = policy_priority(pair->narrow, POLICY_FIRST);
	err = policy_list_add(l, &p);
	p.dir = XFRM_POLICY_FWD;
	p.action = XFRM_POLICY_BLOCK;
	p.priority = policy_priority(pair->narrow, POLICY_GUARDS);
	return err != OK ? err : policy_list_add(l, &p);
}

/* Its fragments as well: a wider child may lead them into the TUN. */
static enum err plan_lift6_all(struct policy_list *l, const struct pair *pair)
{
	const struct pair pieces = pieces_of(pair);
	enum err err = plan_lift6(l, pair);

	return err == OK && pair_has_pieces(pair) ? plan_lift6(l, &pieces) : err;
}

static enum err plan_tun(struct policy_list *l, sa_family_t family, int ifindex)
{
	enum err err = plan_from_tun(l, family, XFRM_POLICY_IN);

	if (err == OK)
		err = plan_from_tun(l, family, XFRM_POLICY_FWD);
	if (err == OK)
		err = plan_into_tun(l, family, XFRM_POLICY_OUT, ifindex);
	if (err == OK)
		err = plan_into_tun(l, family, XFRM_POLICY_FWD, ifindex);
	return err;
}

enum err plan_device(struct policy_list *l, const struct host_child *c, int ifindex)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	struct pair_list pairs = { .n = 0 };
	enum err err = pair_list_fill(&pairs, c, 1);

	/* Without a number a policy would be about every device. */
	for (size_t i = 0; i < 2 && err == OK && ifindex != 0; i++) {
		if (!pair_list_has(&pairs, families[i]))
			continue;
		err = plan_into_tun(l, families[i], XFRM_POLICY_OUT, ifindex);
		if (err == OK)
			err = plan_into_tun(l, families[i], XFRM_POLICY_FWD, ifindex);
	}
	pair_list_free(&pairs);
	return err;
}

enum err plan_plane(struct policy_list *l, const struct host_child *v, size_t n, int ifindex)
{
	struct pair_list pairs = { .n = 0 };
	enum err err = pair_list_fill(&pairs, v, n);

	if (err == OK && pair_list_has(&pairs, AF_INET))
		err = plan_tun(l, AF_INET, ifindex);
	if (err == OK && pair_list_has(&pairs, AF_INET6))
		err = plan_tun(l, AF_INET6, ifindex);
	for (size_t i = 0; i < pairs.n && err == OK; i++) {
		if (pairs.v[i].local.addr.family == AF_INET6)
			err = plan_lift6_all(l, &pairs.v[i]);
	}
	plan_settle(l);
	pair_list_free(&pairs);
	return err;
}
