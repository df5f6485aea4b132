/* SPDX-License-Identifier: Apache-2.0 */
/* From the TUN to the network (RFC 4301 5.1).
 *
 * Packets are sent in runs: consecutive packets of one SA, under its lock, flushed by one system
 * call when the SA changes or the batch is full. So numbers leave in order. What no SA takes is
 * dropped and reported, never sent otherwise: fail closed.
 */
#include "esp/tunnel.h"

#include <errno.h>
#include <unistd.h>

#include "esp/ecn.h"
#include "esp/fragment.h"
#include "esp/icmp.h"
#include "esp/mss.h"
#include "esp/mtu.h"
#include "esp/outbound.h"
#include "esp/select.h"

void tunnel_write(struct worker *w, struct span packet)
{
	if (write(w->tun_fd, packet.p, packet.len) != (ssize_t)packet.len)
		worker_count(w, DROP_SEND);
}

/* The socket for what an SA sends; its lock is held. */
static const struct outer_sock *sock_of(const struct worker *w, const struct sa *sa)
{
	bool v6 = sa->path.remote.addr.family == AF_INET6;

	if (sa->encap)
		return &w->sock[v6 ? OUTER_UDP6 : OUTER_UDP4];
	return &w->sock[v6 ? OUTER_RAW6 : OUTER_RAW4];
}

static uint16_t mtu_of(struct worker *w, struct sa *sa)
{
	return mtu_inner(&sa->shape, sa->path.remote.addr.family, sa->encap,
			 sa_path_mtu(sa, w->now));
}

static void lower(struct worker *w, struct sa *sa, uint16_t mtu)
{
	struct plane_event ev = { .kind = PLANE_MTU, .spi = sa->spi, .dir = SA_OUT, .mtu = mtu };

	if (!sa_lower_path_mtu(sa, mtu, w->now))
		return;
	pthread_mutex_lock(&sa->lock);
	ev.remote = sa->path.remote;
	pthread_mutex_unlock(&sa->lock);
	worker_event(w, &ev);
}

/* All SAs to that address share its path. */
static void lower_all_to(struct worker *w, const struct addr *to, uint16_t mtu)
{
	const struct sa_list *l = sad_out(w->plane->sad);

	for (size_t i = 0; i < l->n; i++) {
		bool same;

		pthread_mutex_lock(&l->v[i]->lock);
		same = addr_eq(&l->v[i]->path.remote.addr, to);
		pthread_mutex_unlock(&l->v[i]->lock);
		if (same)
			lower(w, l->v[i], mtu);
	}
}

bool tunnel_learn_mtu(struct worker *w)
{
	bool learned = false;
	struct endpoint to;
	uint32_t mtu;

	for (int k = 0; k < N_OUTER; k++) {
		for (int i = 0; i < BATCH && outer_error(&w->sock[k], &to, &mtu); i++) {
			if (mtu == 0)
				continue;
			learned = true;
			lower_all_to(w, &to.addr, mtu_bounded(to.addr.family, mtu));
		}
	}
	return learned;
}

/* The kernel refused packets as too long: it says by how much, or we guess. */
static void too_long(struct worker *w, struct sa *sa, sa_family_t family, size_t outer_len)
{
	if (!tunnel_learn_mtu(w))
		lower(w, sa, mtu_step_down(family, outer_len));
}

static void run_end(struct worker *w)
{
	struct sa *sa = w->run;
	sa_family_t family;
	size_t outer_len;

	if (!sa)
		return;
	tx_flush(&w->tx, sock_of(w, sa));
	for (; w->tx.lost > 0; w->tx.lost--) {
		sa_count_drop(sa, DROP_SEND);
		worker_count(w, DROP_SEND);
	}
	family = sa->path.remote.addr.family;
	outer_len = w->tx.too_big > 0 ? w->tx.too_big + mtu_outer_len(family, sa->encap) : 0;
	w->tx.too_big = 0;
	w->run = NULL;
	pthread_mutex_unlock(&sa->lock);
	if (outer_len > 0)
		too_long(w, sa, family, outer_len);
}

static void run_begin(struct worker *w, struct sa *sa)
{
	if (w->run == sa)
		return;
	run_end(w);
	pthread_mutex_lock(&sa->lock);
	w->run = sa;
}

