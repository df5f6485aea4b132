/* SPDX-License-Identifier: Apache-2.0 */
/* How long a proof is good: a new handshake in time, by whoever wants it, and the end where there
 * is none. */
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/proof.h"
#include "ike/rekey_ike.h"
#include "ike/renew.h"
#include "ike/send.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static struct ike_sa *sa_at(struct pair *p, enum side s)
{
	return conn_sa(p->end[s].e->conns[0]);
}

static struct pair *up(const char *left, const char *right)
{
	struct pair *p = pair_new(pair_psk(LEFT, left), pair_psk(RIGHT, right));

	pair_up(p, LEFT, "site");
	pair_run(p, 3 * NS_PER_S);
	pair_expect_children(p, 1);
	return p;
}

/* There was another handshake, and nobody noticed. */
static void expect_proved_anew(struct pair *p)
{
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(ike_engine_stats(p->end[s].e)->sas, 1);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_UP), 2);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_DOWN), 0);
		ck_assert_int_eq(pair_note(p, s, IKE_NOTE_DOWN)->err,
				 s == LEFT ? ERR_REPLACED : ERR_PEER_DELETED);
	}
}

static const struct {
	const char *left, *right;
} wishes[] = {
	{ "reauthenticate = 10m", "" },
	{ "", "reauthenticate = 10m" },
	{ "reauthenticate = 10m", "reauthenticate = 10m" },
};
enum { N_WISHES = sizeof(wishes) / sizeof(wishes[0]) };

START_TEST(a_new_proof_comes_before_the_old_one_is_over)
{
	struct pair *p = up(wishes[_i].left, wishes[_i].right);

	pair_run(p, 500 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 1);
	pair_run(p, 100 * NS_PER_S);
	expect_proved_anew(p);
	pair_free(p);
}
END_TEST

static bool no_handshake(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->bytes[18] != X_IKE_SA_INIT;
}

/* LEFT has seen certificates that hold for so long, RIGHT for so long; 0: for ever. */
static struct pair *up_by_certificates(uint64_t left, uint64_t right)
{
	struct pair *p = pair_new(pair_cert(LEFT, ""), pair_cert(RIGHT, ""));

	p->end[LEFT].good_s = left;
	p->end[RIGHT].good_s = right;
	pair_up(p, LEFT, "site");
	pair_run(p, 3 * NS_PER_S);
	pair_expect_children(p, 1);
	return p;
}

static const uint64_t certificates[][2] = { { 600, 0 }, { 0, 600 }, { 600, 600 } };
enum { N_CERTIFICATES = sizeof(certificates) / sizeof(certificates[0]) };

START_TEST(a_new_proof_comes_before_certificates_end)
{
	struct pair *p = up_by_certificates(certificates[_i][0], certificates[_i][1]);

	pair_run(p, 490 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 1);
	p->end[LEFT].good_s = p->end[RIGHT].good_s = 0; /* there are others by now */
	pair_run(p, 106 * NS_PER_S);
	expect_proved_anew(p);
	ck_assert_uint_eq(sa_at(p, LEFT)->proved_until, NEVER);
	pair_run(p, 600 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 2);
	pair_free(p);
}
END_TEST

/* They are shown again until they end, a few times, and then the IKE SA ends as well. */
START_TEST(certificates_that_nobody_replaces_are_the_end)
{
	struct pair *p = up_by_certificates(600, 0);
	const mono_ns end = sa_at(p, LEFT)->proved_until;

	while (p->now + NS_PER_S < end) {
		p->end[LEFT].good_s = (end - p->now) / NS_PER_S + 1;
		pair_run(p, NS_PER_S);
	}
	pair_expect_children(p, 1);
	ck_assert_uint_ge(pair_count(p, LEFT, IKE_NOTE_UP), 2);
	ck_assert_uint_le(pair_count(p, LEFT, IKE_NOTE_UP), 6);
	p->filter = no_handshake;
	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 0);
	p->filter = NULL;
	p->end[LEFT].good_s = 0;
	pair_run(p, 100 * NS_PER_S);
	pair_free(p);
}
END_TEST

