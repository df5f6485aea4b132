/* SPDX-License-Identifier: Apache-2.0 */
/* Which connection a peer gets, whose policy holds, and what hints may do. */
#include <stdio.h>
#include <string.h>

#include "ike/core.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

/* A gateway with two connections: one says `first`, the other `second`; both are PSK and lead to
 * our networks. */
static const char *gateway(const char *first, const char *second)
{
	static char text[2048];

	snprintf(text, sizeof(text),
		 "me {\n identity = right.example.org\n}\n"
		 "connection one {\n auth = psk\n psk_file = a.psk\n start = manual\n %s\n"
		 " child net {\n  local = 10.2.0.0/16\n  remote = 10.1.0.0/17\n }\n}\n"
		 "connection two {\n auth = psk\n psk_file = b.psk\n start = manual\n %s\n"
		 " child net {\n  local = 10.2.0.0/16\n  remote = 10.1.128.0/17\n }\n}\n",
		 first, second);
	return text;
}

static const struct {
	const char *first, *second;
	const char *chosen; /* NULL: nobody */
} choices[] = {
	{ "address = any\n identity = other.example.org",
	  "address = any\n identity = left.example.org", "two" },
	{ "address = any\n identity = left.example.org",
	  "address = 192.0.2.1\n identity = left.example.org", "two" },
	{ "address = 192.0.2.1\n identity = left.example.org",
	  "address = any\n identity = left.example.org", "one" },
	{ "address = 203.0.113.9\n identity = left.example.org",
	  "address = any\n identity = other.example.org", NULL },
	{ "address = 203.0.113.9\n identity = left.example.org",
	  "address = 203.0.113.8\n identity = other.example.org", NULL },
};

START_TEST(the_connection_is_chosen_by_identity_and_address)
{
	struct pair *p =
		pair_new(pair_psk(LEFT, ""), gateway(choices[_i].first, choices[_i].second));
	const struct ike_note *up;

	pair_up(p, LEFT, "site");
	pair_run(p, 40 * NS_PER_S);
	up = pair_note(p, RIGHT, IKE_NOTE_UP);
	if (choices[_i].chosen) {
		ck_assert_ptr_nonnull(up);
		ck_assert_str_eq(up->connection, choices[_i].chosen);
		pair_expect_children(p, 1);
	} else {
		ck_assert_ptr_null(up);
		ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->err, ERR_UNKNOWN_PEER);
		ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
		ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	}
	pair_free(p);
}
END_TEST

/* IKE_SA_INIT is agreed under the first connection's policy; the identity is the second one's,
 * whose floor is higher. */
START_TEST(the_floor_of_the_chosen_connection_holds)
{
	struct pair *p = pair_new(
		pair_psk(LEFT, "policy = { aes128 sha256 prfsha256 modp2048 }"),
		gateway("address = any\n identity = other.example.org\n policy = compatible",
			"address = any\n identity = left.example.org\n policy = modern"));

	pair_up(p, LEFT, "site");
	pair_run(p, 40 * NS_PER_S);
	ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->err, ERR_DOWNGRADE);
	ck_assert_ptr_null(pair_note(p, RIGHT, IKE_NOTE_UP));
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	pair_free(p);
}
END_TEST

START_TEST(a_connection_that_is_down_is_refused)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_down(p, RIGHT, "site");
	pair_up(p, LEFT, "site");
	pair_run(p, 40 * NS_PER_S);
	ck_assert_ptr_null(pair_note(p, RIGHT, IKE_NOTE_UP));
	pair_expect_children(p, 0);
	pair_free(p);
}
END_TEST

static bool first_address_is_dead(struct pair *p, struct datagram *d)
{
	struct addr dead;

	(void)p;
	ck_assert(addr_parse("203.0.113.1", &dead));
	return !addr_eq(&d->path.local.addr, &dead);
}

