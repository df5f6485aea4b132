/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

START_TEST(secrets_differ_at_any_byte)
{
	uint8_t a[33], b[33];

	memset(a, 7, sizeof(a));
	memcpy(b, a, sizeof(a));
	ck_assert(secret_eq(span_of(a, sizeof(a)), span_of(b, sizeof(b))));
	for (size_t i = 0; i < sizeof(b) * 8; i++) {
		b[i / 8] = (uint8_t)(b[i / 8] ^ 1u << i % 8);
		ck_assert(!secret_eq(span_of(a, sizeof(a)), span_of(b, sizeof(b))));
		memcpy(b, a, sizeof(a));
	}
}
END_TEST

START_TEST(secrets_of_different_length_differ)
{
	ck_assert(!secret_eq(span_str("abc"), span_str("ab")));
	ck_assert(!secret_eq(SPAN_EMPTY, span_str("a")));
	ck_assert(secret_eq(SPAN_EMPTY, SPAN_EMPTY));
}
END_TEST

START_TEST(wiped_memory_is_zero)
{
	uint8_t b[40];

	memset(b, 0xff, sizeof(b));
	secret_wipe(b + 4, 32);
	for (size_t i = 0; i < sizeof(b); i++)
		ck_assert_uint_eq(b[i], i >= 4 && i < 36 ? 0 : 0xff);
	secret_wipe(NULL, 0);
	secret_free(NULL, 0);
	secret_free(calloc(1, 8), 8);
}
END_TEST

START_TEST(a_key_takes_up_to_its_maximum)
{
	static const uint8_t long_key[KEY_MAX + 1] = { 1 };
	struct key k;

	ck_assert(key_set(&k, SPAN_EMPTY));
	ck_assert_uint_eq(key_span(&k).len, 0);
	ck_assert(key_set(&k, span_of(long_key, KEY_MAX)));
	ck_assert(span_eq(key_span(&k), span_of(long_key, KEY_MAX)));
	ck_assert(!key_set(&k, span_of(long_key, KEY_MAX + 1)));
	ck_assert_uint_eq(key_span(&k).len, 0);
	ck_assert_uint_eq(k.b[0], 0);
	k.len = UINT8_MAX;
	ck_assert_uint_eq(key_span(&k).len, KEY_MAX);
}
END_TEST

START_TEST(a_shorter_key_leaves_nothing_of_the_longer_one)
{
	struct key k;

	ck_assert(key_set(&k, span_str("a long key of some bytes")));
	ck_assert(key_set(&k, span_str("b")));
	for (size_t i = 1; i < sizeof(k.b); i++)
		ck_assert_uint_eq(k.b[i], 0);
}
END_TEST

UNIT("base/secret")
{
	tcase_add_test(tc, secrets_differ_at_any_byte);
	tcase_add_test(tc, secrets_of_different_length_differ);
	tcase_add_test(tc, wiped_memory_is_zero);
	tcase_add_test(tc, a_key_takes_up_to_its_maximum);
	tcase_add_test(tc, a_shorter_key_leaves_nothing_of_the_longer_one);
}
