/* SPDX-License-Identifier: Apache-2.0 */
/* MSS clamping: networks that swallow ICMP too-big messages break path MTU discovery, and lowering
 * the MSS when a connection opens keeps TCP clear of it. The options come from strangers: the walk
 * is bounded by the header's own length.
 */
#include "esp/mss.h"

#include "esp/checksum.h"

enum {
	TCP_HEAD_LEN = 20,
	TCP_SYN = 0x02,
	TCP_CHECKSUM_AT = 16,
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_MSS_LEN = 4,
	MSS_MIN = 64
};

/* Data offset (in bytes) and flags of the TCP header; false when it is not all there. */
static bool tcp_head(struct span p, const struct inner *in, size_t *head_len, uint8_t *flags)
{
	struct rd r = rd_from(span_head(p, in->len));

	if (in->flow.proto != PROTO_TCP || (in->fragment && in->frag_at > 0))
		return false;
	rd_skip(&r, (size_t)in->l4_at + 12);
	*head_len = (size_t)(rd_u8(&r) >> 4) * 4;
	*flags = rd_u8(&r);
	rd_skip(&r, 6);
	return rd_ok(&r) && *head_len >= TCP_HEAD_LEN;
}

bool mss_wants(struct span p, const struct inner *in)
{
	size_t head_len;
	uint8_t flags;

	return tcp_head(p, in, &head_len, &flags) && (flags & TCP_SYN);
}

/* Offset of the MSS value in the packet; 0 when there is none or the options are malformed. */
static size_t find_mss(struct span p, const struct inner *in, size_t head_len)
{
	struct rd all = rd_from(span_head(p, in->len));
	struct rd r;
	size_t options_at = (size_t)in->l4_at + TCP_HEAD_LEN;
	struct span options;

	rd_skip(&all, options_at);
	options = rd_take(&all, head_len - TCP_HEAD_LEN);
	r = rd_from(options);
	while (rd_left(&r) > 0) {
		uint8_t kind = rd_u8(&r), len;

		if (kind == OPT_END)
			return 0;
		if (kind == OPT_NOP)
			continue;
		len = rd_u8(&r);
		if (len < 2)
			return 0;
		if (kind == OPT_MSS && len == OPT_MSS_LEN && rd_left(&r) >= 2)
			return options_at + (options.len - rd_left(&r));
		rd_skip(&r, (size_t)len - 2);
	}
	return 0;
}

static uint16_t word_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void set_word(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Takes a 16-bit field at an odd offset into account: its bytes then lie in two words of the sum.
 */
static void change_word(uint8_t *p, size_t at, uint8_t *checksum, uint16_t to)
{
	size_t lo = at & ~(size_t)1, hi = (at + 1) & ~(size_t)1;
	uint16_t was_lo = word_at(p + lo), was_hi = word_at(p + hi), sum = word_at(checksum);

	set_word(p + at, to);
	sum = checksum_update(sum, was_lo, word_at(p + lo));
	if (hi != lo)
		sum = checksum_update(sum, was_hi, word_at(p + hi));
	set_word(checksum, sum);
}

bool mss_clamp(uint8_t *p, const struct inner *in, uint16_t mtu)
{
	struct span s = span_of(p, in->len);
	uint16_t heads =
		(uint16_t)((in->version == 4 ? IP4_HEAD_MIN : IP6_HEAD_LEN) + TCP_HEAD_LEN);
	uint16_t mss = mtu > heads + MSS_MIN ? (uint16_t)(mtu - heads) : MSS_MIN;
	size_t head_len, at;
	uint8_t flags;

	if (!tcp_head(s, in, &head_len, &flags) || !(flags & TCP_SYN))
		return false;
	at = find_mss(s, in, head_len);
	if (at == 0 || word_at(p + at) <= mss)
		return false;
	/* Offsets count from the TCP header, which lies on an even offset of the packet in IPv4 and
	 * IPv6. */
	change_word(p + in->l4_at, at - in->l4_at, p + in->l4_at + TCP_CHECKSUM_AT, mss);
	return true;
}
