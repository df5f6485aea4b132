/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends rekey the same child at once: which of the two new pairs stays, and that neither is
 * rekeyed before that is known. */
#include <string.h>

#include "ike/child.h"
#include "ike/create.h"
#include "ike/rekey.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static struct child_sa *child_at(struct pair *p, enum side s)
{
	return pair_sa(p, s)->children;
}

/* `more` goes into both connections. */
static struct pair *with_child_by(const char *more)
{
	struct pair *p = pair_new(pair_psk(LEFT, more), pair_psk(RIGHT, more));

	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	pair_expect_children(p, 1);
	return p;
}

static struct pair *with_child(void)
{
	return with_child_by("");
}

static void want(struct pair *p, enum side s)
{
	rekey_want(child_at(p, s));
	pair_act(p, s);
}

/* ---- which one stays ---- */

struct nonces {
	const char *mine, *theirs; /* the lower one of each exchange */
	bool mine_goes;
};

static const struct nonces collisions[] = {
	{ "aaaaaaaaaaaaaaaa", "baaaaaaaaaaaaaaa", true },
	{ "baaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", false },
	{ "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaa", true },
	{ "aaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", false },
	{ "\x7f"
	  "aaaaaaaaaaaaaaaa",
	  "\x80"
	  "aaaaaaaaaaaaaaa",
	  true },
};
enum { N_COLLISIONS = sizeof(collisions) / sizeof(collisions[0]) };

/* RFC 7296 2.8.1: octet by octet, and the one that ends first is the lower one. */
START_TEST(the_lowest_nonce_loses)
{
	const struct nonces *n = &collisions[_i];
	struct pair *p = with_child();
	struct ike_sa *sa = pair_sa(p, LEFT);
	struct child_sa *old = child_at(p, LEFT), *mine, *theirs;
	struct span high = span_str("\xff\xff\xff");

	ck_assert_int_eq(child_new(sa, old->conf, true, &mine), OK);
	ck_assert_int_eq(child_new(sa, old->conf, false, &theirs), OK);
	mine->replaces = theirs->replaces = old->id;
	mine->stage = CHILD_UP;
	theirs->stage = CHILD_HELD;
	theirs->rekey.held = theirs->rekey.ask = mine->rekey.soft = mine->rekey.hard = NEVER;
	rekey_remember(mine, high, span_str(n->mine));
	rekey_remember(theirs, span_str(n->theirs), high);
	sa->window.asked = true; /* nothing leaves */
	rekey_settle(sa, old->id);
	ck_assert_int_eq(mine->delete_wanted, n->mine_goes);
	ck_assert_int_eq(old->delete_wanted, !n->mine_goes);
	ck_assert(!theirs->delete_wanted);
	sa->window.asked = false;
	old->delete_wanted = false;
	child_free(mine);
	child_free(theirs);
	pair_free(p);
}
END_TEST

START_TEST(two_that_begin_at_once_are_left_with_one_pair)
{
	struct pair *p = with_child();

	rekey_want(child_at(p, LEFT));
	rekey_want(child_at(p, RIGHT));
	pair_act(p, LEFT);
	pair_act(p, RIGHT);
	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(p->end[LEFT].n_sas, 2);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 0);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_CHILD_DOWN), 0);
	pair_free(p);
}
END_TEST

/* ---- no new keys for what may go yet ---- */

/* A worker does what was held of this exchange. */
static void work(struct pair *p, enum side s, const struct create *c)
{
	struct end *end = &p->end[s];
	bool held = end->hold_jobs;
	struct job j = { .kind = JOB_KE, .ticket = c->ticket.number };

	j.ke.group = c->group->id;
	j.ke.secret = span_of(c->priv, c->group->private_len);
	if (c->stage == CREATE_SECRET)
		j.ke.peer = packets_span(&c->peer_ke);
	end->hold_jobs = false;
	pair_do_job(end, &j);
	end->hold_jobs = held;
	pair_act(p, s);
}

/* Both have asked for new keys of the same child, and both requests are on the wire. Of the two
 * that are made LEFT's has the lowest nonce. Workers answer when they are told to (`work`). */
static struct pair *both_ask(void)
{
	struct pair *p = with_child_by("policy = { aes256gcm16 prfsha384 modp4096 }");

	for (enum side s = LEFT; s <= RIGHT; s++) {
		p->end[s].hold_jobs = true;
		want(p, s);
		memset(pair_sa(p, s)->mine->nonce, s == LEFT ? 0 : 0xff, OWN_NONCE_LEN);
	}
	work(p, LEFT, pair_sa(p, LEFT)->mine);
	work(p, RIGHT, pair_sa(p, RIGHT)->mine);
	return p;
}

static void expect_one_that_stayed(struct pair *p)
{
	pair_run(p, 30 * NS_PER_S);
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(child_count(pair_sa(p, s)), 1);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_UP), 1);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_DOWN), 0);
	}
}

