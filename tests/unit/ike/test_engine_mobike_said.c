/* SPDX-License-Identifier: Apache-2.0 */
/* What one end says of addresses (RFC 4555), and what the other one makes of it: late, refused, by
 * who may not, or made up by a peer that has the keys. */
#include <stdlib.h>

#include "ike/child.h"
#include "ike/core.h"
#include "ike/life.h"
#include "ike/send.h"
#include "tests/unit/ike/roam.h"
#include "tests/unit/unit.h"

static void lose_all(struct pair *p)
{
	while (p->wire)
		free(roam_take(p));
}

static struct builder words(struct pair *p, enum side s)
{
	return send_begin(p->end[s].e);
}

static void asks(struct pair *p, enum side s, struct builder *b)
{
	ck_assert_int_eq(send_request(pair_sa(p, s), X_INFORMATIONAL, b), OK);
	pair_act(p, s);
}

/* As if it had read the request that is out. */
static void answers(struct pair *p, enum side s, struct builder *b)
{
	struct path path = pair_sa(p, s)->path;

	ck_assert_int_eq(send_answer(pair_sa(p, s), X_INFORMATIONAL, b, &path), OK);
	pair_act(p, s);
}

static void put_cookie_of(struct pair *p, enum side s, struct builder *b)
{
	builder_notify(b, NOTIFY_COOKIE2, span_of(pair_sa(p, s)->mobike.cookie, COOKIE2_LEN));
}

static void put_address(struct builder *b, uint16_t type, const char *text)
{
	struct addr a = roam_address(text);

	builder_notify(b, type, addr_span(&a));
}

/* ---- late ---- */

/* LEFT goes on before its update is answered: what comes then says nothing of where LEFT is, even
 * if that is where it was when it asked. 0: it has gone on; 1: and come back; 2: it is refused. */
START_TEST(an_answer_that_is_late_counts_for_nothing)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p =
		roam_begin_with(&w, pair_psk(LEFT, "mobike_check = before"), roam_conf(RIGHT, ""));
	struct mobike *mb = &pair_sa(p, LEFT)->mobike;
	struct path before = mb->good;
	struct datagram *answer;
	struct builder b;

	roam_go(p, LEFT, ROAM_ELSEWHERE);
	if (_i < 2) {
		roam_arrive(p, roam_take(p));
	} else {
		lose_all(p);
		b = words(p, RIGHT);
		put_cookie_of(p, LEFT, &b);
		builder_notify(&b, NOTIFY_UNACCEPTABLE_ADDRESSES, SPAN_EMPTY);
		answers(p, RIGHT, &b);
	}
	answer = roam_take(p);
	lose_all(p);
	roam_go(p, LEFT, ROAM_BEYOND);
	if (_i == 1)
		roam_go(p, LEFT, ROAM_ELSEWHERE);
	lose_all(p);
	roam_arrive(p, answer);
	ck_assert(path_eq(&mb->good, &before));
	ck_assert_uint_eq(p->end[LEFT].n_moves, 0);
	ck_assert(mb->update_out);
	ck_assert_uint_eq(mb->refusals, 0);
	pair_run(p, 5 * NS_PER_S);
	roam_expect_left_at(p, _i == 1 ? ROAM_ELSEWHERE : ROAM_BEYOND);
	pair_free(p);
}
END_TEST

/* ---- who may say what ---- */

static void updates_from(struct pair *p, enum side s, const char *where)
{
	struct builder b = words(p, s);

	pair_sa(p, s)->path.local.addr = roam_address(where);
	builder_notify(&b, NOTIFY_UPDATE_SA_ADDRESSES, SPAN_EMPTY);
	asks(p, s, &b);
	roam_arrive(p, roam_take(p));
}

/* RIGHT cannot move LEFT by an update, also when it has made the IKE SA that has taken the place of
 * LEFT's first one (1): "initiator" is who began that (RFC 4555 1.3). LEFT can move RIGHT (2, 3). */
