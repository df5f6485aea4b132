/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/cookie.h"

#include <string.h>

#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

static uint8_t secrets[4][COOKIE_SECRET_LEN];

static struct cookie_claim claim_of(const char *addr)
{
	struct cookie_claim c = { .ni = span_str("nonce-nonce-nonce"),
				  .spi_i = UINT64_C(0xa1a2a3a4a5a6a7a8) };

	ck_assert(addr_parse(addr, &c.source));
	for (size_t i = 0; i < sizeof(secrets); i++)
		secrets[i / COOKIE_SECRET_LEN][i % COOKIE_SECRET_LEN] = (uint8_t)i;
	return c;
}

START_TEST(a_cookie_is_version_and_mac_of_spi_address_nonce)
{
	struct cookie_claim c = claim_of("192.0.2.1");
	struct cookie_jar j = { 0 };
	uint8_t cookie[COOKIE_LEN];

	cookie_rotate(&j, secrets[0], 0);
	ck_assert_int_eq(cookie_make(&j, &c, cookie), OK);
	hex_expect("01 1c4e15abd1a1e090988e3bd0038c8a12",
		   span_of(cookie, sizeof(cookie)));
	ck_assert(cookie_check(&j, &c, span_of(cookie, sizeof(cookie)), 1));
}
END_TEST

START_TEST(an_empty_jar_makes_and_takes_nothing)
{
	struct cookie_claim c = claim_of("192.0.2.1");
	struct cookie_jar j = { 0 };
	uint8_t cookie[COOKIE_LEN] = { 0 };

	ck_assert(cookie_stale(&j, 0));
	ck_assert_int_eq(cookie_make(&j, &c, cookie), ERR_UNEXPECTED);
	ck_assert(!cookie_check(&j, &c, span_of(cookie, sizeof(cookie)), 0));
}
END_TEST

START_TEST(a_cookie_is_bound_to_all_of_its_claim)
{
	struct cookie_claim c = claim_of("192.0.2.1"), d;
	struct cookie_jar j = { 0 };
	uint8_t cookie[COOKIE_LEN];

	cookie_rotate(&j, secrets[0], 0);
	ck_assert_int_eq(cookie_make(&j, &c, cookie), OK);
	d = claim_of("192.0.2.2");
	ck_assert(!cookie_check(&j, &d, span_of(cookie, sizeof(cookie)), 0));
	d = c;
	d.spi_i++;
	ck_assert(!cookie_check(&j, &d, span_of(cookie, sizeof(cookie)), 0));
	d = c;
	d.ni = span_str("nonce-nonce-noncf");
	ck_assert(!cookie_check(&j, &d, span_of(cookie, sizeof(cookie)), 0));
}
END_TEST

START_TEST(any_changed_bit_or_length_is_refused)
{
	struct cookie_claim c = claim_of("2001:db8::1");
	struct cookie_jar j = { 0 };
	uint8_t cookie[COOKIE_LEN + 1] = { 0 };

	cookie_rotate(&j, secrets[0], 0);
	cookie_rotate(&j, secrets[1], 1);
	ck_assert_int_eq(cookie_make(&j, &c, cookie), OK);
	for (size_t bit = 0; bit < COOKIE_LEN * 8; bit++) {
		cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert(!cookie_check(&j, &c, span_of(cookie, COOKIE_LEN), 2));
		cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len <= sizeof(cookie); len++)
		ck_assert_int_eq(cookie_check(&j, &c, span_of(cookie, len), 2), len == COOKIE_LEN);
}
END_TEST

START_TEST(a_cookie_lives_for_one_to_two_periods)
{
	struct cookie_claim c = claim_of("192.0.2.1");
	struct cookie_jar j = { 0 };
	uint8_t cookie[COOKIE_LEN];
	struct span s = span_of(cookie, sizeof(cookie));

	cookie_rotate(&j, secrets[0], 0);
	ck_assert_int_eq(cookie_make(&j, &c, cookie), OK);
	ck_assert(!cookie_stale(&j, COOKIE_PERIOD - 1));
	ck_assert(cookie_stale(&j, COOKIE_PERIOD));
	cookie_rotate(&j, secrets[1], COOKIE_PERIOD);
	ck_assert(cookie_check(&j, &c, s, COOKIE_PERIOD));
	ck_assert(cookie_check(&j, &c, s, 2 * COOKIE_PERIOD - 1));
	ck_assert(!cookie_check(&j, &c, s, 2 * COOKIE_PERIOD));
	cookie_rotate(&j, secrets[2], 2 * COOKIE_PERIOD);
	ck_assert(!cookie_check(&j, &c, s, 2 * COOKIE_PERIOD));
}
END_TEST

START_TEST(a_late_rotation_does_not_make_cookies_live_longer)
{
	struct cookie_claim c = claim_of("192.0.2.1");
	struct cookie_jar j = { 0 };
	uint8_t cookie[COOKIE_LEN];
	struct span s = span_of(cookie, sizeof(cookie));

	cookie_rotate(&j, secrets[0], 0);
	ck_assert_int_eq(cookie_make(&j, &c, cookie), OK);
	ck_assert(!cookie_check(&j, &c, s, 2 * COOKIE_PERIOD));
	cookie_rotate(&j, secrets[1], 5 * COOKIE_PERIOD);
	ck_assert(!cookie_check(&j, &c, s, 5 * COOKIE_PERIOD));
}
END_TEST

START_TEST(the_version_may_turn_over)
{
	struct cookie_claim c = claim_of("192.0.2.1");
	struct cookie_jar j = { 0 };
	uint8_t cookie[COOKIE_LEN];
	mono_ns now = 0;

	for (unsigned int i = 0; i < 600; i++, now += COOKIE_PERIOD) {
		cookie_rotate(&j, secrets[i % 4], now);
		if (i > 0)
			ck_assert(cookie_check(&j, &c, span_of(cookie, sizeof(cookie)), now));
		ck_assert_int_eq(cookie_make(&j, &c, cookie), OK);
	}
}
END_TEST

UNIT("ike/cookie")
{
	tcase_add_test(tc, a_cookie_is_version_and_mac_of_spi_address_nonce);
	tcase_add_test(tc, an_empty_jar_makes_and_takes_nothing);
	tcase_add_test(tc, a_cookie_is_bound_to_all_of_its_claim);
	tcase_add_test(tc, any_changed_bit_or_length_is_refused);
	tcase_add_test(tc, a_cookie_lives_for_one_to_two_periods);
	tcase_add_test(tc, a_late_rotation_does_not_make_cookies_live_longer);
	tcase_add_test(tc, the_version_may_turn_over);
}
