/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <string.h>

#include "tests/unit/unit.h"

/* A TLV format as IKE has them: two bytes, then a length of two bytes that counts its own header of
 * four. */
enum { HDR = 4, BODY = 8, WHOLE = HDR + BODY };

/* Whether the whole of `s` is well-formed, and how many elements were looked at. */
static bool tlv_walk(struct span s, size_t *rounds)
{
	struct rd r = rd_from(s);

	for (*rounds = 0; rd_left(&r) > 0; (*rounds)++) {
		size_t len;

		rd_skip(&r, 2);
		len = rd_u16(&r);
		if (len < HDR)
			rd_fail(&r);
		(void)rd_take(&r, len - HDR);
	}
	return rd_end(&r);
}

/* Lengths of zero and below the header have underflown in other people's parsers, and walked for
 * ever. */
static const struct {
	uint16_t len;
	bool good;
} tlv_lengths[] = {
	{ 0, false },	 { 1, false },	       { HDR - 1, false },
	{ WHOLE, true }, { WHOLE + 1, false }, { UINT16_MAX, false },
};

START_TEST(a_length_that_lies_is_refused_and_the_walk_ends)
{
	uint16_t len = tlv_lengths[_i].len;
	uint8_t b[WHOLE] = { [2] = (uint8_t)(len >> 8), [3] = (uint8_t)len };
	size_t rounds;

	ck_assert_int_eq(tlv_walk(span_of(b, sizeof(b)), &rounds), tlv_lengths[_i].good);
	ck_assert_uint_eq(rounds, 1);
}
END_TEST

START_TEST(a_header_alone_is_an_element)
{
	static const uint8_t b[] = { 0, 0, 0, HDR, 0, 0, 0, HDR };
	size_t rounds;

	ck_assert(tlv_walk(span_of(b, sizeof(b)), &rounds));
	ck_assert_uint_eq(rounds, 2);
}
END_TEST

START_TEST(reads_are_big_endian)
{
	static const uint8_t b[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct rd r = rd_from(span_of(b, sizeof(b)));

	ck_assert_uint_eq(rd_u8(&r), 1);
	ck_assert_uint_eq(rd_u16(&r), 0x0203);
	ck_assert_uint_eq(rd_u32(&r), 0x04050607);
	ck_assert_uint_eq(rd_u64(&r), 0x08090a0b0c0d0e0f);
	ck_assert(rd_end(&r));
}
END_TEST

START_TEST(a_broken_reader_stays_broken)
{
	static const uint8_t b[] = { 1, 2, 3 };
	struct rd r = rd_from(span_of(b, sizeof(b)));
	uint8_t to[2] = { 9, 9 };

	ck_assert_uint_eq(rd_u32(&r), 0);
	ck_assert(!rd_ok(&r));
	ck_assert(!rd_end(&r));
	ck_assert_uint_eq(rd_u8(&r), 0);
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert_uint_eq(rd_take(&r, 1).len, 0);
	ck_assert_uint_eq(rd_rest(&r).len, 0);
	rd_copy(&r, to, sizeof(to));
	ck_assert_uint_eq(to[0] + to[1], 0);
	rd_skip(&r, 0);
	ck_assert(!rd_ok(&r));
}
END_TEST

/* Of `n` bytes every length up to n can be taken, and none above it, however large. */
START_TEST(a_reader_gives_what_is_there_and_no_more)
{
	uint8_t b[16] = { 0 };
	size_t beyond[] = { (size_t)_i + 1, SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1 };

	for (size_t len = 0; len <= (size_t)_i; len++) {
		struct rd r = rd_from(span_of(b, (size_t)_i));

		ck_assert_uint_eq(rd_take(&r, len).len, len);
		ck_assert(rd_ok(&r));
		ck_assert_uint_eq(rd_left(&r), (size_t)_i - len);
	}
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		struct rd r = rd_from(span_of(b, (size_t)_i));

		ck_assert_uint_eq(rd_take(&r, beyond[i]).len, 0);
		ck_assert(!rd_ok(&r));
	}
}
END_TEST

