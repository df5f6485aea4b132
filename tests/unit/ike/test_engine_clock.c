/* SPDX-License-Identifier: Apache-2.0 */
/* A wall clock that is set, and a machine that has slept. The engine's own clock only goes on, so
 * all that ends by the other one, or ended meanwhile, has to be told. */
#include "ike/core.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static const mono_ns day = 86400 * NS_PER_S;

static void tell(struct pair *p, enum side s, mono_ns ahead, mono_ns slept)
{
	const struct ike_clock clock = { .ahead = ahead, .slept = slept };
	const struct ike_event ev = { .kind = IKE_EV_CLOCK, .clock = &clock };

	pair_event(&p->end[s], &ev);
}

static struct pair *up(const char *left, const char *right)
{
	struct pair *p = pair_new(left, right);

	pair_up(p, LEFT, "site");
	pair_run(p, 3 * NS_PER_S);
	pair_expect_children(p, 1);
	return p;
}

/* `s` has seen certificates that hold for ten days. */
static struct pair *up_by_certificates(enum side s)
{
	struct pair *p = pair_new(pair_cert(LEFT, ""), pair_cert(RIGHT, ""));

	p->end[s].good_s = 10 * day / NS_PER_S;
	pair_up(p, LEFT, "site");
	pair_run(p, 3 * NS_PER_S);
	pair_expect_children(p, 1);
	return p;
}

/* How far, and whether they have ended by that: then others are shown within two minutes, and
 * nobody notices. */
static const struct {
	mono_ns days;
	bool ended;
} leaps[] = { { 9, false }, { 11, true }, { 3650, true } };
enum { N_LEAPS = sizeof(leaps) / sizeof(leaps[0]) };

START_TEST(certificates_end_by_the_wall_clock)
{
	enum side s = (enum side)(_i % 2);
	bool ended = leaps[_i / 2].ended;
	struct pair *p = up_by_certificates(s);

	p->end[s].good_s = 0; /* there are others */
	tell(p, s, leaps[_i / 2].days * day, 0);
	pair_run(p, 30 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 1);
	pair_run(p, 120 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_UP), ended ? 2 : 1);
	ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_DOWN), 0);
	ck_assert_uint_eq(pair_sas(p, s), 1);
	pair_free(p);
}
END_TEST

/* It may be said in pieces. */
START_TEST(what_the_clock_gains_adds_up)
{
	struct pair *p = up_by_certificates(LEFT);

	for (int i = 0; i < 9; i++)
		tell(p, LEFT, day, 0);
	ck_assert_uint_gt(pair_sa(p, LEFT)->prove_at, p->now + 12 * 3600 * NS_PER_S);
	tell(p, LEFT, day, 0);
	ck_assert_uint_le(pair_sa(p, LEFT)->prove_at, p->now + 120 * NS_PER_S);
	pair_free(p);
}
END_TEST

static bool no_handshake(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->bytes[18] != X_IKE_SA_INIT;
}

START_TEST(a_proof_that_is_over_by_the_wall_clock_is_the_end)
{
	struct pair *p = up_by_certificates((enum side)_i);

	p->filter = no_handshake;
	tell(p, (enum side)_i, 11 * day, 0);
	pair_run(p, 110 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 0);
	pair_free(p);
}
END_TEST

/* Who has proved itself by a secret does not care; nor do times of the configuration. */
START_TEST(nothing_else_ends_by_the_wall_clock)
{
	struct pair *p = up(pair_psk(LEFT, "reauthenticate = 10h"), pair_psk(RIGHT, ""));
	mono_ns at = pair_sa(p, LEFT)->prove_at;
	size_t sent = p->n_sent;

	tell(p, LEFT, 3650 * day, 0);
	tell(p, RIGHT, 3650 * day, 0);
	ck_assert_uint_eq(pair_sa(p, LEFT)->prove_at, at);
	pair_drain(p);
	ck_assert_uint_eq(p->n_sent, sent);
	pair_free(p);
}
END_TEST

/* ... within a moment, and each at its own. */
START_TEST(after_a_sleep_the_peer_is_asked)
{
	struct pair *p = up(pair_psk(LEFT, "liveness = 10m"), pair_psk(RIGHT, "liveness = 10m"));
	mono_ns heard = pair_sa(p, LEFT)->heard;
	size_t sent = p->n_sent;

	pair_has_rekeyed(p);
	tell(p, LEFT, 8 * 3600 * NS_PER_S, 8 * 3600 * NS_PER_S);
	pair_drain(p);
	ck_assert_uint_eq(p->n_sent, sent);
	pair_run(p, NS_PER_S / 10);
	ck_assert_uint_eq(p->n_sent, sent + 2);
	ck_assert_uint_gt(pair_sa(p, LEFT)->heard, heard);
	pair_run(p, 60 * NS_PER_S);
	ck_assert_uint_eq(p->n_sent, sent + 2);
	pair_free(p);
}
END_TEST

/* It may have failed for certificates that do not hold yet. */
START_TEST(what_has_failed_is_tried_again_when_the_clock_is_set)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, ""));
	size_t tries;

	p->filter = pair_lose;
	pair_run(p, 400 * NS_PER_S);
	while (p->end[LEFT].e->conns[0]->next_try == NEVER ||
	       p->end[LEFT].e->conns[0]->next_try < p->now + 5 * NS_PER_S)
		pair_run(p, NS_PER_S);
	tries = pair_count(p, LEFT, IKE_NOTE_CONNECTING);
	p->filter = NULL;
	tell(p, LEFT, _i == 0 ? 50 * 365 * day : 0, 0);
	pair_run(p, 2 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), tries + 1);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-clock")
{
	tcase_add_loop_test(tc, certificates_end_by_the_wall_clock, 0, 2 * N_LEAPS);
	tcase_add_test(tc, what_the_clock_gains_adds_up);
	tcase_add_loop_test(tc, a_proof_that_is_over_by_the_wall_clock_is_the_end, 0, 2);
	tcase_add_test(tc, nothing_else_ends_by_the_wall_clock);
	tcase_add_test(tc, after_a_sleep_the_peer_is_asked);
	tcase_add_loop_test(tc, what_has_failed_is_tried_again_when_the_clock_is_set, 0, 2);
}
