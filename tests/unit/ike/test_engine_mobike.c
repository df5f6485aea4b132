/* SPDX-License-Identifier: Apache-2.0 */
/* MOBIKE (RFC 4555), datagram by datagram. LEFT begins, so it decides on addresses. */
#include <stdlib.h>

#include "ike/child.h"
#include "ike/core.h"
#include "ike/life.h"
#include "ike/rekey.h"
#include "tests/unit/ike/roam.h"
#include "tests/unit/unit.h"

/* 0: both speak it; 1: LEFT does not; 2: RIGHT does not. */
START_TEST(both_have_to_speak_it)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin_with(&w, pair_psk(LEFT, _i == 1 ? "mobike = no" : ""),
					 roam_conf(RIGHT, _i == 2 ? "mobike = no" : ""));

	ck_assert(pair_sa(p, LEFT)->mobike.on == (_i == 0));
	ck_assert(pair_sa(p, RIGHT)->mobike.on == (_i == 0));
	/* No later path is to need another port (3.3). */
	ck_assert_uint_eq(w.ports[0], 500);
	ck_assert_uint_eq(w.ports[1], _i == 1 ? 500 : 4500);
	ck_assert(!pair_sa(p, LEFT)->encap);
	roam_go(p, LEFT, ROAM_ELSEWHERE);
	pair_drain(p);
	if (_i == 0)
		roam_expect_left_at(p, ROAM_ELSEWHERE);
	else
		roam_expect_left_at(p, "192.0.2.1");
	pair_free(p);
}
END_TEST

START_TEST(an_address_that_changes_takes_all_with_it)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	size_t installs = p->end[LEFT].n_installs + p->end[RIGHT].n_installs;
	mono_ns before = p->now;

	roam_go(p, LEFT, ROAM_ELSEWHERE);
	/* LEFT sends from there at once. */
	roam_expect_at(p, LEFT, ROAM_ELSEWHERE, "198.51.100.2");
	pair_drain(p);
	roam_expect_left_at(p, ROAM_ELSEWHERE);
	/* The update and its answer; what RIGHT asks there, and the answer. */
	ck_assert_uint_eq((p->now - before) / p->delay, 4);
	ck_assert(!pair_sa(p, RIGHT)->move.unproved);
	ck_assert_uint_eq(p->end[LEFT].n_moves, 2);
	ck_assert_uint_eq(p->end[RIGHT].n_moves, 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_MOVED), 1);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), 1);
	ck_assert_uint_eq(p->end[LEFT].n_installs + p->end[RIGHT].n_installs, installs);
	/* And it stays so. */
	pair_run(p, 100 * NS_PER_S);
	roam_expect_left_at(p, ROAM_ELSEWHERE);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_MOVED), 1);
	pair_free(p);
}
END_TEST

START_TEST(an_address_that_stays_moves_nothing)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);

	roam_go(p, LEFT, "192.0.2.1");
	pair_drain(p);
	roam_expect_left_at(p, "192.0.2.1");
	ck_assert_uint_eq(p->end[LEFT].n_moves + p->end[RIGHT].n_moves, 0);
	pair_free(p);
}
END_TEST

/* A request that is out when the address changes goes on from the new one, and the update follows
 * it. */
START_TEST(what_is_out_goes_on_from_there)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);

	ck_assert(addr_parse("192.0.2.1", &w.dead));
	pair_run(p, 31 * NS_PER_S);
	ck_assert(pair_sa(p, LEFT)->window.asked);
	roam_go(p, LEFT, ROAM_ELSEWHERE);
	pair_drain(p);
	ck_assert(!pair_sa(p, LEFT)->window.asked);
	roam_expect_left_at(p, ROAM_ELSEWHERE);
	pair_free(p);
}
END_TEST

/* There and back before the update is answered: its answer counts for nothing, and the last word
 * does. */
START_TEST(the_last_address_counts)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);

	roam_go(p, LEFT, ROAM_ELSEWHERE);
	roam_go(p, LEFT, "192.0.2.1");
	pair_drain(p);
	roam_expect_left_at(p, "192.0.2.1");
	ck_assert(!pair_sa(p, RIGHT)->move.unproved);
	pair_free(p);
}
END_TEST