START_TEST(nothing_to_read_is_an_end_and_no_failure)
{
	struct rd r = rd_from(SPAN_EMPTY);

	ck_assert(rd_end(&r));
	ck_assert_uint_eq(rd_rest(&r).len, 0);
	ck_assert(rd_end(&r));
	rd_copy(&r, NULL, 0);
	ck_assert(rd_end(&r));
	ck_assert_uint_eq(rd_u8(&r), 0);
	ck_assert(!rd_ok(&r));
}
END_TEST

START_TEST(bytes_without_an_address_are_a_broken_reader_and_writer)
{
	struct rd r = rd_from(span_of(NULL, 5));
	struct wr w = wr_into(NULL, 5);

	ck_assert(!rd_ok(&r));
	ck_assert(!wr_ok(&w));
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
	uint8_t b[64];
	struct wr w = wr_into(b, sizeof(b));
	struct rd r;

	wr_u8(&w, 0xab);
	wr_u16(&w, 0xcdef);
	wr_u32(&w, 0x01234567);
	wr_u64(&w, UINT64_MAX - 1);
	wr_span(&w, span_str("bytes"));
	wr_zero(&w, 2);
	r = rd_from(wr_done(&w));
	ck_assert_uint_eq(rd_u8(&r), 0xab);
	ck_assert_uint_eq(rd_u16(&r), 0xcdef);
	ck_assert_uint_eq(rd_u32(&r), 0x01234567);
	ck_assert_uint_eq(rd_u64(&r), UINT64_MAX - 1);
	ck_assert(span_eq(rd_take(&r, 5), span_str("bytes")));
	ck_assert_uint_eq(rd_u16(&r), 0);
	ck_assert(rd_end(&r));
}
END_TEST

START_TEST(a_writer_never_passes_its_end)
{
	uint8_t b[8];
	struct wr w = wr_into(b, 4);

	memset(b, 0x55, sizeof(b));
	wr_u16(&w, 1);
	wr_u32(&w, 0xffffffff);
	ck_assert(!wr_ok(&w));
	wr_u8(&w, 7);
	ck_assert_uint_eq(wr_len(&w), 0);
	ck_assert_uint_eq(wr_left(&w), 0);
	ck_assert_uint_eq(wr_done(&w).len, 0);
	ck_assert_ptr_null(wr_take(&w, 0));
	for (size_t i = 2; i < sizeof(b); i++)
		ck_assert_uint_eq(b[i], 0x55);
}
END_TEST

START_TEST(a_writer_refuses_lengths_that_would_wrap)
{
	uint8_t b[8];
	size_t lens[] = { 9, SIZE_MAX, SIZE_MAX - 7 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct wr w = wr_into(b, sizeof(b));

		ck_assert_ptr_null(wr_take(&w, lens[i]));
		ck_assert(!wr_ok(&w));
	}
}
END_TEST

START_TEST(a_writer_without_room_takes_nothing_and_is_whole)
{
	struct wr w = wr_into(NULL, 0);

	wr_span(&w, SPAN_EMPTY);
	wr_zero(&w, 0);
	ck_assert(wr_ok(&w));
	ck_assert_uint_eq(wr_done(&w).len, 0);
	wr_u8(&w, 1);
	ck_assert(!wr_ok(&w));
}
END_TEST

START_TEST(a_length_field_is_filled_in_later)
{
	static const uint8_t want[] = { 9, 0, 5, 1, 2, 3 };
	uint8_t b[16];
	struct wr w = wr_into(b, sizeof(b));
	size_t from, at;

	wr_u8(&w, 9);
	from = wr_len(&w);
	at = wr_hole_u16(&w);
	wr_span(&w, span_of(want + 3, 3));
	wr_fill_len16(&w, at, from);
	ck_assert(span_eq(wr_done(&w), span_of(want, sizeof(want))));
}
END_TEST

