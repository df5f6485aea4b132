/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to inner packets on their way: marks and MSS, with checksums kept right. */
#include "esp/checksum.h"
#include "esp/ecn.h"
#include "esp/mss.h"

#include <string.h>

#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

static struct inner parsed(struct span p)
{
	struct inner in;

	ck_assert_int_eq(inner_parse(p, &in), OK);
	return in;
}

/* ---- checksums ---- */

START_TEST(an_updated_checksum_is_the_computed_one)
{
	uint8_t b[20] = { 0x45, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0xff, 0xff, 9, 9, 1, 1, 2, 2 };

	kit_fix_v4(b);
	for (uint32_t to = 0; to <= 0xffff; to += 13) {
		uint16_t was = (uint16_t)(b[12] << 8 | b[13]), sum = (uint16_t)(b[10] << 8 | b[11]),
			 updated;

		updated = checksum_update(sum, was, (uint16_t)to);
		b[12] = (uint8_t)(to >> 8);
		b[13] = (uint8_t)to;
		b[10] = (uint8_t)(updated >> 8);
		b[11] = (uint8_t)updated;
		ck_assert(kit_v4_sum_ok(span_of(b, sizeof(b))));
	}
}
END_TEST

/* ---- RFC 6040, figure 4, written out once more in the order of the RFC: Not-ECT 0, ECT(0) 2,
 * ECT(1) 1, CE 3 ---- */

static const struct {
	uint8_t inner, outer;
	int onward; /* -1: drop */
} figure4[] = {
	{ 0, 0, 0 }, { 0, 2, 0 }, { 0, 1, 0 }, { 0, 3, -1 }, { 2, 0, 2 }, { 2, 2, 2 },
	{ 2, 1, 1 }, { 2, 3, 3 }, { 1, 0, 1 }, { 1, 2, 1 },  { 1, 1, 1 }, { 1, 3, 3 },
	{ 3, 0, 3 }, { 3, 2, 3 }, { 3, 1, 3 }, { 3, 3, 3 },
};

START_TEST(ecn_comes_out_as_figure_4_says)
{
	uint8_t buf[64], onward;
	int want = figure4[_i].onward;

	ck_assert_int_eq(ecn_decapsulate(figure4[_i].inner, figure4[_i].outer | 0xb8, &onward),
			 want >= 0);
	kit_udp(buf, 64, "10.1.0.1", "10.2.0.1");
	buf[1] = 0x28 | figure4[_i].inner;
	kit_fix_v4(buf);
	ck_assert_int_eq(ecn_apply(buf, 4, figure4[_i].outer), want >= 0);
	if (want >= 0)
		ck_assert_uint_eq(buf[1], 0x28u | (unsigned)want);
	ck_assert(kit_v4_sum_ok(span_of(buf, 64)));

	kit_udp(buf, 64, "2001:db8:1::1", "2001:db8:2::1");
	buf[0] = 0x62;
	buf[1] = (uint8_t)(0x85 | figure4[_i].inner << 4);
	ck_assert_int_eq(ecn_apply(buf, 6, figure4[_i].outer), want >= 0);
	if (want >= 0)
		ck_assert_uint_eq(buf[1], 0x85u | (unsigned)want << 4);
	ck_assert_uint_eq(buf[0], 0x62);
}
END_TEST

/* DSCP and ECN of the outer header, by the SA's settings. */
START_TEST(outer_tos_is_as_configured)
{
	for (unsigned tos = 0; tos < 256; tos++) {
		const uint8_t t = (uint8_t)tos;

		ck_assert_uint_eq(ecn_outer(&(struct sa_headers){ 0 }, t), t);
		ck_assert_uint_eq(ecn_outer(&(struct sa_headers){ .dscp_hide = true }, t), t & 3);
		ck_assert_uint_eq(ecn_outer(&(struct sa_headers){ .ecn_off = true }, t), t & 0xfc);
		ck_assert_uint_eq(
			ecn_outer(&(struct sa_headers){ .dscp_hide = true, .ecn_off = true }, t),
			0);
	}
}
END_TEST

