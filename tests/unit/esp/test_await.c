/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that come by an SPI that a peer was told of, before its SA is there. */
#include <check.h>
#include <poll.h>
#include <string.h>

#include "esp/await.h"
#include "tests/unit/esp/gateway.h"
#include "tests/unit/unit.h"

/* What `left` seals for the SA that `right` does not have yet. */
struct scene {
	struct gateway left, right;
	struct kit_sa in;
};

static void up(struct scene *s, int n_workers)
{
	gateway_up(&s->left, 1);
	gateway_up(&s->right, n_workers);
	gateway_tunnel(&s->left, NULL, 0, SPI_A);
	kit_sa_make(&s->in, &kit_suites[0], SA_IN, SPI_A);
	kit_sa_mirror(&s->in);
}

static void down(struct scene *s)
{
	gateway_down(&s->left);
	gateway_down(&s->right);
}

static size_t inner_len(int i)
{
	return 100 + (size_t)i;
}

/* Each is known by its length. */
static void send_one(struct scene *s, int sock, int i)
{
	uint8_t buf[2048], sealed[2048];
	ssize_t n;

	gateway_put(s->left.tun[0], kit_udp(buf, inner_len(i), "10.1.0.1", "10.2.0.1"));
	n = gateway_get(s->left.net[0], sealed, sizeof(sealed));
	gateway_put(s->right.net[sock], span_of(sealed, (size_t)n));
}

/* One of an SPI that nobody expects: once it is counted, all before it have been looked at. */
static void look(struct scene *s, int sock, uint64_t dropped)
{
	static const uint8_t stray[64] = { 0x80, 9, 9, 9 };

	gateway_put(s->right.net[sock], span_of(stray, sizeof(stray)));
	gateway_dropped(&s->right, DROP_SPI, dropped);
}

static void expect_inner(struct scene *s, int queue, int i)
{
	uint8_t got[2048];

	ck_assert_int_eq(gateway_get(s->right.tun[queue], got, sizeof(got)),
			 (ssize_t)inner_len(i));
}

START_TEST(what_comes_before_the_sa_waits_for_it)
{
	struct scene s;

	up(&s, 1);
	ck_assert_int_eq(gateway_command(&s.right, SA_EXPECT, &s.in), OK);
	for (int i = 0; i < 3; i++)
		send_one(&s, 0, i);
	look(&s, 0, 1);
	ck_assert(gateway_silent(s.right.tun[0]));
	ck_assert_int_eq(gateway_command(&s.right, SA_INSTALL, &s.in), OK);
	for (int i = 0; i < 3; i++)
		expect_inner(&s, 0, i);
	/* And what comes later goes its way. */
	send_one(&s, 0, 3);
	expect_inner(&s, 0, 3);
	look(&s, 0, 2);
	down(&s);
}
END_TEST

START_TEST(what_nobody_expects_does_not_wait)
{
	struct scene s;

	up(&s, 1);
	for (int i = 0; i < 3; i++)
		send_one(&s, 0, i);
	look(&s, 0, 4);
	ck_assert_int_eq(gateway_command(&s.right, SA_INSTALL, &s.in), OK);
	send_one(&s, 0, 3);
	expect_inner(&s, 0, 3);
	down(&s);
}
END_TEST

/* It waits where it came in, and is its owner's afterwards. */
START_TEST(a_worker_keeps_what_another_one_owns)
{
	struct scene s;

	up(&s, 2);
	ck_assert_int_eq(gateway_command(&s.right, SA_EXPECT, &s.in), OK);
	send_one(&s, _i, 0);
	look(&s, _i, 1);
	ck_assert_int_eq(gateway_command(&s.right, SA_INSTALL, &s.in), OK);
	expect_inner(&s, spi_owner(SPI_A) % 2, 0);
	down(&s);
}
END_TEST

START_TEST(a_few_wait_and_the_rest_is_lost)
{
	struct scene s;

	up(&s, 1);
	ck_assert_int_eq(gateway_command(&s.right, SA_EXPECT, &s.in), OK);
	for (int i = 0; i < AWAIT_EACH + 5; i++)
		send_one(&s, 0, i);
	look(&s, 0, 6);
	ck_assert_int_eq(gateway_command(&s.right, SA_INSTALL, &s.in), OK);
	for (int i = 0; i < AWAIT_EACH; i++)
		expect_inner(&s, 0, i);
	send_one(&s, 0, AWAIT_EACH);
	expect_inner(&s, 0, AWAIT_EACH);
	down(&s);
}
END_TEST

/* An SA that was there and went is none that is expected. */
START_TEST(an_sa_that_went_is_not_waited_for)
{
	struct scene s;

	up(&s, 1);
	ck_assert_int_eq(gateway_command(&s.right, SA_EXPECT, &s.in), OK);
	ck_assert_int_eq(gateway_command(&s.right, SA_INSTALL, &s.in), OK);
	ck_assert_int_eq(gateway_command(&s.right, SA_REMOVE, &s.in), OK);
	send_one(&s, 0, 0);
	look(&s, 0, 2);
	down(&s);
}
END_TEST

