/* SPDX-License-Identifier: Apache-2.0 */
/* TUN devices: several queues, no addresses by themselves. One lives as long as somebody holds one
 * of its descriptors, unless it is to stay. */
#ifndef XFRM_TUN_H
#define XFRM_TUN_H

#include "xfrm/netlink.h"

enum { TUN_QUEUES_MAX = 64 };

struct tun {
	const char *name;
	const char
		*alias; /* by which it is ours; that of a child's device begins with "postern " */
	uint32_t mtu;
	bool stays; /* without a descriptor too: then what is sent into it is dropped */
};

struct tun tun_shared(const char *name); /* that of all children without an interface */
/* See host_tun_open. On failure no descriptor stays open. */
MUST_USE enum err tun_open(struct netlink *route, const struct tun *t, unsigned int n_queues,
			   int *fds, char *why);
/* Up, if somebody took it down: a device that is down takes no routes. */
MUST_USE enum err tun_up(struct netlink *route, uint32_t ifindex, char *why);
struct ask tun_ask_setup(uint32_t ifindex, const struct tun *t); /* for golden tests */
/* No address of IPv6 by itself. Alone in its message, for a host without IPv6 refuses it. */
struct ask tun_ask_no_autoconf(uint32_t ifindex);

#endif
