/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/build.h"
#include "tests/unit/unit.h"

enum { MANY = 3000 };

/* A configuration of one connection with n children, numbered. */
static struct conf_child *children_make(struct conf *c, struct conf_connection *cn, size_t n)
{
	struct conf_child *list = calloc(n, sizeof(*list));
	struct build b = { .c = c };

	ck_assert_ptr_nonnull(list);
	*cn = (struct conf_connection){ .name = "office", .children = list, .n_children = n };
	*c = (struct conf){ .connections = cn, .n_connections = 1 };
	for (size_t i = 0; i < n; i++)
		snprintf(list[i].name, sizeof(list[i].name), "child-%zu", i);
	build_number_children(&b);
	ck_assert(!b.nomem);
	return list;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

START_TEST(every_child_has_a_number_of_its_own)
{
	struct conf c;
	struct conf_connection cn;
	struct conf_child *list = children_make(&c, &cn, MANY);
	uint32_t *numbers = calloc(MANY, sizeof(*numbers));

	for (size_t i = 0; i < MANY; i++)
		numbers[i] = list[i].reqid;
	qsort(numbers, MANY, sizeof(*numbers), by_number);
	ck_assert_uint_ge(numbers[0], 16384);
	for (size_t i = 1; i < MANY; i++)
		ck_assert_uint_ne(numbers[i], numbers[i - 1]);
	free(numbers);
	free(list);
}
END_TEST

START_TEST(a_number_stays_when_children_come_and_go)
{
	struct conf c;
	struct conf_connection cn;
	struct conf_child *many = children_make(&c, &cn, 100);
	struct conf_child *few = children_make(&c, &cn, 3);

	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(few[i].reqid, many[i].reqid);
	free(many);
	free(few);
}
END_TEST

/* These two names hash to the same number. */
static void twins_number(const char *first, const char *second, uint32_t numbers[static 2])
{
	struct conf_child list[2] = { { .esn = true }, { .esn = true } };
	struct conf_connection cn = { .name = "office", .children = list, .n_children = 2 };
	struct conf c = { .connections = &cn, .n_connections = 1 };
	struct build b = { .c = &c };

	snprintf(list[0].name, sizeof(list[0].name), "%s", first);
	snprintf(list[1].name, sizeof(list[1].name), "%s", second);
	build_number_children(&b);
	numbers[0] = list[0].reqid;
	numbers[1] = list[1].reqid;
}

START_TEST(names_that_collide_are_numbered_on_whatever_their_order)
{
	uint32_t one_way[2];
	uint32_t other_way[2];

	twins_number("7ee5ee3c", "e6a41634", one_way);
	twins_number("e6a41634", "7ee5ee3c", other_way);
	ck_assert_uint_eq(one_way[1], one_way[0] + 1);
	ck_assert_uint_eq(other_way[0], one_way[1]);
	ck_assert_uint_eq(other_way[1], one_way[0]);
}
END_TEST

START_TEST(a_child_with_another_number_is_another_child)
{
	struct conf_child a = { .name = "lan", .reqid = 20000 };
	struct conf_child b = { .name = "lan", .reqid = 20001 };

	ck_assert(conf_child_eq(&a, &a));
	ck_assert(!conf_child_eq(&a, &b));
}
END_TEST

UNIT("conf/reqid")
{
	tcase_add_test(tc, names_that_collide_are_numbered_on_whatever_their_order);
	tcase_add_test(tc, a_child_with_another_number_is_another_child);
	tcase_add_test(tc, every_child_has_a_number_of_its_own);
	tcase_add_test(tc, a_number_stays_when_children_come_and_go);
}
