/* SPDX-License-Identifier: Apache-2.0 */
/* The window against a naive oracle: it remembers every number that was ever taken. */
#include "esp/replay.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* xorshift64*: a seed replays a failing run. */
static uint64_t dice(uint64_t *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * 0x2545f4914f6cdd1dULL;
}

enum { SEEN_MAX = 1 << 21 };

/* Bits of all numbers from `base` on. */
struct oracle {
	uint64_t base, top;
	uint32_t window;
	uint8_t *seen;
};

static bool oracle_accept(struct oracle *o, uint64_t seq)
{
	uint64_t at = seq - o->base;

	if (seq == 0 || (o->top >= o->window && seq <= o->top - o->window))
		return false;
	ck_assert_uint_lt(at, SEEN_MAX);
	if (o->seen[at])
		return false;
	o->seen[at] = 1;
	if (seq > o->top)
		o->top = seq;
	return true;
}

/* Mostly near the top, at times a jump ahead, a step far back, or an edge of the window. */
static uint64_t next_seq(uint64_t *s, const struct oracle *o)
{
	uint64_t r = dice(s) % 100, w = o->window;

	if (r < 50)
		return o->top + 1 + dice(s) % 3;
	if (r < 85)
		return o->top - dice(s) % (w + 2);
	if (r < 95)
		return o->top - w + dice(s) % 3;
	if (r < 98)
		return o->top + dice(s) % (2 * w);
	return o->top + w * 2 + dice(s) % 9000;
}

static const uint32_t windows[] = { 1, 31, 32, 63, 64, 65, 1024, 1000, 4095, 4096 };
enum { N_WINDOWS = sizeof(windows) / sizeof(windows[0]) };

static void run_against_oracle(uint32_t window, bool esn, uint64_t start, uint64_t seed)
{
	struct oracle o = { .base = start,
			    .top = start,
			    .window = window,
			    .seen = calloc(1, SEEN_MAX) };
	struct replay r;

	/* Numbers below the start were never sent: to both, the window's past is empty but the
	 * start itself. */
	replay_init(&r, window, esn);
	ck_assert(start == 0 || replay_accept(&r, start));
	o.seen[0] = 1;
	for (int i = 0; i < 100000 && o.top - start < SEEN_MAX - 40000; i++) {
		uint64_t seq = next_seq(&seed, &o);
		bool fresh, want;

		if (seq < start || seq > o.top + SEEN_MAX / 2)
			continue;
		fresh = replay_fresh(&r, seq);
		want = oracle_accept(&o, seq);
		ck_assert_int_eq(fresh, want);
		ck_assert_int_eq(replay_accept(&r, seq), want);
		ck_assert_uint_eq(r.top, o.top);
	}
	free(o.seen);
}

START_TEST(window_agrees_with_the_oracle_from_the_start)
{
	run_against_oracle(windows[_i], false, 0, 0x1234567 + (uint64_t)_i);
}
END_TEST

START_TEST(window_agrees_with_the_oracle_around_2_to_the_32)
{
	run_against_oracle(windows[_i], true, ((uint64_t)1 << 32) - 5000, 0x7654321 + (uint64_t)_i);
}
END_TEST

/* What goes over the wire is the low half: within the window behind the top, and up to 2^32 -
 * window ahead, the high half must come out right, also on either side of each 2^32. */
static void infer_around(uint32_t w, uint64_t top)
{
	const uint64_t seqs[] = { top - w + 1,
				  top - w / 2,
				  top,
				  top + 1,
				  top + w,
				  top + (1u << 31),
				  top - w + ((uint64_t)1 << 32) };
	struct replay r;

	replay_init(&r, w, true);
	r.top = top;
	for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
		/* Behind the last number of all there is none. */
		if (seqs[i] >= top - w + 1)
			ck_assert_uint_eq(replay_infer(&r, (uint32_t)seqs[i]), seqs[i]);
	}
}

START_TEST(high_half_is_inferred_around_the_boundary)
{
	static const uint64_t boundaries[] = { (uint64_t)1 << 32, (uint64_t)7 << 32,
					       (uint64_t)0xffffffff << 32 };
	int64_t w = windows[_i];

	for (size_t b = 0; b < 3; b++)
		for (int64_t t = -2 * w - 2; t <= 2 * w + 2; t++)
			infer_around(windows[_i], boundaries[b] + (uint64_t)t);
}
END_TEST

START_TEST(before_the_first_packet_there_is_no_past)
{
	struct replay r;

	replay_init(&r, 1024, true);
	ck_assert_uint_eq(replay_infer(&r, 1), 1);
	ck_assert_uint_eq(replay_infer(&r, 0xffffffff), 0);
	ck_assert_uint_eq(replay_infer(&r, 0xfffffc00), 0xfffffc00);
	ck_assert(!replay_fresh(&r, 0));
	ck_assert(!replay_accept(&r, 0));
	ck_assert_uint_eq(r.top, 0);
}
END_TEST

START_TEST(without_esn_the_number_is_what_the_wire_says)
{
	struct replay r;

	replay_init(&r, 64, false);
	ck_assert(replay_accept(&r, 0xffffffff));
	ck_assert_uint_eq(replay_infer(&r, 5), 5);
	ck_assert(!replay_fresh(&r, replay_infer(&r, 0)));
	ck_assert(!replay_fresh(&r, replay_infer(&r, 1)));
	ck_assert(!replay_fresh(&r, 0xffffffff));
	ck_assert(replay_fresh(&r, 0xfffffffe));
}
END_TEST

START_TEST(asking_changes_nothing)
{
	struct replay r, before;

	replay_init(&r, 1024, true);
	ck_assert(replay_accept(&r, 5000));
	before = r;
	(void)replay_fresh(&r, 1000000);
	(void)replay_infer(&r, 17);
	ck_assert(!replay_accept(&r, 5000));
	ck_assert(!replay_accept(&r, 5000 - 1024));
	ck_assert_int_eq(memcmp(&r, &before, sizeof(r)), 0);
}
END_TEST

START_TEST(window_sizes_are_bounded)
{
	static const uint32_t cases[][2] = { { 0, 1024 },
					     { 1, 1 },
					     { 4096, 4096 },
					     { 4097, 4096 },
					     { UINT32_MAX, 4096 } };
	struct replay r;

	replay_init(&r, cases[_i][0], false);
	ck_assert_uint_eq(r.window, cases[_i][1]);
}
END_TEST

UNIT("esp/replay")
{
	tcase_add_loop_test(tc, window_agrees_with_the_oracle_from_the_start, 0, N_WINDOWS);
	tcase_add_loop_test(tc, window_agrees_with_the_oracle_around_2_to_the_32, 0, N_WINDOWS);
	tcase_add_loop_test(tc, high_half_is_inferred_around_the_boundary, 0, N_WINDOWS);
	tcase_add_test(tc, before_the_first_packet_there_is_no_past);
	tcase_add_test(tc, without_esn_the_number_is_what_the_wire_says);
	tcase_add_test(tc, asking_changes_nothing);
	tcase_add_loop_test(tc, window_sizes_are_bounded, 0, 5);
}
