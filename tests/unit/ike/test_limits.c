/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds on strangers, backoff, and SPIs. */
#include <string.h>

#include "ike/limits.h"
#include "ike/retransmit.h"
#include "ike/spi.h"
#include "tests/unit/unit.h"

static struct addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct addr){ .family = AF_INET, .b = { a, b, c, d } };
}

START_TEST(a_source_network_has_its_own_bound)
{
	struct limits l = { .half_open = 0 };
	struct addr a = v4(192, 0, 2, 1), same = v4(192, 0, 2, 200), other = v4(192, 0, 3, 1);

	for (int i = 0; i < SOURCE_COOKIE; i++) {
		ck_assert(!limits_want_cookie(&l, &a, 500));
		limits_opened(&l, &a);
	}
	ck_assert(limits_want_cookie(&l, &same, 500));
	ck_assert(!limits_want_cookie(&l, &other, 500));
	limits_closed(&l, &a);
	ck_assert(!limits_want_cookie(&l, &same, 500));
}
END_TEST

START_TEST(a_long_request_needs_a_cookie)
{
	struct limits l = { .half_open = 0 };
	struct addr a = v4(192, 0, 2, 1);

	ck_assert(!limits_want_cookie(&l, &a, INIT_LEN_FREE));
	ck_assert(limits_want_cookie(&l, &a, INIT_LEN_FREE + 1));
}
END_TEST

/* Found by attack: 250 half-open SAs of a neighbour locked a peer out for a minute. */
START_TEST(a_neighbour_does_not_lock_out)
{
	struct limits l = { .half_open = 0 };
	struct addr bad = v4(192, 0, 2, 1), peer = v4(192, 0, 2, 200);

	for (int i = 0; i < SOURCE_MAX; i++) {
		ck_assert(!limits_full(&l, &bad));
		limits_opened(&l, &bad);
	}
	ck_assert(limits_full(&l, &bad));
	for (int i = 0; i < HOST_FREE; i++) {
		ck_assert(!limits_full(&l, &peer));
		limits_opened(&l, &peer);
	}
	ck_assert(limits_full(&l, &peer));
	limits_closed(&l, &peer);
	ck_assert(!limits_full(&l, &peer));
}
END_TEST

START_TEST(the_total_is_bounded)
{
	struct limits l = { .half_open = HALF_OPEN_MAX };
	struct addr a = v4(192, 0, 2, 1);

	ck_assert(limits_full(&l, &a));
	limits_closed(&l, &a);
	ck_assert(!limits_full(&l, &a));
}
END_TEST

START_TEST(answers_in_clear_have_a_rate)
{
	struct limits l = { .half_open = 0 };
	mono_ns now = 5 * NS_PER_S;
	size_t n = 0;

	for (int i = 0; i < 1000; i++)
		n += limits_answer(&l, now);
	ck_assert_uint_eq(n, CLEAR_ANSWERS_PER_S);
	ck_assert(limits_answer(&l, now + NS_PER_S));
}
END_TEST

static bool count_up(void *ctx, void *buf, size_t len)
{
	uint8_t *next = ctx;

	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (*next)++;
	return true;
}

START_TEST(retransmissions_slow_down_and_end)
{
	uint8_t state = 0;
	struct random random = { .fill = count_up, .ctx = &state };
	struct retransmit r;
	mono_ns now = 0, last = 0;
	int n = 1;

	retransmit_start(&r, &random, now);
	ck_assert_uint_ge(r.at, 500 * NS_PER_MS);
	ck_assert_uint_le(r.at, NS_PER_S);
	for (now = r.at; retransmit_again(&r, &random, now); now = r.at) {
		ck_assert_uint_gt(r.at - now, last / 2);
		last = r.at - now;
		n++;
	}
	ck_assert_int_eq(n, RETRANSMIT_TRIES);
	ck_assert_uint_ge(now, 20 * NS_PER_S);
	ck_assert_uint_le(now, 33 * NS_PER_S);
	ck_assert_uint_eq(r.at, NEVER);
}
END_TEST

START_TEST(slots_are_unique_and_come_back)
{
	static struct spi_pool pool;
	static bool seen[SPI_SLOTS];
	uint8_t state = 0;
	struct random random = { .fill = count_up, .ctx = &state };
	uint32_t spi, first = 0;

	for (uint32_t i = 0; i < SPI_SLOTS; i++) {
		ck_assert_int_eq(spi_take(&pool, &random, PLANE_USER, 3, &spi), OK);
		ck_assert(spi & SPI_USER_BIT);
		ck_assert_uint_lt(spi_owner(spi), 3);
		ck_assert(!seen[spi_slot(spi)]);
		seen[spi_slot(spi)] = true;
		first = i == 0 ? spi : first;
	}
	ck_assert_int_eq(spi_take(&pool, &random, PLANE_USER, 3, &spi), ERR_LIMIT);
	spi_give(&pool, first);
	ck_assert_int_eq(spi_take(&pool, &random, PLANE_USER, 3, &spi), OK);
	ck_assert_uint_eq(spi_slot(spi), spi_slot(first));
}
END_TEST

START_TEST(kernel_spis_are_out_of_the_reserved_range)
{
	static struct spi_pool pool;
	uint8_t state = 0;
	struct random random = { .fill = count_up, .ctx = &state };
	uint32_t spi;

	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(spi_take(&pool, &random, PLANE_KERNEL, 3, &spi), OK);
		ck_assert_uint_ge(spi, 256);
		ck_assert(!(spi & SPI_USER_BIT));
	}
}
END_TEST

UNIT("ike/limits")
{
	tcase_add_test(tc, a_source_network_has_its_own_bound);
	tcase_add_test(tc, a_long_request_needs_a_cookie);
	tcase_add_test(tc, a_neighbour_does_not_lock_out);
	tcase_add_test(tc, the_total_is_bounded);
	tcase_add_test(tc, answers_in_clear_have_a_rate);
	tcase_add_test(tc, retransmissions_slow_down_and_end);
	tcase_add_test(tc, slots_are_unique_and_come_back);
	tcase_add_test(tc, kernel_spis_are_out_of_the_reserved_range);
}
