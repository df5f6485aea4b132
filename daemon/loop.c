/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOP_BATCH = 32 };

struct loop {
	int epoll;
	bool stopped;
	int code;
	struct heap timers;
	loop_fn *after;
	void *after_ctx;
	int n_batch;
	struct epoll_event batch[LOOP_BATCH];
};

enum err loop_new(struct loop **l)
{
	*l = calloc(1, sizeof **l);
	if (*l == NULL)
		return ERR_NOMEM;
	(*l)->epoll = epoll_create1(EPOLL_CLOEXEC);
	if ((*l)->epoll >= 0)
		return OK;
	free(*l);
	*l = NULL;
	return ERR_SYSTEM;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	close(l->epoll);
	free(l);
}

void loop_after(struct loop *l, loop_fn *after, void *ctx)
{
	l->after = after;
	l->after_ctx = ctx;
}

enum err loop_add(struct loop *l, struct loop_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, w->fd, &ev) == 0 ? OK : ERR_SYSTEM;
}

void loop_change(struct loop *l, struct loop_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	(void)epoll_ctl(l->epoll, EPOLL_CTL_MOD, w->fd, &ev);
}

/* An event of the running batch may still point to the watch: it is taken out there as well. */
void loop_del(struct loop *l, struct loop_watch *w)
{
	(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	for (int i = 0; i < l->n_batch; i++) {
		if (l->batch[i].data.ptr == w)
			l->batch[i].data.ptr = NULL;
	}
}

void loop_timer_set(struct loop *l, struct loop_timer *t, mono_ns at)
{
	heap_set(&l->timers, &t->node, at);
}

/* Milliseconds until `at`, rounded up so that a timer is due when we wake; -1: for ever. */
static int wait_ms(mono_ns at, mono_ns now)
{
	mono_ns ms;

	if (at == NEVER)
		return -1;
	if (at <= now)
		return 0;
	ms = (at - now + NS_PER_MS - 1) / NS_PER_MS;
	return ms > 60000 ? 60000 : (int)ms;
}

static void run_timers(struct loop *l)
{
	mono_ns now = mono_now();
	struct heap_node *n;

	while (!l->stopped && (n = heap_pop_due(&l->timers, now)) != NULL) {
		struct loop_timer *t = container_of(n, struct loop_timer, node);

		t->fire(t->ctx);
	}
}

static void run_batch(struct loop *l)
{
	for (int i = 0; i < l->n_batch; i++) {
		struct loop_watch *w = l->batch[i].data.ptr;

		if (w != NULL)
			w->ready(w->ctx, l->batch[i].events);
	}
	l->n_batch = 0;
}

int loop_run(struct loop *l)
{
	while (!l->stopped) {
		int n = epoll_wait(l->epoll, l->batch, LOOP_BATCH,
				   wait_ms(heap_deadline(&l->timers), mono_now()));

		l->n_batch = n > 0 ? n : 0;
		if (n < 0 && errno != EINTR)
			return 1;
		run_batch(l);
		run_timers(l);
		if (l->after != NULL)
			l->after(l->after_ctx);
	}
	return l->code;
}

void loop_stop(struct loop *l, int code)
{
	l->stopped = true;
	l->code = code;
}
