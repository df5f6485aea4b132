/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer that has proved itself can make us work: selectors are its to choose, 255 a side and
 * 64 children, and comparing them is quadratic in both. Times are of the processor, and the bounds
 * are far from what is needed: without the promise it is ten times as much and more. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ike/child.h"
#include "ike/core.h"
#include "ike/life.h"
#include "ike/rekey.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

enum { TEXT_MAX = 1 << 20, EVER = 1000 };

static double seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void head(FILE *f, enum side s)
{
	fprintf(f, "me {\n identity = %s\n}\n", pair_names[s]);
	fprintf(f, "connection site {\n address = %s\n identity = %s\n",
		s == LEFT ? "198.51.100.2" : "192.0.2.1", pair_names[1 - s]);
	fprintf(f, " auth = psk\n psk_file = a.psk\n start = manual\n");
}

/* `m` selectors; `last` tells one list from another. */
static void ports(FILE *f, const char *what, const char *net, int m, int last)
{
	fprintf(f, "  %s = {", what);
	for (int i = 1; i < m; i++)
		fprintf(f, " %s[tcp/%d],", net, i);
	fprintf(f, " %s[tcp/%d] }\n", net, last);
}

/* Of LEFT: `n` children of `m` selectors a side, each another one in its last selector alone. */
static char *many(int n, int m)
{
	static char text[TEXT_MAX];
	FILE *f = fmemopen(text, sizeof(text), "w");

	head(f, LEFT);
	for (int i = 0; i < n; i++) {
		fprintf(f, " child c%d {\n", i);
		ports(f, "local", "10.1.0.0/16", m, EVER);
		ports(f, "remote", "10.2.0.0/16", m, EVER + i);
		fprintf(f, " }\n");
	}
	fprintf(f, "}\n");
	fclose(f);
	return text;
}

static char *one(void)
{
	static char text[1024];
	FILE *f = fmemopen(text, sizeof(text), "w");

	head(f, RIGHT);
	fprintf(f, " child net {\n  local = 10.2.0.0/16\n  remote = 10.1.0.0/16\n }\n}\n");
	fclose(f);
	return text;
}

static struct pair *with_many(int n, int m)
{
	struct pair *p = pair_new(many(n, m), one());

	pair_up(p, LEFT, "site");
	pair_run(p, 30 * NS_PER_S);
	return p;
}

/* Every message ends with it. */
START_TEST(what_is_not_due_costs_no_comparing_of_selectors)
{
	struct pair *p = with_many(8, TS_MAX);
	struct ike_sa *sa = pair_sa(p, RIGHT);
	double begin;

	ck_assert_uint_eq(child_count(sa), 8);
	begin = seconds();
	for (int i = 0; i < 500; i++)
		sa_schedule(sa);
	ck_assert_double_lt(seconds() - begin, 1);
	pair_free(p);
}
END_TEST

/* Nor what is: the newer one that carries all of it is known from the last time, and so is the one
 * that a held one waits for. */
START_TEST(what_carries_another_is_looked_for_once)
{
	struct pair *p = with_many(1, TS_MAX);
	struct ike_sa *sa = pair_sa(p, RIGHT);
	double begin;

	for (int i = 0; i < 7; i++) {
		child_free(pair_sa(p, LEFT)->children);
		pair_act(p, LEFT);
		pair_up(p, LEFT, "site");
		pair_run(p, NS_PER_S);
	}
	ck_assert_uint_eq(child_count(sa), 8);
	for (struct child_sa *old = sa->children->next; old; old = old->next) {
		old->rekey.soft = p->now;
		old->stage = old->id % 2 ? CHILD_UP : CHILD_HELD;
	}
	begin = seconds();
	for (int i = 0; i < 2000; i++) {
		ck_assert_ptr_null(rekey_next(sa));
		sa_schedule(sa);
	}
	ck_assert_double_lt(seconds() - begin, 1);
	pair_free(p);
}
END_TEST

/* What one IKE SA may have. LEFT forgets what it has made, so that RIGHT alone counts. */
START_TEST(a_peer_has_no_selectors_beyond_the_limit)
{
	struct pair *p = with_many(1, TS_MAX);
	struct ike_sa *sa = pair_sa(p, RIGHT);

	for (int i = 0; i < 8; i++) {
		ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 0);
		child_free(pair_sa(p, LEFT)->children);
		pair_act(p, LEFT);
		pair_up(p, LEFT, "site");
		pair_run(p, NS_PER_S);
	}
	ck_assert_uint_eq(child_count(sa), SA_SELECTORS_MAX / (2 * TS_MAX));
	for (enum side s = LEFT; s <= RIGHT; s++)
		ck_assert_int_eq(pair_note(p, s, IKE_NOTE_CHILD_FAILED)->err,
				 ERR_NO_ADDITIONAL_SAS);
	ck_assert_int_eq(sa->state, S_UP);
	pair_free(p);
}
END_TEST

