/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { MANY = 5000 };

struct item {
	uint8_t key[4];
	uint8_t key_len;
	bool seen;
	struct table_node node;
};

static const uint8_t seed[SIPHASH_KEY_LEN] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
};
static struct item items[MANY];

static struct span item_key(const struct table_node *n)
{
	const struct item *it = container_of(n, const struct item, node);

	return span_of(it->key, it->key_len);
}

static struct item *item_at(size_t i)
{
	items[i] = (struct item){ .key = { (uint8_t)(i >> 8), (uint8_t)i }, .key_len = 4 };
	return &items[i];
}

static void table_filled(struct table *t, size_t n)
{
	ck_assert_int_eq(table_init(t, seed, item_key), OK);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(table_add(t, &item_at(i)->node), OK);
}

/* From the reference implementation of the authors: input 00 01 02 ..., of each length. */
START_TEST(siphash_has_the_published_values)
{
	static const uint64_t want[] = {
		0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
		0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
		0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
		0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
	};
	uint8_t in[16];

	for (size_t i = 0; i < sizeof(in); i++) {
		in[i] = (uint8_t)i;
		ck_assert_uint_eq(siphash(seed, span_of(in, i)), want[i]);
	}
}
END_TEST

START_TEST(what_was_added_is_found_and_nothing_else)
{
	struct table t;

	table_filled(&t, MANY);
	for (size_t i = 0; i < MANY; i++)
		ck_assert_ptr_eq(table_find(&t, span_of(items[i].key, 4)), &items[i].node);
	ck_assert_ptr_null(table_find(&t, span_of("\xff\xff\xff\xff", 4)));
	ck_assert_ptr_null(table_find(&t, SPAN_EMPTY));
	ck_assert_uint_eq(t.n, MANY);
	table_free(&t);
}
END_TEST

START_TEST(a_key_is_there_once)
{
	struct table t;
	struct item twin = { .key_len = 4 };

	table_filled(&t, 1);
	ck_assert_int_eq(table_add(&t, &twin.node), ERR_EXISTS);
	ck_assert_ptr_eq(table_find(&t, span_of(twin.key, 4)), &items[0].node);
	table_free(&t);
}
END_TEST

START_TEST(keys_of_different_length_differ)
{
	struct item a = { .key_len = 3 };
	struct item b = { .key_len = 0 };
	struct table t;

	table_filled(&t, 1);
	ck_assert_int_eq(table_add(&t, &a.node), OK);
	ck_assert_int_eq(table_add(&t, &b.node), OK);
	ck_assert_ptr_eq(table_find(&t, SPAN_EMPTY), &b.node);
	table_free(&t);
}
END_TEST

START_TEST(what_was_taken_out_is_gone_and_the_rest_stays)
{
	struct table t;

	table_filled(&t, MANY);
	for (size_t i = 0; i < MANY; i += 2)
		table_del(&t, &items[i].node);
	table_del(&t, &items[0].node);
	for (size_t i = 0; i < MANY; i++)
		ck_assert_int_eq(table_find(&t, span_of(items[i].key, 4)) != NULL, i % 2 == 1);
	ck_assert_uint_eq(t.n, MANY / 2);
	table_free(&t);
}
END_TEST

START_TEST(a_walk_sees_each_once_also_while_taking_out)
{
	struct table t;
	size_t n = 0;

	table_filled(&t, MANY);
	for (struct table_node *at = table_next(&t, NULL), *after; at != NULL; at = after) {
		struct item *it = container_of(at, struct item, node);

		after = table_next(&t, at);
		ck_assert(!it->seen);
		it->seen = true;
		table_del(&t, at);
		n++;
	}
	ck_assert_uint_eq(n, MANY);
	ck_assert_uint_eq(t.n, 0);
	ck_assert_ptr_null(table_next(&t, NULL));
	table_free(&t);
}
END_TEST

START_TEST(a_table_that_is_not_there_holds_nothing)
{
	struct table t = { .bucket = NULL };

	ck_assert_ptr_null(table_find(&t, span_str("key")));
	ck_assert_ptr_null(table_next(&t, NULL));
	table_del(&t, &items[0].node);
	table_free(&t);
}
END_TEST

UNIT("base/table")
{
	tcase_add_test(tc, siphash_has_the_published_values);
	tcase_add_test(tc, what_was_added_is_found_and_nothing_else);
	tcase_add_test(tc, a_key_is_there_once);
	tcase_add_test(tc, keys_of_different_length_differ);
	tcase_add_test(tc, what_was_taken_out_is_gone_and_the_rest_stays);
	tcase_add_test(tc, a_walk_sees_each_once_also_while_taking_out);
	tcase_add_test(tc, a_table_that_is_not_there_holds_nothing);
}
