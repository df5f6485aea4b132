/* SPDX-License-Identifier: Apache-2.0 */
/* The host's own addresses: one of them may be the source of what the gateway itself sends into a
 * tunnel, and their networks are what is on its links.
 */
#ifndef XFRM_OWN_H
#define XFRM_OWN_H

#include "base/addr.h"
#include "xfrm/netlink.h"

struct own {
	struct addr addr;
	uint8_t bits; /* of the network on the link; all of them: a lone address */
};

struct own_list {
	struct own *v;
	size_t n;
	size_t size;
};

/* Those that the host may send from to others: global, not tentative or deprecated. */
MUST_USE enum err own_list_read(struct netlink *nl, struct own_list *got, char *why);
void own_list_free(struct own_list *l);
/* The first that lies in `n`; NULL when none does. */
const struct addr *own_list_inside(const struct own_list *l, const struct net *n);
/* The network on the link of an address, if it is a private one (RFC 1918, RFC 4193). Others do not
 * count: whoever gives out addresses could name any network as being on the link and so draw its
 * packets out of the tunnel (TunnelCrack, CVE-2023-36672). */
bool own_link(const struct own *o, struct net *n);

/* For golden tests and other readers of addresses: one message of the kernel. ERR_NOT_FOUND: not an
 * address as above; ERR_SYNTAX: malformed. */
MUST_USE enum err own_read(const struct nlmsghdr *m, struct own *o);

#endif
