/* SPDX-License-Identifier: Apache-2.0 */
/* The outbound path of a worker: from its TUN queue to the network. */
#ifndef ESP_TUNNEL_H
#define ESP_TUNNEL_H

#include "esp/worker.h"

/* Reads what waits in the queue of a TUN, a batch at most, and sends it. False when the device is
 * gone. if_id: the device's, 0 for the shared one. */
MUST_USE bool tunnel_drain(struct worker *w, int fd, uint32_t if_id);
/* An outbound SA is new: what waited for one is tried again. */
void tunnel_release(struct worker *w);
/* The inner MTU of the outbound SA that would carry `f` from that device; 0 when there is none. */
uint16_t tunnel_mtu_of(struct worker *w, const struct flow *f, uint32_t if_id);
/* Reads the error queues of the worker's sockets and lowers path MTUs. False when no report about
 * an MTU was there. */
bool tunnel_learn_mtu(struct worker *w);
/* An inner packet goes into that TUN. */
void tunnel_write(struct worker *w, uint32_t if_id, struct span packet);

#endif