START_TEST(only_updates_of_who_began_are_followed)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin_with(&w, roam_conf(LEFT, ""), roam_conf(RIGHT, ""));
	enum side from = _i < 2 ? RIGHT : LEFT;

	if (_i % 2 == 1) {
		pair_sa(p, RIGHT)->rekey_at = p->now;
		sa_schedule(pair_sa(p, RIGHT));
		pair_run(p, NS_PER_S);
		ck_assert(!pair_sa(p, LEFT)->initiator);
	}
	updates_from(p, from, ROAM_ELSEWHERE);
	if (from == RIGHT)
		roam_expect_at(p, LEFT, "192.0.2.1", "198.51.100.2");
	else
		roam_expect_at(p, RIGHT, "198.51.100.2", ROAM_ELSEWHERE);
	ck_assert_uint_eq(p->end[1 - from].n_moves, from == RIGHT ? 0 : 2);
	/* It was answered all the same. */
	ck_assert_uint_eq(p->wire->to, from);
	lose_all(p);
	pair_free(p);
}
END_TEST

/* RIGHT is asked to take updates from where nobody expects LEFT: once, and again after the next
 * change. */
START_TEST(a_refusal_is_not_asked_for_for_ever)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	struct mobike *mb = &pair_sa(p, LEFT)->mobike;
	size_t sent;

	roam_go(p, LEFT, ROAM_NOWHERE);
	pair_drain(p);
	ck_assert_uint_eq(mb->refusals, 1);
	sent = p->n_sent;
	pair_run(p, 10 * NS_PER_S);
	ck_assert_uint_eq(p->n_sent, sent);
	roam_go(p, LEFT, "203.0.113.98");
	pair_drain(p);
	ck_assert_uint_gt(p->n_sent, sent);
	ck_assert_uint_eq(mb->refusals, 1);
	ck_assert_uint_eq(p->end[RIGHT].n_moves, 0);
	roam_go(p, LEFT, ROAM_ELSEWHERE);
	pair_drain(p);
	ck_assert_uint_eq(mb->refusals, 0);
	roam_expect_left_at(p, ROAM_ELSEWHERE);
	pair_free(p);
}
END_TEST

/* LEFT has a second address, which its routes prefer and RIGHT refuses: everything is back where it
 * was at once, stays there also when the routes are looked at again, and goes on from there where
 * that address goes. */
START_TEST(a_refused_address_is_left_for_the_good_one)
{
	static const char *const both[] = { ROAM_NOWHERE, "192.0.2.1" };
	static const char *const third[] = { ROAM_ELSEWHERE, "192.0.2.1" };
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	struct mobike *mb = &pair_sa(p, LEFT)->mobike;
	size_t sent;

	roam_has(p, LEFT, both, 2);
	pair_drain(p);
	ck_assert_uint_eq(mb->refusals, 1);
	roam_expect_left_at(p, "192.0.2.1");
	sent = p->n_sent;
	roam_has(p, LEFT, both, 2);
	pair_drain(p);
	ck_assert_uint_eq(p->n_sent, sent);
	roam_expect_left_at(p, "192.0.2.1");
	roam_has(p, LEFT, third, 2);
	pair_drain(p);
	ck_assert_uint_eq(mb->refusals, 0);
	roam_expect_left_at(p, ROAM_ELSEWHERE);
	pair_free(p);
}
END_TEST

/* ... and RIGHT goes elsewhere, and says so: LEFT follows all the same. */
START_TEST(who_stays_follows_the_peer)
{
	static const char *const both[] = { ROAM_NOWHERE, "192.0.2.1" };
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin_with(&w, roam_conf(LEFT, ""), roam_conf(RIGHT, ""));

	roam_has(p, LEFT, both, 2);
	pair_drain(p);
	ck_assert(pair_sa(p, LEFT)->mobike.stays);
	roam_go(p, RIGHT, ROAM_ELSEWHERE);
	pair_drain(p);
	ck_assert_str_eq(addr_text(&pair_sa(p, LEFT)->path.remote.addr, (char[ADDR_TEXT_MAX]){ 0 }),
			 ROAM_ELSEWHERE);
	pair_free(p);
}
END_TEST

/* LEFT, which was behind a NAT, says that there is none, from where it was; and nothing that RIGHT
 * asks there arrives. RIGHT has been answered from there before, so it stays, as LEFT is now. */
