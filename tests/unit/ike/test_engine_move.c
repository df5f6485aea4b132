/* SPDX-License-Identifier: Apache-2.0 */
/* A peer whose NAT moves it, datagram by datagram. LEFT is behind a NAT, which is one of ports
 * here: what leaves LEFT's port 7777 comes from there, and the other way round.
 */

#include <stdlib.h>

#include "ike/core.h"
#include "ike/create.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

#define PLAIN "encap = always\n mobike = no"

enum { ELSEWHERE = 7777 };

/* What becomes of RIGHT's datagrams, and of LEFT's. */
struct wire {
	size_t to_old, to_new;
	bool old_is_dead, new_is_dead;
	bool requests_from_new; /* LEFT's requests */
	bool answers_from_old;	/* ... and what it answers there */
};

static bool look(struct pair *p, struct datagram *d)
{
	struct wire *w = p->ctx;
	bool new = d->path.local.port == ELSEWHERE;
	bool response = d->bytes[19] & 0x20;

	if (d->to == RIGHT) {
		if (w->requests_from_new && !response)
			d->path.remote.port = ELSEWHERE;
		if (w->answers_from_old && response)
			d->path.remote.port = PORT_NATT;
		return true;
	}
	w->to_new += new;
	w->to_old += !new;
	return new ? !w->new_is_dead : !w->old_is_dead;
}

static struct pair *up(struct wire *w)
{
	struct pair *p = pair_new(pair_psk(LEFT, PLAIN), pair_psk(RIGHT, PLAIN));

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_has_rekeyed(p);
	pair_expect_children(p, 1);
	*w = (struct wire){ .to_old = 0 };
	p->ctx = w;
	p->filter = look;
	return p;
}

/* Both ends pretend to be behind a NAT; as if that were so of LEFT alone. */
static void set_nats(struct pair *p)
{
	pair_sa(p, RIGHT)->nat_here = false;
	pair_sa(p, RIGHT)->nat_there = true;
	pair_sa(p, LEFT)->nat_here = true;
	pair_sa(p, LEFT)->nat_there = false;
}

static void hint(struct pair *p, enum side s, uint16_t port)
{
	struct plane_event pe = { .kind = PLANE_MAPPING, .dir = SA_IN };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &pe };

	for (size_t i = 0; i < p->end[s].n_sas; i++) {
		if (p->end[s].sas[i].dir == SA_IN)
			pe.spi = p->end[s].sas[i].spi;
		ev.from = p->end[s].sas[i].plane;
	}
	pe.remote = (struct endpoint){ .addr = p->end[1 - s].addr, .port = port };
	pair_event(&p->end[s], &ev);
	pair_act(p, s);
}

START_TEST(a_hint_is_asked_about_there_and_nowhere_else)
{
	struct wire w;
	struct pair *p = up(&w);

	set_nats(p);
	hint(p, RIGHT, ELSEWHERE);
	pair_drain(p);
	ck_assert_uint_eq(w.to_new, 1);
	ck_assert_uint_eq(w.to_old, 0);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), 1);
	ck_assert_uint_eq(p->end[RIGHT].n_moves, 2);
	for (size_t i = 0; i < p->end[RIGHT].n_sas; i++)
		ck_assert_uint_eq(p->end[RIGHT].sas[i].path.remote.port, ELSEWHERE);
	/* From now on that is where everything goes, and comes from. */
	w.requests_from_new = true;
	pair_run(p, 60 * NS_PER_S);
	ck_assert_uint_gt(w.to_new, 1);
	ck_assert_uint_eq(w.to_old, 0);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), 1);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* Somebody there has only passed the question on: the peer is where it was. */
START_TEST(an_answer_from_another_place_moves_nothing)
{
	struct wire w;
	struct pair *p = up(&w);

	set_nats(p);
	w.answers_from_old = true;
	hint(p, RIGHT, ELSEWHERE);
	pair_drain(p);
	ck_assert_uint_eq(w.to_new, 1);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), 0);
	ck_assert_uint_eq(p->end[RIGHT].n_moves, 0);
	pair_run(p, 60 * NS_PER_S);
	ck_assert_uint_eq(w.to_new, 1);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), 0);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

START_TEST(a_false_hint_costs_four_datagrams)
{
	struct wire w;
	struct pair *p = up(&w);

	set_nats(p);
	w.new_is_dead = true;
	hint(p, RIGHT, ELSEWHERE);
	hint(p, RIGHT, ELSEWHERE + 1);
	pair_run(p, 20 * NS_PER_S);
	ck_assert_uint_eq(w.to_new, 4);
	ck_assert_uint_gt(w.to_old, 0);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), 0);
	ck_assert_uint_eq(p->end[RIGHT].n_moves, 0);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* 0: no NAT at all; 1: we are behind one, too; 2: the peer is not; 3: from port 0; 4: from an
 * address that the connection does not expect. */
START_TEST(some_hints_are_not_followed)
{
	struct wire w;
	struct pair *p = up(&w);
	enum side s = _i == 2 ? LEFT : RIGHT;
	size_t sent;

	set_nats(p);
	if (_i == 0)
		pair_sa(p, RIGHT)->nat_there = false;
	if (_i == 1)
		pair_sa(p, RIGHT)->nat_here = true;
	if (_i == 4)
		p->end[LEFT].addr.b[3] ^= 1;
	sent = p->n_sent;
	hint(p, s, _i == 3 ? 0 : ELSEWHERE);
	pair_drain(p);
	ck_assert_uint_eq(p->n_sent, sent);
	ck_assert_uint_eq(p->end[s].n_moves, 0);
	pair_free(p);
}
END_TEST

