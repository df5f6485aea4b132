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

static struct addr v6(uint32_t isp, uint16_t site, uint16_t subnet)
{
	struct addr a = { .family = AF_INET6 };
	struct wr w = wr_into(a.b, sizeof(a.b));

	wr_u32(&w, isp);
	wr_u16(&w, site);
	wr_u16(&w, subnet);
	return a;
}

/* It is large; one at a time. */
static struct limits *fresh_limits(void)
{
	static struct limits l;

	memset(&l, 0, sizeof(l));
	limits_init(&l);
	return &l;
}

static const mono_ns now = 1000 * NS_PER_S;

START_TEST(a_source_network_has_its_own_bound)
{
	struct limits *l = fresh_limits();
	struct addr a = v4(192, 0, 2, 1), same = v4(192, 0, 2, 200), other = v4(192, 0, 3, 1);

	for (int i = 0; i < SOURCE_COOKIE; i++) {
		ck_assert(!limits_want_cookie(l, &a, 500, now));
		limits_opened(l, &a);
	}
	ck_assert(limits_want_cookie(l, &same, 500, now));
	ck_assert(!limits_want_cookie(l, &other, 500, now));
	limits_closed(l, &a);
	ck_assert(!limits_want_cookie(l, &same, 500, now));
}
END_TEST

START_TEST(a_long_request_needs_a_cookie)
{
	struct limits *l = fresh_limits();
	struct addr a = v4(192, 0, 2, 1);

	ck_assert(!limits_want_cookie(l, &a, INIT_LEN_FREE, now));
	ck_assert(limits_want_cookie(l, &a, INIT_LEN_FREE + 1, now));
}
END_TEST

/* The handshake that ends does not at once let another forged one in. */
START_TEST(cookies_go_on_for_a_while)
{
	struct limits *l = fresh_limits();
	struct addr a = v4(192, 0, 2, 1), far = v4(203, 0, 113, 1);

	for (int i = 0; i < HALF_OPEN_COOKIE; i++) {
		a.b[1] = (uint8_t)i;
		ck_assert(!limits_want_cookie(l, &far, 500, now));
		limits_opened(l, &a);
	}
	for (int i = HALF_OPEN_COOKIE; i >= HALF_OPEN_CALM; i--) {
		ck_assert(limits_want_cookie(l, &far, 500, now));
		limits_closed(l, &a);
	}
	ck_assert(!limits_want_cookie(l, &far, 500, now));
}
END_TEST

/* Found by attack: 250 half-open SAs of a neighbour locked a peer out for a minute. */
START_TEST(a_neighbour_does_not_lock_out)
{
	struct limits *l = fresh_limits();
	struct addr bad = v4(192, 0, 2, 1), peer = v4(192, 0, 2, 200);

	for (int i = 0; i < NET_MAX; i++) {
		ck_assert(!limits_full(l, &bad));
		limits_opened(l, &bad);
	}
	ck_assert(limits_full(l, &bad));
	for (int i = 0; i < HOST_FREE; i++) {
		ck_assert(!limits_full(l, &peer));
		limits_opened(l, &peer);
	}
	ck_assert(limits_full(l, &peer));
	limits_closed(l, &peer);
	ck_assert(!limits_full(l, &peer));
}
END_TEST

/* Takes with every address of a network what it can get, in turn; how much it got. */
static size_t take_all(struct limits *l, struct addr (*nth)(uint32_t i), uint32_t n)
{
	size_t got = 0, before;

	do {
		before = got;
		for (uint32_t i = 0; i < n; i++) {
			struct addr a = nth(i);

			if (limits_full(l, &a))
				continue;
			limits_opened(l, &a);
			got++;
		}
	} while (got > before);
	return got;
}

static struct addr of_one_site(uint32_t i)
{
	return v6(0x20010db8, 7, (uint16_t)i);
}

static struct addr of_one_isp(uint32_t i)
{
	return v6(0x20010db8, (uint16_t)(i * 40503), (uint16_t)(i >> 16));
}

/* Who has a /48 has 65 536 hosts, and who has a /32 as many /48: neither gets everything, and their
 * neighbours come in. */
