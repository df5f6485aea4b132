/* SPDX-License-Identifier: Apache-2.0 */
/* How often something may happen that strangers can cause: a token bucket, and acquires at most one
 * a second per flow. */
#ifndef ESP_LIMIT_H
#define ESP_LIMIT_H

#include "base/clock.h"
#include "base/ts.h"

/* Up to `burst` at once, one more every `every`. Zeroed but for those it starts full. */
struct limit {
	mono_ns every;
	uint32_t burst;
	uint32_t used;
	mono_ns since; /* up to when credit was given */
};

bool limit_allows(struct limit *l, mono_ns now);

enum { ACQUIRE_FLOWS = 64 };

/* The flows that were reported lately, by place of their hash: bounded whatever comes. */
struct acquire_limit {
	struct {
		struct addr src;
		struct addr dst;
		uint8_t proto;
		mono_ns at;
	} flows[ACQUIRE_FLOWS];
	struct limit all;
};

void acquire_limit_init(struct acquire_limit *a);
/* May this flow be reported now? Addresses and protocol count, not ports: a port scan is one flow.
 */
bool acquire_limit_allows(struct acquire_limit *a, const struct flow *f, mono_ns now);

#endif
