/* SPDX-License-Identifier: Apache-2.0 */
/* Another IKE SA in the place of one, step by step: what moves, what begins anew, which of two
 * heirs inherits, and when it is not to be. */
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/create.h"
#include "ike/life.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static struct pair *with_child(void)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_up(p, LEFT, "site");
	pair_run(p, 3 * NS_PER_S);
	pair_expect_children(p, 1);
	return p;
}

static void want(struct pair *p, enum side s)
{
	rekey_ike_want(pair_sa(p, s));
	pair_act(p, s);
}

/* One IKE SA, which has taken the place of `n` others without a word but that. */
static void expect(struct pair *p, size_t n)
{
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(ike_engine_stats(p->end[s].e)->sas, 1);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_REKEYED), n);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_UP), 1);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_DOWN), 0);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_DOWN), 0);
	}
}

static const enum side sides[] = { LEFT, RIGHT };

/* Who begins is its initiator, whoever that of the old one was (1.3.2). */
START_TEST(children_move_and_all_else_begins_anew)
{
	struct pair *p = with_child();
	enum side s = sides[_i];
	uint32_t spi = pair_sa(p, LEFT)->children->spi_in;
	struct key old = pair_sa(p, LEFT)->keys.d;
	size_t installs = p->end[LEFT].n_installs;
	uint64_t was = pair_sa(p, LEFT)->spi_i;

	want(p, s);
	pair_run(p, NS_PER_S);
	expect(p, 1);
	ck_assert(pair_sa(p, s)->initiator && !pair_sa(p, 1 - s)->initiator);
	ck_assert_uint_ne(pair_sa(p, LEFT)->spi_i, was);
	ck_assert_uint_eq(pair_sa(p, LEFT)->spi_i, pair_sa(p, RIGHT)->spi_i);
	ck_assert_uint_eq(pair_sa(p, LEFT)->spi_r, pair_sa(p, RIGHT)->spi_r);
	/* 2.18 */
	ck_assert_uint_eq(pair_sa(p, LEFT)->window.next_out, 0);
	ck_assert_uint_eq(pair_sa(p, LEFT)->window.next_in, 0);
	ck_assert(!secret_eq(key_span(&pair_sa(p, LEFT)->keys.d), key_span(&old)));
	ck_assert(secret_eq(key_span(&pair_sa(p, LEFT)->keys.d),
			    key_span(&pair_sa(p, RIGHT)->keys.d)));
	/* The plane hears nothing of it. */
	ck_assert_uint_eq(pair_sa(p, LEFT)->children->spi_in, spi);
	ck_assert_uint_eq(p->end[LEFT].n_installs, installs);
	/* It works, and so does the next one, from the other end. */
	rekey_want(pair_sa(p, RIGHT)->children);
	pair_act(p, RIGHT);
	pair_run(p, 8 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_REKEYED), 1);
	want(p, 1 - s);
	pair_run(p, NS_PER_S);
	expect(p, 2);
	key_wipe(&old);
	pair_free(p);
}
END_TEST

/* The first `n` datagrams to this side do not come. */
struct loss {
	enum side to;
	size_t n;
};

static bool lose(struct pair *p, struct datagram *d)
{
	struct loss *l = p->ctx;

	if (d->to != l->to || l->n == 0)
		return true;
	l->n--;
	return false;
}

/* The one that has answered is there already, and answers once more on the old one. */
START_TEST(a_lost_answer_is_sent_again_by_the_old_one)
{
	struct pair *p = with_child();
	struct loss l = { .to = LEFT, .n = 2 };

	p->filter = lose;
	p->ctx = &l;
	want(p, LEFT);
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_REKEYED), 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEYED), 0);
	pair_run(p, 20 * NS_PER_S);
	expect(p, 1);
	pair_free(p);
}
END_TEST

START_TEST(two_that_begin_at_once_are_left_with_one)
{
	struct pair *p = with_child();

	rekey_ike_want(pair_sa(p, LEFT));
	rekey_ike_want(pair_sa(p, RIGHT));
	pair_act(p, LEFT);
	pair_act(p, RIGHT);
	pair_run(p, 20 * NS_PER_S);
	expect(p, 1);
	pair_free(p);
}
END_TEST

