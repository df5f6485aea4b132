/* SPDX-License-Identifier: Apache-2.0 */
/* What is wanted of a connection: its addresses in turn, its children one by one. */
#include <stdio.h>
#include <string.h>

#include "ike/header.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static bool only_to_the_real_address(struct pair *p, struct datagram *d)
{
	return d->to == LEFT || addr_eq(&d->path.local.addr, &p->end[RIGHT].addr);
}

/* Nobody answers at the first address: not the end of a command, the second one is next. */
START_TEST(a_second_address_is_tried_when_the_first_is_silent)
{
	struct pair *p = pair_new(
		"me {\n identity = left.example.org\n}\n"
		"connection site {\n address = { 198.51.100.77, 198.51.100.2 }\n"
		" identity = right.example.org\n auth = psk\n psk_file = site.psk\n start = manual\n"
		" child net {\n  local = 10.1.0.0/16\n  remote = 10.2.0.0/16\n }\n}\n",
		pair_psk(RIGHT, ""));

	p->filter = only_to_the_real_address;
	pair_up(p, LEFT, "site");
	pair_run(p, 100 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REFUSED), 1);
	ck_assert(pair_note(p, LEFT, IKE_NOTE_REFUSED)->next_address);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

START_TEST(the_last_address_is_the_end_of_a_command)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	p->filter = pair_lose;
	pair_up(p, LEFT, "site");
	pair_run(p, 100 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REFUSED), 1);
	ck_assert(!pair_note(p, LEFT, IKE_NOTE_REFUSED)->next_address);
	pair_free(p);
}
END_TEST

static void command(struct pair *p, enum ike_event_kind kind, const char *child)
{
	pair_command(p, LEFT, kind, child);
	pair_run(p, 10 * NS_PER_S);
}

START_TEST(a_child_comes_and_goes_beside_the_other)
{
	struct pair *p = pair_new(pair_two(LEFT, false, ""), pair_two(RIGHT, false, ""));

	command(p, IKE_EV_UP, "net");
	pair_expect_children(p, 1);
	ck_assert_str_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_UP)->child, "net");
	command(p, IKE_EV_UP, "lab");
	pair_expect_children(p, 2);
	ck_assert_str_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_UP)->child, "lab");
	command(p, IKE_EV_DOWN, "net");
	ck_assert(!p->end[LEFT].guarded);
	pair_expect_children(p, 1);
	command(p, IKE_EV_UP, "net");
	pair_expect_children(p, 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 1);
	command(p, IKE_EV_DOWN, "net");
	pair_expect_children(p, 1);
	/* The last one takes the connection along. */
	command(p, IKE_EV_DOWN, "lab");
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	command(p, IKE_EV_UP, "net");
	pair_expect_children(p, 1);
	ck_assert_str_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_UP)->child, "net");
	pair_free(p);
}
END_TEST

static void reload(struct pair *p, const char *text)
{
	struct conf *old = p->end[LEFT].conf;

	p->end[LEFT].conf = pair_load(text);
	ck_assert_int_eq(ike_engine_reconfigure(p->end[LEFT].e, p->end[LEFT].conf, p->now), OK);
	conf_free(old);
	pair_act(p, LEFT);
	pair_run(p, 5 * NS_PER_S);
}

/* Its guards were lifted by an operator; what comes in its place is another connection. */
START_TEST(a_changed_connection_is_guarded_again)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_down(p, LEFT, "site");
	ck_assert(!p->end[LEFT].guarded);
	reload(p, pair_psk(LEFT, "encap = always"));
	ck_assert(p->end[LEFT].guarded);
	pair_free(p);
}
END_TEST

START_TEST(an_unchanged_connection_stays_as_the_operator_left_it)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_down(p, LEFT, "site");
	reload(p, pair_psk(LEFT, ""));
	ck_assert(!p->end[LEFT].guarded);
	pair_free(p);
}
END_TEST

static bool is_auth(const struct datagram *d, uint8_t response)
{
	struct ike_header h;

	ck_assert_int_eq(header_decode(span_of(d->bytes, d->len), &h), OK);
	return h.exchange == X_IKE_AUTH && (h.flags & FLAG_RESPONSE) == response;
}

