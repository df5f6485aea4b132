/* SPDX-License-Identifier: Apache-2.0 */
/* Tells when the wall clock was set, or the machine has slept. The kernel says so by a timer that
 * is cancelled (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET); how far, the clocks say.
 */
#ifndef DAEMON_CLOCKWATCH_H
#define DAEMON_CLOCKWATCH_H

#include "daemon/loop.h"
#include "ike/engine.h"

/* A minute or more; what is less adds up. `back`: the wall clock was set back, by so many ns. */
typedef void clock_moved_fn(void *ctx, const struct ike_clock *c, mono_ns back);

struct clockwatch {
	struct loop *loop;
	clock_moved_fn *moved;
	void *ctx;
	/* its own */
	struct loop_watch watch;
	int64_t wall; /* ns of CLOCK_REALTIME beyond CLOCK_MONOTONIC, as was told last */
	int64_t boot; /* the same of CLOCK_BOOTTIME */
};

/* ERR_SYSTEM: the kernel has no such timer. */
MUST_USE enum err clockwatch_begin(struct clockwatch *w);
void clockwatch_end(struct clockwatch *w);
/* What has become of two clocks since: the part of clockwatch that needs none. False: it is not
 * worth telling. */
bool clockwatch_judge(struct clockwatch *w, int64_t wall, int64_t boot, struct ike_clock *c,
		      mono_ns *back);

#endif
