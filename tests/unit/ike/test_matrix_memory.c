/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation after the other fails, over a whole life: handshake, a second child by
 * CREATE_CHILD_SA, its delete, the end. Each time all comes up afterwards, and nothing is left. */
#include <stdio.h>
#include <stdlib.h>

#include "ike/actions.h"
#include "tests/unit/ike/matrix.h"
#include "tests/unit/ike/pair_memory.h"
#include "tests/unit/unit.h"

static const struct scene scenes[] = {
	{ M_INFO_ASK, false, LEFT, NULL },
	{ M_INFO_ASK, true, RIGHT, NULL },
	{ M_INFO_ASK, false, RIGHT, "policy = { aes256gcm16 prfsha384 modp2048 }" },
	{ M_INFO_ASK, true, LEFT, "fragment_size = 0" },
};
enum { N_SCENES = sizeof(scenes) / sizeof(scenes[0]), ALLOCATIONS_MAX = 3000 };

static void command(struct pair *p, enum side s, enum ike_event_kind kind, const char *child)
{
	pair_command(p, s, kind, child);
	pair_run(p, 6 * NS_PER_S);
}

static void live(struct pair *p, enum side second)
{
	command(p, LEFT, IKE_EV_UP, "net");
	command(p, second, IKE_EV_UP, "lab");
	command(p, second, IKE_EV_DOWN, "lab");
	command(p, LEFT, IKE_EV_DOWN, NULL);
	pair_run(p, 60 * NS_PER_S);
}

START_TEST(any_allocation_of_a_whole_life_may_fail)
{
	static struct matrix m;
	const struct scene *s = &scenes[_i];
	bool all = false;
	char what[64];
	size_t n;

	/* 0: the control, none does */
	for (n = 0; !all; n += n == 0 ? 1 : matrix_sample()) {
		ck_assert_uint_lt(n, ALLOCATIONS_MAX);
		m = (struct matrix){ .scene = s, .live = pair_memory_live() };
		m.p = pair_new(matrix_conf(s, LEFT), matrix_conf(s, RIGHT));
		pair_memory_fail(n);
		live(m.p, s->second);
		all = n > 0 && pair_memory_until_failure() > 0;
		pair_memory_fail(0);
		snprintf(what, sizeof(what), "allocation %zu", n);
		matrix_recover(&m, what);
		matrix_end(&m, what);
	}
	if (getenv("MATRIX_COUNT"))
		fprintf(stderr, "life %d: %zu allocations\n", _i, n - matrix_sample());
	ck_assert_uint_gt(n, 100);
}
END_TEST

/* What nobody would say again: what was put in comes out of the plane, and is guarded. */
START_TEST(an_sa_goes_and_a_guard_comes_without_any_memory)
{
	struct actions q = { .head = NULL };
	struct ts ts = { .proto = 6 };
	struct sa_cmd in = { .op = SA_INSTALL, .sa = { .spi = 7, .local = { 1, &ts } } };
	const struct sa_cmd out = { .op = SA_REMOVE, .sa = { .spi = 7 } };
	enum err install, removal, third;
	struct ike_action a;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(actions_sa(&q, &in), OK);
		ck_assert(actions_next(&q, &a));
	}
	ck_assert(!actions_next(&q, &a));
	/* libcheck allocates, too. */
	pair_in_engine++;
	pair_memory_starve(true);
	install = actions_sa(&q, &in);
	removal = actions_sa(&q, &out);
	actions_guard(&q, "office", "lan", true);
	third = actions_sa(&q, &out);
	pair_memory_starve(false);
	pair_in_engine--;
	ck_assert_int_eq(install, ERR_NOMEM);
	ck_assert_int_eq(removal, OK);
	ck_assert_int_eq(third, ERR_NOMEM); /* two were kept */
	ck_assert(actions_next(&q, &a));
	ck_assert(a.kind == IKE_ACT_SA && a.sa->op == SA_REMOVE && a.sa->sa.spi == 7);
	ck_assert(!a.sa->sa.local.v);
	ck_assert(actions_next(&q, &a));
	ck_assert(a.kind == IKE_ACT_GUARD && a.child.guarded);
	ck_assert_str_eq(a.child.child, "lan");
	ck_assert(!actions_next(&q, &a));
	actions_free(&q);
}
END_TEST

UNIT("ike/matrix-memory")
{
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, an_sa_goes_and_a_guard_comes_without_any_memory);
	tcase_add_loop_test(tc, any_allocation_of_a_whole_life_may_fail, 0, N_SCENES);
}
