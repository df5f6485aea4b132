/* SPDX-License-Identifier: Apache-2.0 */
/* When may something that lock-free readers could still see be freed? After a grace period: every
 * reader was seen outside. */
#ifndef ESP_EPOCH_H
#define ESP_EPOCH_H

#include <stdatomic.h>
#include <stdint.h>

/* One per reader, each on a cache line of its own. The count is odd while the reader is inside. */
struct epoch {
	_Alignas(64) _Atomic uint64_t count;
};

void epoch_enter(struct epoch *e);
void epoch_leave(struct epoch *e);
/* Call after the pointer was unpublished by a sequentially consistent store: returns when no reader
 * can hold it any more. Waits for readers that are inside, which is one batch of packets. */
void epoch_wait(struct epoch *readers, unsigned n);

#endif