/* Both have begun, and RIGHT has the peer's heir when the old one ends. A peer that says
 * INITIAL_CONTACT has forgotten all of it. */
static const struct {
	enum err why;
	size_t left;
} ends[] = { { ERR_PEER_DELETED, 1 }, { ERR_PEER_LOST, 1 }, { ERR_REPLACED, 0 } };

START_TEST(the_peers_heir_inherits_when_the_peer_has_it)
{
	struct pair *p = with_child();
	struct loss l = { .to = LEFT, .n = SIZE_MAX };

	p->filter = lose;
	p->ctx = &l;
	want(p, RIGHT);
	want(p, LEFT);
	pair_drain(p);
	ck_assert_uint_eq(ike_engine_stats(p->end[RIGHT].e)->sas, 3);
	sa_end(pair_sa(p, RIGHT), ends[_i].why);
	ck_assert_uint_eq(ike_engine_stats(p->end[RIGHT].e)->sas, ends[_i].left);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_REKEYED), 0);
	pair_act(p, RIGHT);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_REKEYED), ends[_i].left);
	pair_free(p);
}
END_TEST

/* Values that grow, or fall, behind a first byte that stays. */
struct counter {
	uint8_t first;
	uint8_t next;
	uint8_t step;
};

static bool count(void *ctx, void *buf, size_t len)
{
	struct counter *c = ctx;
	uint8_t *p = buf;

	c->next = (uint8_t)(c->next + c->step);
	for (size_t i = 0; i < len; i++)
		p[i] = i == 0 ? c->first : c->next;
	return true;
}

/* LEFT's nonces begin with less than RIGHT's, but for those of the answers, for who answers a
 * request that crosses its own wants that to lose: both begin with zeros. The lowest one made the
 * IKE SA that goes (2.8.2). */
START_TEST(the_lowest_nonce_loses)
{
	struct pair *p = with_child();
	struct counter left = { 1, _i == 0 ? 16 : 240, _i == 0 ? 1 : 255 };
	struct counter right = { 2, 100, 1 };
	enum side stays = _i == 0 ? LEFT : RIGHT;

	p->end[LEFT].e->env.random = (struct random){ .fill = count, .ctx = &left };
	p->end[RIGHT].e->env.random = (struct random){ .fill = count, .ctx = &right };
	rekey_ike_want(pair_sa(p, LEFT));
	rekey_ike_want(pair_sa(p, RIGHT));
	pair_act(p, LEFT);
	pair_act(p, RIGHT);
	pair_run(p, NS_PER_S);
	expect(p, 1);
	ck_assert(pair_sa(p, stays)->initiator);
	ck_assert(!pair_sa(p, 1 - stays)->initiator);
	pair_free(p);
}
END_TEST

/* RIGHT has refused LEFT's group, not knowing yet that its own request is answered. LEFT goes on by
 * RIGHT's heir, and a goodbye of that moment is said on it. */
START_TEST(a_peer_that_wants_another_group_has_made_the_one_that_counts)
{
	struct pair *p = with_child();
	struct ike_sa *l = pair_sa(p, LEFT);
	struct loss none = { .to = RIGHT, .n = 0 };

	ck_assert_int_ne(l->suite.ke->id, KE_ECP_384);
	l->suite.ke = ke_find(KE_ECP_384);
	p->filter = lose;
	p->ctx = &none;
	rekey_ike_want(l);
	rekey_ike_want(pair_sa(p, RIGHT));
	pair_act(p, LEFT);
	pair_act(p, RIGHT);
	/* From now on LEFT is not heard until it is seen what it does. */
	none.n = SIZE_MAX;
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEYED), 1);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_REKEYED), 0);
	ck_assert(!pair_sa(p, LEFT)->initiator);
	ck_assert_ptr_null(l->mine);
	if (_i == 1)
		pair_down(p, LEFT, "site");
	none.n = 0;
	pair_run(p, _i == 0 ? 20 * NS_PER_S : 5 * NS_PER_S);
	if (_i == 0)
		expect(p, 1);
	for (enum side s = LEFT; s <= RIGHT && _i == 1; s++)
		ck_assert_uint_eq(pair_sas(p, s), 0);
	pair_free(p);
}
END_TEST

