/* SPDX-License-Identifier: Apache-2.0 */
/* A heap of timers: which is due next, in O(1); set, move and stop in O(log n) on average.
 *
 * Intrusive, so that setting a timer never allocates and never fails. Equal times come out in the
 * order in which they were set, which keeps the simulator deterministic.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/container.h"

/* Zeroed: not set. */
struct heap_node {
	mono_ns when;
	uint64_t order;
	struct heap_node *child; /* the first of them */
	struct heap_node *next;	 /* next sibling */
	struct heap_node *prev;	 /* previous sibling, or the parent of the first child */
	bool set;
};

/* Zeroed: empty. */
struct heap {
	struct heap_node *root;
	size_t n;
	uint64_t order;
};

/* Sets the timer, or moves it when it is set already. `when` NEVER stops it. */
void heap_set(struct heap *h, struct heap_node *n, mono_ns when);
/* Stops the timer; nothing happens when it is not set. */
void heap_stop(struct heap *h, struct heap_node *n);
/* The first timer with when <= now, stopped; NULL when none is due. */
struct heap_node *heap_pop_due(struct heap *h, mono_ns now);
/* When the first is due; NEVER when none is. */
mono_ns heap_deadline(const struct heap *h);

#endif
