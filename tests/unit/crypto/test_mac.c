/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mac.h"

#include <string.h>

#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

static const struct mac_algo xcbc = { BY_XCBC, "AES-128-CBC", 16 };
static const struct mac_algo cmac = { BY_CMAC, "AES-128-CBC", 16 };

/* RFC 3566 4.5, with the key 00 01 ... 0f; the fourth is RFC 4434 2.1's first, too */
static const struct {
	const char *text;
	const char *mac;
} xcbc_cases[] = {
	{ "", "75f0251d528ac01c4573dfd584d79f29" },
	{ "000102", "5b376580ae2f19afe7219ceef172756f" },
	{ "000102030405060708090a0b0c0d0e0f", "d2a246fa349b68a79998a4394ff7a263" },
	{ "000102030405060708090a0b0c0d0e0f10111213", "47f51b4564966215b8985c63055ed308" },
	{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	  "f54f0ec8d2b9f3d36807734bd5283fd4" },
	{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021",
	  "becbb3bccdb518a30677d5481fb6b4d8" },
};

enum { N_XCBC_CASES = sizeof(xcbc_cases) / sizeof(xcbc_cases[0]) };

static struct mac *xcbc_keyed(void)
{
	const struct hex key = hex("000102030405060708090a0b0c0d0e0f");
	struct mac *m;

	ck_assert_int_eq(mac_new(&xcbc, hex_span(&key), &m), OK);
	return m;
}

/* Cut in three anywhere, it is the same text; and one after the other, the key stays. */
START_TEST(xcbc_is_that_of_rfc_3566)
{
	const struct hex text = hex(xcbc_cases[_i].text);
	const struct span whole = hex_span(&text);
	struct mac *m = xcbc_keyed();
	uint8_t out[16];

	for (size_t at = 0; at <= whole.len; at++) {
		for (size_t to = at; to <= whole.len; to++) {
			const struct span parts[] = {
				span_head(whole, at),
				span_head(span_tail(whole, at), to - at),
				span_tail(whole, to),
			};

			ck_assert_int_eq(mac_parts(m, parts, 3, out), OK);
			hex_expect(xcbc_cases[_i].mac, span_of(out, sizeof(out)));
		}
	}
	mac_free(m);
}
END_TEST

START_TEST(xcbc_of_1000_zeros_is_that_of_rfc_3566)
{
	static const uint8_t zeros[1000];
	const struct span text = span_of(zeros, sizeof(zeros));
	struct mac *m = xcbc_keyed();
	uint8_t out[16];

	ck_assert_int_eq(mac_parts(m, &text, 1, out), OK);
	hex_expect("f0dafee895db30253761103b5d84528f", span_of(out, sizeof(out)));
	ck_assert_int_eq(mac_parts(m, NULL, 0, out), OK);
	hex_expect(xcbc_cases[0].mac, span_of(out, sizeof(out)));
	mac_free(m);
}
END_TEST

START_TEST(macs_by_a_cipher_take_its_keys_alone)
{
	static const uint8_t key[65];
	struct mac *m;

	for (size_t len = 0; len < sizeof(key); len++) {
		ck_assert_int_eq(mac_new(&xcbc, span_of(key, len), &m) == OK, len == 16);
		ck_assert_int_eq(m != NULL, len == 16);
		mac_free(m);
		ck_assert_int_eq(mac_new(&cmac, span_of(key, len), &m) == OK, len == 16);
		ck_assert_int_eq(m != NULL, len == 16);
		mac_free(m);
		ck_assert_int_eq(mac_new(&hmac_sha256, span_of(key, len), &m), OK);
		mac_free(m);
	}
}
END_TEST

UNIT("crypto/mac")
{
	tcase_add_loop_test(tc, xcbc_is_that_of_rfc_3566, 0, N_XCBC_CASES);
	tcase_add_test(tc, xcbc_of_1000_zeros_is_that_of_rfc_3566);
	tcase_add_test(tc, macs_by_a_cipher_take_its_keys_alone);
}
