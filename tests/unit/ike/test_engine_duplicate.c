/* SPDX-License-Identifier: Apache-2.0 */
/* INITIAL_CONTACT: who says it, and what becomes of what was there (RFC 7296 2.4); and two IKE SAs
 * that came up from both ends at once. */
#include <stdio.h>
#include <string.h>

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/duplicate.h"
#include "ike/header.h"
#include "ike/peer.h"
#include "ike/rekey_ike.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static struct pair *up(const char *left, const char *right)
{
	struct pair *p = pair_new(left, right);

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	return p;
}

/* RIGHT restarts and forgets; LEFT calls again and RIGHT's INITIAL_CONTACT, or LEFT's, leaves one
 * pair. */
static void left_forgets_and_calls(struct pair *p)
{
	struct ike_sa *sa = pair_sa(p, LEFT);

	/* LEFT forgets without a word. */
	while (p->end[LEFT].n_sas > 0)
		sa_desc_wipe(&p->end[LEFT].sas[--p->end[LEFT].n_sas]);
	sa->children->in_there = false;
	sa->children->out_there = false;
	sa_free(sa);
	pair_run(p, NS_PER_S);
	pair_up(p, LEFT, "site");
	pair_drain(p);
}

START_TEST(initial_contact_replaces_the_old_sa)
{
	struct pair *p = up(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	left_forgets_and_calls(p);
	pair_expect_children(p, 1);
	ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_DOWN)->err, ERR_REPLACED);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	pair_free(p);
}
END_TEST

/* As pair_psk, with another identity of LEFT's. */
static const char *mailbox(enum side s, char text[static 4096])
{
	const char *from = pair_psk(s, ""), *name;
	size_t n = 0;

	while ((name = strstr(from, pair_names[LEFT]))) {
		n += (size_t)snprintf(text + n, 4096 - n, "%.*sLeft@example.org",
				      (int)(name - from), from);
		from = name + strlen(pair_names[LEFT]);
	}
	snprintf(text + n, 4096 - n, "%s", from);
	return text;
}

/* Whoever else there is: 0: of another name; 1: of one that differs in case alone, which in a
 * mailbox's is another one. */
START_TEST(initial_contact_replaces_nobody_else)
{
	static const char *const others[] = { "Lent@example.org", "left@example.org" };
	char left[4096], right[4096];
	struct pair *p = up(mailbox(LEFT, left), mailbox(RIGHT, right));
	struct ike_sa *sa = pair_sa(p, RIGHT);

	peer_leave(sa);
	ck_assert_int_eq(identity_parse(sa->peer, others[_i]), OK);
	peer_enter(sa);
	left_forgets_and_calls(p);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_DOWN), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 2);
	pair_free(p);
}
END_TEST

/* Where one identity may be several machines it is neither said nor believed. */
static const struct {
	const char *left, *right;
} several[] = {
	{ "duplicates = keep", "" },
	{ "", "duplicates = keep" },
};
enum { N_SEVERAL = sizeof(several) / sizeof(several[0]) };

START_TEST(one_of_several_machines_replaces_no_other)
{
	struct pair *p = up(pair_psk(LEFT, several[_i].left), pair_psk(RIGHT, several[_i].right));

	left_forgets_and_calls(p);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_DOWN), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 2);
	pair_run(p, 80 * NS_PER_S);
	ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_DOWN)->err, ERR_PEER_LOST);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* Two connections with one pair of identities: the second says nothing, or the peer would take the
 * first one's IKE SA away (RFC 7296 2.4). */
START_TEST(another_connection_of_the_same_two_is_no_first_contact)
{
	char left[4096];
	struct pair *p;

	snprintf(left, sizeof(left),
		 "%sconnection other {\n address = 198.51.100.9\n identity = %s\n auth = psk\n"
		 " psk_file = site.psk\n start = manual\n"
		 " child lab {\n  local = 10.7.1.0/24\n  remote = 10.7.2.0/24\n }\n}\n",
		 pair_psk(LEFT, ""), pair_names[RIGHT]);
	p = pair_new(left, pair_two(RIGHT, false, ""));
	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_up(p, LEFT, "other");
	pair_drain(p);
	pair_expect_children(p, 2);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_DOWN), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 2);
	pair_free(p);
}
END_TEST

static size_t n_up(const struct pair *p, enum side s)
{
	size_t n = 0;

	for (const struct ike_sa *sa = p->end[s].e->conns[0]->sas; sa; sa = sa->next)
		n += sa->state == S_UP;
	return n;
}

