/* SPDX-License-Identifier: Apache-2.0 */
/* Inner packets, read once into struct inner; who judges or changes a packet later works from these
 * numbers alone.
 *
 * The packet comes from a peer with good keys or from the machine's own stack, and both may be
 * hostile (an inner packet may be forwarded from anybody). The attacks to stand: headers whose
 * lengths disagree, so that two readers see two packets (CVE-2022-34718), chains of extension
 * headers without end, and fragments that hide the ports which selectors judge.
 */
#include "esp/inner.h"

enum { EXT_HEADERS_MAX = 8, FRAG_UNIT = 8 };

/* Where the walk through a packet stands. */
struct walk {
	struct rd r;
	struct inner *in;
	bool cut;     /* not all of the packet is there */
	uint8_t next; /* IPv6: the header that begins here */
	size_t whole; /* length of the packet */
};

/* The transport header: ports, or ICMP's type and code in both places (RFC 7296 3.13.1). */
static void read_ports(struct walk *w)
{
	struct flow *f = &w->in->flow;

	w->in->l4_at = (uint16_t)(w->whole - rd_left(&w->r));
	if (w->in->fragment && w->in->frag_at > 0)
		return; /* what stands here is the middle of something */
	if (ts_proto_has_ports(f->proto)) {
		f->sport = rd_u16(&w->r);
		f->dport = rd_u16(&w->r);
	} else if (f->proto == PROTO_ICMP || f->proto == PROTO_ICMPV6) {
		f->sport = rd_u16(&w->r);
		f->dport = f->sport;
	} else {
		return;
	}
	f->ports_known = true;
}

static void read_addrs(struct walk *w, size_t len)
{
	struct span src = rd_take(&w->r, len);
	struct span dst = rd_take(&w->r, len);

	if (!addr_from_span(&w->in->flow.src, src) || !addr_from_span(&w->in->flow.dst, dst))
		rd_fail(&w->r);
	/* An IPv4-mapped address in an IPv6 packet would be judged by selectors of IPv4. */
	if (addr_len(&w->in->flow.src) != len || addr_len(&w->in->flow.dst) != len)
		rd_fail(&w->r);
}

/* Of a quoted packet only what is there counts. */
static void take_quote(struct walk *w, struct span p, bool quoted)
{
	w->cut = quoted && w->in->len > p.len;
	if (w->cut)
		w->in->len = (uint16_t)p.len;
}

static enum err parse_v4(struct span p, struct inner *in, bool quoted)
{
	struct walk w = { .r = rd_from(p), .in = in };
	uint8_t first = rd_u8(&w.r);
	uint16_t frag;

	in->version = 4;
	in->head_len = (uint16_t)((first & 0x0f) * 4);
	in->tos = rd_u8(&w.r);
	in->len = rd_u16(&w.r);
	rd_skip(&w.r, 2); /* identification */
	frag = rd_u16(&w.r);
	in->df = frag & 0x4000;
	in->more = frag & 0x2000;
	in->frag_at = (uint16_t)((frag & 0x1fff) * FRAG_UNIT);
	in->fragment = in->more || in->frag_at > 0;
	in->ttl = rd_u8(&w.r);
	in->flow.proto = rd_u8(&w.r);
	take_quote(&w, p, quoted);
	if (in->head_len < IP4_HEAD_MIN || in->len < in->head_len || in->len > p.len)
		return ERR_SYNTAX;

	/* From here on nothing behind the packet's own length can be seen. */
	w.whole = in->len;
	w.r = rd_from(span_head(p, in->len));
	rd_skip(&w.r, 12);
	read_addrs(&w, 4);
	rd_skip(&w.r, (size_t)in->head_len - IP4_HEAD_MIN);
	/* A fragment must lie within 65535 bytes, and one that is not the last fill whole units
	 * (RFC 791 3.2). */
	if (in->frag_at + rd_left(&w.r) > UINT16_MAX ||
	    (in->more && !w.cut && rd_left(&w.r) % FRAG_UNIT != 0))
		return ERR_SYNTAX;
	read_ports(&w);
	return rd_ok(&w.r) ? OK : ERR_SYNTAX;
}

