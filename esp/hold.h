/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that asked for a child wait a moment for it: else the first one of every connection is
 * lost. A few, for one worker: who has no child floods nothing but this.
 */
#ifndef ESP_HOLD_H
#define ESP_HOLD_H

#include "base/bytes.h"
#include "base/clock.h"

enum { HOLD_PACKETS = 16, HOLD_BYTES = 1 << 16, HOLD_SECONDS = 5 };

/* Oldest first; each is a copy. */
struct hold {
	struct {
		uint8_t *p;
		size_t len;
		uint32_t from; /* the device, as struct worker has it */
		mono_ns since;
	} v[HOLD_PACKETS];
	size_t n;
	size_t bytes;
};

void hold_free(struct hold *h);
/* Keeps a copy of `p`, which waits since then. Gives how many were lost by it: the oldest, where
 * there was no room, or it itself. */
MUST_USE size_t hold_put(struct hold *h, struct span p, uint32_t from, mono_ns since);
/* Lets go of what waits too long; gives how many that were. */
MUST_USE size_t hold_expire(struct hold *h, mono_ns now);

#endif
