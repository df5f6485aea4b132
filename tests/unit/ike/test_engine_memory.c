/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: every allocation fails once, half-open SAs are small, and strangers leave nothing. */
#include <stdlib.h>
#include <string.h>

#include "ike/core.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/ike/pair_memory.h"
#include "tests/unit/unit.h"

/* One allocation after the other fails, from the first message to the tunnel and its end; each time
 * the tunnel comes up in the end, whole, and nothing is left behind. */
START_TEST(every_allocation_may_fail_once)
{
	bool all = false;
	size_t n;

	for (n = 1; !all; n++) {
		struct pair *p = pair_new(pair_cert(LEFT, "start = always"), pair_cert(RIGHT, ""));

		pair_memory_fail(n);
		pair_run(p, 100 * NS_PER_S);
		all = pair_memory_until_failure() > 0;
		pair_memory_fail(0);
		pair_run(p, 100 * NS_PER_S);
		pair_expect_children(p, 1);
		ck_assert_uint_eq(pair_sas(p, LEFT), 1);
		ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
		pair_down(p, LEFT, "site");
		pair_run(p, 60 * NS_PER_S);
		ck_assert_uint_eq(p->end[LEFT].n_sas, 0);
		ck_assert_uint_eq(pair_sas(p, LEFT), 0);
		pair_free(p);
		ck_assert_uint_lt(n, 2000);
	}
	ck_assert_uint_gt(n, 100);
}
END_TEST

START_TEST(a_half_open_sa_is_at_most_four_kib)
{
	struct pair *p = pair_new(pair_psk(LEFT, "policy = compatible"),
				  pair_psk(RIGHT, "policy = compatible"));
	struct table_node *n;
	const struct ike_sa *sa;
	size_t bytes;

	pair_up(p, LEFT, "site");
	p->filter = pair_lose;
	pair_drain(p);
	n = table_next(&p->end[RIGHT].e->by_init, NULL);
	ck_assert_ptr_nonnull(n);
	sa = container_of(n, const struct ike_sa, by_init);
	/* The longest request that is taken without a cookie, and its response: what its KE has
	 * above INIT_KE_FREE the request has not. */
	ck_assert_uint_le(sa->hs->request.len, INIT_LEN_FREE);
	bytes = sizeof(*sa) + sizeof(*sa->hs) + sizeof(sa->hs->tries[0]) + INIT_LEN_FREE +
		sa->hs->response.len - 32 + INIT_KE_FREE;
	ck_assert_uint_le(bytes, 4096 - 64); /* the allocator's own share */
	ck_assert_ptr_null(sa->hs->auth);
	ck_assert_ptr_null(sa->fragments);
	pair_free(p);
}
END_TEST

/* A gateway for anybody, and a request to it under another SPI each time, from another place. */
static struct pair *pair_for_strangers(uint8_t request[static 2048], size_t *len)
{
	struct pair *p = pair_new(
		pair_psk(LEFT, ""),
		"me {\n identity = right.example.org\n}\n"
		"connection site {\n address = any\n identity = left.example.org\n auth = psk\n psk_file = site.psk\n"
		" child net {\n  local = 10.2.0.0/16\n  remote = 10.1.0.0/16\n }\n}\n");

	p->filter = pair_lose;
	pair_up(p, LEFT, "site");
	*len = p->last_len;
	memcpy(request, p->last, *len);
	return p;
}

static void deliver_as(struct pair *p, uint8_t request[static 2048], size_t len, uint32_t who)
{
	struct path path = pair_path(p, LEFT);

	memcpy(request, &who, sizeof(who));
	request[4] = 0xaa;
	memcpy(path.remote.addr.b, &who, sizeof(who));
	pair_deliver(p, RIGHT, &path, span_of(request, len));
}

/* Under load nothing is kept of who has not brought a cookie: what is allocated is the answer,
 * once, until it has left. */
START_TEST(without_a_cookie_only_the_answer_takes_memory)
{
	enum { ANSWER = 512, ROUNDS = 1000 };
	uint8_t request[2048];
	size_t len;
	struct pair *p = pair_for_strangers(request, &len);
	struct pair_asked asked;
	uint32_t who = 0;

	while (!p->end[RIGHT].e->limits.told_cookies)
		deliver_as(p, request, len, who++);
	p->end[RIGHT].n_notes = 0;
	(void)pair_memory_asked();
	for (int i = 0; i < ROUNDS; i++)
		deliver_as(p, request, len, who++);
	asked = pair_memory_asked();
	ck_assert_uint_eq(asked.n, ROUNDS);
	ck_assert_uint_lt(asked.bytes, ROUNDS * ANSWER);
	ck_assert_uint_eq(pair_sas(p, RIGHT), HALF_OPEN_COOKIE);
	pair_down(p, LEFT, "site");
	pair_free(p);
}
END_TEST

/* C45, C48: 100 000 requests under different SPIs from different places: bounded, and all gone a
 * minute later. */
START_TEST(strangers_leave_nothing_behind)
{
	uint8_t request[2048];
	size_t len;
	struct pair *p = pair_for_strangers(request, &len);

	for (uint32_t i = 0; i < 100000; i++)
		deliver_as(p, request, len, i);
	ck_assert_uint_eq(pair_sas(p, RIGHT), HALF_OPEN_COOKIE);
	ck_assert_uint_eq(ike_engine_stats(p->end[RIGHT].e)->cookies_sent,
			  100000 - HALF_OPEN_COOKIE);
	p->end[RIGHT].n_notes = 0;
	ck_assert_uint_ge(HALF_OPEN_COOKIE + 4, pair_sas(p, RIGHT));
	pair_down(p, LEFT, "site");
	for (int i = 0; i < 60; i++) {
		p->end[RIGHT].n_notes = 0;
		pair_run(p, NS_PER_S);
	}
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-memory")
{
	tcase_add_test(tc, every_allocation_may_fail_once);
	tcase_add_test(tc, a_half_open_sa_is_at_most_four_kib);
	tcase_add_test(tc, without_a_cookie_only_the_answer_takes_memory);
	tcase_add_test(tc, strangers_leave_nothing_behind);
}
