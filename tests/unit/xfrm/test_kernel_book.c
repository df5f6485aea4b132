/* SPDX-License-Identifier: Apache-2.0 */
/* What the book keeps beside what the kernel has: levels, the newest of several, memory. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kernel_world.h"

/* ---- memory that is not there ---- */

static int calls_left = -1; /* until one fails; below 0: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static bool memory_fails(void)
{
	return calls_left >= 0 && calls_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return memory_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return memory_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return memory_fails() ? NULL : __real_reallocarray(p, n, size);
}

static const struct {
	enum sa_op op;
	enum sa_dir dir;
	uint32_t spi;
} commands[] = {
	{ SA_INSTALL, SA_IN, 0x1021 },
	{ SA_INSTALL, SA_OUT, 0x1022 },
	{ SA_REMOVE, SA_IN, 0x1001 },
	{ SA_REMOVE, SA_OUT, 0x1002 },
};

/* False when there was no such call any more. */
static bool try_without(int at, int call)
{
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, commands[at].op, commands[at].dir, commands[at].spi);
	struct sa_done done;
	size_t halves;
	int left;

	world_up(w);
	halves = w->k->halves.n;
	calls_left = call; /* The library of tests is linked in, too: no checks from here... */
	kernel_command(w->k, &cmd, &done);
	left = calls_left;
	calls_left = -1; /* ... to here. */
	ck_assert_ptr_null(world_wrong(w));
	ck_assert_msg(!w->k->doubt, "call %d", call);
	if (commands[at].op == SA_REMOVE)
		ck_assert_msg(done.err == OK, "call %d: %s", call, done.why);
	else if (done.err != OK)
		ck_assert_uint_eq(w->k->halves.n, halves);
	world_free(w);
	return left < 0;
}

START_TEST(a_command_without_memory_leaves_nothing_behind)
{
	int call = 0;

	while (try_without(_i, call))
		ck_assert_int_lt(++call, 100);
	ck_assert_msg(call > 0 || commands[_i].op == SA_REMOVE, "nothing was tried");
}
END_TEST

/* ---- levels ---- */

static const struct flow_policy *policy_of(const struct world *w, enum flow_kind kind, uint8_t dir)
{
	for (const struct standing *s = w->k->policies.first; s != NULL; s = s->next) {
		if (s->f.kind == kind && s->f.p.dir == dir && s->f.reqid == REQID)
			return &s->f;
	}
	return NULL;
}

/* In each direction the child stands just before its trap, whatever the configuration becomes. */
START_TEST(children_follow_the_levels_of_their_traps)
{
	static const char *const texts[] = { "10.1.0.0/16>10.2.0.0/16", "10.1.0.0/24>10.2.0.0/24",
					     "0.0.0.0/1>10.0.0.0/8,10.2.0.0/20" };
	struct world *w = world_new();
	unsigned int before = 0;

	world_up(w);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct children c = kit_children(&texts[i], 1);
		unsigned int level;

		c.v[0].reqid = REQID;
		c.v[0].plane = PLANE_KERNEL;
		ck_assert_int_eq(kernel_traps_set(w->k, c.v, 1, false, w->why), OK);
		ck_assert_ptr_null(world_wrong(w));
		level = flow_level(policy_of(w, FLOW_CHILD, XFRM_POLICY_OUT));
		ck_assert_uint_ne(level, before);
		ck_assert_uint_eq(flow_level(policy_of(w, FLOW_CHILD, XFRM_POLICY_IN)), level);
		ck_assert_uint_eq(flow_level(policy_of(w, FLOW_CHILD, XFRM_POLICY_FWD)), level);
		if (i < 2)
			ck_assert_uint_eq(flow_level(policy_of(w, FLOW_TRAP, XFRM_POLICY_OUT)),
					  level);
		else
			ck_assert_msg(level == 4 * (1 + 20), "the narrowest of two");
		before = level;
		children_free(&c);
	}
	world_free(w);
}
END_TEST

/* ---- several have one ---- */

/* Three, of which any one goes first and any other second: the newest that is left decides.
 */
START_TEST(the_newest_half_that_is_left_decides)
{
	static const uint32_t spis[] = { 0x1002, 0x1012, 0x1022 };
	struct world *w = world_new();
	size_t first = (size_t)_i % 3;
	size_t second = (first + 1 + (size_t)_i / 3) % 3;
	uint32_t last = spis[3 - first - second];

	world_up_twice(w);
	world_simply(w, SA_INSTALL, SA_OUT, spis[2]);
	ck_assert_uint_eq(policy_of(w, FLOW_CHILD, XFRM_POLICY_OUT)->spi, spis[2]);
	world_simply(w, SA_REMOVE, SA_OUT, spis[first]);
	ck_assert_uint_eq(policy_of(w, FLOW_CHILD, XFRM_POLICY_OUT)->spi,
			  first == 2 ? spis[1] : spis[2]);
	ck_assert_ptr_null(world_wrong(w));
	world_simply(w, SA_REMOVE, SA_OUT, spis[second]);
	ck_assert_uint_eq(policy_of(w, FLOW_CHILD, XFRM_POLICY_OUT)->spi, last);
	ck_assert_ptr_null(world_wrong(w));
	world_simply(w, SA_REMOVE, SA_OUT, last);
	ck_assert_ptr_null(policy_of(w, FLOW_CHILD, XFRM_POLICY_OUT));
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel_book")
{
	tcase_add_loop_test(tc, a_command_without_memory_leaves_nothing_behind, 0, 4);
	tcase_add_test(tc, children_follow_the_levels_of_their_traps);
	tcase_add_loop_test(tc, the_newest_half_that_is_left_decides, 0, 6);
}
