/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema.h"
#include "tests/unit/unit.h"

START_TEST(slips_are_counted_like_a_person_makes_them)
{
	ck_assert_uint_eq(word_distance("address", "address"), 0);
	ck_assert_uint_eq(word_distance("adress", "address"), 1);
	ck_assert_uint_eq(word_distance("addresss", "address"), 1);
	ck_assert_uint_eq(word_distance("addrses", "address"), 1);
	ck_assert_uint_eq(word_distance("abdress", "address"), 1);
	ck_assert_uint_eq(word_distance("", "abc"), 3);
	ck_assert_uint_eq(word_distance("abc", ""), 3);
	ck_assert_uint_eq(word_distance("local", "remote"), 4);
	ck_assert_uint_eq(word_distance("a-word-of-more-than-thirty-one-letters",
					"a-word-of-more-than-thirty-one-letters"),
			  4);
}
END_TEST

START_TEST(only_what_is_near_is_suggested)
{
	ck_assert_str_eq(schema_suggest(SCHEMA_CONNECTION, "adress"), "address");
	ck_assert_str_eq(schema_suggest(SCHEMA_CONNECTION, "pskfile"), "psk_file");
	ck_assert_str_eq(schema_suggest(SCHEMA_CONNECTION, "identiy"), "identity");
	ck_assert_str_eq(schema_suggest(SCHEMA_CHILD, "remot"), "remote");
	ck_assert_str_eq(schema_suggest(SCHEMA_ME, "certificat"), "certificate");
	ck_assert_ptr_null(schema_suggest(SCHEMA_CHILD, "adress"));
	ck_assert_ptr_null(schema_suggest(SCHEMA_CONNECTION, "x"));
	ck_assert_ptr_null(schema_suggest(SCHEMA_CONNECTION, "esn_window"));
}
END_TEST

UNIT("conf/suggest")
{
	tcase_add_test(tc, slips_are_counted_like_a_person_makes_them);
	tcase_add_test(tc, only_what_is_near_is_suggested);
}
