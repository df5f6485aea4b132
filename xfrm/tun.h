/* SPDX-License-Identifier: Apache-2.0 */
/* The TUN device: several queues, no addresses of its own. It lives as long as somebody holds one
 * of its descriptors. */
#ifndef XFRM_TUN_H
#define XFRM_TUN_H

#include "xfrm/netlink.h"

enum { TUN_QUEUES_MAX = 64 };

/* See host_tun_open. On failure no descriptor stays open. */
MUST_USE enum err tun_open(struct netlink *route, const char *name, unsigned int n_queues, int *fds,
			   char *why);
/* Up, if somebody took it down: a device that is down takes no routes. */
MUST_USE enum err tun_up(struct netlink *route, uint32_t ifindex, char *why);
struct ask tun_ask_setup(uint32_t ifindex); /* for golden tests */

#endif
