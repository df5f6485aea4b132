/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/link.h"

/* A turn, so that no neighbour starves the others, signals or timers: so many messages, or so long
 * when each is much work (SA commands for a kernel with many policies). */
enum { LINK_BURST = 64 };
static const mono_ns turn_time = 20 * NS_PER_MS;

static void link_interest(struct link *l)
{
	uint32_t events = chan_waiting(l->chan) ? EPOLLIN | EPOLLOUT : EPOLLIN;

	if (events == l->events)
		return;
	l->events = events;
	loop_change(l->loop, &l->watch, events);
}

static void link_end(struct link *l, enum err why)
{
	link_close(l);
	l->on_gone(l->ctx, why);
}

static void link_ready(void *ctx, uint32_t events)
{
	struct link *l = ctx;
	const struct chan *before = l->chan;
	mono_ns until = mono_now() + turn_time;
	enum err e = OK;

	if ((events & EPOLLOUT) != 0)
		e = chan_flush(l->chan);
	for (int i = 0; i < LINK_BURST && e == OK; i++) {
		struct chan_msg m;

		e = chan_recv(l->chan, &m);
		if (e == OK && l->on_msg(l->ctx, &m) != OK)
			e = ERR_SYNTAX;
		if (l->chan != before)
			return; /* the callback closed or replaced it */
		if (mono_now() >= until)
			break;
	}
	if (e != OK && e != ERR_BUSY)
		link_end(l, e);
	else
		link_interest(l);
}

enum err link_open(struct link *l, int fd, const struct chan_table *in,
		   const struct chan_table *out)
{
	enum err e = chan_new(fd, in, out, &l->chan);

	if (e != OK)
		return e;
	l->watch = (struct loop_watch){ .fd = fd, .ready = link_ready, .ctx = l };
	l->events = EPOLLIN;
	e = loop_add(l->loop, &l->watch, l->events);
	if (e != OK) {
		chan_free(l->chan);
		l->chan = NULL;
	}
	return e;
}

void link_close(struct link *l)
{
	if (l->chan == NULL)
		return;
	loop_del(l->loop, &l->watch);
	chan_free(l->chan);
	l->chan = NULL;
}

bool link_is_open(const struct link *l)
{
	return l->chan != NULL;
}

size_t link_queued(const struct link *l)
{
	return l->chan != NULL ? chan_queued(l->chan) : 0;
}

enum err link_send(struct link *l, uint8_t type, struct span body, int fd)
{
	enum err e;

	if (l->chan == NULL)
		return ERR_NOT_FOUND;
	e = chan_send(l->chan, type, body, fd);
	link_interest(l);
	return e;
}
