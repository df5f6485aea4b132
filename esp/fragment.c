/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of an IPv4 packet. They are cut before encryption, so that the peer's inner network
 * reassembles and not its gateway, and the outer packets keep DF. The packet may be a fragment
 * itself: offsets and the last MF are then its own.
 */
#include "esp/fragment.h"

#include "esp/checksum.h"

enum { UNIT = 8, MF = 0x2000, OPT_END = 0, OPT_NOP = 1, OPT_COPIED = 0x80, CHECKSUM_AT = 10 };

enum err cutter_init(struct cutter *c, struct span packet, const struct inner *in, uint16_t mtu)
{
	*c = (struct cutter){ .packet = packet, .in = *in };
	if (in->version != 4 || in->df)
		return ERR_UNSUPPORTED;
	/* Every piece gets room for the whole header, though only the first may need it. */
	c->step = mtu > in->head_len ? (size_t)(mtu - in->head_len) / UNIT * UNIT : 0;
	return c->step > 0 ? OK : ERR_SPACE;
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
	write_head(c, w, head, piece.len, piece.len == rest.len);
	wr_span(w, piece);
	c->at += piece.len;
	return wr_ok(w);
}