static void expect_busy(struct pair *p, enum side s)
{
	ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_REKEY_FAILED), 1);
	ck_assert_int_eq(pair_note(p, s, IKE_NOTE_REKEY_FAILED)->err, ERR_BUSY);
}

static struct child_sa *replacement(struct pair *p, enum side s, bool ours)
{
	struct child_sa *c = child_at(p, s);

	while (c && !(c->replaces && c->made_by_us == ours))
		c = c->next;
	ck_assert_ptr_nonnull(c);
	return c;
}

/* LEFT's is up while it still computes for RIGHT's, and wants new keys at that moment. It will go,
 * and what had taken its place would not. */
START_TEST(what_a_collision_may_take_away_gets_no_new_keys_before)
{
	struct pair *p = both_ask();
	struct ike_sa *left = pair_sa(p, LEFT), *right = pair_sa(p, RIGHT);

	pair_drain(p);
	work(p, RIGHT, right->theirs);
	work(p, RIGHT, right->theirs);
	pair_drain(p);
	work(p, LEFT, left->mine);
	ck_assert_int_eq(replacement(p, LEFT, true)->stage, CHILD_UP);
	ck_assert_ptr_nonnull(left->theirs);
	p->end[LEFT].hold_jobs = p->end[RIGHT].hold_jobs = false;
	rekey_want(replacement(p, LEFT, true));
	pair_act(p, LEFT);
	ck_assert_ptr_null(left->mine);
	work(p, LEFT, left->theirs);
	ck_assert_ptr_null(left->theirs);
	expect_one_that_stayed(p);
	pair_free(p);
}
END_TEST

/* Where it is known that it stays there is nothing to wait for. */
START_TEST(what_a_collision_has_left_gets_new_keys_at_once)
{
	struct pair *p = both_ask();

	p->end[LEFT].hold_jobs = p->end[RIGHT].hold_jobs = false;
	pair_drain(p);
	rekey_want(replacement(p, RIGHT, true));
	pair_act(p, RIGHT);
	ck_assert_ptr_nonnull(pair_sa(p, RIGHT)->mine);
	expect_one_that_stayed(p);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_REKEY_FAILED), 0);
	pair_free(p);
}
END_TEST

static void swap_ages(struct child_sa *a, struct child_sa *b)
{
	uint32_t id = a->id;

	a->id = b->id;
	b->id = id;
}

static bool no_new_keys_to_left(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->to == RIGHT || d->bytes[18] != X_CREATE_CHILD_SA || !(d->bytes[19] & 0x20);
}

/* RIGHT's answer to LEFT's request is late. RIGHT, which knows both new ones, has taken its own
 * into use, and wants newer keys for it, as we would not while the other one is the newer of the
 * two: LEFT would not know then what its own one is to be compared with. */
START_TEST(nor_is_the_peer_given_any_before)
{
	struct pair *p = both_ask();

	p->end[LEFT].hold_jobs = p->end[RIGHT].hold_jobs = false;
	p->filter = no_new_keys_to_left;
	pair_drain(p);
	ck_assert_ptr_nonnull(pair_sa(p, LEFT)->mine);
	ck_assert_int_eq(replacement(p, LEFT, false)->stage, CHILD_UP);
	p->filter = NULL;
	swap_ages(replacement(p, RIGHT, true), replacement(p, RIGHT, false));
	rekey_want(replacement(p, RIGHT, true));
	pair_act(p, RIGHT);
	pair_drain(p);
	expect_busy(p, RIGHT);
	expect_one_that_stayed(p);
	pair_free(p);
}
END_TEST

/* ... nor while a plane puts in LEFT's own. */
static const enum child_stage not_up[] = { CHILD_INBOUND, CHILD_OUTBOUND };

START_TEST(nor_while_ours_is_put_in)
{
	struct pair *p = with_child();
	struct ike_sa *left = pair_sa(p, LEFT);
	struct child_sa *mine;

	want(p, RIGHT);
	pair_drain(p);
	ck_assert_int_eq(child_new(left, child_at(p, LEFT)->conf, true, &mine), OK);
	mine->replaces = replacement(p, LEFT, false)->replaces;
	mine->stage = not_up[_i];
	rekey_want(replacement(p, RIGHT, true));
	pair_act(p, RIGHT);
	pair_drain(p);
	expect_busy(p, RIGHT);
	child_free(mine);
	expect_one_that_stayed(p);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_CHILD_REKEYED), 2);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-rekey-both")
{
	tcase_add_loop_test(tc, the_lowest_nonce_loses, 0, N_COLLISIONS);
	tcase_add_test(tc, two_that_begin_at_once_are_left_with_one_pair);
	tcase_add_test(tc, what_a_collision_may_take_away_gets_no_new_keys_before);
	tcase_add_test(tc, what_a_collision_has_left_gets_new_keys_at_once);
	tcase_add_test(tc, nor_is_the_peer_given_any_before);
	tcase_add_loop_test(tc, nor_while_ours_is_put_in, 0, 2);
}
