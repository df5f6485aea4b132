/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the kernel's routing, by an unbound UDP socket that carries our mark: connecting it
 * sends nothing, and afterwards the socket knows its own address and the MTU of the path. Needs no
 * privilege.
 */
#ifndef DAEMON_ROUTE_H
#define DAEMON_ROUTE_H

#include "base/addr.h"

/* IPv4 and IPv6; -1: none. */
struct route {
	int fd[2];
};

/* From which of our addresses a packet to `to` leaves. False: no route. */
MUST_USE bool route_local(const struct route *r, const struct addr *to, struct addr *local);
/* Is it an address of this machine, or may packets leave from it all the same (ip_nonlocal_bind)?
 * In doubt it is. */
MUST_USE bool route_is_here(const struct addr *a);
/* The MTU of the path as far as the kernel has learned it; 0: no route. */
uint16_t route_mtu(const struct route *r, const struct addr *to);

#endif