START_TEST(dscp_is_adopted_and_ecn_is_not)
{
	uint8_t buf[64];

	kit_udp(buf, 64, "10.1.0.1", "10.2.0.1");
	buf[1] = 0x29;
	kit_fix_v4(buf);
	ecn_adopt_dscp(buf, 4, 0xbb);
	ck_assert_uint_eq(buf[1], 0xb9);
	ck_assert(kit_v4_sum_ok(span_of(buf, 64)));
	kit_udp(buf, 64, "2001:db8:1::1", "2001:db8:2::1");
	buf[0] = 0x62;
	buf[1] = 0x95; /* traffic class 0x29, and the flow label's first bits */
	ecn_adopt_dscp(buf, 6, 0xbb);
	ck_assert_uint_eq(buf[0], 0x6b);
	ck_assert_uint_eq(buf[1], 0x95);
}
END_TEST

START_TEST(ecn_starts_as_the_inner_packet_says)
{
	for (unsigned tos = 0; tos < 256; tos++)
		ck_assert_uint_eq(ecn_encapsulate((uint8_t)tos), tos);
}
END_TEST

/* ---- MSS ---- */

struct segment {
	uint8_t b[120];
	struct span p;
	struct inner in;
};

/* A TCP segment with `flags` and `options` (a multiple of 4), checksum right. */
static void segment_make(struct segment *s, bool v6, uint8_t flags, const uint8_t *options,
			 size_t n)
{
	size_t ip = v6 ? IP6_HEAD_LEN : IP4_HEAD_MIN;
	struct wr w;
	uint32_t sum;

	s->p = kit_udp(s->b, ip + 20 + n, v6 ? "2001:db8:1::1" : "10.1.0.1",
		       v6 ? "2001:db8:2::1" : "10.2.0.1");
	s->b[v6 ? 6 : 9] = PROTO_TCP;
	if (!v6)
		kit_fix_v4(s->b);
	w = wr_into(s->b + ip, 20 + n);
	wr_u32(&w, 1000u << 16 | 2000);
	wr_u64(&w, 0x1122334455667788);
	wr_u8(&w, (uint8_t)((20 + n) / 4 << 4));
	wr_u8(&w, flags);
	wr_u16(&w, 4096);
	wr_u32(&w, 0);
	wr_span(&w, span_of(options, n));
	sum = checksum_add(0, span_of(s->b + (v6 ? 8 : 12), v6 ? 32 : 8));
	sum = checksum_add(sum + PROTO_TCP + (uint32_t)(20 + n), wr_done(&w));
	wr_fill_u16(&w, 16, checksum_fold(sum));
	s->in = parsed(s->p);
}

static bool segment_sum_ok(const struct segment *s)
{
	struct span tcp = span_tail(s->p, s->in.l4_at);
	uint32_t sum = checksum_add(0, span_of(s->b + (s->in.version == 6 ? 8 : 12),
					       s->in.version == 6 ? 32 : 8));

	return checksum_fold(checksum_add(sum + PROTO_TCP + (uint32_t)tcp.len, tcp)) == 0;
}

