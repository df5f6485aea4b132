/* SPDX-License-Identifier: Apache-2.0 */
/* Every socket of the gateway, made once by the monitor with what needs privilege already set: the
 * mark by which rules tell our outer packets from inner ones, the bypass that lets them through our
 * own guards (in and out), the address that each packet came to, and the steering program. The
 * other processes get duplicates; the monitor keeps its own, so that a process that dies takes no
 * member out of the reuseport group and the members' numbers hold.
 */
#ifndef DAEMON_SOCKETS_H
#define DAEMON_SOCKETS_H

#include "base/err.h"
#include "daemon/proto.h"
#include "daemon/steer.h"

enum { SOCKETS_WORKERS_MAX = 64, SOCKETS_WHY_MAX = 256, IKE_PORT = 500, NAT_PORT = 4500 };

/* Index 0: IPv4, 1: IPv6; -1 where the machine has no IPv6. */
struct sockets {
	unsigned int n_workers;
	int ike[2][N_IKE_QUEUES]; /* UDP 500; QUEUE_SA is member 0 of its group, here as there: */
	int nat[2][N_IKE_QUEUES]; /* UDP 4500 */
	int worker[2][SOCKETS_WORKERS_MAX];
	int probe[2];
	int raw[2];
	int encap[2]; /* the kernel's member of each group; nobody reads it. -1: no ESP there */
};

/* `kernel`: the kernel decrypts ESP in UDP, its own. Nothing of it is open when it fails, and `why`
 * says what was in the way: for a port that is taken, by whom. */
MUST_USE enum err sockets_open(struct sockets *s, unsigned int n_workers, bool kernel,
			       char why[static SOCKETS_WHY_MAX]);
void sockets_close(struct sockets *s);

#endif