START_TEST(many_addresses_of_one_owner_are_one_owner)
{
	struct limits *l = fresh_limits();
	struct addr neighbour = v6(0x20010db8, 8, 1), far = v6(0x20010db9, 8, 1);

	ck_assert_uint_le(take_all(l, of_one_site, 65536), WIDE_MAX + NET_MAX);
	ck_assert(!limits_full(l, &neighbour));
	ck_assert(!limits_full(l, &far));
	l = fresh_limits();
	ck_assert_uint_le(take_all(l, of_one_isp, 65536 * 4), WIDE_ALL);
	ck_assert(!limits_full(l, &far));
}
END_TEST

static struct addr of_botnet(uint32_t i)
{
	uint32_t x = i * 2654435761u;

	return v4((uint8_t)(x >> 24), (uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x);
}

/* A9: ten thousand attackers who can receive at their addresses take what they can get; of those
 * who come then 99 of 100 are let in. */
START_TEST(ten_thousand_attackers_leave_room_for_peers)
{
	struct limits *l = fresh_limits();
	size_t got = take_all(l, of_botnet, 10000), refused = 0;

	ck_assert_uint_ge(got, 10000);
	ck_assert_uint_le(got, HALF_OPEN_MAX - 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		struct addr peer = of_botnet(1000000 + i);

		refused += limits_full(l, &peer);
	}
	ck_assert_uint_le(refused, 10);
	/* While few attack nobody is refused for sharing a bucket. */
	l = fresh_limits();
	take_all(l, of_botnet, 1000);
	refused = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		struct addr peer = of_botnet(1000000 + i);

		refused += limits_full(l, &peer);
	}
	ck_assert_uint_le(refused, 10);
}
END_TEST

START_TEST(the_total_is_bounded)
{
	struct limits *l = fresh_limits();
	struct addr a = v4(192, 0, 2, 1);

	l->half_open = HALF_OPEN_MAX;
	ck_assert(limits_full(l, &a));
	limits_closed(l, &a);
	ck_assert(!limits_full(l, &a));
}
END_TEST

START_TEST(the_more_there_are_the_less_time_each_has)
{
	struct limits *l = fresh_limits();
	mono_ns last = limits_patience(l);

	ck_assert_uint_eq(last, 60 * NS_PER_S);
	for (; l->half_open <= HALF_OPEN_MAX; l->half_open += 500) {
		ck_assert_uint_le(limits_patience(l), last);
		last = limits_patience(l);
	}
	ck_assert_uint_eq(last, 10 * NS_PER_S);
}
END_TEST

START_TEST(proofs_that_fail_have_a_budget)
{
	struct limits *l = fresh_limits();
	struct addr bad = v4(192, 0, 2, 1), same = v4(192, 0, 2, 200), far = v4(203, 0, 113, 1);

	for (int i = 0; i < FAILURES_HOST; i++) {
		ck_assert_int_eq(limits_want_cookie(l, &bad, 500, now), i >= FAILURES_COOKIE);
		ck_assert(!limits_distrust(l, &bad, now));
		limits_failed(l, &bad, now);
	}
	ck_assert(limits_distrust(l, &bad, now));
	ck_assert(!limits_distrust(l, &same, now));
	ck_assert(!limits_want_cookie(l, &same, 500, now));
	ck_assert(!limits_distrust(l, &bad, now + NS_PER_S));
	for (int i = FAILURES_HOST; i < FAILURES_NET; i++)
		limits_failed(l, &bad, now);
	ck_assert(limits_distrust(l, &same, now));
	ck_assert(!limits_distrust(l, &same, now + NS_PER_S / 4));
	ck_assert(!limits_distrust(l, &far, now));
	ck_assert(!limits_want_cookie(l, &far, 500, now));
}
END_TEST

START_TEST(failed_decryptions_have_a_rate)
{
	struct limits *l = fresh_limits();
	struct addr bad = v4(192, 0, 2, 1), other = v4(192, 0, 2, 200);

	for (int i = 0; i < BAD_OPENS_PER_S; i++) {
		ck_assert(limits_may_open(l, &bad, now));
		limits_opened_badly(l, &bad, now);
	}
	ck_assert(!limits_may_open(l, &bad, now));
	ck_assert(limits_may_open(l, &other, now));
	ck_assert(limits_may_open(l, &bad, now + NS_PER_S));
}
END_TEST