static const struct {
	const char *why;
	bool v6;
	uint8_t flags;
	uint8_t options[12];
	uint8_t n;
	uint16_t mtu;
	uint8_t at; /* of the MSS in the options; 255: nothing may change */
	uint16_t want;
} segments[] = {
	{ "SYN is lowered", false, 0x02, { 2, 4, 5, 0xb4 }, 4, 1400, 2, 1360 },
	{ "SYN/ACK is lowered", false, 0x12, { 2, 4, 5, 0xb4 }, 4, 1400, 2, 1360 },
	{ "SYN with ECN flags too", false, 0xc2, { 2, 4, 5, 0xb4 }, 4, 1400, 2, 1360 },
	{ "IPv6 takes 60", true, 0x02, { 2, 4, 5, 0xa0 }, 4, 1400, 2, 1340 },
	{ "what fits is left alone", false, 0x02, { 2, 4, 5, 0x50 }, 4, 1400, 255, 0 },
	{ "what is smaller is never raised", false, 0x02, { 2, 4, 2, 0x18 }, 4, 1400, 255, 0 },
	{ "no SYN, no change", false, 0x10, { 2, 4, 5, 0xb4 }, 4, 1400, 255, 0 },
	{ "behind other options", false, 0x02, { 1, 1, 4, 2, 2, 4, 5, 0xb4 }, 8, 1400, 6, 1360 },
	{ "at an odd place", false, 0x02, { 1, 2, 4, 5, 0xb4, 0, 0, 0 }, 8, 1400, 3, 1360 },
	{ "at an odd place at the end",
	  true,
	  0x02,
	  { 3, 3, 7, 2, 4, 5, 0xb4, 0 },
	  8,
	  1400,
	  5,
	  1340 },
	{ "behind the end of options",
	  false,
	  0x02,
	  { 0, 0, 0, 0, 2, 4, 5, 0xb4 },
	  8,
	  1400,
	  255,
	  0 },
	{ "an option of length 0 ends the walk",
	  false,
	  0x02,
	  { 8, 0, 2, 4, 5, 0xb4, 0, 0 },
	  8,
	  1400,
	  255,
	  0 },
	{ "an option of length 1 ends the walk",
	  false,
	  0x02,
	  { 8, 1, 2, 4, 5, 0xb4, 0, 0 },
	  8,
	  1400,
	  255,
	  0 },
	{ "an option longer than the header",
	  false,
	  0x02,
	  { 8, 40, 2, 4, 5, 0xb4, 0, 0 },
	  8,
	  1400,
	  255,
	  0 },
	{ "an MSS of wrong length", false, 0x02, { 2, 3, 5, 0 }, 4, 1400, 255, 0 },
	{ "an MSS cut by the header's end", false, 0x02, { 1, 1, 2, 4 }, 4, 1400, 255, 0 },
	{ "never to nothing", false, 0x02, { 2, 4, 5, 0xb4 }, 4, 30, 2, 64 },
};

START_TEST(mss_is_lowered_to_fit)
{
	struct segment s;
	uint8_t before[120];
	size_t options_at;
	bool changed;

	segment_make(&s, segments[_i].v6, segments[_i].flags, segments[_i].options, segments[_i].n);
	memcpy(before, s.b, sizeof(before));
	options_at = (size_t)s.in.l4_at + 20;
	changed = mss_clamp(s.b, &s.in, segments[_i].mtu);
	ck_assert_msg(changed == (segments[_i].at != 255), "%s", segments[_i].why);
	ck_assert(segment_sum_ok(&s));
	if (!changed) {
		ck_assert_int_eq(memcmp(before, s.b, sizeof(before)), 0);
		return;
	}
	ck_assert_uint_eq((unsigned)(s.b[options_at + segments[_i].at] << 8 |
				     s.b[options_at + segments[_i].at + 1]),
			  segments[_i].want);
}
END_TEST

START_TEST(a_header_that_lies_about_its_length_is_left_alone)
{
	static const uint8_t mss[] = { 2, 4, 5, 0xb4 };
	struct segment s;

	for (unsigned nibble = 0; nibble < 16; nibble++) {
		segment_make(&s, false, 0x02, mss, sizeof(mss));
		s.b[s.in.l4_at + 12] = (uint8_t)(nibble << 4);
		(void)mss_clamp(s.b, &s.in, 1400);
		if (nibble != 6)
			ck_assert_uint_eq((unsigned)(s.b[42] << 8 | s.b[43]), 0x05b4);
	}
}
END_TEST

UNIT("esp/edit")
{
	tcase_add_test(tc, an_updated_checksum_is_the_computed_one);
	tcase_add_loop_test(tc, ecn_comes_out_as_figure_4_says, 0, 16);
	tcase_add_test(tc, ecn_starts_as_the_inner_packet_says);
	tcase_add_test(tc, outer_tos_is_as_configured);
	tcase_add_test(tc, dscp_is_adopted_and_ecn_is_not);
	tcase_add_loop_test(tc, mss_is_lowered_to_fit, 0,
			    (int)(sizeof(segments) / sizeof(segments[0])));
	tcase_add_test(tc, a_header_that_lies_about_its_length_is_left_alone);
}
