/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of an IPv4 packet. They are cut before encryption, so that the peer's inner network
 * reassembles and not its gateway, and the outer packets keep DF. The packet may be a fragment
 * itself: offsets and the last MF are then its own.
 *
 * IPv6 packets only their sender may cut, and gateways in between put them together where they have
 * to see ports. One of those whose last stretch was a tunnel goes on in pieces, or it would never
 * arrive: who sent it did so in pieces, too.
 */
#include "esp/fragment.h"

#include "esp/checksum.h"

enum {
	UNIT = 8,
	MF = 0x2000,
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_COPIED = 0x80,
	CHECKSUM_AT = 10,
	FRAGMENT_LEN = 8, /* IPv6's fragment header */
	NEXT_AT6 = 6,
};

enum err cutter_init(struct cutter *c, struct span packet, const struct inner *in, uint16_t mtu)
{
	*c = (struct cutter){ .packet = packet, .in = *in };
	if (in->version != 4 || in->df)
		return ERR_UNSUPPORTED;
	/* Every piece gets room for the whole header, though only the first may need it. */
	c->step = mtu > in->head_len ? (size_t)(mtu - in->head_len) / UNIT * UNIT : 0;
	return c->step > 0 ? OK : ERR_SPACE;
}

enum err cutter_init6(struct cutter *c, struct span packet, const struct inner *in, uint32_t id)
{
	struct rd r = rd_from(packet);
	uint8_t next;

	*c = (struct cutter){ .packet = packet, .in = *in, .id = id };
	c->step = (IP6_MTU_MIN - IP6_HEAD_LEN - FRAGMENT_LEN) / UNIT * UNIT;
	rd_skip(&r, NEXT_AT6);
	next = rd_u8(&r);
	if (in->version != 6 || in->fragment || next == PROTO_HOPOPTS || next == PROTO_ROUTING ||
	    next == PROTO_FRAGMENT || next == PROTO_DSTOPTS)
		return ERR_UNSUPPORTED;
	return rd_ok(&r) ? OK : ERR_SYNTAX;
}

/* RFC 8200 4.5. */
static void write_head6(const struct cutter *c, struct wr *w, size_t payload_len, bool last)
{
	struct rd r = rd_from(c->packet);
	uint8_t next;

	wr_span(w, rd_take(&r, 4));
	rd_skip(&r, 2);
	wr_u16(w, (uint16_t)(FRAGMENT_LEN + payload_len));
	next = rd_u8(&r);
	wr_u8(w, PROTO_FRAGMENT);
	wr_span(w, rd_take(&r, IP6_HEAD_LEN - NEXT_AT6 - 1));
	wr_u8(w, next);
	wr_u8(w, 0);
	wr_u16(w, (uint16_t)(c->at | (last ? 0 : 1)));
	wr_u32(w, c->id);
}

/* RFC 791 3.1: pieces behind the first carry only the options whose copied bit is set. Malformed
 * options end the list. */
static void copy_options(struct wr *w, struct span options)
{
	struct rd r = rd_from(options);
	size_t from = wr_len(w);

	while (rd_left(&r) > 1) {
		uint8_t kind = rd_u8(&r), len;
		struct span body;

		if (kind == OPT_END)
			break;
		if (kind == OPT_NOP)
			continue;
		len = rd_u8(&r);
		body = rd_take(&r, len < 2 ? SIZE_MAX : (size_t)len - 2);
		if (!rd_ok(&r))
			break;
		if (!(kind & OPT_COPIED))
			continue;
		wr_u8(w, kind);
		wr_u8(w, len);
		wr_span(w, body);
	}
	wr_zero(w, (4 - (wr_len(w) - from) % 4) % 4);
}

static void write_head(struct cutter *c, struct wr *w, struct span head, size_t payload_len,
		       bool last)
{
	struct rd r = rd_from(head);
	size_t start = wr_len(w), head_len;
	uint16_t frag_units = (uint16_t)((c->in.frag_at + c->at) / UNIT);

	wr_span(w, rd_take(&r, 2));
	rd_skip(&r, 2);
	wr_u16(w, 0);
	wr_span(w, rd_take(&r, 2)); /* identification */
	rd_skip(&r, 2);
	wr_u16(w, (uint16_t)(frag_units | (last && !c->in.more ? 0 : MF)));
	wr_span(w, rd_take(&r, 2)); /* TTL, protocol */
	rd_skip(&r, 2);
	wr_u16(w, 0);
	wr_span(w, rd_take(&r, 8));
	if (c->at == 0)
		wr_span(w, rd_rest(&r));
	else
		copy_options(w, rd_rest(&r));
	head_len = wr_len(w) - start;
	wr_fill_u8(w, start, (uint8_t)(4 << 4 | head_len / 4));
	wr_fill_u16(w, start + 2, (uint16_t)(head_len + payload_len));
	wr_fill_u16(w, start + CHECKSUM_AT,
		    checksum_fold(checksum_add(0, span_tail(wr_done(w), start))));
}

bool cutter_next(struct cutter *c, struct wr *w)
{
	struct span head = span_head(c->packet, c->in.head_len);
	struct span payload = span_tail(span_head(c->packet, c->in.len), c->in.head_len);
	struct span rest = span_tail(payload, c->at);
	struct span piece = span_head(rest, c->step);

	if (rest.len == 0)
		return false;
	if (c->in.version == 6)
		write_head6(c, w, piece.len, piece.len == rest.len);
	else
		write_head(c, w, head, piece.len, piece.len == rest.len);
	wr_span(w, piece);
	c->at += piece.len;
	return wr_ok(w);
}