START_TEST(another_translation_is_no_other_place)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	struct builder b;

	w.translated = roam_address("10.77.0.5");
	w.as = roam_address(ROAM_ELSEWHERE);
	roam_go(p, LEFT, "10.77.0.5");
	pair_drain(p);
	ck_assert(pair_sa(p, RIGHT)->encap && p->end[RIGHT].moved.encap);
	b = words(p, LEFT);
	builder_notify(&b, NOTIFY_UPDATE_SA_ADDRESSES, SPAN_EMPTY);
	asks(p, LEFT, &b);
	p->wire->path.remote.addr = w.as;
	roam_arrive(p, roam_take(p));
	p->filter = pair_lose;
	pair_run(p, 20 * NS_PER_S);
	ck_assert(!pair_sa(p, RIGHT)->encap && !p->end[RIGHT].moved.encap);
	roam_expect_at(p, RIGHT, "198.51.100.2", ROAM_ELSEWHERE);
	pair_free(p);
}
END_TEST

/* ---- COOKIE2 ---- */

static const struct cookie_row {
	const char *what;
	uint16_t type;
	uint8_t changed;
	size_t len;
	bool holds;
} cookies[] = {
	{ "as it was", NOTIFY_COOKIE2, 0, COOKIE2_LEN, true },
	{ "another one", NOTIFY_COOKIE2, 0x10, COOKIE2_LEN, false },
	{ "a part of it", NOTIFY_COOKIE2, 0, 8, false },
	{ "none", NOTIFY_COOKIE, 0, COOKIE2_LEN, false },
};
enum { N_COOKIES = sizeof(cookies) / sizeof(cookies[0]) };

/* The end `s` has asked, and the other one answers so. */
static void answers_with(struct pair *p, enum side s, const struct cookie_row *row)
{
	struct builder b = words(p, 1 - s);
	uint8_t cookie[COOKIE2_LEN];

	ck_assert(pair_sa(p, s)->mobike.cookie_out);
	memcpy(cookie, pair_sa(p, s)->mobike.cookie, sizeof(cookie));
	cookie[COOKIE2_LEN - 1] ^= row->changed;
	builder_notify(&b, row->type, span_of(cookie, row->len));
	lose_all(p);
	answers(p, 1 - s, &b);
	roam_arrive(p, roam_take(p));
}

/* To LEFT's update, and to what RIGHT asks where LEFT is then. */
START_TEST(what_has_not_the_cookie_ends_the_sa)
{
	const struct cookie_row *row = &cookies[_i % N_COOKIES];
	enum side s = _i < N_COOKIES ? LEFT : RIGHT;
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);

	roam_go(p, LEFT, ROAM_ELSEWHERE);
	if (s == RIGHT) {
		roam_arrive(p, roam_take(p));
		roam_arrive(p, roam_take(p));
	}
	answers_with(p, s, row);
	pair_drain(p);
	ck_assert_msg(pair_count(p, s, IKE_NOTE_DOWN) == !row->holds, "%s", row->what);
	if (s == RIGHT && row->holds)
		ck_assert(!pair_sa(p, RIGHT)->move.unproved);
	pair_free(p);
}
END_TEST

/* libreswan gives a COOKIE2 back beside NAT detection only, so it is asked for with that, and not
 * with a list, which needs none. */
START_TEST(a_cookie_is_asked_for_with_nat_detection)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	struct mobike *mb = &pair_sa(p, RIGHT)->mobike;

	roam_go(p, LEFT, ROAM_ELSEWHERE);
	roam_arrive(p, roam_take(p));
	roam_arrive(p, roam_take(p));
	ck_assert(mb->cookie_out && !mb->seen_known);
	pair_drain(p);
	ck_assert_msg(mb->seen_known, "the answer has none, for the question had none");
	mb->list_due = true;
	sa_settle(pair_sa(p, RIGHT));
	pair_act(p, RIGHT);
	ck_assert(mb->list_out && !mb->cookie_out);
	pair_drain(p);
	roam_expect_left_at(p, ROAM_ELSEWHERE);
	pair_free(p);
}
END_TEST

/* ---- lists ---- */

static void tells_list(struct pair *p, struct builder *b)
{
	asks(p, RIGHT, b);
	pair_drain(p);
}

