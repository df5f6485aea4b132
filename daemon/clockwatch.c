/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/clockwatch.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const int64_t worth_telling = 60 * (int64_t)NS_PER_S;
/* Ten years: the timer itself need not fire. */
static const time_t far_away = 315360000;

/* By how many ns that clock is ahead of the monotonic one. */
static int64_t beyond(clockid_t id)
{
	struct timespec t = { 0 };

	(void)clock_gettime(id, &t);
	return t.tv_sec * (int64_t)NS_PER_S + t.tv_nsec - (int64_t)mono_now();
}

static int64_t gained(int64_t now, int64_t *last)
{
	int64_t by = now - *last;

	if (by < worth_telling && by > -worth_telling)
		return 0;
	*last = now;
	return by;
}

bool clockwatch_judge(struct clockwatch *w, int64_t wall, int64_t boot, struct ike_clock *c,
		      mono_ns *back)
{
	int64_t ahead = gained(wall, &w->wall), slept = gained(boot, &w->boot);

	*back = ahead < 0 ? (mono_ns)-ahead : 0;
	c->ahead = ahead > 0 ? (mono_ns)ahead : 0;
	c->slept = slept > 0 ? (mono_ns)slept : 0;
	return ahead != 0 || slept > 0;
}

static bool arm(const struct clockwatch *w)
{
	const struct itimerspec far = { .it_value = { .tv_sec = time(NULL) + far_away } };

	return timerfd_settime(w->watch.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far,
			       NULL) == 0 ||
	       errno == ECANCELED;
}

static void on_timer(void *ctx, uint32_t events)
{
	struct clockwatch *w = ctx;
	struct ike_clock c;
	mono_ns back;
	uint64_t n;

	(void)events;
	if (read(w->watch.fd, &n, sizeof n) < 0 && errno != ECANCELED)
		return;
	if (!arm(w))
		loop_del(w->loop, &w->watch);
	if (clockwatch_judge(w, beyond(CLOCK_REALTIME), beyond(CLOCK_BOOTTIME), &c, &back))
		w->moved(w->ctx, &c, back);
}

enum err clockwatch_begin(struct clockwatch *w)
{
	w->wall = beyond(CLOCK_REALTIME);
	w->boot = beyond(CLOCK_BOOTTIME);
	w->watch = (struct loop_watch){ .ready = on_timer, .ctx = w };
	w->watch.fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (w->watch.fd < 0)
		return ERR_SYSTEM;
	if (arm(w) && loop_add(w->loop, &w->watch, EPOLLIN) == OK)
		return OK;
	close(w->watch.fd);
	w->watch.fd = -1;
	return ERR_SYSTEM;
}

void clockwatch_end(struct clockwatch *w)
{
	if (w->watch.ready == NULL || w->watch.fd < 0)
		return;
	loop_del(w->loop, &w->watch);
	close(w->watch.fd);
	w->watch.fd = -1;
}