/* LEFT's own request cannot be made from the moment on at which it has answered RIGHT's. */
static const struct {
	bool job;   /* a worker says so; else RIGHT's answer does not lie in the offer */
	bool stays; /* RIGHT's heir, by the nonces */
} unmade[] = { { true, true }, { false, true }, { true, false }, { false, false } };
enum { N_UNMADE = sizeof(unmade) / sizeof(unmade[0]) };

static bool fail_once_answered(struct pair *p, struct datagram *d)
{
	struct create *mine = pair_sa(p, LEFT) ? pair_sa(p, LEFT)->mine : NULL;
	const bool *job = p->ctx;

	if (d->to != RIGHT || !mine || !mine->rival || p->answered)
		return true;
	p->answered = true;
	if (*job) {
		p->end[LEFT].fail_job = JOB_KE;
		p->end[LEFT].fail_job_err = ERR_CRYPTO;
	} else {
		mine->group = NULL;
	}
	return true;
}

#define SLOW "policy = { aes256gcm16 prfsha384 modp4096 }"

START_TEST(the_peers_heir_inherits_when_ours_cannot_be_made)
{
	const char *policy = unmade[_i].job ? SLOW : "";
	struct pair *p = pair_new(pair_psk(LEFT, policy), pair_psk(RIGHT, policy));
	struct counter left = { 1, unmade[_i].stays ? 240 : 16, unmade[_i].stays ? 255 : 1 };
	struct counter right = { 2, 100, 1 };
	bool job = unmade[_i].job;

	pair_up(p, LEFT, "site");
	pair_run(p, 3 * NS_PER_S);
	pair_expect_children(p, 1);
	p->end[LEFT].e->env.random = (struct random){ .fill = count, .ctx = &left };
	p->end[RIGHT].e->env.random = (struct random){ .fill = count, .ctx = &right };
	p->filter = fail_once_answered;
	p->ctx = &job;
	rekey_ike_want(pair_sa(p, LEFT));
	rekey_ike_want(pair_sa(p, RIGHT));
	pair_act(p, LEFT);
	pair_act(p, RIGHT);
	/* RIGHT waits so long for a Delete of what LEFT has not got. */
	pair_run(p, unmade[_i].stays ? 61 * NS_PER_S : NS_PER_S);
	ck_assert(p->answered);
	if (unmade[_i].stays) {
		expect(p, 1);
		ck_assert(pair_sa(p, RIGHT)->initiator && !pair_sa(p, LEFT)->initiator);
	} else {
		/* RIGHT goes on by what LEFT has not got; all else was said goodbye to. */
		ck_assert_uint_eq(pair_sas(p, LEFT), 0);
		ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
		ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEY_FAILED), 1);
		ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 1);
	}
	pair_free(p);
}
END_TEST

static bool no_deletes(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->bytes[18] != X_INFORMATIONAL;
}

/* LEFT rekeys and never deletes, as RIGHT sees it. */
START_TEST(a_peer_that_rekeys_for_ever_has_two)
{
	struct pair *p = with_child();

	p->filter = no_deletes;
	for (size_t i = 1; i <= 50; i++) {
		want(p, LEFT);
		pair_drain(p);
		ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_REKEYED), i);
		ck_assert_uint_eq(ike_engine_stats(p->end[LEFT].e)->sas, 2);
		ck_assert_uint_eq(ike_engine_stats(p->end[RIGHT].e)->sas, 2);
	}
	p->filter = NULL;
	pair_run(p, 60 * NS_PER_S);
	expect(p, 50);
	pair_free(p);
}
END_TEST