/* RFC 8200 4.5. A packet that is whole in one fragment ("atomic", RFC 6946) is none for us. */
static void read_fragment(struct walk *w)
{
	uint16_t frag;

	w->next = rd_u8(&w->r);
	rd_skip(&w->r, 1);
	frag = rd_u16(&w->r);
	rd_skip(&w->r, 4); /* identification */
	if (w->in->fragment)
		rd_fail(&w->r); /* a fragment within a fragment */
	w->in->frag_at = frag & 0xfff8;
	w->in->more = frag & 1;
	w->in->fragment = w->in->more || w->in->frag_at > 0;
	if (w->in->frag_at + rd_left(&w->r) > UINT16_MAX ||
	    (w->in->more && !w->cut && rd_left(&w->r) % FRAG_UNIT != 0))
		rd_fail(&w->r);
}

/* One extension header with a length of its own; its first two bytes are next header and length. */
static void read_extension(struct walk *w, uint8_t kind)
{
	size_t seen = 2;
	uint8_t len;

	w->next = rd_u8(&w->r);
	len = rd_u8(&w->r);
	if (kind == PROTO_ROUTING) {
		if (rd_u8(&w->r) == 0)
			rd_fail(&w->r); /* type 0 goes elsewhere than selectors saw (RFC 5095) */
		seen++;
	}
	rd_skip(&w->r, 8 + (size_t)8 * len - seen);
}

/* True when w->next is the next layer protocol, or what can be known of it. Skipped are the headers
 * of RFC 4301 4.4.1.1, which are not AH and ESP: to selectors those are protocols. */
static bool walk_chain(struct walk *w)
{
	for (int i = 0; i < EXT_HEADERS_MAX; i++) {
		uint8_t kind = w->next;

		if (w->in->fragment && w->in->frag_at > 0)
			return true;
		if (kind == PROTO_FRAGMENT)
			read_fragment(w);
		else if (kind == PROTO_ROUTING || kind == PROTO_DSTOPTS ||
			 (kind == PROTO_HOPOPTS && i == 0))
			read_extension(w, kind);
		else /* hop by hop stands right behind the IPv6 header or nowhere (RFC 8200 4.1) */
			return kind != PROTO_HOPOPTS;
		if (!rd_ok(&w->r))
			return false;
	}
	return false;
}

static enum err parse_v6(struct span p, struct inner *in, bool quoted)
{
	struct walk w = { .r = rd_from(p), .in = in };
	uint32_t first = rd_u32(&w.r);
	uint16_t payload_len = rd_u16(&w.r);

	in->version = 6;
	in->df = true;
	in->tos = (uint8_t)(first >> 20);
	in->label = first & 0xfffff;
	in->head_len = IP6_HEAD_LEN;
	w.next = rd_u8(&w.r);
	in->ttl = rd_u8(&w.r);
	/* Payload length 0 belongs to jumbograms (RFC 2675) or to a packet of nothing: neither is
	 * carried. */
	if (payload_len == 0 || payload_len > UINT16_MAX - IP6_HEAD_LEN)
		return ERR_SYNTAX;
	in->len = (uint16_t)(IP6_HEAD_LEN + payload_len);
	take_quote(&w, p, quoted);
	if (in->len > p.len)
		return ERR_SYNTAX;

	w.whole = in->len;
	w.r = rd_from(span_head(p, in->len));
	rd_skip(&w.r, 8);
	read_addrs(&w, 16);
	if (!rd_ok(&w.r) || !walk_chain(&w))
		return ERR_SYNTAX;
	in->flow.proto = w.next;
	read_ports(&w);
	return rd_ok(&w.r) ? OK : ERR_SYNTAX;
}

static enum err parse(struct span p, struct inner *in, bool quoted)
{
	struct rd r = rd_from(p);
	uint8_t version = rd_u8(&r) >> 4;

	*in = (struct inner){ 0 };
	if (rd_ok(&r) && version == 4)
		return parse_v4(p, in, quoted);
	if (rd_ok(&r) && version == 6)
		return parse_v6(p, in, quoted);
	return ERR_SYNTAX;
}

enum err inner_parse(struct span p, struct inner *in)
{
	return parse(p, in, false);
}

enum err inner_parse_quoted(struct span p, struct inner *in)
{
	return parse(p, in, true);
}