/* Of an end that is months away the peer hears nothing; whoever sees it begins. */
START_TEST(the_end_of_certificates_is_told_a_day_ahead)
{
	struct pair *p = up_by_certificates(0, _i == 0 ? 90 * 86400 : 86399);

	ck_assert_uint_lt(sa_at(p, RIGHT)->prove_at, NEVER);
	ck_assert_int_eq(sa_at(p, LEFT)->prove_at == NEVER, _i == 0);
	pair_free(p);
}
END_TEST

START_TEST(the_shorter_of_two_times_counts)
{
	struct pair *p = pair_new(pair_cert(LEFT, "reauthenticate = 20m"), pair_cert(RIGHT, ""));

	p->end[LEFT].good_s = _i == 0 ? 600 : UINT64_MAX;
	pair_up(p, LEFT, "site");
	pair_run(p, 3 * NS_PER_S);
	ck_assert_uint_ge(sa_at(p, LEFT)->proved_until + 4 * NS_PER_S,
			  p->now + (_i == 0 ? 600 : 1200) * NS_PER_S);
	ck_assert_uint_le(sa_at(p, LEFT)->proved_until, p->now + (_i == 0 ? 600 : 1200) * NS_PER_S);
	pair_free(p);
}
END_TEST

/* RFC 4478 2: "If the IKE SA is rekeyed, then the time limit applies to the new SA." */
START_TEST(new_keys_are_no_new_proof)
{
	struct pair *p = up(wishes[_i].left, wishes[_i].right);
	mono_ns until[2] = { sa_at(p, LEFT)->proved_until, sa_at(p, RIGHT)->proved_until };

	rekey_ike_want(sa_at(p, LEFT));
	pair_act(p, LEFT);
	pair_run(p, NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEYED), 1);
	for (enum side s = LEFT; s <= RIGHT; s++)
		ck_assert_uint_eq(sa_at(p, s)->proved_until, until[s]);
	pair_run(p, 600 * NS_PER_S);
	expect_proved_anew(p);
	pair_free(p);
}
END_TEST

/* It ends at who wants the proof, not before. */
START_TEST(without_a_new_proof_it_ends_in_time)
{
	struct pair *p = up(wishes[_i].left, wishes[_i].right);

	p->filter = no_handshake;
	pair_run(p, 590 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_run(p, 15 * NS_PER_S);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_UP), 1);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_DOWN), 1);
	}
	ck_assert_int_eq(pair_note(p, _i == 0 ? LEFT : RIGHT, IKE_NOTE_DOWN)->err, ERR_LIMIT);
	pair_free(p);
}
END_TEST

/* RFC 4478 2, 5: at any time, and zero is now; but a peer cannot have us begin all the time. */
static const struct {
	uint8_t body[5];
	size_t len;
	uint32_t begins_s; /* after it was up; 0: never */
} lifetimes[] = {
	{ { 0, 0, 0, 0 }, 4, 60 },
	{ { 0, 0, 3, 0xe8 }, 4, 913 },
	{ { 0, 0, 0 }, 3, 0 },
	{ { 0, 0, 0, 0, 0 }, 5, 0 },
};
enum { N_LIFETIMES = sizeof(lifetimes) / sizeof(lifetimes[0]) };

START_TEST(a_lifetime_may_come_at_any_time)
{
	struct pair *p = up("", "");
	struct ike_sa *right = sa_at(p, RIGHT);
	struct builder b = send_begin(right->e);
	mono_ns at = sa_at(p, LEFT)->since + lifetimes[_i].begins_s * NS_PER_S;

	builder_notify(&b, NOTIFY_AUTH_LIFETIME, span_of(lifetimes[_i].body, lifetimes[_i].len));
	ck_assert_int_eq(send_request(right, X_INFORMATIONAL, &b), OK);
	pair_act(p, RIGHT);
	pair_drain(p);
	if (lifetimes[_i].begins_s > 0) {
		ck_assert_uint_ge(renew_at(sa_at(p, LEFT)), at - NS_PER_S);
		ck_assert_uint_le(renew_at(sa_at(p, LEFT)), at + NS_PER_S);
	} else {
		ck_assert_uint_gt(renew_at(sa_at(p, LEFT)), at + 3600 * NS_PER_S);
	}
	pair_free(p);
}
END_TEST