START_TEST(the_next_address_is_tried)
{
	struct pair *p = pair_new("me {\n identity = left.example.org\n}\n"
				  "connection site {\n address = { 203.0.113.1, 198.51.100.2 }\n"
				  " identity = right.example.org\n auth = psk\n psk_file = a.psk\n"
				  " start = manual\n child net {\n  local = 10.1.0.0/16\n"
				  "  remote = 10.2.0.0/16\n }\n}\n",
				  pair_psk(RIGHT, ""));

	p->filter = first_address_is_dead;
	pair_up(p, LEFT, "site");
	pair_run(p, 60 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 2);
	pair_free(p);
}
END_TEST

/* A name without an address is no end for `always`. */
START_TEST(a_peer_without_an_address_is_sought_again)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct ike_resolved nothing = { .connection = "site", .err = ERR_RESOLVE };
	struct ike_event ev = { .kind = IKE_EV_RESOLVED, .resolved = &nothing };

	p->end[LEFT].hold_names = true;
	pair_up(p, LEFT, "site");
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REFUSED)->err, ERR_RESOLVE);
	ck_assert_str_ne(pair_note(p, LEFT, IKE_NOTE_REFUSED)->fix, "");
	/* Nobody answers at all: it is asked again. */
	pair_up(p, LEFT, "site");
	p->end[LEFT].hold_names = false;
	pair_run(p, 40 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

START_TEST(any_address_cannot_begin)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""),
				  gateway("address = any\n identity = left.example.org",
					  "address = any\n identity = other.example.org"));

	pair_up(p, RIGHT, "one");
	ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->err, ERR_UNSUPPORTED);
	ck_assert_uint_eq(p->n_sent, 0);
	pair_free(p);
}
END_TEST

START_TEST(a_smaller_path_makes_a_smaller_child)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct plane_event mtu = { .kind = PLANE_MTU, .mtu = 1400 };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &mtu };
	uint16_t before;

	pair_up(p, LEFT, "site");
	pair_drain(p);
	before = p->end[LEFT].mtu;
	mtu.remote.addr = p->end[RIGHT].addr;
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	ck_assert_uint_eq(p->end[LEFT].mtu, before - 100);
	pair_free(p);
}
END_TEST

/* Found by attack: the child has no suite yet, and the engine died of a forged ICMP message. */
START_TEST(a_smaller_path_in_the_middle_of_a_handshake_is_nothing)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct plane_event mtu = { .kind = PLANE_MTU, .mtu = 1400 };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &mtu };

	p->end[RIGHT].hold_jobs = true;
	pair_up(p, LEFT, "site");
	pair_drain(p);
	mtu.remote.addr = p->end[RIGHT].addr;
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	ck_assert_uint_eq(p->end[LEFT].mtu, 0);
	pair_free(p);
}
END_TEST

static void keep_state(void *ctx, const struct ike_view *v)
{
	enum ike_state *s = ctx;

	*s = v->state;
}

static enum ike_state state_of(struct pair *p, enum side side)
{
	enum ike_state s = IKE_STATE_OFF;

	ike_engine_views(p->end[side].e, keep_state, &s);
	return s;
}

START_TEST(a_view_says_what_a_connection_is_about)
{
	struct pair *p =
		pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, "start = traffic"));

	ck_assert_int_eq(state_of(p, LEFT), IKE_STATE_CONNECTING);
	ck_assert_int_eq(state_of(p, RIGHT), IKE_STATE_WAITING);
	pair_drain(p);
	ck_assert_int_eq(state_of(p, LEFT), IKE_STATE_UP);
	ck_assert_int_eq(state_of(p, RIGHT), IKE_STATE_UP);
	pair_down(p, RIGHT, "site");
	pair_drain(p);
	ck_assert_int_eq(state_of(p, RIGHT), IKE_STATE_OFF);
	pair_run(p, 35 * NS_PER_S);
	ck_assert_int_ne(state_of(p, LEFT), IKE_STATE_UP);
	while (state_of(p, LEFT) == IKE_STATE_CONNECTING)
		pair_run(p, NS_PER_S / 4);
	ck_assert_int_eq(state_of(p, LEFT), IKE_STATE_FAILING);
	pair_free(p);
}
END_TEST

