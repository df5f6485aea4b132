/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that is asked for a child may send by it before its answer has been worked on here (RFC
 * 7296 2.8). What comes by such an SPI waits for the SA: a few packets of each, and of all together
 * at one worker.
 */
#ifndef ESP_AWAIT_H
#define ESP_AWAIT_H

#include "base/clock.h"
#include "esp/queue.h"

enum {
	AWAIT_SPIS = 16, /* at a time; the oldest gives way */
	AWAIT_SECONDS = 30,
	AWAIT_EACH = 64, /* packets of one SPI */
	AWAIT_PACKETS = 256,
	AWAIT_BYTES = 1 << 19,
};

/* The SPIs that are expected. One thread changes them, workers ask. */
struct await_spis {
	struct {
		_Atomic uint32_t spi;
		_Atomic mono_ns until;
	} v[AWAIT_SPIS];
	unsigned next; /* where all are taken, this one gives way */
};

void await_expect(struct await_spis *a, uint32_t spi, mono_ns now);
/* Its SA is there: who sees that it is not expected any more, sees the SA. */
void await_forget(struct await_spis *a, uint32_t spi);
bool await_expects(const struct await_spis *a, uint32_t spi, mono_ns now);

/* A worker's packets, oldest first; each is a copy. */
struct await {
	struct handed *first;
	struct handed **last; /* NULL while there was never one */
	size_t n;
	size_t bytes;
};

/* Keeps a copy of what has an SPI; false where there is no room. */
MUST_USE bool await_put(struct await *a, const struct esp_datagram *d);
/* All of them, and the caller frees each. */
struct handed *await_take(struct await *a);

#endif