/* What is sent later counts, be it more or less. */
START_TEST(a_later_lifetime_counts)
{
	struct pair *p = up("", "reauthenticate = 20m");
	struct ike_sa *left = sa_at(p, LEFT), *right = sa_at(p, RIGHT);
	mono_ns at = left->prove_at;
	struct builder b = send_begin(right->e);

	ck_assert_uint_le(at, left->since + 1200 * NS_PER_S);
	builder_notify(&b, NOTIFY_AUTH_LIFETIME, span_of("\0\1\0\0", 4));
	ck_assert_int_eq(send_request(right, X_INFORMATIONAL, &b), OK);
	pair_act(p, RIGHT);
	pair_drain(p);
	ck_assert_uint_gt(left->prove_at, at);
	pair_free(p);
}
END_TEST

/* The one who wants it told, the other one does it. */
START_TEST(the_initiator_does_what_the_responder_wants)
{
	struct pair *p = up("", "reauthenticate = 10m");

	ck_assert_uint_le(sa_at(p, LEFT)->prove_at, sa_at(p, LEFT)->since + 600 * NS_PER_S);
	ck_assert_uint_eq(sa_at(p, LEFT)->proved_until, NEVER);
	pair_run(p, 600 * NS_PER_S);
	expect_proved_anew(p);
	ck_assert(pair_note(p, LEFT, IKE_NOTE_UP)->initiator);
	ck_assert(!pair_note(p, RIGHT, IKE_NOTE_UP)->initiator);
	pair_free(p);
}
END_TEST

/* ... and is not told by an initiator, who does it himself (RFC 4478 2). */
START_TEST(an_initiator_does_not_tell)
{
	struct pair *p = up("reauthenticate = 10m", "");

	ck_assert_uint_eq(sa_at(p, RIGHT)->prove_at, NEVER);
	pair_free(p);
}
END_TEST

static struct conf *reload(struct pair *p, enum side s, const char *text)
{
	struct conf *old = p->end[s].conf;

	p->end[s].conf = pair_load(text);
	ck_assert_int_eq(ike_engine_reconfigure(p->end[s].e, p->end[s].conf, p->now), OK);
	pair_act(p, s);
	return old;
}

static const struct {
	const char *before, *after;
	uint32_t end_s; /* after 600 s */
} shorter[] = {
	{ "", "reauthenticate = 20m", 600 },
	{ "reauthenticate = 60m", "reauthenticate = 20m", 600 },
	{ "", "reauthenticate = 5m", 120 }, /* over already */
};
enum { N_SHORTER = sizeof(shorter) / sizeof(shorter[0]) };

START_TEST(a_shorter_time_is_told_at_once)
{
	struct pair *p = up("", shorter[_i].before);
	mono_ns was = sa_at(p, LEFT)->prove_at, end;

	pair_run(p, 597 * NS_PER_S);
	end = p->now + shorter[_i].end_s * NS_PER_S;
	conf_free(reload(p, RIGHT, pair_psk(RIGHT, shorter[_i].after)));
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_UP), 1);
	ck_assert_uint_lt(sa_at(p, LEFT)->prove_at, was);
	ck_assert_uint_lt(sa_at(p, LEFT)->prove_at, end);
	ck_assert_uint_le(sa_at(p, RIGHT)->proved_until, end + NS_PER_S);
	pair_run(p, (shorter[_i].end_s + 1) * NS_PER_S);
	expect_proved_anew(p);
	pair_free(p);
}
END_TEST