START_TEST(one_identity_has_eight_at_most_and_at_any_time)
{
	struct pair *p = up(pair_psk(LEFT, "duplicates = keep"), pair_psk(RIGHT, ""));

	for (size_t i = 2; i <= 20; i++) {
		left_forgets_and_calls(p);
		pair_run(p, NS_PER_MS);
		ck_assert_uint_eq(n_up(p, RIGHT), i < SAME_PEER_MAX ? i : SAME_PEER_MAX);
		ck_assert_uint_eq(n_up(p, LEFT), 1);
	}
	pair_free(p);
}
END_TEST

static bool right_does_not_hear_the_call(struct pair *p, struct datagram *d)
{
	struct ike_header h;

	(void)p;
	ck_assert_int_eq(header_decode(span_of(d->bytes, d->len), &h), OK);
	return d->to == LEFT || h.exchange != X_IKE_SA_INIT || h.flags & FLAG_RESPONSE;
}

static struct ike_sa *up_at(struct pair *p, enum side s)
{
	struct ike_sa *sa = p->end[s].e->conns[0]->sas;

	while (sa && sa->state != S_UP)
		sa = sa->next;
	ck_assert_ptr_nonnull(sa);
	return sa;
}

/* LEFT's call comes late, when RIGHT's has made an IKE SA, and either end has rekeyed that. */
START_TEST(of_two_that_crossed_one_stays_though_one_has_an_heir)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	enum side rekeys = (enum side)(_i % 2);

	p->end[LEFT].seed += 2 * (uint64_t)_i;
	p->filter = right_does_not_hear_the_call;
	pair_up(p, LEFT, "site");
	pair_up(p, RIGHT, "site");
	pair_drain(p);
	rekey_ike_want(up_at(p, rekeys));
	pair_act(p, rekeys);
	pair_drain(p);
	p->filter = NULL;
	pair_run(p, 60 * NS_PER_S);
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_REKEYED), 1);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_UP), 2);
		ck_assert_uint_eq(pair_sas(p, s), 1);
	}
	pair_free(p);
}
END_TEST

/* Of the connection: one view, with its child. */
struct told {
	size_t views;
	bool up;
	struct ike_child_view child;
	enum err failed;
};

static void look(void *ctx, const struct ike_view *v)
{
	struct told *t = ctx;

	t->views++;
	t->up = v->state == IKE_STATE_UP;
	t->child = v->children[0];
	t->failed = v->last_failure.err;
}

static struct told told_of(struct pair *p, enum side s)
{
	struct told t = { .views = 0 };

	ike_engine_refresh(p->end[s].e, p->now);
	pair_act(p, s);
	pair_drain(p);
	ike_engine_views(p->end[s].e, look, &t);
	ck_assert_uint_eq(t.views, 1);
	return t;
}

/* Of two that crossed one goes after some seconds. Who looks meanwhile sees that the child is there
 * and what it carries, and afterwards that nothing has failed. */
START_TEST(while_one_of_two_goes_the_connection_is_up)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	p->end[LEFT].seed += 2 * (uint64_t)_i;
	p->filter = right_does_not_hear_the_call;
	pair_up(p, LEFT, "site");
	pair_up(p, RIGHT, "site");
	pair_drain(p);
	p->filter = NULL;
	p->end[LEFT].packets = 3;
	p->end[RIGHT].packets = 3;
	for (int seconds = 0; seconds < 40; seconds++) {
		pair_run(p, NS_PER_S);
		for (enum side s = LEFT; s <= RIGHT; s++) {
			struct told t = told_of(p, s);

			ck_assert(t.up && t.child.up && t.child.spi_out);
			ck_assert_uint_eq(t.child.n_pairs, 1);
			ck_assert_uint_ge(t.child.in.packets, 3);
			ck_assert_int_eq(t.failed, OK);
		}
	}
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_UP), 2);
		ck_assert_uint_eq(pair_sas(p, s), 1);
		ck_assert(pair_note(p, s, IKE_NOTE_DOWN)->goes_on);
	}
	pair_free(p);
}
END_TEST

static bool hears_not_of_its_call(struct pair *p, struct datagram *d)
{
	const enum side *late = p->ctx;
	struct ike_header h;

	ck_assert_int_eq(header_decode(span_of(d->bytes, d->len), &h), OK);
	return d->to != *late || h.exchange != X_IKE_SA_INIT || !(h.flags & FLAG_RESPONSE);
}

