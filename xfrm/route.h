/* SPDX-License-Identifier: Apache-2.0 */
/* Routes of ours. Those of our table lead remote networks into the TUN device; those of the main
 * table lead them into the devices of route-based children, each with a dead one of the worst
 * metric behind it: when the device goes, its routes go with it, and nothing falls through to a
 * wider route.
 */
#ifndef XFRM_ROUTE_H
#define XFRM_ROUTE_H

#include "base/addr.h"
#include "xfrm/netlink.h"

struct route {
	struct net to;
	struct addr source; /* AF_UNSPEC: none */
	uint32_t device;    /* ifindex; when read 0: no device or several */
	uint32_t mtu;	    /* 0: the device's */
	bool main;	    /* of the main table, else of ours */
	bool dead;	    /* unreachable; no device, source or MTU */
};

struct route_list {
	struct route *v;
	size_t n;
	size_t size;
};

MUST_USE enum err route_list_add(struct route_list *l, const struct route *r);
void route_list_free(struct route_list *l);
/* The one of our table, or NULL. */
struct route *route_list_find(const struct route_list *l, const struct net *to);
/* The one of the same table and kind to the same network, or NULL. */
struct route *route_list_same(const struct route_list *l, const struct route *r);

struct ask route_ask_put(const struct route *r); /* adds, or replaces the one to the same network */
struct ask route_ask_delete(const struct route *r);
struct ask route_ask_dump(sa_family_t family, uint32_t table);
/* ERR_NOT_FOUND: not ours (table, protocol); ERR_SYNTAX: malformed. */
MUST_USE enum err route_read(const struct nlmsghdr *m, struct route *r);

/* Those of ours in this table are added. */
MUST_USE enum err route_table_read(struct netlink *nl, sa_family_t family, uint32_t table,
				   struct route_list *got, char *why);
/* Our routes as they are now, both families. */
MUST_USE enum err route_set_read(struct netlink *nl, struct route_list *got, char *why);
/* Brings our routes to these, adding first. An mtu of 0 in `wanted` keeps the one that is there. */
MUST_USE enum err route_set_apply(struct netlink *nl, const struct route_list *wanted, char *why);

MUST_USE enum err route_put(struct netlink *nl, const struct route *r, char *why);

#endif
