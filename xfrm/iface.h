/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of route-based children: an XFRM interface where the kernel encrypts, a TUN where we do.
 *
 * A device is ours by its alias, "postern CONNECTION/CHILD". After a crash the next start takes it
 * over as it is, with the routes that others made into it; one without such an alias belongs to
 * somebody else and is left alone. All are in one group of devices, by which the rules for our
 * outer packets know them (xfrm/lead.h).
 *
 * What is routed into a device is encrypted or dropped, by either kind: an XFRM interface sends
 * only by states and policies of its own number, a TUN only to whoever reads it. So the device
 * itself fails closed, and it is kept as guards are: over the stop of the daemon and its crash,
 * until no child of the configuration has it any more (host_iface_prune).
 */
#ifndef XFRM_IFACE_H
#define XFRM_IFACE_H

#include "base/addr.h"
#include "xfrm/host.h"
#include "xfrm/netlink.h"

enum {
	IFACE_ALIAS_MAX = 144, /* "postern ", two names, a slash */
	IFACE_GROUP = 5050,
};

/* As it shall be, or (with an ifindex) as it is. */
struct iface {
	uint32_t ifindex;
	char name[16];
	char alias[IFACE_ALIAS_MAX];
	char kind[8];	/* "xfrm", "tun"; of others the beginning of theirs */
	uint32_t if_id; /* of an XFRM interface */
	uint32_t mtu;
	uint32_t group;
	bool up;
	const struct net *addresses; /* wanted alone; borrowed */
	size_t n_addresses;
};

struct iface_list {
	struct iface *v;
	size_t n;
	size_t size;
};

/* The device that a child with an interface wants. mtu 0: whatever it is. */
struct iface iface_of(const struct host_child *c);
bool iface_is_ours(const struct iface *have);
void iface_list_free(struct iface_list *l);
/* All devices of the host. */
MUST_USE enum err iface_list_read(struct netlink *route, struct iface_list *got, char *why);
const struct iface *iface_list_find(const struct iface_list *l, const char *name);

/* Messages. */
struct ask iface_ask_make(const struct iface *want); /* an XFRM interface, down */
/* Alias, group and what an address needs; not the MTU. */
struct ask iface_ask_setup(uint32_t ifindex, const struct iface *want);
struct ask iface_ask_up(uint32_t ifindex);
struct ask iface_ask_mtu(uint32_t ifindex, uint32_t mtu);
struct ask iface_ask_delete(uint32_t ifindex);
struct ask iface_ask_address(uint16_t type, uint32_t ifindex, const struct net *n);
/* ERR_SYNTAX: malformed. */
MUST_USE enum err iface_read(const struct nlmsghdr *m, struct iface *have);

/* Makes the devices of these children (an XFRM interface; a TUN must be there), or takes over what
 * is there; addresses, MTU, up. Children without an interface are passed over. ERR_EXISTS: a device
 * of that name, or number, is somebody else's. */
MUST_USE enum err iface_set(struct netlink *route, const struct host_child *v, size_t n, char *why);
/* Ours of another kind or number goes that is in the way of this one. ERR_EXISTS: somebody else's
 * is.
 */
MUST_USE enum err iface_clear(struct netlink *route, const struct iface *want, char *why);
/* Is there a device of a child, also of one that was taken down? */
MUST_USE enum err iface_any(struct netlink *route, bool *any, char *why);
/* Makes one and deletes it. */
bool iface_probe(struct netlink *route);
/* Removes ours that none of these children has. */
MUST_USE enum err iface_prune(struct netlink *route, const struct host_child *v, size_t n,
			      char *why);

#endif
