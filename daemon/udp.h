/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's sockets: its members of the groups on UDP 500 and 4500, IPv4 and IPv6. Each has a
 * turn when something waits in it, so that one that is flooded does not starve the others.
 *
 * Every datagram comes with the address that it was sent to, and every answer leaves from there
 * (RFC 7296 2.11). On 4500 an IKE message has four zero bytes before it (RFC 3948 2.2), put and
 * taken off here; a lone 0xFF is a keepalive and ends here; ESP that the steering left to the
 * engine is of a plane that does not run.
 */
#ifndef DAEMON_UDP_H
#define DAEMON_UDP_H

#include "base/addr.h"
#include "daemon/loop.h"
#include "daemon/proto.h"

struct udp;

typedef void udp_fn(void *ctx, const struct path *p, struct span d);

/* `message` is called per IKE message, within the loop; the bytes hold during the call. */
MUST_USE enum err udp_new(struct loop *l, udp_fn *message, void *ctx, struct udp **u);
void udp_free(struct udp *u); /* closes its sockets; takes NULL */
/* One of SOCK_IKE4 to SOCK_NAT6, and enum ike_queue (daemon/steer.h). Owns fd. Nothing is read from
 * it before udp_begin: what comes waits in the socket for whoever can understand it. */
MUST_USE enum err udp_add(struct udp *u, enum sock_kind kind, uint8_t queue, int fd);
/* From now on what comes is read, from sockets that come later, too. */
MUST_USE enum err udp_begin(struct udp *u);
/* Nothing is read, as before udp_begin, as long as it is held. */
void udp_hold(struct udp *u, bool held);

/* From p->local to p->remote; a local address of AF_UNSPEC leaves the choice to the kernel.
 * ERR_NOT_FOUND: no route, no such address; ERR_BUSY: the socket is full; ERR_UNSUPPORTED: no
 * socket of that port and family. */
MUST_USE enum err udp_send(struct udp *u, const struct path *p, bool marker, struct span d);

struct udp_stats {
	uint64_t received;
	uint64_t keepalives;
	uint64_t not_ike; /* ESP, or too short for a header */
	uint64_t truncated;
	uint64_t sent;
	uint64_t not_sent;
};
const struct udp_stats *udp_stats(const struct udp *u);

#endif
