/* SPDX-License-Identifier: Apache-2.0 */
/* From the network to the TUN. A datagram is IKE's, a keepalive, junk, or ESP of some worker; only
 * ESP of our own is opened here. Everything before the ICV is written by strangers, and costs them
 * more than us: no answer, no state, a counter.
 */
#include "esp/arrive.h"

#include <sys/random.h>

#include "esp/fragment.h"
#include "esp/mss.h"
#include "esp/mtu.h"
#include "esp/tunnel.h"

enum { MARKER_LEN = 4, KEEPALIVE = 0xff };

enum arrival arrival_of(struct span datagram)
{
	struct rd r = rd_from(datagram);
	uint32_t marker;

	if (datagram.len == 1 && datagram.p[0] == KEEPALIVE)
		return ARRIVAL_KEEPALIVE;
	marker = rd_u32(&r);
	if (!rd_ok(&r) || rd_left(&r) == 0)
		return ARRIVAL_JUNK;
	return marker == 0 ? ARRIVAL_IKE : ARRIVAL_ESP;
}

/* SYN segments that come out of the tunnel tell our side how long its segments may be: what fits on
 * the way back. */
static void clamp(struct worker *w, struct opened *o, uint32_t if_id)
{
	struct flow back = o->in.flow;
	uint16_t mtu;

	if (!mss_wants(span_of(o->p, o->in.len), &o->in))
		return;
	back.src = o->in.flow.dst;
	back.dst = o->in.flow.src;
	back.sport = o->in.flow.dport;
	back.dport = o->in.flow.sport;
	mtu = tunnel_mtu_of(w, &back, if_id);
	if (mtu > 0)
		mss_clamp(o->p, &o->in, mtu);
}

/* Longer than links are: its sender sent it in pieces, and a gateway that had to see its ports put
 * them together. Routers behind us would refuse it. False: it goes as it is. */
static bool write_pieces(struct worker *w, const struct sa *sa, const struct opened *o)
{
	struct cutter c;
	uint32_t id;

	if (!sa->by_ports || o->in.version != 6 || o->in.len <= PATH_MTU_DEFAULT ||
	    getrandom(&id, sizeof(id), GRND_NONBLOCK) != (ssize_t)sizeof(id) ||
	    cutter_init6(&c, span_of(o->p, o->in.len), &o->in, id) != OK)
		return false;
	for (;;) {
		struct wr piece = wr_into(w->piece_buf, DATAGRAM_MAX);

		if (!cutter_next(&c, &piece))
			return true;
		tunnel_write(w, sa->if_id, wr_done(&piece));
	}
}

/* The SA of a datagram; NULL: it waits for one, or there is none. */
static struct sa *sa_of(struct worker *w, uint32_t spi, const struct esp_datagram *d)
{
	struct sa *sa = sad_in(w->plane->sad, spi);

	if (sa)
		return sa;
	if (await_expects(&w->plane->expected, spi, w->now) && await_put(&w->await, d))
		return NULL;
	/* It may have been put in just now, and so is not expected any more. */
	sa = sad_in(w->plane->sad, spi);
	if (!sa)
		worker_count(w, DROP_SPI);
	return sa;
}

static void open_own(struct worker *w, uint32_t spi, const struct esp_datagram *d)
{
	struct sa *sa = sa_of(w, spi, d);
	struct opened o = { .room = wr_into(w->inner_buf, DATAGRAM_MAX) };
	enum drop why;

	if (!sa)
		return;
	pthread_mutex_lock(&sa->lock);
	why = inbound_open(sa, d, w->now, &o);
	worker_tell_end(w, sa, why);
	worker_tell_soft(w, sa);
	if (o.newest)
		worker_tell_elsewhere(w, sa, &d->path);
	pthread_mutex_unlock(&sa->lock);
	if (why != DROP_NONE) {
		worker_count(w, why);
		return;
	}
	clamp(w, &o, sa->if_id);
	if (sa->mode != SA_TUNNEL || !write_pieces(w, sa, &o))
		tunnel_write(w, sa->if_id, span_of(o.p, o.in.len));
}

static void esp(struct worker *w, const struct esp_datagram *d)
{
	unsigned owner;
	uint32_t spi;

	if (!inbound_spi(span_of(d->p, d->len), &spi)) {
		worker_count(w, DROP_SHORT);
		return;
	}
	/* Before a copy is made for another worker: is there such an SA at all? */
	owner = spi_owner(spi) % w->plane->env.n_workers;
	if (owner == w->index || !sad_in(w->plane->sad, spi))
		open_own(w, spi, d);
	else if (!queue_put(&w->plane->workers[owner].queue, d))
		worker_count(w, DROP_QUEUE);
}

static void udp(struct worker *w, const struct esp_datagram *d)
{
	const struct esp_env *env = &w->plane->env;

	switch (arrival_of(span_of(d->p, d->len))) {
	case ARRIVAL_JUNK:
		worker_count(w, DROP_SHORT);
		break;
	case ARRIVAL_KEEPALIVE:
		break; /* it kept the NAT's mapping, and is nothing to us (RFC 3948 2.3) */
	case ARRIVAL_IKE:
		env->to_engine(env->ctx, &d->path, span_tail(span_of(d->p, d->len), MARKER_LEN));
		break;
	case ARRIVAL_ESP:
		esp(w, d);
		break;
	}
}

void arrive_drain(struct worker *w, const struct outer_sock *s)
{
	int n = rx_fill(&w->rx, s);

	for (int i = 0; i < n; i++) {
		struct esp_datagram d;

		if (!rx_datagram(&w->rx, s, i, &d))
			worker_count(w, DROP_SHORT);
		else if (s->kind == OUTER_UDP4 || s->kind == OUTER_UDP6)
			udp(w, &d);
		else
			esp(w, &d);
	}
}

static void each(struct worker *w, struct handed *h)
{
	while (h) {
		struct handed *next = h->next;

		esp(w, &h->d);
		handed_free(h);
		h = next;
	}
}

void arrive_handed(struct worker *w)
{
	each(w, queue_take(&w->queue));
}

void arrive_awaited(struct worker *w)
{
	each(w, await_take(&w->await));
}