/* Fragments of strangers fill their own part of the pool, one host a small part of that. */
START_TEST(strangers_leave_the_fragment_pool_to_peers)
{
	struct limits *l = fresh_limits();
	struct addr bad = v4(192, 0, 2, 1), other = v4(192, 0, 2, 200);
	size_t piece = 65536, n = 0;

	for (; limits_room(l, &bad, piece); n++)
		limits_keep(l, &bad, piece);
	ck_assert_uint_eq(n, FRAGMENT_HOST / piece);
	ck_assert(limits_room(l, &other, piece));
	for (uint8_t i = 1; limits_room(l, &other, piece); i++) {
		limits_keep(l, &other, piece);
		other.b[2] = i;
	}
	ck_assert_uint_eq(l->fragment_bytes, FRAGMENT_STRANGERS);
	ck_assert(limits_room(l, NULL, FRAGMENT_POOL - FRAGMENT_STRANGERS));
	for (; n > 0; n--)
		limits_drop(l, &bad, piece);
	ck_assert(limits_room(l, &bad, FRAGMENT_HOST));
	ck_assert(!limits_room(l, NULL, FRAGMENT_POOL));
}
END_TEST

START_TEST(answers_in_clear_have_a_rate)
{
	struct limits *l = fresh_limits();
	size_t n = 0;

	for (int i = 0; i < 1000; i++)
		n += limits_answer(l, now);
	ck_assert_uint_eq(n, CLEAR_ANSWERS_PER_S);
	ck_assert(limits_answer(l, now + NS_PER_S));
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
	mono_ns at = 0, last = 0;
	int n = 1;

	retransmit_start(&r, &random, at);
	ck_assert_uint_ge(r.at, 500 * NS_PER_MS);
	ck_assert_uint_le(r.at, NS_PER_S);
	for (at = r.at; retransmit_again(&r, &random, at); at = r.at) {
		ck_assert_uint_gt(r.at - at, last / 2);
		last = r.at - at;
		n++;
	}
	ck_assert_int_eq(n, RETRANSMIT_TRIES);
	ck_assert_uint_ge(at, 20 * NS_PER_S);
	ck_assert_uint_le(at, 33 * NS_PER_S);
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

START_TEST(what_is_secret_is_wiped_in_the_end)
{
	struct limits *l = fresh_limits();
	static const struct cookie_jar empty;
	static const uint8_t zero[SIPHASH_KEY_LEN];

	memset(l->seed, 1, sizeof(l->seed));
	memset(&l->jar, 1, sizeof(l->jar));
	limits_end(l);
	ck_assert_mem_eq(l->seed, zero, sizeof(l->seed));
	ck_assert_mem_eq(l->jar.secret, empty.secret, sizeof(empty.secret));
}
END_TEST

UNIT("ike/limits")
{
	tcase_add_test(tc, a_source_network_has_its_own_bound);
	tcase_add_test(tc, a_long_request_needs_a_cookie);
	tcase_add_test(tc, a_neighbour_does_not_lock_out);
	tcase_add_test(tc, cookies_go_on_for_a_while);
	tcase_add_test(tc, many_addresses_of_one_owner_are_one_owner);
	tcase_add_test(tc, ten_thousand_attackers_leave_room_for_peers);
	tcase_add_test(tc, the_total_is_bounded);
	tcase_add_test(tc, the_more_there_are_the_less_time_each_has);
	tcase_add_test(tc, proofs_that_fail_have_a_budget);
	tcase_add_test(tc, failed_decryptions_have_a_rate);
	tcase_add_test(tc, strangers_leave_the_fragment_pool_to_peers);
	tcase_add_test(tc, answers_in_clear_have_a_rate);
	tcase_add_test(tc, what_is_secret_is_wiped_in_the_end);
	tcase_add_test(tc, retransmissions_slow_down_and_end);
	tcase_add_test(tc, slots_are_unique_and_come_back);
	tcase_add_test(tc, kernel_spis_are_out_of_the_reserved_range);
}
