/* SPDX-License-Identifier: Apache-2.0 */
/* How an IKE SA goes whose place another one has taken: with all that it was waiting for, and with
 * the time that what is on its way takes. */
#include <string.h>

#include "ike/child.h"
#include "ike/core.h"
#include "ike/rekey.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static struct pair *up(void)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_up(p, LEFT, "site");
	pair_run(p, 3 * NS_PER_S);
	pair_has_rekeyed(p);
	pair_expect_children(p, 1);
	return p;
}

static void ask(struct pair *p, enum side s, enum ike_rekey what)
{
	struct ike_event ev = { .kind = IKE_EV_REKEY,
				.command = { .connection = "site", .rekey = what } };

	pair_event(&p->end[s], &ev);
	pair_act(p, s);
}

/* One IKE SA, with one child. */
static void expect_one(const struct pair *p)
{
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++)
		ck_assert_uint_eq(ike_engine_stats(p->end[s].e)->sas, 1);
}

/* Requests for new keys do not arrive at the one end (p->ctx), or at neither (NULL). */
static bool no_request_for_keys(struct pair *p, struct datagram *d)
{
	const enum side *deaf = p->ctx;

	return d->bytes[18] != X_CREATE_CHILD_SA || (d->bytes[19] & 0x20) ||
	       (deaf && d->to != *deaf);
}

/* What LEFT asks over the old IKE SA meanwhile is refused: the peer has made the new child itself,
 * or makes another IKE SA. */
START_TEST(an_old_one_goes_when_what_was_asked_over_it_is_refused)
{
	struct pair *p = up();
	enum side left = LEFT, right = RIGHT;

	p->filter = no_request_for_keys;
	p->ctx = _i == 0 ? &right : NULL;
	ask(p, LEFT, IKE_REKEY_CHILD);
	ask(p, RIGHT, _i == 0 ? IKE_REKEY_CHILD : IKE_REKEY_IKE);
	pair_run(p, NS_PER_S / 4);
	ask(p, LEFT, IKE_REKEY_PROOF);
	pair_run(p, 2 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 2);
	ck_assert_uint_eq(ike_engine_stats(p->end[LEFT].e)->sas, 2);
	p->ctx = &left;
	p->filter = _i == 0 ? NULL : no_request_for_keys;
	pair_run(p, 30 * NS_PER_S);
	expect_one(p);
	for (enum side s = LEFT; s <= RIGHT; s++)
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_DOWN), 0);
	pair_free(p);
}
END_TEST

/* Deletes over the old IKE SA do not arrive at RIGHT. */
static bool no_delete(struct pair *p, struct datagram *d)
{
	const struct ike_sa *old = p->ctx;
	struct rd r = rd_from(span_of(d->bytes, d->len));

	return d->to != RIGHT || d->bytes[18] != X_INFORMATIONAL || rd_u64(&r) != old->spi_i;
}

static const struct child_sa *lingering(struct pair *p, uint64_t spi)
{
	const struct ike_sa *sa = sa_find(p->end[LEFT].e, spi);
	const struct child_sa *c = sa ? sa->children : NULL;

	while (c && !c->rekey.lingers)
		c = c->next;
	return c;
}

/* They are answered at last, shortly before the old one was to go: what RIGHT has sent by its child
 * until then may still be on its way. */
START_TEST(what_comes_by_a_child_that_is_deleted_late_is_taken)
{
	struct pair *p = up();
	struct ike_sa *old = pair_sa(p, LEFT);
	const uint64_t spi = sa_own_spi(old);
	const struct child_sa *c;
	mono_ns until;

	p->filter = no_delete;
	p->ctx = old;
	ask(p, LEFT, IKE_REKEY_PROOF);
	pair_run(p, 6 * NS_PER_S);
	ck_assert(!lingering(p, spi));
	p->filter = NULL;
	until = p->now + 8 * NS_PER_S;
	while (!(c = lingering(p, spi)) && p->now < until)
		pair_run(p, NS_PER_S / 10);
	ck_assert_ptr_nonnull(c);
	until = c->rekey.lingers - NS_PER_S / 5;
	ck_assert(until > p->now + 4 * NS_PER_S);
	pair_run(p, until - p->now);
	ck_assert_ptr_nonnull(lingering(p, spi));
	pair_run(p, 10 * NS_PER_S);
	expect_one(p);
	pair_free(p);
}
END_TEST

/* New keys are put in while the old IKE SA gets on with going: what is sent goes by the newest, and
 * this one the peer is about to take out. */
START_TEST(nothing_is_sent_by_a_child_that_is_to_go)
{
	struct pair *p = up();
	struct end *left = &p->end[LEFT];
	struct child_sa *c;
	struct sa_done done = { .dir = SA_IN };
	struct ike_event ev = { .kind = IKE_EV_SA, .sa = &done };

	left->hold_sas = true;
	ask(p, LEFT, IKE_REKEY_CHILD);
	pair_run(p, NS_PER_S / 4);
	ck_assert_uint_eq(left->n_unheard_installs, 1);
	c = pair_sa(p, LEFT)->children;
	while (c && c->stage != CHILD_INBOUND)
		c = c->next;
	ck_assert_ptr_nonnull(c);
	if (_i == 1)
		child_delete_later(c, ERR_REPLACED);
	done.ticket = c->ticket.number;
	done.spi = c->spi_in;
	pair_event(left, &ev);
	pair_act(p, LEFT);
	ck_assert_uint_eq(left->n_unheard_installs, _i == 1 ? 1 : 2);
	left->hold_sas = false;
	pair_free(p);
}
END_TEST