START_TEST(we_ask_for_no_selectors_beyond_the_limit_and_new_keys_are_had_there)
{
	struct pair *p = with_many(9, TS_MAX);
	size_t n = SA_SELECTORS_MAX / (2 * TS_MAX);

	ck_assert_uint_eq(child_count(pair_sa(p, LEFT)), n);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED)->err, ERR_NO_ADDITIONAL_SAS);
	ck_assert(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED)->initiator);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_CHILD_FAILED), 0);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 1);
	for (struct child_sa *c = pair_sa(p, LEFT)->children; c; c = c->next)
		c->rekey.soft = p->now;
	sa_settle(pair_sa(p, LEFT));
	pair_act(p, LEFT);
	pair_run(p, 30 * NS_PER_S);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_REKEYED), n);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_REKEY_FAILED), 0);
		ck_assert_uint_eq(child_count(pair_sa(p, s)), n);
	}
	pair_free(p);
}
END_TEST

START_TEST(the_most_children_of_ordinary_size_are_had)
{
	struct pair *p = with_many(SA_CHILDREN_MAX, 32);

	ck_assert_uint_eq(child_count(pair_sa(p, RIGHT)), SA_CHILDREN_MAX);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 0);
	pair_free(p);
}
END_TEST

static void nets(FILE *f, const char *what, int second, int n)
{
	fprintf(f, "  %s = {", what);
	for (int i = 0; i < n; i++)
		fprintf(f, "%s 10.%d.%d.0/24", i ? "," : "", second, i);
	fprintf(f, " }\n");
}

/* Of RIGHT: `n` children of `m` networks a side. */
static char *networks(int n, int m)
{
	static char text[TEXT_MAX];
	FILE *f = fmemopen(text, sizeof(text), "w");

	head(f, RIGHT);
	for (int i = 0; i < n; i++) {
		fprintf(f, " child c%d {\n", i);
		nets(f, "local", 2, m);
		nets(f, "remote", 1, m);
		fprintf(f, " }\n");
	}
	fprintf(f, "}\n");
	fclose(f);
	return text;
}

/* ... which is offered the most that a message holds: what fits, what no child could carry, and
 * what meets each with each. */
static const struct {
	const char *proto, *first; /* of TSr; of it alone, outside of what RIGHT has */
	bool fits;
	int n, m; /* RIGHT's children, and networks of each */
} offers[] = {
	{ "tcp", "tcp", true, SA_CHILDREN_MAX, 10 },
	{ "udp", "udp", false, SA_CHILDREN_MAX, 10 },
	{ "udp", "tcp", false, SA_CHILDREN_MAX, 10 },
	{ "tcp", "tcp", true, 1, TS_MAX },
};
enum { N_OFFERS = sizeof(offers) / sizeof(offers[0]) };

static char *everything(int which)
{
	static char text[TEXT_MAX];
	FILE *f = fmemopen(text, sizeof(text), "w");

	head(f, LEFT);
	fprintf(f, " child c {\n");
	ports(f, "local", "10.1.0.0/16", TS_MAX, EVER);
	fprintf(f, "  remote = { %s[%s/1]", offers[which].fits ? "10.2.0.0/16" : "10.3.0.0/16",
		offers[which].first);
	for (int i = 2; i <= TS_MAX; i++)
		fprintf(f, ", 10.2.0.0/16[%s/%d]", offers[which].proto, i);
	fprintf(f, " }\n }\n}\n");
	fclose(f);
	return text;
}

START_TEST(an_offer_of_many_selectors_is_narrowed_for_one_child_at_most)
{
	struct pair *p = pair_new(everything(_i), networks(offers[_i].n, offers[_i].m));
	double begin = seconds();

	pair_up(p, LEFT, "site");
	pair_run(p, 500 * NS_PER_MS);
	ck_assert_double_lt(seconds() - begin, 0.5);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_CHILD_FAILED), !offers[_i].fits);
	ck_assert_uint_eq(child_count(pair_sa(p, RIGHT)), offers[_i].fits);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-cost")
{
	tcase_add_test(tc, what_is_not_due_costs_no_comparing_of_selectors);
	tcase_add_test(tc, what_carries_another_is_looked_for_once);
	tcase_add_test(tc, a_peer_has_no_selectors_beyond_the_limit);
	tcase_add_test(tc, we_ask_for_no_selectors_beyond_the_limit_and_new_keys_are_had_there);
	tcase_add_test(tc, the_most_children_of_ordinary_size_are_had);
	tcase_add_loop_test(tc, an_offer_of_many_selectors_is_narrowed_for_one_child_at_most, 0,
			    N_OFFERS);
}
