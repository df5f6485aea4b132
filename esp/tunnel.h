/* SPDX-License-Identifier: Apache-2.0 */
/* The outbound path of a worker: from its TUN queue to the network. */
#ifndef ESP_TUNNEL_H
#define ESP_TUNNEL_H

#include "esp/worker.h"

/* Reads what waits in the TUN queue, a batch at most, and sends it. False when the device is gone.
 */
MUST_USE bool tunnel_drain(struct worker *w);
/* The inner MTU of the outbound SA that would carry `f`; 0 when there is none. */
uint16_t tunnel_mtu_of(struct worker *w, const struct flow *f);
/* Reads the error queues of the worker's sockets and lowers path MTUs. False when no report about
 * an MTU was there. */
bool tunnel_learn_mtu(struct worker *w);
/* An inner packet goes into the TUN. */
void tunnel_write(struct worker *w, struct span packet);

#endif
