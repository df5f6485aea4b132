/* SPDX-License-Identifier: Apache-2.0 */
/* Whose an address is, as this host's routing has it at that moment: our own, whatever made it so
 * (an address that is deprecated or just came, a local route of more than one), that of many
 * machines, or another's. The kernel is asked each time, so there is nothing that could be out of
 * date.
 */
#ifndef XFRM_WHOSE_H
#define XFRM_WHOSE_H

#include "base/addr.h"
#include "xfrm/netlink.h"

enum whose {
	WHOSE_UNKNOWN, /* nobody has said */
	WHOSE_OURS,    /* what is sent to it is delivered here */
	WHOSE_MANY,    /* broadcast of a network on our links, multicast, anycast */
	WHOSE_OTHER,   /* another machine's, whether there is a way to it or not */
};

/* `route` is a netlink of NETLINK_ROUTE. WHOSE_UNKNOWN when the kernel does not say. */
enum whose whose_ask(struct netlink *route, const struct addr *a);

/* For golden tests: the question, as our outer packets are routed, and the kernel's answer. */
struct ask whose_request(const struct addr *a);
enum whose whose_read(const struct nlmsghdr *m);

#endif
