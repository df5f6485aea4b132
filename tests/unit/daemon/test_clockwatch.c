/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of two clocks, and that the kernel takes the timer that tells of them. That it does
 * tell is seen where a clock may be set: tests/kernel/in-guest/clock. */
#include "daemon/clockwatch.h"
#include "tests/unit/unit.h"

static const int64_t minute = 60 * (int64_t)NS_PER_S;

static const struct {
	const char *name;
	int64_t wall, boot; /* what they have gained */
	mono_ns ahead, back, slept;
	bool told;
} moves[] = {
	{ "nothing", 0, 0, 0, 0, 0, false },
	{ "less than a minute", minute - 1, minute - 1, 0, 0, 0, false },
	{ "... back", 1 - minute, 0, 0, 0, 0, false },
	{ "set ahead", 5 * minute, 0, 5 * minute, 0, 0, true },
	{ "set back", -5 * minute, 0, 0, 5 * minute, 0, true },
	{ "slept", 5 * minute, 5 * minute, 5 * minute, 0, 5 * minute, true },
	{ "slept, and set back meanwhile", -minute, 5 * minute, 0, minute, 5 * minute, true },
	{ "slept, and nothing gained", 0, 5 * minute, 0, 0, 5 * minute, true },
	{ "ten years", 5256000 * minute, 0, 5256000 * minute, 0, 0, true },
};
enum { N_MOVES = sizeof(moves) / sizeof(moves[0]) };

START_TEST(what_is_worth_telling_is_told_once)
{
	struct clockwatch w = { .wall = 1000 * minute, .boot = minute };
	struct ike_clock c;
	mono_ns back;
	const int64_t wall = w.wall + moves[_i].wall, boot = w.boot + moves[_i].boot;
	bool told = clockwatch_judge(&w, wall, boot, &c, &back);

	ck_assert_msg(told == moves[_i].told, "%s", moves[_i].name);
	ck_assert_uint_eq(c.ahead, moves[_i].ahead);
	ck_assert_uint_eq(c.slept, moves[_i].slept);
	ck_assert_uint_eq(back, moves[_i].back);
	ck_assert(!clockwatch_judge(&w, wall, boot, &c, &back));
}
END_TEST

START_TEST(what_is_less_than_a_minute_adds_up)
{
	struct clockwatch w = { .wall = 0 };
	struct ike_clock c;
	mono_ns back;

	for (int i = 1; i < 60; i++)
		ck_assert(!clockwatch_judge(&w, i * (int64_t)NS_PER_S, 0, &c, &back));
	ck_assert(clockwatch_judge(&w, minute, 0, &c, &back));
	ck_assert_uint_eq(c.ahead, minute);
}
END_TEST

START_TEST(it_begins_and_ends)
{
	struct clockwatch w = { .loop = NULL };

	clockwatch_end(&w);
	ck_assert_int_eq(loop_new(&w.loop), OK);
	ck_assert_int_eq(clockwatch_begin(&w), OK);
	ck_assert(w.wall != 0);
	clockwatch_end(&w);
	clockwatch_end(&w);
	loop_free(w.loop);
}
END_TEST

UNIT("daemon/clockwatch")
{
	tcase_add_loop_test(tc, what_is_worth_telling_is_told_once, 0, N_MOVES);
	tcase_add_test(tc, what_is_less_than_a_minute_adds_up);
	tcase_add_test(tc, it_begins_and_ends);
}
