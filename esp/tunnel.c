/* SPDX-License-Identifier: Apache-2.0 */
/* From the TUN to the network (RFC 4301 5.1), in tunnel and in transport mode.
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
#include "esp/transport.h"

void tunnel_write(struct worker *w, uint32_t if_id, struct span packet)
{
	const struct device *d = if_id != 0 ? device_find(&w->plane->devices, if_id) : NULL;
	int fd = d != NULL ? d->fd[w->index] : w->tun_fd;

	/* Never another device: what it stands for is not the same. */
	if ((if_id != 0 && d == NULL) || write(fd, packet.p, packet.len) != (ssize_t)packet.len)
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

/* For a packet with an IP header of `head_len` bytes. The lock is held. */
static uint16_t mtu_of(struct worker *w, struct sa *sa, size_t head_len)
{
	uint16_t path = sa_path_mtu(sa, w->now);

	if (sa->mode == SA_TRANSPORT)
		return mtu_transport(&sa->shape, head_len, sa->encap, path);
	return mtu_inner(&sa->shape, sa->path.remote.addr.family, sa->encap, path);
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
	struct sad *d = w->plane->sad;

	for (struct sa *sa = sad_to(d, to, NULL); sa; sa = sad_to(d, to, sa)) {
		bool same;

		pthread_mutex_lock(&sa->lock);
		same = addr_eq(&sa->path.remote.addr, to);
		pthread_mutex_unlock(&sa->lock);
		if (same)
			lower(w, sa, mtu);
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

static void drop_of_run(struct worker *w, enum drop why)
{
	sa_count_drop(w->run, why);
	worker_count(w, why);
}

/* The header outside: made for the tunnel, or the packet's own. False when that cannot be written.
 */
static bool head_of(const struct sa *sa, struct span p, const struct inner *in,
		    struct outer_head *head)
{
	*head = (struct outer_head){ .tos = in->tos };
	if (sa->mode == SA_TRANSPORT) {
		head->ttl = in->ttl;
		return transport_options(p, in, &head->options);
	}
	head->tos = ecn_outer(&sa->headers, in->tos);
	head->ttl = sa->headers.ttl;
	head->label = sa->headers.label_copy ? in->label : 0;
	return true;
}

static void send_one(struct worker *w, struct span inner, const struct inner *in)
{
	struct sa *sa = w->run;
	const struct outer_sock *s = sock_of(w, sa);
	struct wr out = tx_room(&w->tx);
	struct outer_head head;
	enum drop why;

	if (s->fd < 0) {
		drop_of_run(w, DROP_SEND);
		return;
	}
	if (!head_of(sa, inner, in, &head)) {
		drop_of_run(w, DROP_HEADER);
		return;
	}
	why = outbound_seal(sa, inner, in->version, w->now, &out);
	if (why != DROP_NONE) {
		worker_tell_end(w, sa, why);
		worker_count(w, why);
		return;
	}
	worker_tell_soft(w, sa);
	worker_tell_silent(w, sa);
	if (tx_add(&w->tx, wr_done(&out), s, &sa->path, &head)) {
		run_end(w);
		run_begin(w, sa);
	}
}

static void answer_too_big(struct worker *w, struct span p, const struct inner *in, uint16_t mtu)
{
	struct wr out = wr_into(w->piece_buf, ICMP_ANSWER_MAX);

	drop_of_run(w, DROP_TOO_BIG);
	if (icmp_may_answer(p, in) && limit_allows(&w->icmp_limit, w->now) &&
	    icmp_too_big(p, in, mtu, &out))
		tunnel_write(w, w->from, wr_done(&out));
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

/* The outer packet goes without DF and is cut by whoever must. In tunnel mode for IPv6 packets of
 * 1280 bytes, which a link must carry whatever its path (RFC 8200 5). In transport mode for all
 * that their sender allows to be cut: pieces are made after ESP (RFC 4303 3.3.4). And so by SAs
 * with ports in their selectors, for the peer could not judge pieces (RFC 4301 7.1). */
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
static void report(struct worker *w, struct span p, const struct inner *in)
{
	struct plane_event ev = { .kind = PLANE_ACQUIRE, .dir = SA_OUT, .flow = in->flow };
	mono_ns since = w->held_since > 0 ? w->held_since : w->now;

	ev.reqid = w->from; /* a device has the number of its child */
	if (atomic_load_explicit(&w->plane->hold, memory_order_relaxed))
		worker_count_many(w, DROP_NO_SA, hold_put(&w->hold, p, w->from, since));
	else
		worker_count(w, DROP_NO_SA);
	if (w->held_since == 0 && acquire_limit_allows(&w->acquire_limit, &in->flow, w->now))
		worker_event(w, &ev);
}

/* `s` is the packet, in w->inner_buf or, when it was `pieced` together, in w->whole_buf. */
static void carry(struct worker *w, struct sa *sa, uint8_t *p, const struct inner *in, bool pieced)
{
	struct span s = span_of(p, in->len);
	bool transport = sa->mode == SA_TRANSPORT, whole_only = transport || sa->by_ports;
	uint16_t mtu;

	run_begin(w, sa);
	mtu = mtu_of(w, sa, in->head_len);
	mss_clamp(p, in, mtu);
	if (transport && in->fragment)
		drop_of_run(w, DROP_FRAGMENT);
	else if (in->len <= mtu)
		send_one(w, s, in);
	else if (in->version == 6 && (in->len <= IP6_MTU_MIN || pieced))
		send_split(w, s, in);
	else if (in->df)
		answer_too_big(w, s, in, mtu);
	else if (whole_only)
		send_split(w, s, in);
	else
		send_pieces(w, s, in, mtu);
}

/* An ICMP error from our side that no selectors allow goes by the SA by which answers to the packet
 * that it is about would (RFC 4301 6.1). */
static struct sa *sa_for_error(struct worker *w, struct span p, const struct inner *in)
{
	struct flow about, back;
	struct sa *sa;

	if (!icmp_error_about(p, in, &about))
		return NULL;
	back = about;
	back.src = about.dst;
	back.dst = about.src;
	back.sport = about.dport;
	back.dport = about.sport;
	sa = sad_out(w->plane->sad, &back, w->from);
	return sa && sa->mode == SA_TUNNEL && sa->headers.icmp_errors ? sa : NULL;
}

static void carry_or_report(struct worker *w, uint8_t *p, const struct inner *in, bool pieced)
{
	struct sa *sa = sad_out(w->plane->sad, &in->flow, w->from);

	if (!sa)
		sa = sa_for_error(w, span_of(p, in->len), in);
	if (sa)
		carry(w, sa, p, in, pieced);
	else
		report(w, span_of(p, in->len), in);
}

/* A fragment of which only the whole shows whose it is: it waits for the others. */
static void gather(struct worker *w, struct span s, const struct inner *in)
{
	struct wr whole = wr_into(w->whole_buf, DATAGRAM_MAX);
	struct inner of_all;
	bool complete;

	w->fragments.from = w->from;
	complete = reassembler_add(&w->fragments, s, in, w->now, &whole);
	worker_count_many(w, DROP_FRAGMENT, w->fragments.dropped);
	w->fragments.dropped = 0;
	if (!complete)
		return;
	if (inner_parse(wr_done(&whole), &of_all) == OK)
		carry_or_report(w, w->whole_buf, &of_all, true);
	else
		worker_count(w, DROP_INNER);
}

static void packet(struct worker *w, uint8_t *p, size_t len)
{
	struct inner in;

	if (inner_parse(span_of(p, len), &in) != OK)
		worker_count(w, DROP_INNER);
	else if (in.fragment && sad_wants_whole(w->plane->sad, &in.flow, w->from))
		gather(w, span_of(p, in.len), &in);
	else
		carry_or_report(w, p, &in, false);
}

bool tunnel_drain(struct worker *w, int fd, uint32_t if_id)
{
	bool gone = false;

	w->from = if_id;
	for (int i = 0; i < BATCH; i++) {
		ssize_t n = read(fd, w->inner_buf, DATAGRAM_MAX);

		gone = n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
		if (n <= 0)
			break;
		packet(w, w->inner_buf, (size_t)n);
	}
	run_end(w);
	return !gone;
}

void tunnel_release(struct worker *w)
{
	struct hold was = w->hold;

	w->hold = (struct hold){ .n = 0 };
	for (size_t i = 0; i < was.n; i++) {
		w->from = was.v[i].from;
		w->held_since = was.v[i].since;
		packet(w, was.v[i].p, was.v[i].len);
	}
	w->held_since = 0;
	run_end(w);
	hold_free(&was);
}

uint16_t tunnel_mtu_of(struct worker *w, const struct flow *f, uint32_t if_id)
{
	struct sa *sa = sad_out(w->plane->sad, f, if_id);
	uint16_t mtu;

	if (!sa)
		return 0;
	pthread_mutex_lock(&sa->lock);
	mtu = mtu_of(w, sa, f->src.family == AF_INET6 ? IP6_HEAD_LEN : IP4_HEAD_MIN);
	pthread_mutex_unlock(&sa->lock);
	return mtu;
}