START_TEST(only_what_was_written_may_be_filled)
{
	uint8_t b[16];
	size_t ats[] = { 3, 4, 5, 15, SIZE_MAX, SIZE_MAX - 1 };

	for (size_t i = 0; i < sizeof(ats) / sizeof(ats[0]); i++) {
		struct wr w = wr_into(b, sizeof(b));

		wr_u32(&w, 0);
		wr_fill_u16(&w, 2, 0xffff);
		wr_fill_u8(&w, 3, 1);
		wr_fill_u32(&w, 0, 2);
		ck_assert(wr_ok(&w));
		wr_fill_u16(&w, ats[i], 0xffff);
		ck_assert(!wr_ok(&w));
	}
}
END_TEST

START_TEST(a_length_over_65535_breaks_the_writer)
{
	static uint8_t b[UINT16_MAX + 8];
	struct wr w = wr_into(b, sizeof(b));
	size_t at = wr_hole_u16(&w);

	wr_zero(&w, UINT16_MAX - 2);
	wr_fill_len16(&w, at, 0);
	ck_assert(wr_ok(&w));
	wr_u8(&w, 0);
	wr_fill_len16(&w, at, 0);
	ck_assert(!wr_ok(&w));
	w = wr_into(b, sizeof(b));
	wr_u16(&w, 0);
	wr_fill_len16(&w, 0, 3); /* from beyond here */
	ck_assert(!wr_ok(&w));
}
END_TEST

START_TEST(spans_are_cut_at_their_ends)
{
	struct span s = span_str("abcd");

	ck_assert_uint_eq(span_head(s, 0).len, 0);
	ck_assert_uint_eq(span_head(s, SIZE_MAX).len, 4);
	ck_assert(span_eq(span_tail(s, 1), span_str("bcd")));
	ck_assert_uint_eq(span_tail(s, 4).len, 0);
	ck_assert_uint_eq(span_tail(s, SIZE_MAX).len, 0);
	ck_assert_uint_eq(span_head(SPAN_EMPTY, 3).len, 0);
}
END_TEST

START_TEST(the_two_orders_of_spans)
{
	ck_assert_int_lt(span_cmp(span_str("z"), span_str("aa")), 0);
	ck_assert_int_gt(span_order_bytes(span_str("z"), span_str("aa")), 0);
	ck_assert_int_lt(span_order_bytes(span_str("a"), span_str("aa")), 0);
	ck_assert_int_gt(span_order_bytes(span_str("aa"), span_str("a")), 0);
	ck_assert_int_eq(span_order_bytes(SPAN_EMPTY, SPAN_EMPTY), 0);
	ck_assert_int_lt(span_order_bytes(SPAN_EMPTY, span_str("a")), 0);
	ck_assert_int_eq(span_cmp(SPAN_EMPTY, span_str("")), 0);
	ck_assert_int_gt(span_cmp(span_of("\xff", 1), span_of("\x01", 1)), 0);
	ck_assert(!span_eq(span_str("a"), span_str("b")));
}
END_TEST

UNIT("base/bytes")
{
	tcase_add_loop_test(tc, a_length_that_lies_is_refused_and_the_walk_ends, 0,
			    sizeof(tlv_lengths) / sizeof(tlv_lengths[0]));
	tcase_add_test(tc, a_header_alone_is_an_element);
	tcase_add_test(tc, reads_are_big_endian);
	tcase_add_test(tc, a_broken_reader_stays_broken);
	tcase_add_loop_test(tc, a_reader_gives_what_is_there_and_no_more, 0, 17);
	tcase_add_test(tc, nothing_to_read_is_an_end_and_no_failure);
	tcase_add_test(tc, bytes_without_an_address_are_a_broken_reader_and_writer);
	tcase_add_test(tc, what_is_written_is_read_back);
	tcase_add_test(tc, a_writer_never_passes_its_end);
	tcase_add_test(tc, a_writer_refuses_lengths_that_would_wrap);
	tcase_add_test(tc, a_writer_without_room_takes_nothing_and_is_whole);
	tcase_add_test(tc, a_length_field_is_filled_in_later);
	tcase_add_test(tc, only_what_was_written_may_be_filled);
	tcase_add_test(tc, a_length_over_65535_breaks_the_writer);
	tcase_add_test(tc, spans_are_cut_at_their_ends);
	tcase_add_test(tc, the_two_orders_of_spans);
}