/* RIGHT asks in vain where LEFT says that it is: back, for anybody could have been named there. */
START_TEST(who_does_not_answer_there_is_not_there)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	struct datagram *update;

	roam_go(p, LEFT, ROAM_ELSEWHERE);
	update = p->wire;
	p->wire = NULL;
	ck_assert(addr_parse(ROAM_ELSEWHERE, &w.dead));
	pair_deliver(p, RIGHT, &update->path, span_of(update->bytes, update->len));
	free(update);
	roam_expect_at(p, RIGHT, "198.51.100.2", ROAM_ELSEWHERE);
	ck_assert(pair_sa(p, RIGHT)->move.unproved);
	pair_run(p, 12 * NS_PER_S);
	roam_expect_at(p, RIGHT, "198.51.100.2", "192.0.2.1");
	ck_assert(pair_sa(p, RIGHT)->move.checked_until > p->now + 500 * NS_PER_S);
	pair_free(p);
}
END_TEST

/* An answer that the peer makes without having seen the request has not its COOKIE2 (3.7). Here it
 * is RIGHT that remembers another one. */
START_TEST(a_wrong_cookie_ends_it)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);

	roam_go(p, LEFT, ROAM_ELSEWHERE);
	pair_deliver(p, RIGHT, &p->wire->path, span_of(p->wire->bytes, p->wire->len));
	ck_assert(pair_sa(p, RIGHT)->mobike.cookie_out);
	pair_sa(p, RIGHT)->mobike.cookie[3] ^= 1;
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_DOWN), 1);
	pair_free(p);
}
END_TEST

START_TEST(an_address_that_nobody_expects_is_refused)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	const struct ike_note *n;

	roam_go(p, LEFT, ROAM_NOWHERE);
	pair_drain(p);
	roam_expect_at(p, RIGHT, "198.51.100.2", "192.0.2.1");
	ck_assert_uint_eq(p->end[RIGHT].n_moves, 0);
	n = pair_note(p, LEFT, IKE_NOTE_MOVED);
	ck_assert_ptr_nonnull(n);
	ck_assert_uint_ge(pair_count(p, LEFT, IKE_NOTE_MOVED), 2);
	/* It may come back to where it was. */
	roam_go(p, LEFT, "192.0.2.1");
	pair_drain(p);
	roam_expect_left_at(p, "192.0.2.1");
	pair_free(p);
}
END_TEST

/* LEFT goes behind a NAT, and from there home. */
START_TEST(a_nat_comes_and_goes)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);

	ck_assert(addr_parse("10.77.0.5", &w.translated));
	ck_assert(addr_parse(ROAM_ELSEWHERE, &w.as));
	roam_go(p, LEFT, "10.77.0.5");
	pair_drain(p);
	roam_expect_at(p, LEFT, "10.77.0.5", "198.51.100.2");
	roam_expect_at(p, RIGHT, "198.51.100.2", ROAM_ELSEWHERE);
	ck_assert(pair_sa(p, LEFT)->nat_here && pair_sa(p, LEFT)->encap);
	ck_assert(pair_sa(p, RIGHT)->nat_there && pair_sa(p, RIGHT)->encap);
	ck_assert(p->end[LEFT].moved.encap && p->end[RIGHT].moved.encap);
	roam_go(p, LEFT, "192.0.2.1");
	pair_drain(p);
	roam_expect_left_at(p, "192.0.2.1");
	ck_assert(!pair_sa(p, LEFT)->nat_here && !pair_sa(p, LEFT)->encap);
	ck_assert(!pair_sa(p, RIGHT)->nat_there && !pair_sa(p, RIGHT)->encap);
	ck_assert(!p->end[LEFT].moved.encap && !p->end[RIGHT].moved.encap);
	pair_free(p);
}
END_TEST

/* The NAT gives LEFT another address, and nobody tells it: the next time that it asks whether the
 * peer lives it sees it (3.8). */
START_TEST(a_nat_that_forgets_is_noticed)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);

	ck_assert(addr_parse("10.77.0.5", &w.translated));
	ck_assert(addr_parse(ROAM_ELSEWHERE, &w.as));
	roam_go(p, LEFT, "10.77.0.5");
	pair_drain(p);
	ck_assert(addr_parse("192.0.2.1", &w.as));
	pair_run(p, 65 * NS_PER_S);
	roam_expect_at(p, RIGHT, "198.51.100.2", "192.0.2.1");
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* An IKE message from elsewhere is no update (3.8). */
START_TEST(only_an_update_moves)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);

	ck_assert(addr_parse("192.0.2.1", &w.translated));
	ck_assert(addr_parse(ROAM_ELSEWHERE, &w.as));
	pair_sa(p, LEFT)->alive_wanted = true;
	pair_sa(p, RIGHT)->nat_there = true;
	pair_sa(p, RIGHT)->encap = true;
	pair_run(p, 40 * NS_PER_S);
	ck_assert_uint_eq(p->end[RIGHT].n_moves, 0);
	pair_free(p);
}
END_TEST