static void send_one(struct worker *w, struct span inner, const struct inner *in)
{
	struct sa *sa = w->run;
	const struct outer_sock *s = sock_of(w, sa);
	struct wr out = tx_room(&w->tx);
	enum drop why;

	if (s->fd < 0) {
		sa_count_drop(sa, DROP_SEND);
		worker_count(w, DROP_SEND);
		return;
	}
	why = outbound_seal(sa, inner, in->version, w->now, &out);
	if (why != DROP_NONE) {
		worker_tell_end(w, sa, why);
		worker_count(w, why);
		return;
	}
	if (tx_add(&w->tx, wr_done(&out), s, &sa->path, ecn_encapsulate(in->tos))) {
		run_end(w);
		run_begin(w, sa);
	}
}

static void answer_too_big(struct worker *w, struct span p, const struct inner *in, uint16_t mtu)
{
	struct wr out = wr_into(w->piece_buf, ICMP_ANSWER_MAX);

	worker_count(w, DROP_TOO_BIG);
	sa_count_drop(w->run, DROP_TOO_BIG);
	if (icmp_may_answer(p, in) && limit_allows(&w->icmp_limit, w->now) &&
	    icmp_too_big(p, in, mtu, &out))
		tunnel_write(w, wr_done(&out));
}

static void send_pieces(struct worker *w, struct span p, const struct inner *in, uint16_t mtu)
{
	struct cutter c;

	if (cutter_init(&c, p, in, mtu) != OK) {
		worker_count(w, DROP_TOO_BIG);
		return;
	}
	for (;;) {
		struct wr piece = wr_into(w->piece_buf, DATAGRAM_MAX);

		if (!cutter_next(&c, &piece))
			return;
		send_one(w, wr_done(&piece), in);
	}
}

/* A link must carry IPv6 packets of 1280, whatever its path (RFC 8200 5), and nobody may cut those
 * but the outer layer: the one case in which an outer packet goes without DF. */
static void send_split(struct worker *w, struct span p, const struct inner *in)
{
	struct sa *sa = w->run;

	run_end(w);
	run_begin(w, sa);
	w->tx.split = true;
	send_one(w, p, in);
	run_end(w);
}

/* A packet of no SA: whoever configured it may want to bring one up. */
static void report(struct worker *w, const struct inner *in)
{
	struct plane_event ev = { .kind = PLANE_ACQUIRE, .dir = SA_OUT, .flow = in->flow };

	worker_count(w, DROP_NO_SA);
	if (acquire_limit_allows(&w->acquire_limit, &in->flow, w->now))
		worker_event(w, &ev);
}

static void packet(struct worker *w, uint8_t *p, size_t len)
{
	struct span s = span_of(p, len);
	struct inner in;
	struct sa *sa;
	uint16_t mtu;

	if (inner_parse(s, &in) != OK) {
		worker_count(w, DROP_INNER);
		return;
	}
	s = span_head(s, in.len);
	sa = select_outbound(sad_out(w->plane->sad), &in.flow);
	if (!sa) {
		report(w, &in);
		return;
	}
	run_begin(w, sa);
	mtu = mtu_of(w, sa);
	mss_clamp(p, &in, mtu);
	if (in.len <= mtu)
		send_one(w, s, &in);
	else if (in.version == 6 && in.len <= IP6_MTU_MIN)
		send_split(w, s, &in);
	else if (in.df)
		answer_too_big(w, s, &in, mtu);
	else
		send_pieces(w, s, &in, mtu);
}

bool tunnel_drain(struct worker *w)
{
	bool gone = false;

	for (int i = 0; i < BATCH; i++) {
		ssize_t n = read(w->tun_fd, w->inner_buf, DATAGRAM_MAX);

		gone = n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
		if (n <= 0)
			break;
		packet(w, w->inner_buf, (size_t)n);
	}
	run_end(w);
	return !gone;
}

uint16_t tunnel_mtu_of(struct worker *w, const struct flow *f)
{
	struct sa *sa = select_outbound(sad_out(w->plane->sad), f);
	uint16_t mtu;

	if (!sa)
		return 0;
	pthread_mutex_lock(&sa->lock);
	mtu = mtu_of(w, sa);
	pthread_mutex_unlock(&sa->lock);
	return mtu;
}
