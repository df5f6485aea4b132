/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/header.h"

#include <string.h>

#include "tests/unit/unit.h"

/* A message that is all header: an INFORMATIONAL response of the original initiator. */
static const uint8_t plain[IKE_HEADER_LEN] = {
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
	0x17, 0x18, 0x00, 0x20, 0x25, 0x28, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x1c,
};

START_TEST(header_fields_stand_where_the_rfc_puts_them)
{
	struct ike_header h;

	ck_assert_int_eq(header_decode(span_of(plain, sizeof(plain)), &h), OK);
	ck_assert_uint_eq(h.spi_i, UINT64_C(0x0102030405060708));
	ck_assert_uint_eq(h.spi_r, UINT64_C(0x1112131415161718));
	ck_assert_uint_eq(h.next, PL_NONE);
	ck_assert_uint_eq(h.version, IKE_VERSION);
	ck_assert_uint_eq(h.exchange, X_INFORMATIONAL);
	ck_assert_uint_eq(h.message_id, 5);
	ck_assert_uint_eq(h.length, IKE_HEADER_LEN);
	ck_assert(header_is_response(&h));
	ck_assert(header_from_initiator(&h));
}
END_TEST

START_TEST(encoding_gives_the_same_bytes)
{
	uint8_t out[IKE_HEADER_LEN];
	struct wr w = wr_into(out, sizeof(out));
	struct ike_header h;

	ck_assert_int_eq(header_decode(span_of(plain, sizeof(plain)), &h), OK);
	header_encode(&w, &h);
	ck_assert(span_eq(wr_done(&w), span_of(plain, sizeof(plain))));
}
END_TEST

START_TEST(a_cut_header_is_refused_at_every_byte)
{
	struct ike_header h;

	for (size_t len = 0; len < sizeof(plain); len++)
		ck_assert_int_eq(header_decode(span_of(plain, len), &h), ERR_SYNTAX);
}
END_TEST

START_TEST(length_must_be_the_datagrams)
{
	static const uint32_t lies[] = { 0, 1, 27, 29, 0x10000, UINT32_MAX };
	uint8_t b[IKE_HEADER_LEN];
	struct wr w = wr_into(b, sizeof(b));
	struct ike_header h;

	wr_span(&w, span_of(plain, sizeof(plain)));
	wr_fill_u32(&w, 24, lies[_i]);
	ck_assert_int_eq(header_decode(span_of(b, sizeof(b)), &h), ERR_SYNTAX);
}
END_TEST

START_TEST(only_major_version_two_is_read)
{
	uint8_t b[IKE_HEADER_LEN];
	struct ike_header h;

	memcpy(b, plain, sizeof(b));
	for (unsigned int v = 0; v <= UINT8_MAX; v++) {
		b[17] = (uint8_t)v;
		ck_assert_int_eq(header_decode(span_of(b, sizeof(b)), &h),
				 v >> 4 == 2 ? OK : ERR_VERSION);
		ck_assert_uint_eq(h.version, v);
		ck_assert_uint_eq(h.message_id, 5);
	}
}
END_TEST

START_TEST(initiator_spi_zero_is_refused)
{
	uint8_t b[IKE_HEADER_LEN];
	struct ike_header h;

	memcpy(b, plain, sizeof(b));
	memset(b, 0, IKE_SPI_LEN);
	ck_assert_int_eq(header_decode(span_of(b, sizeof(b)), &h), ERR_SYNTAX);
}
END_TEST

START_TEST(datagrams_in_a_row_are_told_apart)
{
	uint8_t two[2 * IKE_HEADER_LEN + 4] = { 0 };
	struct wr w = wr_into(two, sizeof(two));
	struct span d;
	struct rd r;

	wr_span(&w, span_of(plain, sizeof(plain)));
	wr_span(&w, span_of(plain, sizeof(plain)));
	wr_u32(&w, 0xaabbccdd);
	wr_fill_u32(&w, IKE_HEADER_LEN + 24, IKE_HEADER_LEN + 4);
	r = rd_from(wr_done(&w));
	ck_assert(header_split(&r, &d));
	ck_assert_uint_eq(d.len, IKE_HEADER_LEN);
	ck_assert(header_split(&r, &d));
	ck_assert_uint_eq(d.len, IKE_HEADER_LEN + 4);
	ck_assert(!header_split(&r, &d));
	ck_assert(rd_end(&r));
}
END_TEST

START_TEST(a_row_that_lies_about_lengths_ends)
{
	static const uint32_t lies[] = { 0, 1, 27, 29, UINT32_MAX };
	uint8_t b[IKE_HEADER_LEN];
	struct wr w = wr_into(b, sizeof(b));
	struct span d;
	struct rd r;

	wr_span(&w, span_of(plain, sizeof(plain)));
	wr_fill_u32(&w, 24, lies[_i]);
	r = rd_from(wr_done(&w));
	ck_assert(!header_split(&r, &d));
	ck_assert_uint_eq(d.len, 0);
}
END_TEST

UNIT("ike/header")
{
	tcase_add_test(tc, header_fields_stand_where_the_rfc_puts_them);
	tcase_add_test(tc, encoding_gives_the_same_bytes);
	tcase_add_test(tc, a_cut_header_is_refused_at_every_byte);
	tcase_add_loop_test(tc, length_must_be_the_datagrams, 0, 6);
	tcase_add_test(tc, only_major_version_two_is_read);
	tcase_add_test(tc, initiator_spi_zero_is_refused);
	tcase_add_test(tc, datagrams_in_a_row_are_told_apart);
	tcase_add_loop_test(tc, a_row_that_lies_about_lengths_ends, 0, 5);
}
