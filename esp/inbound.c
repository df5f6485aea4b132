/* SPDX-License-Identifier: Apache-2.0 */
/* Opening.
 *
 * Nothing of an SA changes before the ICV was found good: a forged, replayed or cut packet costs
 * time and a counter. What comes out is still a stranger's: it is read with bounds, must be the
 * packet that it says, and must be one that this SA may carry; else one peer could send in the name
 * of another's network.
 */
#include "esp/inbound.h"

#include "esp/ecn.h"
#include "esp/icmp.h"
#include "esp/select.h"
#include "esp/transport.h"

bool inbound_spi(struct span d, uint32_t *spi)
{
	struct rd r = rd_from(d);

	*spi = rd_u32(&r);
	return rd_ok(&r);
}

/* To the text in clear: everything that RFC 4303 3.4 does. */
static enum drop open_parts(struct sa *sa, const struct esp_datagram *d, struct esp_parts *p,
			    bool *newest)
{
	struct esp_cover cover;
	struct seal_text t;
	uint64_t seq;
	enum err e;

	if (esp_split(d->p, d->len, &sa->shape, p) != OK || p->spi != sa->spi)
		return DROP_SHORT;
	seq = replay_infer(&sa->tally->replay, p->seq);
	if (!replay_fresh(&sa->tally->replay, seq))
		return DROP_REPLAY;
	if (sa_spent(sa, p->text_len))
		return DROP_LIMIT;

	esp_cover(&cover, &sa->shape, sa->spi, seq);
	t = (struct seal_text){
		.aad = cover.aad_span,
		.suffix = cover.suffix,
		.iv = p->iv,
		.text = p->text,
		.text_len = p->text_len,
		.icv = p->icv,
	};
	e = unseal(sa->sealer, &t);
	if (e != OK)
		return e == ERR_ICV ? DROP_ICV : DROP_CRYPTO;
	*newest = seq > sa->tally->replay.top;
	return replay_accept(&sa->tally->replay, seq) ? DROP_NONE : DROP_REPLAY;
}

/* RFC 4301 6.2: an ICMP error that selectors do not let through, about a packet that they do. */
static bool error_fits(const struct sa *sa, struct span p, const struct inner *in)
{
	struct flow about;

	return icmp_error_about(p, in, &about) && select_inbound_error(sa, &in->flow.src, &about);
}

/* What of the outer header counts for the inner one. */
static bool carry_over(const struct sa *sa, const struct esp_datagram *d, const struct opened *o)
{
	if (sa->headers.dscp_adopt)
		ecn_adopt_dscp(o->p, o->in.version, d->tos);
	return sa->headers.ecn_off || ecn_apply(o->p, o->in.version, d->tos);
}

static enum drop judge_tunnel(const struct sa *sa, const struct esp_datagram *d,
			      struct span payload, uint8_t next, struct opened *o)
{
	if (next != NEXT_IPV4 && next != NEXT_IPV6)
		return DROP_NEXT_HEADER;
	if (inner_parse(payload, &o->in) != OK || o->in.version != (next == NEXT_IPV4 ? 4 : 6))
		return DROP_INNER;
	/* Later fragments show no ports, and whoever sends them by an SA that asks for ports has
	 * not agreed on that with us (RFC 4301 7.3). */
	if (!select_inbound(sa, &o->in.flow) && !error_fits(sa, payload, &o->in))
		return o->in.fragment && sa->by_ports ? DROP_FRAGMENT : DROP_SELECTOR;
	/* The payload is what the text begins with. */
	return carry_over(sa, d, o) ? DROP_NONE : DROP_ECN;
}

/* The outer header is the packet's own: its addresses are judged, its congestion marks are the
 * packet's (RFC 6040 is about two headers). */
static enum drop judge_transport(const struct sa *sa, const struct esp_datagram *d,
				 struct span payload, uint8_t next, struct opened *o)
{
	const struct addr *from = &d->path.remote.addr, *to = &d->path.local.addr;
	const struct transport_head h = {
		.src = addr_is_any(from) ? sa->host_remote : *from,
		.dst = addr_is_any(to) ? sa->host_local : *to,
		.tos = d->tos,
		.ttl = d->ttl,
		.next = next,
	};

	if (!transport_rebuild(&h, payload, &o->room))
		return DROP_NEXT_HEADER;
	o->p = o->room.start;
	if (inner_parse(wr_done(&o->room), &o->in) != OK || o->in.fragment)
		return DROP_INNER;
	if (!select_inbound(sa, &o->in.flow))
		return DROP_SELECTOR;
	transport_mend(o->p, &o->in, &sa->sum_remote, &h.src);
	transport_mend(o->p, &o->in, &sa->sum_local, &h.dst);
	return DROP_NONE;
}

/* The packet, judged. */
static enum drop judge_inner(const struct sa *sa, const struct esp_datagram *d, struct span text,
			     struct opened *o)
{
	struct span payload;
	uint8_t next;

	if (!esp_trailer(text, &payload, &next))
		return DROP_PADDING;
	if (next == NEXT_DUMMY)
		return DROP_DUMMY;
	if (sa->mode == SA_TRANSPORT)
		return judge_transport(sa, d, payload, next, o);
	return judge_tunnel(sa, d, payload, next, o);
}

enum drop inbound_open(struct sa *sa, const struct esp_datagram *d, mono_ns now, struct opened *o)
{
	struct esp_parts p;
	enum drop why;

	o->newest = false;
	why = open_parts(sa, d, &p, &o->newest);
	if (why == DROP_NONE) {
		o->p = p.text;
		why = judge_inner(sa, d, span_of(p.text, p.text_len), o);
	}
	if (why == DROP_NONE)
		sa_count_packet(sa, o->in.len, now);
	else
		sa_count_drop(sa, why);
	return why;
}