/* One of two that came from both ends at once: RIGHT holds the child of the other one, by which
 * LEFT has sent nothing yet, and comes to the end of its patience. The child goes on, and the one
 * that goes leaves its own the time that what comes by them takes. */
START_TEST(one_of_two_goes_when_the_other_one_carries)
{
	struct pair *p = up();
	struct ike_sa *old = pair_sa(p, RIGHT), *other;
	const uint64_t spi = sa_own_spi(old);

	p->filter = no_delete;
	p->ctx = pair_sa(p, LEFT);
	ask(p, LEFT, IKE_REKEY_PROOF);
	pair_run(p, NS_PER_S / 2);
	other = old->conn->sas;
	ck_assert_ptr_ne(other, old);
	ck_assert_int_eq(other->children->stage, CHILD_HELD);
	old->redundant = true;
	old->ends_at = p->now;
	sa_schedule(old);
	pair_run(p, 4 * NS_PER_S);
	ck_assert_int_eq(other->children->stage, CHILD_UP);
	ck_assert_ptr_eq(sa_find(p->end[RIGHT].e, spi), old);
	ck_assert_int_eq(old->state, S_UP);
	ck_assert_ptr_nonnull(old->children);
	p->filter = NULL;
	pair_run(p, 30 * NS_PER_S);
	expect_one(p);
	pair_free(p);
}
END_TEST

static bool no_new_keys_for_left(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->to != LEFT || d->bytes[18] != X_CREATE_CHILD_SA;
}

static void end_all_children(struct pair *p, enum side s)
{
	for (struct child_sa *c = pair_sa(p, s)->children; c; c = c->next)
		child_delete(c, ERR_OPERATOR);
	pair_act(p, s);
	pair_run(p, 2 * NS_PER_S);
	ck_assert_ptr_null(pair_sa(p, s)->children);
}

/* Of the old IKE SA there is one child left when the new one is up: it is asked for, and the answer
 * is about one that the peer has deleted again. */
START_TEST(an_old_one_that_waits_for_an_answer_goes_with_it)
{
	struct pair *p = up();

	p->filter = no_new_keys_for_left;
	ask(p, LEFT, IKE_REKEY_CHILD);
	pair_run(p, NS_PER_S / 4);
	end_all_children(p, RIGHT);
	ck_assert_ptr_nonnull(pair_sa(p, LEFT)->mine);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 1);
	ask(p, LEFT, IKE_REKEY_PROOF);
	pair_run(p, 2 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(ike_engine_stats(p->end[LEFT].e)->sas, 2);
	p->filter = NULL;
	pair_run(p, 30 * NS_PER_S);
	expect_one(p);
	pair_free(p);
}
END_TEST

/* Once RIGHT has the new IKE SA nothing of IKE arrives any more, so that LEFT goes on with the old
 * one. */
static bool nothing_once_held(struct pair *p, struct datagram *d)
{
	(void)d;
	return pair_count(p, RIGHT, IKE_NOTE_UP) < 2;
}

static const struct child_sa *held(struct pair *p, enum side s)
{
	for (const struct ike_sa *sa = pair_sa(p, s)->conn->sas; sa; sa = sa->next) {
		for (const struct child_sa *c = sa->children; c; c = c->next) {
			if (c->stage == CHILD_HELD)
				return c;
		}
	}
	return NULL;
}

/* LEFT has sent nothing by the new child so long that RIGHT would think that it has lost the old
 * one; but packets come by that. Those that came before the new one was there say nothing. */
START_TEST(a_child_is_held_while_packets_come_by_the_old_one)
{
	struct pair *p = up();
	struct end *right = &p->end[RIGHT];
	struct child_sa *old = pair_sa(p, RIGHT)->children;

	right->only_by = old->spi_in;
	right->packets = 1000;
	pair_run(p, 22 * NS_PER_S); /* what IKE has said is too old to count */
	if (_i == 1)
		child_query(old);
	pair_act(p, RIGHT);
	right->packets = 2000;
	p->filter = nothing_once_held;
	ask(p, LEFT, IKE_REKEY_PROOF);
	pair_run(p, 2 * NS_PER_S);
	ck_assert_ptr_nonnull(held(p, RIGHT));
	for (int i = 0; i < 10; i++) {
		right->packets += _i == 2;
		pair_run(p, NS_PER_S);
	}
	ck_assert_int_eq(held(p, RIGHT) != NULL, _i == 2);
	right->only_by = 1;
	pair_run(p, 25 * NS_PER_S);
	ck_assert_ptr_null(held(p, RIGHT));
	pair_free(p);
}
END_TEST