START_TEST(a_longer_time_counts_from_the_next_proof_on)
{
	struct pair *p = up("", "reauthenticate = 10m");
	mono_ns until = sa_at(p, RIGHT)->proved_until, at = sa_at(p, LEFT)->prove_at;

	conf_free(reload(p, RIGHT, pair_psk(RIGHT, "reauthenticate = 20m")));
	pair_drain(p);
	ck_assert_uint_eq(sa_at(p, RIGHT)->proved_until, until);
	ck_assert_uint_eq(sa_at(p, LEFT)->prove_at, at);
	pair_free(p);
}
END_TEST

/* Each has the other's IKE_SA_INIT while its own is on the way: one new IKE SA stays. */
START_TEST(both_at_once_leave_one)
{
	struct pair *p = up("", "");

	pair_has_rekeyed(p);
	p->delay = (uint32_t)_i * 10 * NS_PER_MS;
	for (enum side s = LEFT; s <= RIGHT; s++)
		proof_want(sa_at(p, s));
	pair_run(p, 30 * NS_PER_S);
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(ike_engine_stats(p->end[s].e)->sas, 1);
		ck_assert_uint_ge(pair_count(p, s, IKE_NOTE_UP), 2);
	}
	pair_free(p);
}
END_TEST

static void ask(struct pair *p, enum side s, enum ike_rekey what)
{
	struct ike_event ev = { .kind = IKE_EV_REKEY,
				.command = { .connection = "site", .rekey = what } };

	pair_event(&p->end[s], &ev);
}

START_TEST(a_command_asks_for_a_new_proof)
{
	struct pair *p = up("", "");

	ask(p, (enum side)_i, IKE_REKEY_PROOF);
	pair_run(p, 30 * NS_PER_S);
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(ike_engine_stats(p->end[s].e)->sas, 1);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_UP), 2);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_DOWN), 0);
	}
	pair_free(p);
}
END_TEST

START_TEST(a_command_asks_for_new_keys)
{
	static const enum ike_note_kind notes[] = { IKE_NOTE_CHILD_REKEYED, IKE_NOTE_REKEYED };
	struct pair *p = up("", "");

	ask(p, LEFT, _i == 0 ? IKE_REKEY_CHILD : IKE_REKEY_IKE);
	pair_run(p, 10 * NS_PER_S);
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_UP), 1);
		ck_assert_uint_eq(pair_count(p, s, notes[_i]), 1);
		ck_assert_uint_eq(pair_count(p, s, notes[1 - _i]), 0);
	}
	pair_free(p);
}
END_TEST

UNIT("ike/engine-renew")
{
	tcase_add_loop_test(tc, a_command_asks_for_a_new_proof, 0, 2);
	tcase_add_loop_test(tc, a_command_asks_for_new_keys, 0, 2);
	tcase_add_loop_test(tc, a_new_proof_comes_before_the_old_one_is_over, 0, N_WISHES);
	tcase_add_loop_test(tc, a_new_proof_comes_before_certificates_end, 0, N_CERTIFICATES);
	tcase_add_test(tc, certificates_that_nobody_replaces_are_the_end);
	tcase_add_loop_test(tc, the_end_of_certificates_is_told_a_day_ahead, 0, 2);
	tcase_add_loop_test(tc, the_shorter_of_two_times_counts, 0, 2);
	tcase_add_loop_test(tc, new_keys_are_no_new_proof, 0, N_WISHES);
	tcase_add_loop_test(tc, without_a_new_proof_it_ends_in_time, 0, N_WISHES);
	tcase_add_loop_test(tc, a_lifetime_may_come_at_any_time, 0, N_LIFETIMES);
	tcase_add_test(tc, a_later_lifetime_counts);
	tcase_add_test(tc, the_initiator_does_what_the_responder_wants);
	tcase_add_test(tc, an_initiator_does_not_tell);
	tcase_add_loop_test(tc, a_shorter_time_is_told_at_once, 0, N_SHORTER);
	tcase_add_test(tc, a_longer_time_counts_from_the_next_proof_on);
	tcase_add_loop_test(tc, both_at_once_leave_one, 0, 10);
}
