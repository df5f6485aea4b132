/* SPDX-License-Identifier: Apache-2.0 */
/* The inbound path of a worker: from its sockets to the TUN, to another worker, or to the engine.
 */
#ifndef ESP_ARRIVE_H
#define ESP_ARRIVE_H

#include "esp/worker.h"

/* What a datagram on port 4500 is (RFC 3948 2). */
enum arrival { ARRIVAL_JUNK, ARRIVAL_KEEPALIVE, ARRIVAL_IKE, ARRIVAL_ESP };

enum arrival arrival_of(struct span datagram);

/* Reads what waits in a socket, a batch at most. */
void arrive_drain(struct worker *w, const struct outer_sock *s);
/* What other workers handed over. */
void arrive_handed(struct worker *w);
/* What waits for an SA: it is opened, waits on, or waits no more. */
void arrive_awaited(struct worker *w);

#endif