static bool no_delete_nor_keys(struct pair *p, struct datagram *d)
{
	bool answers = d->bytes[19] & 0x20;

	return (answers || no_delete(p, d)) && (d->to != LEFT || d->bytes[18] != X_CREATE_CHILD_SA);
}

/* ... and it gets new keys for its child at that moment: they are not waited for. */
START_TEST(one_of_two_goes_slowly_while_it_asks_for_new_keys)
{
	struct pair *p = up();
	struct ike_sa *old = pair_sa(p, RIGHT);
	struct child_sa *c = old->children;
	const uint64_t spi = sa_own_spi(old);

	p->end[RIGHT].packets = 1;
	p->filter = no_delete_nor_keys;
	p->ctx = pair_sa(p, LEFT);
	ask(p, LEFT, IKE_REKEY_PROOF);
	pair_run(p, 2 * NS_PER_S);
	ck_assert_ptr_eq(sa_find(p->end[RIGHT].e, spi), old);
	ck_assert_ptr_null(held(p, RIGHT));
	rekey_want(c);
	pair_act(p, RIGHT);
	ck_assert_ptr_nonnull(old->mine);
	old->redundant = true;
	old->ends_at = p->now;
	sa_schedule(old);
	pair_run(p, 3 * NS_PER_S);
	ck_assert_ptr_eq(sa_find(p->end[RIGHT].e, spi), old);
	ck_assert_int_eq(old->state, S_UP);
	ck_assert(c->in_there && !c->out_there);
	p->filter = NULL;
	pair_run(p, 30 * NS_PER_S);
	expect_one(p);
	pair_free(p);
}
END_TEST

struct first_answer {
	uint64_t spi_r; /* of the SA that it made; 0: not yet */
	struct path path;
	uint8_t request[2048];
	size_t len;
};

/* Keeps the IKE_SA_INIT request; what that SA answers to IKE_AUTH does not arrive. */
static bool no_first_answer(struct pair *p, struct datagram *d)
{
	struct first_answer *a = p->ctx;
	struct rd r = rd_from(span_of(d->bytes, d->len));

	if (d->to == RIGHT && d->bytes[18] == X_IKE_SA_INIT && d->len <= sizeof(a->request)) {
		memcpy(a->request, d->bytes, d->len);
		a->len = d->len;
		a->path = d->path;
	}
	if (d->to == RIGHT || d->bytes[18] != X_IKE_AUTH)
		return true;
	rd_skip(&r, 8);
	if (a->spi_r == 0)
		a->spi_r = rd_u64(&r);
	else
		return rd_u64(&r) != a->spi_r;
	return false;
}

/* LEFT's request comes once more when the SA is up that RIGHT made for it: RIGHT makes another one,
 * and LEFT takes that, since it hears nothing of the first one. By that nothing shall be sent. */
START_TEST(what_the_initiator_has_given_up_goes_when_another_answer_is_up)
{
	struct pair *p = up();
	struct first_answer a = { 0 };

	p->filter = no_first_answer;
	p->ctx = &a;
	ask(p, LEFT, IKE_REKEY_PROOF);
	pair_run(p, NS_PER_S);
	ck_assert_ptr_nonnull(sa_find(p->end[RIGHT].e, a.spi_r));
	ck_assert_int_eq(sa_find(p->end[RIGHT].e, a.spi_r)->state, S_UP);
	/* As if LEFT had used it: then the message that proves the other one is late. */
	if (_i == 1)
		sa_find(p->end[RIGHT].e, a.spi_r)->window.next_in++;
	pair_deliver(p, RIGHT, &a.path, span_of(a.request, a.len));
	pair_act(p, RIGHT);
	for (int i = 0; i < 30 && pair_count(p, LEFT, IKE_NOTE_UP) < 2; i++)
		pair_run(p, NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 2);
	pair_run(p, NS_PER_S / 10);
	ck_assert_ptr_nonnull(sa_find(p->end[RIGHT].e, a.spi_r));
	ck_assert_int_eq(sa_find(p->end[RIGHT].e, a.spi_r)->state, _i == 0 ? S_CLOSING : S_UP);
	pair_run(p, 20 * NS_PER_S);
	if (_i == 0)
		expect_one(p);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_CHILD_DOWN), 0);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-retire")
{
	tcase_add_test(tc, one_of_two_goes_slowly_while_it_asks_for_new_keys);
	tcase_add_loop_test(tc, what_the_initiator_has_given_up_goes_when_another_answer_is_up, 0,
			    2);
	tcase_add_loop_test(tc, a_child_is_held_while_packets_come_by_the_old_one, 0, 3);
	tcase_add_test(tc, an_old_one_that_waits_for_an_answer_goes_with_it);
	tcase_add_loop_test(tc, an_old_one_goes_when_what_was_asked_over_it_is_refused, 0, 2);
	tcase_add_test(tc, what_comes_by_a_child_that_is_deleted_late_is_taken);
	tcase_add_test(tc, one_of_two_goes_when_the_other_one_carries);
	tcase_add_loop_test(tc, nothing_is_sent_by_a_child_that_is_to_go, 0, 2);
}