/* Whatever this end may send by, the other one takes. */
static void expect_taken(const struct pair *p, enum side from)
{
	const struct end *to = &p->end[from == LEFT ? RIGHT : LEFT];

	for (size_t i = 0; i < p->end[from].n_sas; i++) {
		const struct sa_desc *out = &p->end[from].sas[i];
		size_t in = 0;

		if (out->dir != SA_OUT)
			continue;
		while (in < to->n_sas && !(to->sas[in].dir == SA_IN && to->sas[in].spi == out->spi))
			in++;
		ck_assert_uint_lt(in, to->n_sas);
	}
}

/* The other end begins another one when this one has heard at last, and sends its proof. From then
 * on packets find a way whenever something is said. */
static bool other_calls_again(struct pair *p, struct datagram *d)
{
	const enum side *late = p->ctx;
	struct ike_event ev = { .kind = IKE_EV_REKEY,
				.command = { .connection = "site", .rekey = IKE_REKEY_PROOF } };
	struct ike_header h;

	ck_assert_int_eq(header_decode(span_of(d->bytes, d->len), &h), OK);
	if (!p->answered && d->to != *late && h.exchange == X_IKE_AUTH) {
		p->answered = true;
		pair_event(&p->end[d->to], &ev);
		pair_act(p, d->to);
	}
	expect_taken(p, LEFT);
	expect_taken(p, RIGHT);
	return true;
}

/* The call of one end comes through late, when the other end has made an IKE SA and just begins
 * another one in its place: it may not win over the one and lose against the other. */
START_TEST(one_that_crosses_two_loses_against_both_or_wins_over_both)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	enum side late = (enum side)(_i % 2);
	uint64_t first;

	p->end[LEFT].seed += 7 * (uint64_t)_i;
	p->end[RIGHT].seed += 3 * (uint64_t)_i;
	p->filter = hears_not_of_its_call;
	p->ctx = &late;
	pair_up(p, LEFT, "site");
	pair_up(p, RIGHT, "site");
	pair_drain(p);
	first = up_at(p, LEFT)->spi_i;
	p->filter = other_calls_again;
	pair_run(p, 60 * NS_PER_S);
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_UP), 3);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_DOWN), 0);
		ck_assert_uint_eq(pair_sas(p, s), 1);
		ck_assert_uint_ne(up_at(p, s)->spi_i, first);
	}
	pair_free(p);
}
END_TEST

static bool left_does_not_hear_the_call(struct pair *p, struct datagram *d)
{
	struct ike_header h;

	(void)p;
	ck_assert_int_eq(header_decode(span_of(d->bytes, d->len), &h), OK);
	return d->to == RIGHT || h.exchange != X_IKE_SA_INIT || h.flags & FLAG_RESPONSE;
}

/* RIGHT's call, which LEFT's crossed, is to renew what came of that: it loses all the same, and
 * LEFT's stays until another one is up. */
START_TEST(what_loses_against_the_one_that_it_is_to_renew_leaves_that)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct ike_event ev = { .kind = IKE_EV_REKEY,
				.command = { .connection = "site", .rekey = IKE_REKEY_PROOF } };
	enum side late = RIGHT;
	uint64_t first;

	p->filter = left_does_not_hear_the_call;
	pair_up(p, RIGHT, "site");
	pair_up(p, LEFT, "site");
	pair_drain(p);
	first = up_at(p, RIGHT)->spi_i;
	pair_event(&p->end[RIGHT], &ev);
	pair_act(p, RIGHT);
	p->filter = other_calls_again;
	p->ctx = &late;
	p->answered = true;
	p->end[LEFT].packets = 1;
	pair_run(p, 60 * NS_PER_S);
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_UP), 3);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_DOWN), 0);
		ck_assert_uint_eq(pair_sas(p, s), 1);
		ck_assert_uint_ne(up_at(p, s)->spi_i, first);
	}
	pair_free(p);
}
END_TEST

UNIT("ike/engine-duplicate")
{
	tcase_add_test(tc, what_loses_against_the_one_that_it_is_to_renew_leaves_that);
	tcase_add_loop_test(tc, one_that_crosses_two_loses_against_both_or_wins_over_both, 0, 20);
	tcase_add_test(tc, one_identity_has_eight_at_most_and_at_any_time);
	tcase_add_loop_test(tc, of_two_that_crossed_one_stays_though_one_has_an_heir, 0, 20);
	tcase_add_loop_test(tc, while_one_of_two_goes_the_connection_is_up, 0, 4);
	tcase_add_test(tc, initial_contact_replaces_the_old_sa);
	tcase_add_loop_test(tc, initial_contact_replaces_nobody_else, 0, 2);
	tcase_add_loop_test(tc, one_of_several_machines_replaces_no_other, 0, N_SEVERAL);
	tcase_add_test(tc, another_connection_of_the_same_two_is_no_first_contact);
}
