/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that keep path MTU discovery of inner connections alive (RFC 4301 8.2.1).
 *
 * The source address is the destination of the packet that was too big. This gateway may have no
 * address inside the selectors, and an answer from there takes the way that true answers take: it
 * passes reverse path filters and the guards of the child.
 */
#include "esp/icmp.h"

#include "esp/checksum.h"

enum {
	TTL = 64,
	ICMP_UNREACH = 3,
	ICMP_FRAG_NEEDED = 4,
	ICMP6_TOO_BIG = 2,
	ICMP6_INFORMATIONAL = 128,
	QUOTE4_MAX = 576 - IP4_HEAD_MIN - 8,
	QUOTE6_MAX = IP6_MTU_MIN - IP6_HEAD_LEN - 8,
};

static bool is_error(struct span p, const struct inner *in)
{
	struct rd r = rd_from(span_tail(span_head(p, in->len), in->l4_at));
	uint8_t type = rd_u8(&r);

	if (in->flow.proto == PROTO_ICMP)
		return !rd_ok(&r) || type == 3 || type == 4 || type == 5 || type == 11 ||
		       type == 12;
	if (in->flow.proto == PROTO_ICMPV6)
		return !rd_ok(&r) || type < ICMP6_INFORMATIONAL;
	return false;
}

static bool one_host(const struct addr *a)
{
	if (a->family == AF_INET) /* 0/8, 127/8, and everything from 224 up */
		return a->b[0] != 0 && a->b[0] != 127 && a->b[0] < 224;
	return !addr_is_any(a) && a->b[0] != 0xff;
}

bool icmp_may_answer(struct span p, const struct inner *in)
{
	if (in->fragment && in->frag_at > 0)
		return false;
	return one_host(&in->flow.src) && one_host(&in->flow.dst) && !is_error(p, in);
}

/* Redirects and source quench change what hosts do with other packets, too: they are not taken. */
static bool about_one_packet(uint8_t proto, uint8_t type)
{
	if (proto == PROTO_ICMP)
		return type == 3 || type == 11 || type == 12;
	return proto == PROTO_ICMPV6 && type >= 1 && type <= 4;
}

bool icmp_error_about(struct span p, const struct inner *in, struct flow *about)
{
	struct rd r = rd_from(span_tail(span_head(p, in->len), in->l4_at));
	uint8_t type = rd_u8(&r);
	struct inner quoted;

	rd_skip(&r, 7);
	if (in->fragment || !one_host(&in->flow.src) || !rd_ok(&r) ||
	    !about_one_packet(in->flow.proto, type) ||
	    inner_parse_quoted(rd_rest(&r), &quoted) != OK || quoted.version != in->version)
		return false;
	*about = quoted.flow;
	return addr_eq(&about->src, &in->flow.dst);
}

static void write_v4(struct span p, const struct inner *in, uint16_t mtu, struct wr *w)
{
	struct span quote = span_head(span_head(p, in->len), QUOTE4_MAX);
	size_t ip_at = wr_len(w), icmp_at;

	wr_u8(w, 4 << 4 | IP4_HEAD_MIN / 4);
	wr_u8(w, 0xc0); /* internetwork control (RFC 1812 4.3.2.5) */
	wr_u16(w, (uint16_t)(IP4_HEAD_MIN + 8 + quote.len));
	wr_u32(w, 0); /* identification, no fragment */
	wr_u8(w, TTL);
	wr_u8(w, PROTO_ICMP);
	wr_u16(w, 0);
	wr_span(w, addr_span(&in->flow.dst));
	wr_span(w, addr_span(&in->flow.src));
	wr_fill_u16(w, ip_at + 10, checksum_fold(checksum_add(0, span_tail(wr_done(w), ip_at))));

	icmp_at = wr_len(w);
	wr_u8(w, ICMP_UNREACH);
	wr_u8(w, ICMP_FRAG_NEEDED);
	wr_u16(w, 0);
	wr_u16(w, 0);
	wr_u16(w, mtu);
	wr_span(w, quote);
	wr_fill_u16(w, icmp_at + 2, checksum_fold(checksum_add(0, span_tail(wr_done(w), icmp_at))));
}

/* RFC 8200 8.1: addresses, length and protocol stand before an ICMPv6 message in its checksum. */
static uint32_t pseudo_header(const struct inner *in, size_t len)
{
	uint32_t sum = checksum_add(0, addr_span(&in->flow.dst));

	sum = checksum_add(sum, addr_span(&in->flow.src));
	return sum + (uint32_t)len + PROTO_ICMPV6;
}

static void write_v6(struct span p, const struct inner *in, uint16_t mtu, struct wr *w)
{
	struct span quote = span_head(span_head(p, in->len), QUOTE6_MAX);
	size_t icmp_len = 8 + quote.len, icmp_at;

	wr_u32(w, 6u << 28);
	wr_u16(w, (uint16_t)icmp_len);
	wr_u8(w, PROTO_ICMPV6);
	wr_u8(w, TTL);
	wr_span(w, addr_span(&in->flow.dst));
	wr_span(w, addr_span(&in->flow.src));

	icmp_at = wr_len(w);
	wr_u8(w, ICMP6_TOO_BIG);
	wr_u8(w, 0);
	wr_u16(w, 0);
	wr_u32(w, mtu < IP6_MTU_MIN ? IP6_MTU_MIN : mtu);
	wr_span(w, quote);
	wr_fill_u16(w, icmp_at + 2,
		    checksum_fold(checksum_add(pseudo_header(in, icmp_len),
					       span_tail(wr_done(w), icmp_at))));
}

bool icmp_too_big(struct span p, const struct inner *in, uint16_t mtu, struct wr *w)
{
	if (in->version == 4)
		write_v4(p, in, mtu, w);
	else
		write_v6(p, in, mtu, w);
	return wr_ok(w);
}