/* As many as there is room for, and none that no peer can have. A list takes the place of another.
 */
START_TEST(a_list_is_taken_as_far_as_it_is_good)
{
	static const char *const bad[] = { "127.0.0.1", "0.0.0.0", "224.0.0.5", "255.255.255.255" };
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	const struct mobike *mb = &pair_sa(p, LEFT)->mobike;
	struct builder b = words(p, RIGHT);
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		put_address(&b, NOTIFY_ADDITIONAL_IP4_ADDRESS, bad[i]);
	put_address(&b, NOTIFY_ADDITIONAL_IP6_ADDRESS, "203.0.113.9");
	put_address(&b, NOTIFY_ADDITIONAL_IP4_ADDRESS, "2001:db8::9");
	put_address(&b, NOTIFY_ADDITIONAL_IP6_ADDRESS, "2001:db8::10");
	tells_list(p, &b);
	ck_assert_uint_eq(mb->n_addrs, 2);
	ck_assert_str_eq(addr_text(&mb->addrs[0], text), "198.51.100.2");
	ck_assert_str_eq(addr_text(&mb->addrs[1], text), "2001:db8::10");
	b = words(p, RIGHT);
	for (unsigned int i = 0; i < 20; i++) {
		struct addr a = roam_address("203.0.113.0");

		a.b[3] = (uint8_t)(i + 1);
		builder_notify(&b, NOTIFY_ADDITIONAL_IP4_ADDRESS, addr_span(&a));
	}
	tells_list(p, &b);
	ck_assert_uint_eq(mb->n_addrs, MOBIKE_ADDRS_MAX);
	ck_assert_str_eq(addr_text(&mb->addrs[1], text), "203.0.113.1");
	b = words(p, RIGHT);
	builder_notify(&b, NOTIFY_NO_ADDITIONAL_ADDRESSES, SPAN_EMPTY);
	tells_list(p, &b);
	ck_assert_uint_eq(mb->n_addrs, 1);
	roam_expect_left_at(p, "192.0.2.1");
	pair_free(p);
}
END_TEST

/* RIGHT says that it is elsewhere alone. Where the configuration names that place (1) all goes
 * there at once; else it may be anybody's, and packets wait for an answer from there. */
START_TEST(packets_wait_where_only_the_peer_names_the_place)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin_with(&w, _i == 0 ? pair_psk(LEFT, "") : roam_conf(LEFT, ""),
					 roam_conf(RIGHT, ""));
	struct builder b = words(p, RIGHT);

	pair_sa(p, RIGHT)->path.local.addr = roam_address(ROAM_ELSEWHERE);
	builder_notify(&b, NOTIFY_NO_ADDITIONAL_ADDRESSES, SPAN_EMPTY);
	asks(p, RIGHT, &b);
	roam_arrive(p, roam_take(p));
	ck_assert(
		addr_eq(&pair_sa(p, LEFT)->path.remote.addr, &pair_sa(p, RIGHT)->path.local.addr));
	ck_assert_uint_eq(p->end[LEFT].n_moves, _i == 0 ? 0 : 2);
	pair_drain(p);
	ck_assert_uint_eq(p->end[LEFT].n_moves, 2);
	roam_expect_at(p, LEFT, "192.0.2.1", ROAM_ELSEWHERE);
	pair_free(p);
}
END_TEST

/* RIGHT falls silent, and has named an address of LEFT's own (0), or one more of its own (1). */
START_TEST(a_silent_peer_is_not_looked_for_here)
{
	const char *other = _i == 0 ? "192.0.2.77" : ROAM_ELSEWHERE;
	static const char *const own[] = { "192.0.2.1", "192.0.2.77" };
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	struct builder b = words(p, RIGHT);
	struct addr there;

	roam_has(p, LEFT, own, 2);
	pair_drain(p);
	put_address(&b, NOTIFY_ADDITIONAL_IP4_ADDRESS, other);
	tells_list(p, &b);
	w.dead = p->end[RIGHT].addr;
	pair_run(p, 34 * NS_PER_S);
	there = roam_address(_i == 0 ? "198.51.100.2" : other);
	ck_assert(addr_eq(&pair_sa(p, LEFT)->path.remote.addr, &there));
	pair_free(p);
}
END_TEST