/* LEFT's own liveness request comes from elsewhere. */
START_TEST(a_new_request_is_a_hint)
{
	struct wire w;
	struct pair *p = up(&w);

	set_nats(p);
	w.requests_from_new = true;
	pair_sa(p, LEFT)->alive_wanted = true;
	pair_run(p, 35 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), 1);
	ck_assert_uint_eq(pair_sa(p, RIGHT)->path.remote.port, ELSEWHERE);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* RIGHT asks in vain when the hint comes: its request goes to both places, and its answer only
 * makes room for one that counts. */
START_TEST(a_request_that_is_out_goes_both_ways)
{
	struct wire w;
	struct pair *p = up(&w);

	set_nats(p);
	w.old_is_dead = true;
	pair_run(p, 31 * NS_PER_S);
	ck_assert(pair_sa(p, RIGHT)->window.asked);
	ck_assert_uint_gt(w.to_old, 0);
	hint(p, RIGHT, ELSEWHERE);
	pair_run(p, 4 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), 1);
	ck_assert_uint_ge(w.to_new, 2);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* It is asked there once more. 0: it answers, and stays; 1: three tries, and then it is where it
 * was, asked there by the same request. */
START_TEST(after_a_move_the_peer_is_asked_there_once_more)
{
	struct wire w;
	struct pair *p = up(&w);

	set_nats(p);
	hint(p, RIGHT, ELSEWHERE);
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), 1);
	ck_assert(pair_sa(p, RIGHT)->move.unproved);
	w.to_new = 0;
	w.new_is_dead = _i == 1;
	pair_run(p, 10 * NS_PER_S);
	ck_assert(!pair_sa(p, RIGHT)->move.unproved);
	ck_assert_uint_eq(w.to_new, _i == 1 ? 3 : 1);
	ck_assert_uint_eq(w.to_old, _i == 1 ? 1 : 0);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), _i == 1 ? 2 : 1);
	ck_assert_uint_eq(p->end[RIGHT].n_moves, _i == 1 ? 4 : 2);
	ck_assert(!pair_sa(p, RIGHT)->window.asked);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* ... over whichever IKE SA there is then. */
START_TEST(an_heir_has_to_ask_as_well)
{
	struct wire w;
	struct pair *p = up(&w);

	set_nats(p);
	hint(p, RIGHT, ELSEWHERE);
	pair_drain(p);
	w.requests_from_new = true;
	rekey_ike_want(pair_sa(p, LEFT));
	pair_act(p, LEFT);
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_REKEYED), 1);
	ck_assert(pair_sa(p, RIGHT)->move.unproved);
	w.new_is_dead = true;
	pair_run(p, 10 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), 2);
	ck_assert_uint_ne(pair_sa(p, RIGHT)->path.remote.port, ELSEWHERE);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

static void deliver_from(struct pair *p, const struct datagram *d, uint16_t port)
{
	struct path from = d->path;

	from.remote.port = port;
	pair_deliver(p, RIGHT, &from, span_of(d->bytes, d->len));
}

/* The plane takes its time, and LEFT moves meanwhile. */
START_TEST(the_answer_goes_where_the_last_copy_came_from)
{
	struct wire w;
	struct pair *p = up(&w);
	struct datagram *request;
	struct sa_done done = { .err = OK };
	const struct ike_event ev = { .kind = IKE_EV_SA, .sa = &done };
	const struct create *theirs;

	p->end[RIGHT].hold_sas = true;
	rekey_want(pair_sa(p, LEFT)->children);
	pair_act(p, LEFT);
	request = p->wire;
	p->wire = NULL;
	deliver_from(p, request, PORT_NATT);
	theirs = pair_sa(p, RIGHT)->theirs;
	ck_assert_ptr_nonnull(theirs);
	deliver_from(p, request, ELSEWHERE);
	ck_assert_uint_eq(theirs->path.remote.port, ELSEWHERE);
	/* Only of who has the keys. */
	request->bytes[request->len - 1] ^= 1;
	deliver_from(p, request, PORT_NATT);
	ck_assert_int_eq(p->end[RIGHT].last_drop, ERR_ICV);
	ck_assert_uint_eq(theirs->path.remote.port, ELSEWHERE);
	p->end[RIGHT].hold_sas = false;
	done.ticket = theirs->deal.child->ticket.number;
	done.spi = theirs->deal.child->spi_in;
	ike_engine_event(p->end[RIGHT].e, &ev, p->now);
	pair_act(p, RIGHT);
	ck_assert_ptr_nonnull(p->wire);
	ck_assert_uint_eq(p->wire->path.local.port, ELSEWHERE);
	free(request);
	pair_drain(p);
	ck_assert_ptr_nonnull(pair_sa(p, LEFT));
	pair_free(p);
}
END_TEST

UNIT("ike/engine-move")
{
	tcase_add_test(tc, the_answer_goes_where_the_last_copy_came_from);
	tcase_add_test(tc, an_heir_has_to_ask_as_well);
	tcase_add_loop_test(tc, after_a_move_the_peer_is_asked_there_once_more, 0, 2);
	tcase_add_test(tc, a_hint_is_asked_about_there_and_nowhere_else);
	tcase_add_test(tc, an_answer_from_another_place_moves_nothing);
	tcase_add_test(tc, a_false_hint_costs_four_datagrams);
	tcase_add_loop_test(tc, some_hints_are_not_followed, 0, 5);
	tcase_add_test(tc, a_new_request_is_a_hint);
	tcase_add_test(tc, a_request_that_is_out_goes_both_ways);
}
