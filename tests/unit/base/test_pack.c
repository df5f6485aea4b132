/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pack.h"

#include <string.h>

#include "tests/unit/unit.h"

START_TEST(a_bool_is_zero_or_one)
{
	for (unsigned int v = 0; v < 256; v++) {
		uint8_t b = (uint8_t)v;
		struct rd r = rd_from(span_of(&b, 1));

		ck_assert_int_eq(unpack_bool(&r), v == 1);
		ck_assert_int_eq(rd_ok(&r), v < 2);
	}
}
END_TEST

START_TEST(a_value_beyond_the_enum_breaks_the_reader)
{
	for (unsigned int v = 0; v < 256; v++) {
		uint8_t b = (uint8_t)v;
		struct rd r = rd_from(span_of(&b, 1));

		ck_assert_uint_eq(unpack_enum(&r, 5), v < 5 ? v : 0);
		ck_assert_int_eq(rd_ok(&r), v < 5);
	}
}
END_TEST

START_TEST(a_span_over_its_bound_breaks_the_reader)
{
	static const uint8_t b[] = { 0, 0, 0, 2, 'a', 'b' };
	struct rd r = rd_from(span_of(b, sizeof(b)));

	ck_assert(span_eq(unpack_span(&r, 2), span_str("ab")));
	r = rd_from(span_of(b, sizeof(b)));
	ck_assert_uint_eq(unpack_span(&r, 1).len, 0);
	ck_assert(!rd_ok(&r));
	r = rd_from(span_of("\xff\xff\xff\xff", 4));
	ck_assert_uint_eq(unpack_span(&r, SIZE_MAX).len, 0);
	ck_assert(!rd_ok(&r));
}
END_TEST

START_TEST(text_is_terminated_and_has_no_nul_inside)
{
	static const struct {
		const char *wire;
		size_t len;
		bool good;
	} cases[] = {
		{ "\0\0\0\0", 4, true },      { "\0\0\0\3abc", 7, true },
		{ "\0\0\0\4abcd", 8, false }, { "\0\0\0\3a\0c", 7, false },
		{ "\0\0\0\3ab", 6, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rd r = rd_from(span_of(cases[i].wire, cases[i].len));
		char text[4];

		memset(text, 'z', sizeof(text));
		unpack_text(&r, text, sizeof(text));
		ck_assert_int_eq(rd_ok(&r), cases[i].good);
		ck_assert_uint_eq(strlen(text), cases[i].good ? cases[i].len - 4 : 0);
	}
}
END_TEST

START_TEST(only_addresses_are_unpacked_as_addresses)
{
	for (unsigned int len = 0; len <= 20; len++) {
		uint8_t b[21] = { (uint8_t)len };
		struct rd r = rd_from(span_of(b, len + 1));
		struct addr a = unpack_addr(&r);

		ck_assert_int_eq(rd_end(&r), len == 0 || len == 4 || len == 16);
		ck_assert_uint_eq(addr_len(&a), rd_ok(&r) ? len : 0);
	}
}
END_TEST

START_TEST(an_ipv4_address_has_one_packed_form)
{
	static const uint8_t mapped[] = { 16, [11] = 0xff, 0xff, 192, 0, 2, 1 };
	struct rd r = rd_from(span_of(mapped, sizeof(mapped)));
	struct addr a = unpack_addr(&r);

	ck_assert(!rd_ok(&r));
	ck_assert_int_eq(a.family, AF_UNSPEC);
}
END_TEST

START_TEST(a_key_over_its_maximum_breaks_the_reader)
{
	uint8_t b[4 + KEY_MAX + 1] = { [3] = KEY_MAX + 1 };
	struct rd r = rd_from(span_of(b, sizeof(b)));
	struct key k = unpack_key(&r);

	ck_assert(!rd_ok(&r));
	ck_assert_uint_eq(k.len, 0);
}
END_TEST

START_TEST(selectors_that_are_none_break_the_reader)
{
	uint8_t b[64];
	struct wr w = wr_into(b, sizeof(b));
	struct ts t = { .port_lo = 2, .port_hi = 1 };
	struct ts_list l = { 1, &t };
	struct ts_list back;
	struct rd r;

	ck_assert(addr_parse("10.0.0.1", &t.lo) && addr_parse("10.0.0.2", &t.hi));
	pack_ts_list(&w, &l);
	r = rd_from(wr_done(&w));
	ck_assert_int_eq(unpack_ts_list(&r, &back), ERR_SYNTAX);
	ck_assert_ptr_null(back.v);
}
END_TEST

START_TEST(an_identity_is_judged_as_from_the_wire)
{
	static const uint8_t none[] = { 0, 0, 0, 0, 0 };
	static const uint8_t short_v4[] = { ID_IPV4_ADDR, 0, 0, 0, 3, 1, 2, 3 };
	struct rd r = rd_from(span_of(none, sizeof(none)));
	struct identity id = unpack_identity(&r);

	ck_assert(rd_end(&r));
	ck_assert_uint_eq(id.type, ID_NONE);
	r = rd_from(span_of(short_v4, sizeof(short_v4)));
	id = unpack_identity(&r);
	ck_assert(!rd_ok(&r));
	ck_assert_uint_eq(id.type, ID_NONE);
}
END_TEST

UNIT("base/pack")
{
	tcase_add_test(tc, a_bool_is_zero_or_one);
	tcase_add_test(tc, a_value_beyond_the_enum_breaks_the_reader);
	tcase_add_test(tc, a_span_over_its_bound_breaks_the_reader);
	tcase_add_test(tc, text_is_terminated_and_has_no_nul_inside);
	tcase_add_test(tc, only_addresses_are_unpacked_as_addresses);
	tcase_add_test(tc, an_ipv4_address_has_one_packed_form);
	tcase_add_test(tc, a_key_over_its_maximum_breaks_the_reader);
	tcase_add_test(tc, selectors_that_are_none_break_the_reader);
	tcase_add_test(tc, an_identity_is_judged_as_from_the_wire);
}
