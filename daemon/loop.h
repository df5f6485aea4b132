/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of every process: descriptors by epoll, timers by the heap, one thread.
 *
 * A watch and a timer lie in their owner's struct. A callback may end, add or change any watch, its
 * own too.
 */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include <sys/epoll.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/heap.h"

struct loop;

typedef void loop_ready_fn(void *ctx, uint32_t events);
typedef void loop_fn(void *ctx);

struct loop_watch {
	int fd;
	loop_ready_fn *ready;
	void *ctx;
};

struct loop_timer {
	struct heap_node node;
	loop_fn *fire;
	void *ctx;
};

MUST_USE enum err loop_new(struct loop **l);
void loop_free(struct loop *l); /* takes NULL */
/* `after` runs once behind each batch of events and timers: there queued work is carried out. */
void loop_after(struct loop *l, loop_fn *after, void *ctx);

MUST_USE enum err loop_add(struct loop *l, struct loop_watch *w, uint32_t events);
void loop_change(struct loop *l, struct loop_watch *w, uint32_t events);
void loop_del(struct loop *l,
	      struct loop_watch *w); /* does not close; a second time does nothing */
void loop_timer_set(struct loop *l, struct loop_timer *t, mono_ns at); /* NEVER stops it */

/* Until loop_stop; returns what that said. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l, int code);

#endif
