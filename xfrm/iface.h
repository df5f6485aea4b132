/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of route-based children: an XFRM interface where the kernel encrypts, a TUN where we do.
 *
 * A device is ours by its kind, its alias, "postern CONNECTION/CHILD", and what only we give such a
 * device: an XFRM interface has a number of ours, a TUN belongs to root. After a crash the next
 * start takes it over as it is; any other belongs to somebody else and is left alone. All are in
 * one group of devices, by which the rules for our outer packets know them (xfrm/lead.h).
 *
 * What is routed into a device is encrypted or dropped, by either kind: an XFRM interface sends
 * only by states and policies of its own number, a TUN only to whoever reads it. So the device
 * itself fails closed, and it is kept as guards are: over the stop of the daemon and its crash,
 * until no child of the configuration has it any more (host_iface_prune).
 *
 * Routes into it are others', and they go with the device: then their packets follow the next best
 * route, in clear. So a device is changed in place where the kernel can do that, and what stands on
 * one that cannot is carried over first (xfrm/carry.h). Who has a name keeps its routes; under a
 * new name a child takes them along. Each step leaves something that the next start goes on with.
 */
#ifndef XFRM_IFACE_H
#define XFRM_IFACE_H

#include "base/addr.h"
#include "xfrm/host.h"
#include "xfrm/netlink.h"

enum {
	IFACE_ALIAS_MAX = 144, /* "postern ", two names, a slash */
	IFACE_GROUP = 5050,
	IFACE_IFA_PROTO = 11, /* IFA_PROTO, who made an address: linux/if_addr.h since 5.18. Older
				 kernels take it in silence */
};

/* As it shall be, or (with an ifindex) as it is. */
struct iface {
	uint32_t ifindex;
	char name[16];
	char alias[IFACE_ALIAS_MAX];
	char kind[8];	 /* "xfrm", "tun"; of others the beginning of theirs */
	uint32_t if_id;	 /* of an XFRM interface */
	bool private;	 /* a TUN that only root may attach to */
	uint32_t queues; /* attached to a TUN, at work or not */
	bool persistent; /* a TUN that stays without any */
	uint32_t mtu;
	uint32_t group;
	bool up;
	bool has6; /* the host has IPv6 for it ... */
	bool off6; /* ... which is switched off there */
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
/* A child's. */
bool iface_is_ours(const struct iface *have);
void iface_list_free(struct iface_list *l);
/* All devices of the host. */
MUST_USE enum err iface_list_read(struct netlink *route, struct iface_list *got, char *why);
const struct iface *iface_list_find(const struct iface_list *l, const char *name);

/* Messages. */
struct ask iface_ask_make(const struct iface *want); /* an XFRM interface, down */
/* Alias, group and what an address needs; not the MTU. */
struct ask iface_ask_setup(uint32_t ifindex, const struct iface *want);
struct ask iface_ask_name(uint32_t ifindex, const char *name);
struct ask iface_ask_number(uint32_t ifindex, uint32_t if_id); /* of an XFRM interface */
struct ask iface_ask_up(uint32_t ifindex);
struct ask iface_ask_mtu(uint32_t ifindex, uint32_t mtu);
struct ask iface_ask_delete(uint32_t ifindex);
struct ask iface_ask_address(uint16_t type, uint32_t ifindex, const struct net *n);
/* ERR_SYNTAX: malformed. */
MUST_USE enum err iface_read(const struct nlmsghdr *m, struct iface *have);

/* First of all, before TUNs are opened: no device is in the way of those that these children want,
 * by its name, kind or number; one of the same child under its old name has the new one, where the
 * kernel renames what is up (6.2). ERR_EXISTS: somebody else's is; then nothing was changed. */
MUST_USE enum err iface_ready(struct netlink *route, const struct host_child *v, size_t n,
			      char *why);
/* Then their devices as they shall be: made (an XFRM interface; a TUN must be there) or changed in
 * place; addresses, MTU, up. Children without an interface are passed over, and those whose XFRM
 * interface the kernel cannot make: nothing leads to where they are. ERR_EXISTS as above. */
MUST_USE enum err iface_set(struct netlink *route, const struct host_child *v, size_t n, char *why);
/* And then ours that none of these children has go. What is on one whose child has another by now
 * is carried over to that; as long as that is not there, the old one stays. */
MUST_USE enum err iface_prune(struct netlink *route, const struct host_child *v, size_t n,
			      bool *any, char *why);
/* Makes one and deletes it. */
bool iface_probe(struct netlink *route);

#endif
