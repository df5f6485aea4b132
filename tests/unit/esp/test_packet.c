/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/packet.h"

#include <string.h>

#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

static struct shape shape_of(int suite)
{
	struct kit_sa k;
	struct shape s;

	kit_sa_make(&k, &kit_suites[suite], SA_OUT, 0x1000);
	ck_assert_int_eq(shape_from_desc(&k.d, &s), OK);
	return s;
}

START_TEST(lengths_follow_from_the_suite)
{
	struct shape s = shape_of(_i);
	uint8_t buf[400], payload[100] = { 0 };

	for (size_t len = 1; len <= sizeof(payload); len++) {
		struct wr w = wr_into(buf, sizeof(buf));
		struct esp_parts p = { .spi = 0x1000, .seq = 1 };

		ck_assert_int_eq(esp_lay(&w, &s, &p, span_of(payload, len), NEXT_IPV4), OK);
		ck_assert_uint_eq(wr_len(&w), shape_sealed_len(&s, len));
		ck_assert_uint_eq(p.text_len % s.align, 0);
		ck_assert_uint_lt(p.text_len, len + 2 + s.align);
		ck_assert_uint_eq((size_t)(p.icv - buf) + s.icv_len, wr_len(&w));
		/* The payload that fits into this length is the longest that does. */
		ck_assert_uint_ge(shape_payload_max(&s, shape_sealed_len(&s, len)), len);
		ck_assert_uint_le(shape_sealed_len(&s, shape_payload_max(&s, wr_len(&w))),
				  wr_len(&w));
		ck_assert_uint_gt(shape_sealed_len(&s, shape_payload_max(&s, wr_len(&w)) + 1),
				  wr_len(&w));
	}
}
END_TEST

START_TEST(what_is_laid_is_cut_into_the_same_parts)
{
	struct shape s = shape_of(_i);
	uint8_t buf[200], payload[33];
	struct wr w = wr_into(buf, sizeof(buf));
	struct esp_parts p = { .spi = 0x80000102, .seq = 0xfffffffe }, q;
	struct span back;
	uint8_t next;

	memset(payload, 0x5a, sizeof(payload));
	ck_assert_int_eq(esp_lay(&w, &s, &p, span_of(payload, sizeof(payload)), NEXT_IPV6), OK);
	ck_assert_int_eq(esp_split(buf, wr_len(&w), &s, &q), OK);
	ck_assert_uint_eq(q.spi, p.spi);
	ck_assert_uint_eq(q.seq, p.seq);
	ck_assert_ptr_eq(q.iv, p.iv);
	ck_assert_ptr_eq(q.text, p.text);
	ck_assert_uint_eq(q.text_len, p.text_len);
	ck_assert_ptr_eq(q.icv, p.icv);
	ck_assert(esp_trailer(span_of(q.text, q.text_len), &back, &next));
	ck_assert_uint_eq(next, NEXT_IPV6);
	ck_assert(span_eq(back, span_of(payload, sizeof(payload))));
}
END_TEST

START_TEST(a_cut_datagram_has_no_parts)
{
	struct shape s = shape_of(_i);
	uint8_t buf[300] = { 0 };
	size_t least = ESP_HEAD_LEN + (size_t)s.iv_len + s.align + s.icv_len;
	struct esp_parts p;

	for (size_t len = 0; len < sizeof(buf); len++) {
		bool whole = len >= least && (len - least) % s.align == 0;

		ck_assert_int_eq(esp_split(buf, len, &s, &p), whole ? OK : ERR_SYNTAX);
	}
}
END_TEST

START_TEST(no_room_is_an_error)
{
	struct shape s = shape_of(_i);
	uint8_t buf[200], payload[40] = { 0 };

	for (size_t room = 0; room < shape_sealed_len(&s, sizeof(payload)); room++) {
		struct wr w = wr_into(buf, room);
		struct esp_parts p = { .spi = 0x1000, .seq = 1 };

		ck_assert_int_eq(esp_lay(&w, &s, &p, span_of(payload, sizeof(payload)), NEXT_IPV4),
				 ERR_SPACE);
	}
}
END_TEST

