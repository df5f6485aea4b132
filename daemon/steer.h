/* SPDX-License-Identifier: Apache-2.0 */
/* Which socket of the reuseport group on UDP 4500 gets a datagram: a classic BPF program that sees
 * the UDP payload from offset 0, over IPv4 and IPv6 alike.
 *
 *	member 0          the engine: IKE (first word zero, the non-ESP marker of RFC 3948 2.2),
 *	                  keepalives and whatever else is shorter than a word
 *	member 1 + owner  the esp worker whose SPI it is (bit 31 set, owner in bits 30 to 24,
 *	                  modulo the workers)
 *	the last member   the kernel: ESP with bit 31 clear. That socket has UDP_ENCAP, and only
 *	                  what is given to such a one is decrypted by the kernel, which swallows
 *	                  keepalives and all ESP, ours too. Without ESP in the kernel there is no
 *	                  such member, and the engine gets it
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

enum { STEER_LEN = 12 };

void steer_program(struct sock_filter prog[static STEER_LEN], unsigned int n_workers, bool kernel);
/* On any member of the group, for all of it. `kernel`: there is a member for the kernel's ESP. */
MUST_USE enum err steer_attach(int fd, unsigned int n_workers, bool kernel);
/* The socket queues nothing: what its kernel did not take is dropped. */
MUST_USE enum err steer_drop_all(int fd);
/* A raw socket of IPPROTO_ESP hears only ESP of userspace. A raw IPv4 socket is given the packet
 * from its IP header on, a raw IPv6 one from the ESP header on. */
MUST_USE enum err steer_raw(int fd, bool v6);

#endif