/* RIGHT, who does not decide, has another address: it takes it, says so, and LEFT goes there. */
START_TEST(the_other_end_may_move_too)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin_with(&w, roam_conf(LEFT, ""), roam_conf(RIGHT, ""));

	roam_go(p, RIGHT, ROAM_ELSEWHERE);
	pair_drain(p);
	roam_expect_at(p, RIGHT, ROAM_ELSEWHERE, "192.0.2.1");
	roam_expect_at(p, LEFT, "192.0.2.1", ROAM_ELSEWHERE);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* RIGHT's further addresses, but for what is inside the tunnel: LEFT knows them from IKE_AUTH on,
 * and hears when they are others. */
START_TEST(other_addresses_are_told)
{
	static const char *const first[] = { "198.51.100.2", "10.2.0.1", "203.0.113.50",
					     "2001:db8::50" };
	static const char *const later[] = { "198.51.100.2", "10.2.0.1" };
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_new(&w, pair_psk(LEFT, ""), roam_conf(RIGHT, ""));
	const struct mobike *mb;
	char text[ADDR_TEXT_MAX];

	roam_has(p, RIGHT, first, 4);
	pair_up(p, LEFT, "site");
	pair_drain(p);
	mb = &pair_sa(p, LEFT)->mobike;
	ck_assert_uint_eq(mb->n_addrs, 3);
	ck_assert_str_eq(addr_text(&mb->addrs[0], text), "198.51.100.2");
	ck_assert_str_eq(addr_text(&mb->addrs[1], text), "203.0.113.50");
	ck_assert_str_eq(addr_text(&mb->addrs[2], text), "2001:db8::50");
	roam_has(p, RIGHT, later, 2);
	pair_drain(p);
	ck_assert_uint_eq(mb->n_addrs, 1);
	roam_expect_left_at(p, "192.0.2.1");
	pair_free(p);
}
END_TEST

/* RIGHT falls silent where it is, and has another address: three datagrams later LEFT tries that.
 */
START_TEST(a_silent_peer_is_looked_for_elsewhere)
{
	static const char *const both[] = { "198.51.100.2", ROAM_ELSEWHERE };
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_new(&w, roam_conf(LEFT, ""), roam_conf(RIGHT, ""));
	struct addr there;

	pair_has_rekeyed(p);
	roam_has(p, RIGHT, both, 2);
	pair_up(p, LEFT, "site");
	pair_drain(p);
	w.dead = p->end[RIGHT].addr;
	ck_assert(addr_parse(ROAM_ELSEWHERE, &there));
	p->end[RIGHT].addr = there;
	pair_run(p, 34 * NS_PER_S);
	roam_expect_at(p, LEFT, "192.0.2.1", ROAM_ELSEWHERE);
	roam_expect_at(p, RIGHT, ROAM_ELSEWHERE, "192.0.2.1");
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* ... and with packets that nothing answers it begins to ask within the second. */
START_TEST(packets_that_nothing_answers_lead_to_another_way)
{
	static const char *const both[] = { "198.51.100.2", ROAM_ELSEWHERE };
	struct plane_event pe = { .kind = PLANE_SILENT, .dir = SA_OUT };
	const struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &pe };
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_new(&w, roam_conf(LEFT, ""), roam_conf(RIGHT, ""));
	struct addr there;

	roam_has(p, RIGHT, both, 2);
	pair_up(p, LEFT, "site");
	pair_run(p, 3 * NS_PER_S);
	w.dead = p->end[RIGHT].addr;
	ck_assert(addr_parse(ROAM_ELSEWHERE, &there));
	p->end[RIGHT].addr = there;
	for (size_t i = 0; i < p->end[LEFT].n_sas; i++) {
		if (p->end[LEFT].sas[i].dir == SA_OUT)
			pe.spi = p->end[LEFT].sas[i].spi;
	}
	ck_assert_uint_ne(pe.spi, 0);
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	pair_run(p, 2500 * NS_PER_MS);
	roam_expect_at(p, LEFT, "192.0.2.1", ROAM_ELSEWHERE);
	roam_expect_at(p, RIGHT, ROAM_ELSEWHERE, "192.0.2.1");
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* The tunnel goes on over another IKE SA, and moves as before. */
START_TEST(who_takes_its_place_moves_too)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	uint64_t spi = pair_sa(p, LEFT)->spi_i;

	pair_sa(p, RIGHT)->rekey_at = p->now;
	sa_schedule(pair_sa(p, RIGHT));
	pair_run(p, NS_PER_S);
	ck_assert(pair_sa(p, LEFT)->spi_i != spi);
	ck_assert(!pair_sa(p, LEFT)->initiator);
	/* Who began the first one decides, also when the other end made the second. */
	ck_assert(pair_sa(p, LEFT)->mobike.decides);
	roam_go(p, LEFT, ROAM_ELSEWHERE);
	pair_drain(p);
	roam_expect_left_at(p, ROAM_ELSEWHERE);
	pair_free(p);
}
END_TEST