/* 2.25.2, both ways round. */
START_TEST(a_child_and_the_ike_sa_are_not_rekeyed_together)
{
	struct pair *p = with_child();
	enum side s = sides[_i];

	want(p, s);
	rekey_want(pair_sa(p, 1 - s)->children);
	pair_act(p, 1 - s);
	pair_run(p, NS_PER_S / 2);
	/* The one that has begun the IKE SA's refuses the other's, and the other way round. */
	ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_REKEY_FAILED), 1);
	ck_assert_uint_eq(pair_count(p, 1 - s, IKE_NOTE_REKEY_FAILED), 1);
	ck_assert_int_eq(pair_note(p, s, IKE_NOTE_REKEY_FAILED)->err, ERR_BUSY);
	pair_run(p, 60 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_REKEYED), 1);
	expect(p, 1);
	pair_free(p);
}
END_TEST

/* 0: of the IKE SA; 1: of the child. */
START_TEST(a_peer_that_gives_new_keys_is_not_too_busy)
{
	struct pair *p = with_child();
	struct conn *c = p->end[LEFT].e->conns[0];

	c->busy_since = 1;
	if (_i == 0)
		rekey_ike_want(pair_sa(p, RIGHT));
	else
		rekey_want(pair_sa(p, RIGHT)->children);
	pair_act(p, RIGHT);
	pair_run(p, 8 * NS_PER_S);
	ck_assert_uint_eq(c->busy_since, 0);
	pair_free(p);
}
END_TEST

/* What the peer has made meanwhile goes, too. */
START_TEST(down_in_the_middle_leaves_nothing)
{
	struct pair *p = with_child();

	want(p, LEFT);
	if (_i == 1) {
		rekey_ike_want(pair_sa(p, RIGHT));
		pair_act(p, RIGHT);
	}
	pair_down(p, LEFT, "site");
	pair_run(p, 2 * NS_PER_S);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(p->end[s].n_sas, 0);
		ck_assert_uint_eq(ike_engine_stats(p->end[s].e)->sas, 0);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_DOWN), 1);
	}
	pair_free(p);
}
END_TEST

START_TEST(it_is_rekeyed_before_its_lifetime_is_over)
{
	struct pair *p = with_child();
	struct ike_sa *l = pair_sa(p, LEFT), *r = pair_sa(p, RIGHT);
	mono_ns life = l->conn->conf->lifetime;

	ck_assert_uint_eq(life, 8 * 3600 * NS_PER_S);
	ck_assert(l->rekey_at < r->rekey_at);
	ck_assert(r->ends_at - r->rekey_at >= life / 50);
	pair_run(p, life);
	expect(p, 1);
	/* When nobody does, there is another handshake before the end. */
	pair_sa(p, LEFT)->rekey_at = NEVER;
	pair_sa(p, RIGHT)->rekey_at = pair_sa(p, RIGHT)->ends_at = NEVER;
	pair_run(p, life);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_DOWN)->err, ERR_REPLACED);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 0);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-rekey-ike")
{
	tcase_add_loop_test(tc, children_move_and_all_else_begins_anew, 0, 2);
	tcase_add_test(tc, a_lost_answer_is_sent_again_by_the_old_one);
	tcase_add_loop_test(tc, the_peers_heir_inherits_when_the_peer_has_it, 0, 3);
	tcase_add_test(tc, two_that_begin_at_once_are_left_with_one);
	tcase_add_loop_test(tc, the_lowest_nonce_loses, 0, 2);
	tcase_add_loop_test(tc, the_peers_heir_inherits_when_ours_cannot_be_made, 0, N_UNMADE);
	tcase_add_loop_test(tc, a_peer_that_wants_another_group_has_made_the_one_that_counts, 0, 2);
	tcase_add_test(tc, a_peer_that_rekeys_for_ever_has_two);
	tcase_add_loop_test(tc, a_child_and_the_ike_sa_are_not_rekeyed_together, 0, 2);
	tcase_add_loop_test(tc, a_peer_that_gives_new_keys_is_not_too_busy, 0, 2);
	tcase_add_loop_test(tc, down_in_the_middle_leaves_nothing, 0, 2);
	tcase_add_test(tc, it_is_rekeyed_before_its_lifetime_is_over);
}
