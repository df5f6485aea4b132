/* SPDX-License-Identifier: Apache-2.0 */
/* Transport mode.
 *
 * The IP header outside is written by the kernel, for packets leave by sockets. Carried over are
 * TOS or traffic class, TTL or hop limit, and IPv4 options; identification and flow label are the
 * kernel's choice, and DF is always set on what fits the path (esp/tunnel.c cuts what does not).
 * On the way in the header is made anew from what the socket told. IPv4 options of the outer header
 * are not taken in: anybody on the way can have put them there.
 */
#include "esp/transport.h"

#include "esp/checksum.h"

enum {
	TTL_UNKNOWN = 64,
	DF = 0x4000,
	FRAGMENT_LEN = 8,
	CHECKSUM_AT = 10,
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_LOOSE_ROUTE = 131,
	OPT_STRICT_ROUTE = 137,
};

static bool payload_v4(struct span packet, struct span *payload, uint8_t *next)
{
	struct rd r = rd_from(packet);
	size_t head_len = (size_t)(rd_u8(&r) & 0x0f) * 4;

	rd_skip(&r, 5);
	if (rd_u16(&r) & 0x3fff) /* MF, offset */
		return false;
	rd_skip(&r, 1);
	*next = rd_u8(&r);
	rd_skip(&r, head_len < IP4_HEAD_MIN ? SIZE_MAX : head_len - 10);
	*payload = rd_rest(&r);
	return rd_ok(&r);
}

static bool payload_v6(struct span packet, struct span *payload, uint8_t *next)
{
	struct rd r = rd_from(packet);

	rd_skip(&r, 6);
	*next = rd_u8(&r);
	rd_skip(&r, IP6_HEAD_LEN - 7);
	if (*next == PROTO_FRAGMENT) { /* around a whole packet (RFC 6946): not needed */
		*next = rd_u8(&r);
		rd_skip(&r, 1);
		if (rd_u16(&r) & 0xfff9)
			return false;
		rd_skip(&r, FRAGMENT_LEN - 4);
	}
	*payload = rd_rest(&r);
	return rd_ok(&r);
}

/* Headers that stand before ESP, or nowhere. */
static bool stands_outside(uint8_t next)
{
	return next == PROTO_HOPOPTS || next == PROTO_ROUTING || next == PROTO_FRAGMENT;
}

bool transport_payload(struct span packet, struct span *payload, uint8_t *next)
{
	bool v6 = packet.len > 0 && packet.p[0] >> 4 == 6;

	return (v6 ? payload_v6 : payload_v4)(packet, payload, next) && !stands_outside(*next);
}

/* DF, so the identification means nothing (RFC 6864 4.1). */
static void write_v4(const struct transport_head *h, struct span payload, struct wr *w)
{
	size_t start = wr_len(w);

	wr_u8(w, 4 << 4 | IP4_HEAD_MIN / 4);
	wr_u8(w, h->tos);
	wr_u16(w, (uint16_t)(IP4_HEAD_MIN + payload.len));
	wr_u16(w, 0);
	wr_u16(w, DF);
	wr_u8(w, h->ttl ? h->ttl : TTL_UNKNOWN);
	wr_u8(w, h->next);
	wr_u16(w, 0);
	wr_span(w, addr_span(&h->src));
	wr_span(w, addr_span(&h->dst));
	wr_fill_u16(w, start + CHECKSUM_AT,
		    checksum_fold(checksum_add(0, span_tail(wr_done(w), start))));
}

static void write_v6(const struct transport_head *h, struct span payload, struct wr *w)
{
	wr_u32(w, 6u << 28 | (uint32_t)h->tos << 20);
	wr_u16(w, (uint16_t)payload.len);
	wr_u8(w, h->next);
	wr_u8(w, h->ttl ? h->ttl : TTL_UNKNOWN);
	wr_span(w, addr_span(&h->src));
	wr_span(w, addr_span(&h->dst));
}

bool transport_rebuild(const struct transport_head *h, struct span payload, struct wr *w)
{
	bool v4 = h->src.family == AF_INET;
	size_t most = v4 ? UINT16_MAX - IP4_HEAD_MIN : UINT16_MAX;

	if (h->src.family != h->dst.family || addr_len(&h->src) == 0 || payload.len > most ||
	    stands_outside(h->next))
		return false;
	(v4 ? write_v4 : write_v6)(h, payload, w);
	wr_span(w, payload);
	return wr_ok(w);
}

bool transport_options(struct span packet, const struct inner *in, struct span *options)
{
	struct rd r;

	*options = SPAN_EMPTY;
	if (in->version != 4)
		return true;
	*options = span_tail(span_head(packet, in->head_len), IP4_HEAD_MIN);
	r = rd_from(*options);
	while (rd_left(&r) > 0) {
		uint8_t kind = rd_u8(&r), len;

		if (kind == OPT_END)
			return true;
		if (kind == OPT_NOP)
			continue;
		len = rd_u8(&r);
		rd_skip(&r, len < 2 ? SIZE_MAX : (size_t)len - 2);
		if (kind == OPT_LOOSE_ROUTE || kind == OPT_STRICT_ROUTE || !rd_ok(&r))
			return false;
	}
	return true;
}

/* Where the checksum stands in the header of a protocol that sums addresses; 0: it does not. */
static size_t sum_at(const struct inner *in)
{
	switch (in->flow.proto) {
	case PROTO_TCP:
		return 16;
	case PROTO_UDP:
	case PROTO_UDPLITE:
	case PROTO_DCCP:
		return 6;
	case PROTO_ICMPV6:
		return in->version == 6 ? 2 : 0;
	default:
		return 0;
	}
}

void transport_mend(uint8_t *p, const struct inner *in, const struct addr *was,
		    const struct addr *is)
{
	struct rd r = rd_from(span_tail(span_of(p, in->len), in->l4_at));
	struct rd from = rd_from(addr_span(was)), to = rd_from(addr_span(is));
	struct wr w = wr_into(p, in->len);
	bool none_is_zero = in->flow.proto == PROTO_UDP;
	size_t at = sum_at(in);
	uint16_t sum;

	rd_skip(&r, at);
	sum = rd_u16(&r);
	if (at == 0 || !rd_ok(&r) || was->family != is->family || (none_is_zero && sum == 0))
		return;
	while (rd_left(&from) > 0)
		sum = checksum_update(sum, rd_u16(&from), rd_u16(&to));
	/* RFC 768: what comes out as zero is sent as its other form. */
	if (none_is_zero && sum == 0)
		sum = 0xffff;
	(void)wr_take(&w, in->len);
	wr_fill_u16(&w, in->l4_at + at, sum);
}