/* A reload while a peer is half-way in: with its connection still there it gets in, else it does
 * not. */
START_TEST(a_reload_spares_who_is_half_way_in)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct conf *old = p->end[RIGHT].conf;

	p->end[RIGHT].hold_jobs = _i == 1;
	pair_up(p, LEFT, "site");
	if (_i == 0)
		pair_deliver(p, RIGHT, &p->wire->path, span_of(p->wire->bytes, p->wire->len));
	else
		pair_run(p, NS_PER_S);
	p->end[RIGHT].conf =
		pair_load(_i < 2 ? pair_psk(RIGHT, "")
				 : gateway("address = 203.0.113.1\n identity = a.example.org",
					   "address = 203.0.113.2\n identity = b.example.org"));
	ck_assert_int_eq(ike_engine_reconfigure(p->end[RIGHT].e, p->end[RIGHT].conf, p->now), OK);
	conf_free(old);
	p->end[RIGHT].hold_jobs = false;
	pair_run(p, 100 * NS_PER_S);
	if (_i == 0)
		pair_expect_children(p, 1);
	else
		ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

static size_t informationals(const struct pair *p)
{
	return p->n_sent;
}

/* ICMP and INVALID_IKE_SPI: at most a question to the peer, and not one after the other. */
START_TEST(hints_only_make_us_ask)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct path path;
	struct ike_event ev = { .kind = IKE_EV_UNREACHABLE, .unreachable = &path };
	size_t before;

	pair_up(p, LEFT, "site");
	pair_run(p, 12 * NS_PER_S);
	path = pair_sa(p, LEFT)->path;
	before = informationals(p);
	for (int i = 0; i < 100; i++) {
		pair_event(&p->end[LEFT], &ev);
		pair_act(p, LEFT);
	}
	pair_drain(p);
	ck_assert_uint_eq(informationals(p), before + 2);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* The peer has forgotten us and says so in clear: we ask, nobody answers, and we call again. */
START_TEST(a_forgetful_peer_is_called_again)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, ""));
	struct ike_sa *sa;

	pair_run(p, 12 * NS_PER_S);
	sa = pair_sa(p, RIGHT);
	sa_free(sa);
	pair_act(p, RIGHT);
	pair_run(p, 100 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	pair_free(p);
}
END_TEST

/* Sequence numbers are used up: until there is rekeying, a new tunnel comes. */
START_TEST(an_expired_child_is_made_anew)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, ""));
	struct plane_event expire = { .kind = PLANE_EXPIRE };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &expire };

	pair_run(p, 2 * NS_PER_S);
	pair_expect_children(p, 1);
	expire.spi = p->end[LEFT].sas[0].spi;
	expire.dir = p->end[LEFT].sas[0].dir;
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	pair_run(p, 10 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_UP), 2);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	pair_free(p);
}
END_TEST

/* The process that holds all SAs dies: nothing is removed from it, the peer is told, a new pair
 * comes. */
START_TEST(a_plane_that_died_is_filled_again)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, ""));
	struct plane_event gone = { .kind = PLANE_GONE };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &gone };

	pair_run(p, 2 * NS_PER_S);
	while (p->end[LEFT].n_sas > 0)
		sa_desc_wipe(&p->end[LEFT].sas[--p->end[LEFT].n_sas]);
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	pair_run(p, 10 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	pair_free(p);
}
END_TEST

/* No answer of a job, or of a plane, is waited for without end. */
START_TEST(an_answer_that_never_comes_ends_the_attempt)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	p->end[LEFT].hold_jobs = true;
	pair_up(p, LEFT, "site");
	pair_run(p, 100 * NS_PER_S);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REFUSED)->err, ERR_SYSTEM);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