static const struct {
	const char *why;
	uint8_t text[12];
	size_t len;
	bool good;
	size_t payload_len;
} trailers[] = {
	{ "no padding", { 9, 9, 0, 4 }, 4, true, 2 },
	{ "one byte", { 9, 1, 1, 4 }, 4, true, 1 },
	{ "all is padding", { 1, 2, 2, 59 }, 4, true, 0 },
	{ "pad length over the payload", { 1, 2, 3, 4 }, 4, false, 0 },
	{ "pad length of 255", { 1, 2, 3, 4, 5, 6, 255, 4 }, 8, false, 0 },
	{ "padding of zeros", { 9, 9, 9, 0, 0, 0, 3, 4 }, 8, false, 0 },
	{ "padding out of order", { 9, 9, 9, 1, 3, 2, 3, 4 }, 8, false, 0 },
	{ "only a trailer", { 0, 59 }, 2, true, 0 },
	{ "half a trailer", { 0 }, 1, false, 0 },
	{ "nothing", { 0 }, 0, false, 0 },
};

START_TEST(trailer_is_taken_off_or_refused)
{
	struct span payload;
	uint8_t next;

	ck_assert_msg(esp_trailer(span_of(trailers[_i].text, trailers[_i].len), &payload, &next) ==
			      trailers[_i].good,
		      "%s", trailers[_i].why);
	if (trailers[_i].good)
		ck_assert_uint_eq(payload.len, trailers[_i].payload_len);
}
END_TEST

START_TEST(aead_covers_the_whole_number_and_mac_its_high_half_behind)
{
	static const struct {
		int suite;
		bool esn;
		size_t aad_len, suffix_len;
	} cases[] = { { 0, false, 8, 0 },
		      { 0, true, 12, 0 },
		      { 3, false, 8, 0 },
		      { 3, true, 8, 4 } };
	struct shape s = shape_of(cases[_i].suite);
	struct esp_cover c;
	static const uint8_t aad_esn[] = { 0x80, 0, 1, 2, 0, 0, 0, 5, 0, 0, 0, 9 },
			     aad[] = { 0x80, 0, 1, 2, 0, 0, 0, 9 }, high[] = { 0, 0, 0, 5 };

	s.esn = cases[_i].esn;
	esp_cover(&c, &s, 0x80000102, (uint64_t)5 << 32 | 9);
	ck_assert(span_eq(c.aad_span,
			  cases[_i].aad_len == 12 ? span_of(aad_esn, 12) : span_of(aad, 8)));
	ck_assert(span_eq(c.suffix, span_of(high, cases[_i].suffix_len)));
}
END_TEST

START_TEST(integrity_is_never_missing_nor_double)
{
	static const struct {
		uint16_t encr, bits, integ;
	} cases[] = { { 12, 256, 0 }, { 20, 256, 12 }, { 3, 0, 12 },  { 20, 512, 0 },
		      { 12, 128, 1 }, { 0, 0, 0 },     { 11, 0, 12 }, { 20, 256, 999 } };
	struct sa_desc d = { .encr_id = cases[_i].encr,
			     .encr_key_bits = cases[_i].bits,
			     .integ_id = cases[_i].integ };
	struct shape s;

	ck_assert_int_eq(shape_from_desc(&d, &s), ERR_UNSUPPORTED);
}
END_TEST

UNIT("esp/packet")
{
	tcase_add_loop_test(tc, lengths_follow_from_the_suite, 0, KIT_SUITES);
	tcase_add_loop_test(tc, what_is_laid_is_cut_into_the_same_parts, 0, KIT_SUITES);
	tcase_add_loop_test(tc, a_cut_datagram_has_no_parts, 0, KIT_SUITES);
	tcase_add_loop_test(tc, no_room_is_an_error, 0, KIT_SUITES);
	tcase_add_loop_test(tc, trailer_is_taken_off_or_refused, 0,
			    (int)(sizeof(trailers) / sizeof(trailers[0])));
	tcase_add_loop_test(tc, aead_covers_the_whole_number_and_mac_its_high_half_behind, 0, 4);
	tcase_add_loop_test(tc, integrity_is_never_missing_nor_double, 0, 8);
}
