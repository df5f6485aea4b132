/* SPDX-License-Identifier: Apache-2.0 */
/* When a plane is waited for that does not come after. */
#include "daemon/pace.h"
#include "tests/unit/unit.h"

static const mono_ns begin = 1000 * NS_PER_S;

START_TEST(what_is_full_is_so_until_half_is_done)
{
	struct pace p = { 0 };
	size_t *queued, asked = 0, bytes = 0, most;

	queued = _i == 0 ? &asked : &bytes;
	most = _i == 0 ? (size_t)PACE_ASKED_MAX : (size_t)PACE_QUEUED_MAX;
	*queued = most - 1;
	ck_assert(!pace_holds(&p, asked, bytes, begin));
	*queued = most;
	ck_assert(pace_holds(&p, asked, bytes, begin));
	*queued = most / 2;
	ck_assert(pace_holds(&p, asked, bytes, begin + NS_PER_S));
	*queued = most / 2 - 1;
	ck_assert(!pace_holds(&p, asked, bytes, begin + NS_PER_S));
	*queued = most - 1;
	ck_assert(!pace_holds(&p, asked, bytes, begin + NS_PER_S));
}
END_TEST

START_TEST(nobody_waits_longer_than_that_may_take)
{
	struct pace p = { 0 };

	ck_assert(pace_holds(&p, PACE_ASKED_MAX, 0, begin));
	ck_assert(pace_holds(&p, PACE_ASKED_MAX, 0, begin + PACE_PATIENCE - 1));
	ck_assert(!pace_holds(&p, PACE_ASKED_MAX, 0, begin + PACE_PATIENCE));
	ck_assert(!pace_holds(&p, PACE_ASKED_MAX, 0, begin + 100 * PACE_PATIENCE));
	/* Half is done at last; it may be full again. */
	ck_assert(!pace_holds(&p, 0, 0, begin + 101 * PACE_PATIENCE));
	ck_assert(pace_holds(&p, PACE_ASKED_MAX, 0, begin + 102 * PACE_PATIENCE));
}
END_TEST

/* One answer now and then is not enough. */
START_TEST(a_drop_now_and_then_buys_no_time)
{
	struct pace p = { 0 };
	unsigned int n_held = 0;

	for (unsigned int s = 0; s < 600; s++) {
		size_t asked = s % 5 == 4 ? PACE_ASKED_MAX - 1 : PACE_ASKED_MAX;

		n_held += pace_holds(&p, asked, 0, begin + s * NS_PER_S);
	}
	ck_assert_uint_eq(n_held, PACE_PATIENCE / NS_PER_S);
}
END_TEST

UNIT("daemon/pace")
{
	tcase_add_loop_test(tc, what_is_full_is_so_until_half_is_done, 0, 2);
	tcase_add_test(tc, nobody_waits_longer_than_that_may_take);
	tcase_add_test(tc, a_drop_now_and_then_buys_no_time);
}
