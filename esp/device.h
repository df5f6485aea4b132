/* SPDX-License-Identifier: Apache-2.0 */
/* TUN devices of children's own, beside the one that all others share. A packet from such a device
 * goes only by SAs of its child, and what they bring goes only into it: SA and device have the same
 * number (sa_desc.if_id).
 *
 * One thread (the channel's) changes the table; workers read it inside their epoch.
 */
#ifndef ESP_DEVICE_H
#define ESP_DEVICE_H

#include <stdatomic.h>

#include "esp/esp.h"

struct device {
	uint32_t if_id;
	unsigned n;
	int fd[ESP_WORKERS_MAX]; /* a queue for each worker; owned */
};

struct device_table {
	_Atomic(struct device *) v[ESP_DEVICES_MAX];
};

/* NULL: no such device. */
const struct device *device_find(struct device_table *t, uint32_t if_id);
/* That of a slot, by which workers know it in their epoll; NULL: it has gone. */
const struct device *device_at(struct device_table *t, unsigned slot);
/* Where the device is or will be: its slot; ESP_DEVICES_MAX: there is no more room. */
unsigned device_slot(struct device_table *t, uint32_t if_id);
/* Takes the descriptors over, closed by device_free. NULL: no memory. */
struct device *device_new(uint32_t if_id, const int *fds, unsigned n);
void device_free(struct device *d); /* takes NULL */

#endif