START_TEST(a_plane_that_says_nothing_is_given_up)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	p->end[_i].hold_sas = true;
	pair_up(p, LEFT, "site");
	pair_run(p, 70 * NS_PER_S);
	ck_assert_ptr_null(pair_note(p, (enum side)_i, IKE_NOTE_CHILD_UP));
	/* It may be late, and then it shall not be left with what it was told. */
	ck_assert_uint_gt(p->end[_i].n_unheard_installs, 0);
	ck_assert_uint_eq(p->end[_i].n_unheard_removes, p->end[_i].n_unheard_installs);
	p->end[_i].hold_sas = false;
	pair_run(p, 40 * NS_PER_S);
	pair_up(p, LEFT, "site");
	pair_run(p, 40 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* One that LEFT's child shall carry. */
static struct plane_event a_packet(const struct pair *p)
{
	struct plane_event ev = { .kind = PLANE_ACQUIRE };

	ev.reqid = p->end[LEFT].conf->connections[0].children[0].reqid;
	ck_assert(addr_parse("10.1.0.7", &ev.flow.src) && addr_parse("10.2.0.7", &ev.flow.dst));
	return ev;
}

START_TEST(traffic_starts_what_waits_for_it)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = traffic"), pair_psk(RIGHT, ""));
	struct plane_event acquire = a_packet(p);
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &acquire };

	pair_run(p, 5 * NS_PER_S);
	ck_assert_uint_eq(p->n_sent, 0);
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	pair_free(p);
}
END_TEST

/* A packet every 10 ms for 10 s, and a peer that refuses at once. */
START_TEST(traffic_does_not_hammer_a_peer_that_refuses)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = traffic"), pair_psk(RIGHT, ""));
	struct plane_event acquire = a_packet(p);
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &acquire };

	p->end[LEFT].psk = "another key that is long";
	for (int i = 0; i < 1000; i++) {
		pair_event(&p->end[LEFT], &ev);
		pair_act(p, LEFT);
		pair_run(p, 10 * NS_PER_MS);
	}
	ck_assert_uint_ge(pair_count(p, LEFT, IKE_NOTE_REFUSED), 3);
	ck_assert_uint_le(pair_count(p, LEFT, IKE_NOTE_REFUSED), 5);
	pair_free(p);
}
END_TEST

START_TEST(a_clean_stop_tells_the_peer)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, ""));

	pair_run(p, 2 * NS_PER_S);
	ike_engine_shutdown(p->end[LEFT].e, p->now);
	pair_act(p, LEFT);
	pair_drain(p);
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	ck_assert_uint_eq(p->end[LEFT].n_guards, 0); /* the guards stay */
	pair_free(p);
}
END_TEST

UNIT("ike/engine-choose")
{
	tcase_add_loop_test(tc, the_connection_is_chosen_by_identity_and_address, 0, 5);
	tcase_add_test(tc, the_floor_of_the_chosen_connection_holds);
	tcase_add_test(tc, a_connection_that_is_down_is_refused);
	tcase_add_test(tc, the_next_address_is_tried);
	tcase_add_test(tc, a_peer_without_an_address_is_sought_again);
	tcase_add_test(tc, any_address_cannot_begin);
	tcase_add_test(tc, a_smaller_path_makes_a_smaller_child);
	tcase_add_test(tc, a_smaller_path_in_the_middle_of_a_handshake_is_nothing);
	tcase_add_test(tc, a_view_says_what_a_connection_is_about);
	tcase_add_loop_test(tc, a_reload_spares_who_is_half_way_in, 0, 3);
	tcase_add_test(tc, hints_only_make_us_ask);
	tcase_add_test(tc, a_forgetful_peer_is_called_again);
	tcase_add_test(tc, an_expired_child_is_made_anew);
	tcase_add_test(tc, a_plane_that_died_is_filled_again);
	tcase_add_test(tc, an_answer_that_never_comes_ends_the_attempt);
	tcase_add_loop_test(tc, a_plane_that_says_nothing_is_given_up, 0, 2);
	tcase_add_test(tc, traffic_starts_what_waits_for_it);
	tcase_add_test(tc, traffic_does_not_hammer_a_peer_that_refuses);
	tcase_add_test(tc, a_clean_stop_tells_the_peer);
}
