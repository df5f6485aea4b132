/* SPDX-License-Identifier: Apache-2.0 */
/* Which socket of the reuseport groups on UDP 500 and 4500 gets a datagram: classic BPF programs
 * that see the UDP payload from offset 0, over IPv4 and IPv6 alike. On 4500:
 *
 *	member 0          the engine: IKE (first word zero, the non-ESP marker of RFC 3948 2.2),
 *	                  keepalives and whatever else is shorter than a word
 *	member 1 + owner  the esp worker whose SPI it is (bit 31 set, owner in bits 30 to 24,
 *	                  modulo the workers)
 *	the next member   the kernel: ESP with bit 31 clear. That socket has UDP_ENCAP, and only
 *	                  what is given to such a one is decrypted by the kernel, which swallows
 *	                  keepalives and all ESP, ours too. Without ESP in the kernel there is no
 *	                  such member, and the engine gets it
 *	the last two      the engine: IKE_SA_INIT requests, without a cookie and with one
 *
 * On 500 there are member 0 and those two. Who begins has a queue of his own, so that a flood of
 * such requests, which anybody can send from any address, fills that queue and no other: those who
 * come back with a cookie, IKE_AUTH and the messages of SAs that are up are not lost for it.
 *
 * A hint, not a promise: GRO joins packets of one 4-tuple, so a worker hands on what is not its
 * own.
 *
 * Raw sockets get a copy of every ESP packet: a filter of theirs leaves out those of the kernel's
 * plane.
 */
#ifndef DAEMON_STEER_H
#define DAEMON_STEER_H

#include <linux/filter.h>

#include "base/bytes.h"
#include "base/err.h"

/* The engine's queues of one port. */
enum ike_queue {
	QUEUE_SA,     /* everything else */
	QUEUE_FIRST,  /* IKE_SA_INIT requests */
	QUEUE_COOKIE, /* ... whose first payload is a Notify, as a cookie is (RFC 7296 2.6) */
	N_IKE_QUEUES
};

/* On any member of the group on 4500, for all of it. `kernel`: there is a member for the kernel's
 * ESP. */
MUST_USE enum err steer_attach(int fd, unsigned int n_workers, bool kernel);
/* The same on 500. */
MUST_USE enum err steer_attach_ike(int fd);
/* The socket queues nothing: what its kernel did not take is dropped. */
MUST_USE enum err steer_drop_all(int fd);
/* A raw socket of IPPROTO_ESP hears only ESP of userspace. A raw IPv4 socket is given the packet
 * from its IP header on, a raw IPv6 one from the ESP header on. */
MUST_USE enum err steer_raw(int fd, bool v6);

#endif
