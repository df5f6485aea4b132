/* SPDX-License-Identifier: Apache-2.0 */
/* The heap against a plain array that is searched whole, over random sequences from a fixed seed.
 */
#include "base/heap.h"

#include <stdint.h>

#include "tests/unit/unit.h"

enum { N = 200, STEPS = 20000 };

struct timer {
	struct heap_node node;
	bool set;
	mono_ns when;
	uint64_t order;
};

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static struct timer *model_first(struct timer *t)
{
	struct timer *best = NULL;

	for (size_t i = 0; i < N; i++) {
		if (!t[i].set)
			continue;
		if (best == NULL || t[i].when < best->when ||
		    (t[i].when == best->when && t[i].order < best->order))
			best = &t[i];
	}
	return best;
}

/* Times are few, so that many are equal. */
static void one_step(struct heap *h, struct timer *t, uint64_t *rng, uint64_t order)
{
	struct timer *at = &t[next_random(rng) % N];
	uint32_t dice = next_random(rng) % 4;

	if (dice == 0) {
		heap_stop(h, &at->node);
		at->set = false;
	} else if (dice == 1 && model_first(t) != NULL) {
		at = model_first(t);
		ck_assert_ptr_eq(heap_pop_due(h, at->when), &at->node);
		at->set = false;
	} else {
		at->when = next_random(rng) % 50;
		at->order = order;
		at->set = true;
		heap_set(h, &at->node, at->when);
	}
}

START_TEST(the_first_is_always_the_one_due_first)
{
	struct heap h = { .root = NULL };
	struct timer t[N] = { { .when = 0 } };
	uint64_t rng = (uint64_t)_i;

	for (uint64_t step = 0; step < STEPS; step++) {
		struct timer *first;

		one_step(&h, t, &rng, step);
		first = model_first(t);
		ck_assert_ptr_eq(h.root, first == NULL ? NULL : &first->node);
		ck_assert_uint_eq(heap_deadline(&h), first == NULL ? NEVER : first->when);
	}
}
END_TEST

START_TEST(equal_times_come_in_the_order_of_setting)
{
	struct heap h = { .root = NULL };
	struct heap_node n[10] = { { .set = false } };

	for (size_t i = 0; i < 10; i++)
		heap_set(&h, &n[i], 7);
	heap_set(&h, &n[0], 7); /* set anew: now the last */
	for (size_t i = 1; i <= 10; i++)
		ck_assert_ptr_eq(heap_pop_due(&h, 7), &n[i % 10]);
	ck_assert_ptr_null(heap_pop_due(&h, NEVER));
}
END_TEST

START_TEST(only_what_is_due_is_popped)
{
	struct heap h = { .root = NULL };
	struct heap_node n = { .set = false };

	heap_set(&h, &n, 100);
	ck_assert_ptr_null(heap_pop_due(&h, 99));
	ck_assert_ptr_eq(heap_pop_due(&h, 100), &n);
	ck_assert(!n.set);
	ck_assert_uint_eq(h.n, 0);
}
END_TEST

START_TEST(never_stops_a_timer_and_stopping_twice_is_harmless)
{
	struct heap h = { .root = NULL };
	struct heap_node n = { .set = false };

	heap_stop(&h, &n);
	heap_set(&h, &n, 1);
	heap_set(&h, &n, NEVER);
	heap_stop(&h, &n);
	ck_assert_ptr_null(h.root);
	ck_assert_uint_eq(heap_deadline(&h), NEVER);
	heap_set(&h, &n, NEVER - 1);
	ck_assert_uint_eq(heap_deadline(&h), NEVER - 1);
}
END_TEST

UNIT("base/heap")
{
	tcase_add_loop_test(tc, the_first_is_always_the_one_due_first, 0, 8);
	tcase_add_test(tc, equal_times_come_in_the_order_of_setting);
	tcase_add_test(tc, only_what_is_due_is_popped);
	tcase_add_test(tc, never_stops_a_timer_and_stopping_twice_is_harmless);
}
