/* SPDX-License-Identifier: Apache-2.0 */
/* The table of children's devices: see esp/device.h. */
#include "esp/device.h"

#include <stdlib.h>
#include <unistd.h>

const struct device *device_at(struct device_table *t, unsigned slot)
{
	return slot < ESP_DEVICES_MAX ? atomic_load(&t->v[slot]) : NULL;
}

const struct device *device_find(struct device_table *t, uint32_t if_id)
{
	for (unsigned i = 0; i < ESP_DEVICES_MAX; i++) {
		const struct device *d = device_at(t, i);

		if (d != NULL && d->if_id == if_id)
			return d;
	}
	return NULL;
}

unsigned device_slot(struct device_table *t, uint32_t if_id)
{
	unsigned room = ESP_DEVICES_MAX;

	for (unsigned i = ESP_DEVICES_MAX; i-- > 0;) {
		const struct device *d = device_at(t, i);

		if (d != NULL && d->if_id == if_id)
			return i;
		if (d == NULL)
			room = i;
	}
	return room;
}

struct device *device_new(uint32_t if_id, const int *fds, unsigned n)
{
	struct device *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->if_id = if_id;
	d->n = n;
	for (unsigned i = 0; i < n; i++)
		d->fd[i] = fds[i];
	return d;
}

void device_free(struct device *d)
{
	for (unsigned i = 0; d != NULL && i < d->n; i++)
		close(d->fd[i]);
	free(d);
}