/* RIGHT falls silent where it was. LEFT, whose child is the kernel's, does not follow to where only
 * RIGHT has said that it is (0); to where the configuration expects it, too, it does (1). */
START_TEST(the_kernel_goes_only_where_the_peer_is_expected)
{
	const char *text[2];
	const struct plane_caps planes[2] = { pair_kernel(), { .v4 = false } };
	struct roam w = { .ports = { 0 } };
	struct pair *p;
	struct builder b;
	struct addr there = roam_address(_i == 0 ? "198.51.100.2" : ROAM_ELSEWHERE);

	text[LEFT] = _i == 0 ? pair_psk(LEFT, "") : roam_conf(LEFT, "");
	text[RIGHT] = roam_conf(RIGHT, "");
	p = roam_begin_on(&w, text, planes);
	ck_assert_int_eq(pair_sa(p, LEFT)->children->plane, PLANE_KERNEL);
	b = words(p, RIGHT);
	put_address(&b, NOTIFY_ADDITIONAL_IP4_ADDRESS, ROAM_ELSEWHERE);
	tells_list(p, &b);
	w.dead = p->end[RIGHT].addr;
	sa_doubt(pair_sa(p, LEFT));
	pair_run(p, 20 * NS_PER_S);
	ck_assert(addr_eq(&pair_sa(p, LEFT)->path.remote.addr, &there));
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 0);
	pair_free(p);
}
END_TEST

/* LEFT tries one after the other, and gives up as soon as with one. */
START_TEST(a_peer_with_many_addresses_is_lost_as_soon)
{
	static const char *const many[] = { "198.51.100.2", ROAM_ELSEWHERE, ROAM_BEYOND };
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin_with(&w, _i == 0 ? pair_psk(LEFT, "") : roam_conf(LEFT, ""),
					 roam_conf(RIGHT, ""));

	roam_has(p, RIGHT, many, _i == 0 ? 1 : 3);
	pair_drain(p);
	p->filter = pair_lose;
	sa_doubt(pair_sa(p, LEFT));
	pair_run(p, 25 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), 0);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_MOVED) > 2, _i == 1);
	pair_run(p, 15 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), 1);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_DOWN)->err, ERR_PEER_LOST);
	pair_free(p);
}
END_TEST

/* A NAT may give RIGHT an address that RIGHT does not know, and so does not name. */
START_TEST(a_peer_is_where_its_nat_has_moved_it)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);
	struct addr there = roam_address("203.0.113.50");

	pair_sa(p, LEFT)->path.remote.addr = there;
	roam_go(p, LEFT, "192.0.2.1");
	ck_assert(addr_eq(&pair_sa(p, LEFT)->path.remote.addr, &there));
	lose_all(p);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-mobike-said")
{
	tcase_add_loop_test(tc, an_answer_that_is_late_counts_for_nothing, 0, 3);
	tcase_add_loop_test(tc, only_updates_of_who_began_are_followed, 0, 4);
	tcase_add_test(tc, a_refusal_is_not_asked_for_for_ever);
	tcase_add_test(tc, a_refused_address_is_left_for_the_good_one);
	tcase_add_test(tc, who_stays_follows_the_peer);
	tcase_add_test(tc, another_translation_is_no_other_place);
	tcase_add_test(tc, a_cookie_is_asked_for_with_nat_detection);
	tcase_add_loop_test(tc, what_has_not_the_cookie_ends_the_sa, 0, 2 * N_COOKIES);
	tcase_add_test(tc, a_list_is_taken_as_far_as_it_is_good);
	tcase_add_loop_test(tc, packets_wait_where_only_the_peer_names_the_place, 0, 2);
	tcase_add_loop_test(tc, a_silent_peer_is_not_looked_for_here, 0, 2);
	tcase_add_loop_test(tc, the_kernel_goes_only_where_the_peer_is_expected, 0, 2);
	tcase_add_loop_test(tc, a_peer_with_many_addresses_is_lost_as_soon, 0, 2);
	tcase_add_test(tc, a_peer_is_where_its_nat_has_moved_it);
}
