/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/chain.h"

#include "tests/unit/unit.h"

enum { THINGS = 6 };

struct thing {
	struct chain chain;
	uint32_t key;
};

static struct span key_of(const struct table_node *n)
{
	const struct thing *t = container_of(n, struct thing, chain.node);

	return span_of(&t->key, sizeof(t->key));
}

static const struct thing *newest(const struct table *t, uint32_t key)
{
	struct chain *c = chain_find(t, span_of(&key, sizeof(key)));

	return c == NULL ? NULL : container_of(c, struct thing, chain);
}

static struct table table_make(void)
{
	static const uint8_t seed[SIPHASH_KEY_LEN];
	struct table t;

	ck_assert_int_eq(table_init(&t, seed, key_of), OK);
	return t;
}

/* All ways to take three of one key out, one after the other, beside another key. */
static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
				 { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

START_TEST(the_newest_that_is_left_is_found)
{
	struct table t = table_make();
	struct thing v[4] = { { .key = 7 }, { .key = 7 }, { .key = 7 }, { .key = 8 } };
	bool in[3] = { true, true, true };

	for (size_t i = 0; i < 4; i++)
		chain_put(&t, &v[i].chain);
	ck_assert_uint_eq(t.n, 2);
	for (size_t i = 0; i < 3; i++) {
		const struct thing *want = NULL;

		chain_take(&t, &v[orders[_i][i]].chain);
		in[orders[_i][i]] = false;
		for (size_t j = 0; j < 3; j++)
			want = in[j] ? &v[j] : want;
		ck_assert_ptr_eq(newest(&t, 7), want);
		ck_assert_ptr_eq(newest(&t, 8), &v[3]);
	}
	table_free(&t);
}
END_TEST

START_TEST(older_leads_on_to_every_other)
{
	struct table t = table_make();
	struct thing v[THINGS] = { { .key = 1 } };
	size_t n = 0;

	for (size_t i = 0; i < THINGS; i++)
		chain_put(&t, &v[i].chain);
	for (const struct chain *c = &newest(&t, 0)->chain; c != NULL; c = c->older)
		ck_assert_ptr_eq(c, &v[THINGS - ++n].chain);
	ck_assert_uint_eq(n, THINGS - 1);
	ck_assert_ptr_eq(newest(&t, 1), &v[0]);
	ck_assert_ptr_null(newest(&t, 2));
	table_free(&t);
}
END_TEST

UNIT("xfrm/chain")
{
	tcase_add_loop_test(tc, the_newest_that_is_left_is_found, 0, 6);
	tcase_add_test(tc, older_leads_on_to_every_other);
}