/* Packets go nowhere that has not answered: LEFT's wait for the answer to its update, RIGHT's for
 * the one to its COOKIE2; where that does not come they have never been there. 2: RIGHT has been
 * led astray before. */
START_TEST(a_place_can_be_checked_first)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin_with(&w, pair_psk(LEFT, "mobike_check = before"),
					 roam_conf(RIGHT, _i < 2 ? "mobike_check = before" : ""));
	struct datagram *update;

	if (_i == 2)
		pair_sa(p, RIGHT)->move.checked_until = p->now + NS_PER_S;
	roam_go(p, LEFT, ROAM_ELSEWHERE);
	ck_assert_uint_eq(p->end[LEFT].n_moves, 0);
	update = p->wire;
	p->wire = NULL;
	if (_i == 1)
		ck_assert(addr_parse(ROAM_ELSEWHERE, &w.dead));
	pair_deliver(p, RIGHT, &update->path, span_of(update->bytes, update->len));
	free(update);
	ck_assert_uint_eq(p->end[RIGHT].n_moves, 0);
	pair_run(p, 12 * NS_PER_S);
	if (_i != 1)
		roam_expect_left_at(p, ROAM_ELSEWHERE);
	else
		roam_expect_at(p, RIGHT, "198.51.100.2", "192.0.2.1");
	ck_assert_uint_eq(p->end[LEFT].n_moves, _i != 1 ? 2 : 0);
	ck_assert(!pair_sa(p, RIGHT)->move.children_wait);
	pair_free(p);
}
END_TEST

static void expect_esp_at(const struct pair *p, const struct place *at)
{
	ck_assert_uint_ge(p->end[LEFT].n_sas, 2);
	for (size_t i = 0; i < p->end[LEFT].n_sas; i++) {
		ck_assert(path_eq(&p->end[LEFT].sas[i].path, &at->path));
	}
}

/* New keys that are agreed on while LEFT looks for RIGHT elsewhere: nobody has answered there, so
 * packets go where they went, with the new keys, too. */
START_TEST(new_keys_wait_with_their_child)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	struct ike_sa *sa = pair_sa(p, LEFT);
	const struct place was = move_place(sa);
	struct place to = was;

	ck_assert(addr_parse(ROAM_ELSEWHERE, &to.path.remote.addr));
	to.encap = true;
	rekey_want(sa->children);
	sa_settle(sa);
	pair_act(p, LEFT);
	move_ahead(sa, &to, "nobody answers");
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_REKEYED), 1);
	ck_assert(sa->move.children_wait);
	expect_esp_at(p, &was);
	for (size_t i = 0; i < p->end[LEFT].n_sas; i++)
		ck_assert(!p->end[LEFT].sas[i].encap);
	move_bring_children(sa);
	pair_act(p, LEFT);
	expect_esp_at(p, &to);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-mobike")
{
	tcase_add_test(tc, new_keys_wait_with_their_child);
	tcase_add_loop_test(tc, a_place_can_be_checked_first, 0, 3);
	tcase_add_test(tc, other_addresses_are_told);
	tcase_add_test(tc, a_silent_peer_is_looked_for_elsewhere);
	tcase_add_test(tc, packets_that_nothing_answers_lead_to_another_way);
	tcase_add_test(tc, who_takes_its_place_moves_too);
	tcase_add_loop_test(tc, both_have_to_speak_it, 0, 3);
	tcase_add_test(tc, an_address_that_changes_takes_all_with_it);
	tcase_add_test(tc, an_address_that_stays_moves_nothing);
	tcase_add_test(tc, what_is_out_goes_on_from_there);
	tcase_add_test(tc, the_last_address_counts);
	tcase_add_test(tc, who_does_not_answer_there_is_not_there);
	tcase_add_test(tc, a_wrong_cookie_ends_it);
	tcase_add_test(tc, an_address_that_nobody_expects_is_refused);
	tcase_add_test(tc, a_nat_comes_and_goes);
	tcase_add_test(tc, a_nat_that_forgets_is_noticed);
	tcase_add_test(tc, only_an_update_moves);
	tcase_add_test(tc, the_other_end_may_move_too);
}
