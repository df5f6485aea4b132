/* SPDX-License-Identifier: Apache-2.0 */
/* Which socket of the reuseport group on UDP 4500 gets a datagram: a classic BPF program that sees
 * the UDP payload from offset 0, over IPv4 and IPv6 alike.
 *
 *	member 0          the engine: IKE (first word zero, the non-ESP marker of RFC 3948 2.2),
 *	                  keepalives and whatever else is shorter than a word, and ESP of the
 *	                  kernel's plane
 *	member 1 + owner  the esp worker whose SPI it is (bit 31 set, owner in bits 30 to 24,
 *	                  modulo the workers)
 *
 * A hint, not a promise: GRO joins packets of one 4-tuple, so a worker hands on what is not its
 * own.
 */
#ifndef DAEMON_STEER_H
#define DAEMON_STEER_H

#include <linux/filter.h>

#include "base/bytes.h"
#include "base/err.h"

enum { STEER_LEN = 10 };

void steer_program(struct sock_filter prog[static STEER_LEN], unsigned int n_workers);
/* On any member of the group, for all of it. */
MUST_USE enum err steer_attach(int fd, unsigned int n_workers);

#endif