/* LEFT is told `down` when its IKE_AUTH is out; `ctx` (not NULL): the first answer is lost. */
static bool goes_down_in_auth(struct pair *p, struct datagram *d)
{
	bool lost = p->ctx && is_auth(d, FLAG_RESPONSE);

	if (!p->answered && is_auth(d, 0)) {
		p->answered = true;
		pair_down(p, LEFT, "site");
	}
	if (lost)
		p->ctx = NULL;
	return !lost;
}

/* The peer is up by then, or will be. */
START_TEST(down_in_the_middle_of_ike_auth_leaves_the_peer_nothing)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	p->filter = goes_down_in_auth;
	p->ctx = _i == 1 ? p : NULL;
	pair_up(p, LEFT, "site");
	pair_run(p, 3 * NS_PER_S);
	ck_assert(p->answered);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_UP), 1);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_DOWN), 1);
	ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_DOWN)->err, ERR_PEER_DELETED);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 0);
	ck_assert_ptr_null(pair_note(p, LEFT, IKE_NOTE_DOWN));
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

/* ... and one that refuses has nothing to be told. */
START_TEST(down_in_the_middle_of_ike_auth_says_nothing_to_who_refuses)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	size_t sent;

	p->end[RIGHT].psk = "another one";
	p->filter = goes_down_in_auth;
	pair_up(p, LEFT, "site");
	pair_drain(p);
	ck_assert(p->answered);
	ck_assert_ptr_nonnull(pair_note(p, RIGHT, IKE_NOTE_REFUSED));
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	sent = p->n_sent;
	pair_run(p, 20 * NS_PER_S);
	ck_assert_uint_eq(p->n_sent, sent);
	pair_free(p);
}
END_TEST

struct asked {
	const char *child;
	bool guarded;
};

static void look(void *ctx, const struct ike_view *v)
{
	struct asked *a = ctx;

	for (size_t i = 0; i < v->n_children; i++) {
		if (strcmp(v->children[i].conf->name, a->child) == 0)
			a->guarded = v->children[i].guarded;
	}
}

static bool child_is_guarded(const struct pair *p, const char *name)
{
	struct asked a = { .child = name };

	ike_engine_views(p->end[LEFT].e, look, &a);
	return a.guarded;
}

/* A file in which two children have changed places says nothing new. */
START_TEST(a_child_keeps_its_state_when_the_order_changes)
{
	struct pair *p = pair_new(pair_two(LEFT, false, ""), pair_two(RIGHT, false, ""));
	static char text[2048];
	const char *whole = pair_two(LEFT, false, ""), *net = strstr(whole, " child net"),
		   *lab = strstr(whole, " child lab");

	command(p, IKE_EV_UP, NULL);
	command(p, IKE_EV_DOWN, "lab");
	ck_assert(child_is_guarded(p, "net") && !child_is_guarded(p, "lab"));
	snprintf(text, sizeof(text), "%.*s%.*s%.*s}\n", (int)(net - whole), whole,
		 (int)(strrchr(lab, '}') - lab), lab, (int)(lab - net), net);
	reload(p, text);
	ck_assert(child_is_guarded(p, "net") && !child_is_guarded(p, "lab"));
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* Whoever reads the configuration lifts the guards of what is gone. */
START_TEST(a_removed_connection_asks_for_no_guards)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	reload(p, "me {\n identity = left.example.org\n}\n");
	pair_expect_children(p, 0);
	ck_assert_uint_eq(p->end[LEFT].n_guards, 0);
	pair_free(p);
}
END_TEST

UNIT("ike/connection")
{
	tcase_add_test(tc, a_changed_connection_is_guarded_again);
	tcase_add_test(tc, an_unchanged_connection_stays_as_the_operator_left_it);
	tcase_add_loop_test(tc, down_in_the_middle_of_ike_auth_leaves_the_peer_nothing, 0, 2);
	tcase_add_test(tc, down_in_the_middle_of_ike_auth_says_nothing_to_who_refuses);
	tcase_add_test(tc, a_child_keeps_its_state_when_the_order_changes);
	tcase_add_test(tc, a_removed_connection_asks_for_no_guards);
	tcase_add_test(tc, a_second_address_is_tried_when_the_first_is_silent);
	tcase_add_test(tc, the_last_address_is_the_end_of_a_command);
	tcase_add_test(tc, a_child_comes_and_goes_beside_the_other);
}
