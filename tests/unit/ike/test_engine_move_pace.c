/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that moves often, where its children share the kernel's policies with those of others
 * (`priority`): each move stops what they send for a moment. */
#include "ike/connection.h"
#include "ike/core.h"
#include "tests/unit/ike/roam.h"
#include "tests/unit/unit.h"

static struct pair *begin(struct roam *w, const char *more)
{
	const char *text[2];
	const struct plane_caps planes[2] = { { .v4 = false }, pair_kernel() };

	*w = (struct roam){ .ports = { 0 } };
	text[LEFT] = pair_psk(LEFT, "");
	text[RIGHT] = roam_conf(RIGHT, more);
	return roam_begin_on(w, text, planes);
}

static void move_often(struct pair *p, int times)
{
	for (int i = 0; i < times; i++) {
		roam_go(p, LEFT, i % 2 ? ROAM_BEYOND : ROAM_ELSEWHERE);
		pair_drain(p);
		pair_run(p, 200 * NS_PER_MS);
	}
}

/* 0: there are no others; 1: there may be. Two halves a move; four moves at once, and one each five
 * seconds. */
START_TEST(who_moves_often_does_not_stop_others_as_often)
{
	struct roam w;
	struct pair *p = begin(&w, _i == 0 ? "" : " priority = 1\n");
	const mono_ns was = p->now;
	size_t most;

	move_often(p, 41);
	most = 2 * (4 + (p->now - was) / (5 * NS_PER_S) + 1);
	if (_i == 0)
		ck_assert_uint_ge(p->end[RIGHT].n_moves, 2 * 41);
	else
		ck_assert_uint_le(p->end[RIGHT].n_moves, most);
	ck_assert_uint_ge(p->end[RIGHT].n_moves, 2 * 4);
	pair_run(p, 10 * NS_PER_S);
	roam_expect_left_at(p, ROAM_ELSEWHERE);
	pair_run(p, 60 * NS_PER_S);
	roam_go(p, LEFT, ROAM_BEYOND);
	pair_drain(p);
	roam_expect_left_at(p, ROAM_BEYOND);
	pair_free(p);
}
END_TEST

/* Where it does not answer, its packets are taken from that place in time, whatever the pace. */
START_TEST(who_is_not_there_is_left_without_a_pause)
{
	struct roam w;
	struct pair *p = begin(&w, " priority = 1\n");
	struct addr there = roam_address(ROAM_ELSEWHERE);
	struct ike_sa *sa;

	move_often(p, 3);
	pair_run(p, 7 * NS_PER_S);
	roam_go(p, LEFT, ROAM_BEYOND);
	pair_drain(p);
	roam_expect_left_at(p, ROAM_BEYOND);
	roam_go(p, LEFT, ROAM_ELSEWHERE);
	roam_arrive(p, roam_take(p));
	sa = pair_sa(p, RIGHT);
	ck_assert(addr_eq(&sa->path.remote.addr, &there));
	sa->conn->stops += 60 * NS_PER_S;
	p->filter = pair_lose;
	pair_run(p, 15 * NS_PER_S);
	roam_expect_at(p, RIGHT, "198.51.100.2", ROAM_BEYOND);
	pair_free(p);
}
END_TEST

/* Children that wait for an answer from the next place wait for that, and not for a time. */
START_TEST(who_has_to_answer_first_is_not_followed_by_the_clock)
{
	struct roam w;
	struct pair *p = begin(&w, " priority = 1\n");
	struct addr there = roam_address("192.0.2.1");
	struct ike_sa *sa;

	move_often(p, 7);
	sa = pair_sa(p, RIGHT);
	ck_assert(sa->move.children_wait && sa->move.paced);
	sa->move.checked_until = p->now + 600 * NS_PER_S;
	roam_go(p, LEFT, "192.0.2.1");
	roam_arrive(p, roam_take(p));
	ck_assert(addr_eq(&sa->path.remote.addr, &there));
	ck_assert(sa->move.children_wait && !sa->move.paced);
	pair_drain(p);
	pair_run(p, 30 * NS_PER_S);
	roam_expect_left_at(p, "192.0.2.1");
	pair_free(p);
}
END_TEST

UNIT("ike/engine-move-pace")
{
	tcase_add_loop_test(tc, who_moves_often_does_not_stop_others_as_often, 0, 2);
	tcase_add_test(tc, who_is_not_there_is_left_without_a_pause);
	tcase_add_test(tc, who_has_to_answer_first_is_not_followed_by_the_clock);
}