/* Other SPIs have taken its place, and other packets come all the time. */
START_TEST(nothing_waits_for_what_is_not_expected_any_more)
{
	enum { WAITING = 3, ROUNDS = 500, PAUSE_MS = 10 };
	struct esp_drops d = { { 0 } };
	struct kit_sa other;
	struct scene s;
	uint64_t n = 0;

	up(&s, 1);
	ck_assert_int_eq(gateway_command(&s.right, SA_EXPECT, &s.in), OK);
	for (int i = 0; i < WAITING; i++)
		send_one(&s, 0, i);
	look(&s, 0, ++n);
	for (uint32_t i = 1; i <= AWAIT_SPIS; i++) {
		kit_sa_make(&other, &kit_suites[0], SA_IN, SPI_A + i);
		ck_assert_int_eq(gateway_command(&s.right, SA_EXPECT, &other), OK);
	}
	while (n < ROUNDS && d.n[DROP_SPI] < n + WAITING) {
		static const uint8_t stray[64] = { 0x80, 9, 9, 9 };

		gateway_put(s.right.net[0], span_of(stray, sizeof(stray)));
		n++;
		poll(NULL, 0, PAUSE_MS);
		esp_drops(s.right.esp, &d);
	}
	ck_assert_uint_lt(n, ROUNDS);
	down(&s);
}
END_TEST

/* The worker sees the packet while the SA is being put in. */
START_TEST(none_is_lost_between_the_two)
{
	enum { ROUNDS = 500 };
	struct scene s;

	up(&s, 1);
	for (int i = 0; i < ROUNDS; i++) {
		ck_assert_int_eq(gateway_command(&s.right, SA_EXPECT, &s.in), OK);
		send_one(&s, 0, i);
		ck_assert_int_eq(gateway_command(&s.right, SA_INSTALL, &s.in), OK);
		expect_inner(&s, 0, i);
		ck_assert_int_eq(gateway_command(&s.right, SA_REMOVE, &s.in), OK);
	}
	down(&s);
}
END_TEST

/* For the sanitizer that looks for what was not freed. */
START_TEST(whoever_goes_leaves_nothing_behind)
{
	struct scene s;

	up(&s, 1);
	ck_assert_int_eq(gateway_command(&s.right, SA_EXPECT, &s.in), OK);
	send_one(&s, 0, 0);
	look(&s, 0, 1);
	down(&s);
}
END_TEST

START_TEST(an_spi_is_expected_for_half_a_minute)
{
	const mono_ns begin = 1000 * NS_PER_S, end = begin + AWAIT_SECONDS * NS_PER_S;
	struct await_spis a = { .next = 0 };

	ck_assert(!await_expects(&a, SPI_A, begin));
	ck_assert(!await_expects(&a, 0, begin));
	await_expect(&a, SPI_A, begin);
	ck_assert(await_expects(&a, SPI_A, end - 1));
	ck_assert(!await_expects(&a, SPI_A, end));
	ck_assert(!await_expects(&a, SPI_B, begin));
	/* Asked for again, as with another group. */
	await_expect(&a, SPI_A, end);
	ck_assert(await_expects(&a, SPI_A, end));
	ck_assert_uint_eq(a.next, 0);
	await_forget(&a, SPI_B);
	ck_assert(await_expects(&a, SPI_A, end));
	await_forget(&a, SPI_A);
	ck_assert(!await_expects(&a, SPI_A, end));
}
END_TEST

START_TEST(of_many_spis_the_oldest_gives_way)
{
	struct await_spis a = { .next = 0 };

	for (uint32_t i = 0; i <= AWAIT_SPIS; i++)
		await_expect(&a, SPI_A + i, NS_PER_S);
	ck_assert(!await_expects(&a, SPI_A, NS_PER_S));
	for (uint32_t i = 1; i <= AWAIT_SPIS; i++)
		ck_assert(await_expects(&a, SPI_A + i, NS_PER_S));
	/* But where one has come, its place is free. */
	await_forget(&a, SPI_A + 7);
	await_expect(&a, SPI_B, NS_PER_S);
	await_forget(&a, SPI_A + 8);
	for (uint32_t i = 1; i <= AWAIT_SPIS; i++)
		ck_assert(await_expects(&a, SPI_A + i, NS_PER_S) == (i != 7 && i != 8));
}
END_TEST

/* Copies, in order, and no more bytes than are allowed. */
START_TEST(a_list_is_bounded_in_bytes)
{
	static uint8_t big[AWAIT_BYTES / 2];
	struct esp_datagram d = { .p = big, .len = sizeof(big) };
	struct await a = { .n = 0 };
	struct handed *h;

	big[0] = 1;
	ck_assert(await_put(&a, &d));
	big[0] = 2;
	ck_assert(await_put(&a, &d));
	d.len = sizeof(uint32_t);
	ck_assert(!await_put(&a, &d));
	h = await_take(&a);
	ck_assert_ptr_null(await_take(&a));
	ck_assert_uint_eq(h->d.p[0], 1);
	ck_assert_uint_eq(h->next->d.p[0], 2);
	ck_assert_ptr_null(h->next->next);
	handed_free_all(h);
	ck_assert(await_put(&a, &d));
	handed_free_all(await_take(&a));
}
END_TEST

UNIT("esp/await")
{
	tcase_add_test(tc, what_comes_before_the_sa_waits_for_it);
	tcase_add_test(tc, what_nobody_expects_does_not_wait);
	tcase_add_loop_test(tc, a_worker_keeps_what_another_one_owns, 0, 2);
	tcase_add_test(tc, a_few_wait_and_the_rest_is_lost);
	tcase_add_test(tc, an_sa_that_went_is_not_waited_for);
	tcase_add_test(tc, nothing_waits_for_what_is_not_expected_any_more);
	tcase_add_test(tc, none_is_lost_between_the_two);
	tcase_add_test(tc, whoever_goes_leaves_nothing_behind);
	tcase_add_test(tc, an_spi_is_expected_for_half_a_minute);
	tcase_add_test(tc, of_many_spis_the_oldest_gives_way);
	tcase_add_test(tc, a_list_is_bounded_in_bytes);
}
