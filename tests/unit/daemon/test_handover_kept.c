/* SPDX-License-Identifier: Apache-2.0 */
/* What one program leaves with a service manager: found by name, all of it or nothing, and once. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/daemon/handover_scene.h"
#include "tests/unit/unit.h"

enum { NAMES_MAX = 8192, KEPT_FIRST = 500 };

struct names {
	char text[NAMES_MAX]; /* the last place first, as a manager may list them */
	size_t n, without;    /* that place is left out; all there are: none is */
};

static bool list_name(void *ctx, const struct handover_place *p)
{
	struct names *l = ctx;
	char name[STORE_NAME_MAX], rest[NAMES_MAX];

	if (*p->fd < 0 || l->n++ == l->without)
		return true;
	memcpy(rest, l->text, sizeof rest);
	ck_assert_int_lt(snprintf(l->text, sizeof l->text, "%s%s%.8000s", handover_name(p, name),
				  rest[0] == '\0' ? "" : ":", rest),
			 NAMES_MAX);
	return true;
}

static unsigned int n_of(const char *names)
{
	unsigned int n = 1;

	for (; *names != '\0'; names++)
		n += *names == ':';
	return n;
}

/* A record of `h` out of a store that has these names. */
static enum err read_kept(const struct handover *h, const char *names, struct handover *back)
{
	char why[HANDOVER_WHY_MAX];
	struct store s;
	enum err e;
	int fd;

	ck_assert_int_eq(store_list(&s, KEPT_FIRST, n_of(names), names), OK);
	ck_assert_int_eq(handover_write(h, &fd), OK);
	e = handover_read(fd, &s, back, why);
	close(fd);
	store_free(&s);
	return e;
}

static bool count(void *ctx, const struct handover_place *p)
{
	size_t *n = ctx;

	(void)p;
	++*n;
	return true;
}

static bool has_its_name(void *ctx, const struct handover_place *p)
{
	char name[STORE_NAME_MAX];

	ck_assert_int_eq(*p->fd, store_find(ctx, handover_name(p, name)));
	return true;
}

START_TEST(what_a_manager_has_kept_is_found_by_name)
{
	struct names l = { .without = SIZE_MAX };
	struct handover h, back;
	struct store s;

	handover_filled(&h);
	h.sockets.encap[1] = -1;
	h.control = -1;
	ck_assert(handover_each(&h, list_name, &l));
	ck_assert_int_eq(read_kept(&h, l.text, &back), OK);
	ck_assert_int_eq(back.sockets.encap[1], -1);
	ck_assert_int_eq(back.control, -1);
	ck_assert_int_eq(store_list(&s, KEPT_FIRST, n_of(l.text), l.text), OK);
	ck_assert(handover_each(&back, has_its_name, &s));
	ck_assert_int_eq(back.devices[1].fd[0], store_find(&s, "tun-6"));
	ck_assert_int_eq(back.sockets.worker[1][0], store_find(&s, "nat6-3"));
	store_free(&s);
	handover_free(&h);
	handover_free(&back);
}
END_TEST

START_TEST(one_missing_or_one_too_many_is_refused)
{
	struct names all = { .without = SIZE_MAX };
	struct handover h, back;
	char more[NAMES_MAX + 32];
	size_t n = 0;

	handover_filled(&h);
	ck_assert(handover_each(&h, count, &n));
	ck_assert_uint_gt(n, 30);
	for (size_t i = 0; i < n; i++) {
		struct names l = { .without = i };

		ck_assert(handover_each(&h, list_name, &l));
		ck_assert_uint_eq(n_of(l.text), n - 1);
		ck_assert_int_eq(read_kept(&h, l.text, &back), ERR_SYNTAX);
	}
	ck_assert(handover_each(&h, list_name, &all));
	snprintf(more, sizeof more, "%s:tun-9", all.text);
	ck_assert_int_eq(read_kept(&h, more, &back), ERR_SYNTAX);
	/* There is none in the record, and then there is to be none. */
	h.sockets.raw[1] = -1;
	ck_assert_int_eq(read_kept(&h, all.text, &back), ERR_SYNTAX);
	handover_free(&h);
}
END_TEST

START_TEST(what_is_left_with_a_manager_is_gone_on_with_once)
{
	struct names l = { .without = SIZE_MAX };
	char why[HANDOVER_WHY_MAX];
	struct handover h, back;
	struct store s;
	int fd, another;

	handover_filled(&h);
	ck_assert(handover_each(&h, list_name, &l));
	ck_assert_int_eq(store_list(&s, KEPT_FIRST, n_of(l.text), l.text), OK);
	ck_assert_int_eq(handover_write(&h, &fd), OK);
	another = dup(fd);
	/* The question whether it can be done is none. */
	ck_assert_int_eq(handover_read(fd, NULL, &back, why), OK);
	handover_free(&back);
	ck_assert_int_eq(handover_read(another, &s, &back, why), OK);
	handover_free(&back);
	ck_assert_int_eq(handover_read(fd, &s, &back, why), ERR_EXISTS);
	store_free(&s);
	close(fd);
	close(another);
	handover_free(&h);
}
END_TEST

START_TEST(what_was_taken_back_is_nobodys)
{
	struct names l = { .without = SIZE_MAX };
	char why[HANDOVER_WHY_MAX];
	struct handover h, back;
	struct store s;
	int fd, theirs;

	handover_filled(&h);
	ck_assert(handover_each(&h, list_name, &l));
	ck_assert_int_eq(store_list(&s, KEPT_FIRST, n_of(l.text), l.text), OK);
	ck_assert_int_eq(handover_write(&h, &fd), OK);
	theirs = dup(fd);
	handover_spoil(fd);
	close(fd);
	ck_assert_int_eq(handover_read(theirs, &s, &back, why), ERR_EXISTS);
	store_free(&s);
	close(theirs);
	handover_free(&h);
}
END_TEST

START_TEST(what_was_left_long_ago_is_not_fresh)
{
	const struct handover h = { .left_at = 5000 * NS_PER_S };

	ck_assert(handover_is_fresh(&h, 5000 * NS_PER_S));
	ck_assert(handover_is_fresh(&h, 5000 * NS_PER_S + ENGINE_PATIENCE - 1));
	ck_assert(!handover_is_fresh(&h, 5000 * NS_PER_S + ENGINE_PATIENCE));
	ck_assert(!handover_is_fresh(&h, 500000 * NS_PER_S));
	/* Nor what comes out of the future: its clock is not ours. */
	ck_assert(!handover_is_fresh(&h, 5000 * NS_PER_S - 1));
	ck_assert(!handover_is_fresh(&h, 0));
}
END_TEST

UNIT("daemon/handover_kept")
{
	tcase_add_test(tc, what_was_taken_back_is_nobodys);
	tcase_add_test(tc, what_was_left_long_ago_is_not_fresh);
	tcase_add_test(tc, what_a_manager_has_kept_is_found_by_name);
	tcase_add_test(tc, one_missing_or_one_too_many_is_refused);
	tcase_add_test(tc, what_is_left_with_a_manager_is_gone_on_with_once);
}
