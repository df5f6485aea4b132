/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that was called in vain is heard of again: who waits for it waits no longer, and nobody
 * makes us call without a pause. */
#include "ike/connection.h"
#include "ike/core.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static bool never(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return false;
}

static struct conn *conn_of(struct pair *p)
{
	return p->end[LEFT].e->conns[0];
}

/* A message for an IKE SA that is not here, as if it were protected. */
static void speak(struct pair *p, const char *address)
{
	static const uint8_t body[40];
	uint8_t buf[128];
	struct path path = pair_path(p, RIGHT);
	struct ike_header h = { .spi_i = 7,
				.spi_r = 8,
				.version = IKE_VERSION,
				.exchange = X_INFORMATIONAL,
				.flags = FLAG_INITIATOR };
	struct builder b = builder_message(buf, sizeof(buf), &h);
	struct span out;

	if (address)
		ck_assert(addr_parse(address, &path.remote.addr));
	builder_add(&b, PL_SK, span_of(body, sizeof(body)));
	ck_assert_int_eq(builder_finish(&b, &out), OK);
	pair_deliver(p, LEFT, &path, out);
	pair_run(p, NS_PER_MS);
}

static bool waits(struct pair *p)
{
	const struct conn *c = conn_of(p);

	return !c->sas && !c->resolving && c->next_try < NEVER &&
	       c->next_try > p->now + 12 * NS_PER_S;
}

static bool asks(struct pair *p)
{
	const struct ike_sa *sa = conn_of(p)->sas;

	return sa && sa->state == S_INIT_SENT && sa->rt.sent > 4 && sa->rt.sent < 8 &&
	       sa->rt.at > p->now + NS_PER_S;
}

/* Nobody answers, until LEFT waits for its next attempt, or for an answer. */
static struct pair *calling(bool (*until)(struct pair *p))
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, ""));

	p->filter = never;
	for (int i = 0; i < 4000 && !until(p); i++)
		pair_run(p, 100 * NS_PER_MS);
	ck_assert(until(p));
	return p;
}

static bool (*const states[])(struct pair *p) = { waits, asks };

START_TEST(a_peer_that_speaks_is_called_at_once)
{
	struct pair *p = calling(states[_i]);

	p->filter = NULL;
	speak(p, NULL);
	pair_drain(p);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

START_TEST(who_speaks_from_elsewhere_is_not_the_peer)
{
	struct pair *p = calling(states[_i]);

	p->filter = NULL;
	speak(p, "203.0.113.77");
	pair_drain(p);
	ck_assert(states[_i](p));
	pair_expect_children(p, 0);
	pair_free(p);
}
END_TEST

START_TEST(it_is_believed_once_in_ten_seconds)
{
	struct pair *p = calling(waits);
	size_t calls = pair_count(p, LEFT, IKE_NOTE_CONNECTING), sent;

	speak(p, NULL);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), calls + 1);
	sent = p->n_sent;
	for (int i = 0; i < 50; i++)
		speak(p, NULL);
	/* Each is answered, and that is all. */
	ck_assert_uint_le(p->n_sent, sent + 50);
	pair_run(p, 11 * NS_PER_S);
	ck_assert(conn_of(p)->sas->rt.at > p->now);
	sent = p->n_sent;
	speak(p, NULL);
	ck_assert_uint_eq(p->n_sent, sent + 2);
	pair_free(p);
}
END_TEST

START_TEST(a_connection_that_is_not_wanted_stays_down)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = manual"), pair_psk(RIGHT, ""));

	speak(p, NULL);
	pair_run(p, 5 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 0);
	pair_free(p);
}
END_TEST

/* ---- tried for ever ---- */

/* For an hour nobody answers. */
START_TEST(pauses_grow_differ_and_are_bounded)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, ""));
	mono_ns begin = p->now, last = 0, longest = 0, shortest = NEVER;
	size_t calls = 0;

	p->filter = never;
	while (p->now < begin + 3600 * NS_PER_S) {
		const struct conn *c = conn_of(p);
		mono_ns pause;

		pair_run(p, 100 * NS_PER_MS);
		if (pair_count(p, LEFT, IKE_NOTE_CONNECTING) == calls || c->sas == NULL)
			continue;
		calls = pair_count(p, LEFT, IKE_NOTE_CONNECTING);
		pause = p->now - last;
		last = p->now;
		if (calls < 10)
			continue;
		longest = pause > longest ? pause : longest;
		shortest = pause < shortest ? pause : shortest;
	}
	/* An attempt takes some 30 s, a pause 48 to 64 s. */
	ck_assert_uint_ge(calls, 36);
	ck_assert_uint_le(calls, 60);
	ck_assert(longest < 100 * NS_PER_S);
	ck_assert(shortest > 70 * NS_PER_S);
	/* Apart from what differs in the attempts themselves. */
	longest = 0;
	shortest = NEVER;
	for (int i = 0; i < 100; i++) {
		mono_ns pause = conn_backoff(conn_of(p), 10);

		longest = pause > longest ? pause : longest;
		shortest = pause < shortest ? pause : shortest;
	}
	ck_assert(shortest >= 48 * NS_PER_S && longest <= 64 * NS_PER_S);
	ck_assert(longest - shortest > 8 * NS_PER_S);
	pair_free(p);
}
END_TEST

START_TEST(always_is_for_ever)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, ""));
	size_t calls;

	p->filter = never;
	pair_run(p, 60 * NS_PER_S);
	conn_of(p)->tries = UINT32_MAX - 2; /* after so many, and so many more */
	calls = pair_count(p, LEFT, IKE_NOTE_CONNECTING);
	pair_run(p, 600 * NS_PER_S);
	ck_assert_uint_ge(pair_count(p, LEFT, IKE_NOTE_CONNECTING), calls + 5);
	p->filter = NULL;
	pair_run(p, 100 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

static void answer_name(struct pair *p, const char *address)
{
	struct ike_resolved r = { .connection = "site", .n = 1 };
	struct ike_event ev = { .kind = IKE_EV_RESOLVED, .resolved = &r };

	for (int i = 0; i < 2000 && !conn_of(p)->resolving; i++)
		pair_run(p, 100 * NS_PER_MS);
	ck_assert(conn_of(p)->resolving);
	r.paths[0].local.addr = p->end[LEFT].addr;
	ck_assert(addr_parse(address, &r.paths[0].remote.addr));
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
}

/* The peer has moved, and its name with it. */
START_TEST(a_name_is_asked_anew_for_each_attempt)
{
	struct pair *p = pair_new("me {\n identity = left.example.org\n}\n"
				  "connection site {\n address = right.example.org\n"
				  " identity = right.example.org\n auth = psk\n psk_file = a.psk\n"
				  " start = always\n child net {\n  local = 10.1.0.0/16\n"
				  "  remote = 10.2.0.0/16\n }\n}\n",
				  pair_psk(RIGHT, ""));

	p->end[LEFT].hold_names = true;
	p->filter = never;
	for (int i = 0; i < 3; i++) {
		answer_name(p, "203.0.113.9");
		pair_run(p, NS_PER_S);
		ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), (size_t)i + 1);
	}
	answer_name(p, "198.51.100.2");
	p->filter = NULL;
	pair_run(p, 3 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* ---- packets that nothing answers ---- */

static void silent_since(struct pair *p, mono_ns heard)
{
	struct plane_event pe = { .kind = PLANE_SILENT,
				  .dir = SA_OUT,
				  .heard_ns = (uint64_t)heard };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &pe };
	const struct end *end = &p->end[LEFT];

	for (size_t i = 0; i < end->n_sas; i++) {
		if (end->sas[i].dir == SA_OUT)
			pe.spi = end->sas[i].spi;
	}
	ck_assert_uint_ne(pe.spi, 0);
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	pair_drain(p);
}

static void silent(struct pair *p)
{
	silent_since(p, 0);
}

static struct pair *quiet(void)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, ""));

	pair_run(p, 3 * NS_PER_S);
	pair_expect_children(p, 1);
	return p;
}

START_TEST(a_peer_that_answers_no_packets_is_asked_at_growing_intervals)
{
	static const uint32_t asked_at[] = { 0, 1, 3, 7, 15, 31, 63, 95, 127 };
	struct pair *p = quiet();
	size_t n = 0;

	for (uint32_t s = 0; s < 130; s++) {
		size_t sent = p->n_sent;

		conn_sa(conn_of(p))->heard = p->now - 2 * NS_PER_S;
		silent(p);
		if (p->n_sent > sent) {
			ck_assert_uint_lt(n, sizeof(asked_at) / sizeof(asked_at[0]));
			ck_assert_uint_eq(s, asked_at[n++]);
		}
		p->now += NS_PER_S;
	}
	ck_assert_uint_eq(n, sizeof(asked_at) / sizeof(asked_at[0]));
	/* After a while without such news it is as the first time. */
	p->now += 100 * NS_PER_S;
	for (uint32_t s = 0; s < 3; s++) {
		size_t sent = p->n_sent;

		conn_sa(conn_of(p))->heard = p->now - 2 * NS_PER_S;
		silent(p);
		ck_assert_uint_eq(p->n_sent > sent, s != 2);
		p->now += NS_PER_S;
	}
	pair_free(p);
}
END_TEST

START_TEST(what_came_since_it_was_asked_has_it_asked_at_once)
{
	struct pair *p = quiet();
	size_t sent;

	for (uint32_t s = 0; s < 20; s++) {
		conn_sa(conn_of(p))->heard = p->now - 2 * NS_PER_S;
		silent(p);
		p->now += NS_PER_S;
	}
	/* Last after 15 seconds, and next after 31. */
	sent = p->n_sent;
	conn_sa(conn_of(p))->heard = p->now - 2 * NS_PER_S;
	silent_since(p, p->now - 10 * NS_PER_S);
	ck_assert_uint_eq(p->n_sent, sent);
	silent_since(p, p->now - 2 * NS_PER_S);
	ck_assert_uint_gt(p->n_sent, sent);
	/* What the plane has heard is heard; what it says of the future is not believed. */
	p->now += 3 * NS_PER_S;
	sent = p->n_sent;
	silent_since(p, p->now + 100 * NS_PER_S);
	ck_assert_uint_eq(p->n_sent, sent);
	ck_assert_uint_eq(conn_sa(conn_of(p))->heard, p->now);
	pair_free(p);
}
END_TEST

START_TEST(a_peer_that_was_just_heard_is_not_asked)
{
	struct pair *p = quiet();
	size_t sent;

	conn_sa(conn_of(p))->heard = p->now - NS_PER_S / 2;
	sent = p->n_sent;
	silent(p);
	ck_assert_uint_eq(p->n_sent, sent);
	p->now += NS_PER_S;
	silent(p);
	ck_assert_uint_gt(p->n_sent, sent);
	pair_free(p);
}
END_TEST

/* Liveness costs no message while packets come. */
START_TEST(a_peer_whose_packets_come_is_not_asked)
{
	struct pair *p = quiet();
	size_t sent;

	pair_run(p, 200 * NS_PER_S); /* the early new keys */
	sent = p->n_sent;
	for (int i = 0; i < 60; i++) {
		p->end[LEFT].packets++;
		p->end[RIGHT].packets++;
		pair_run(p, 5 * NS_PER_S);
	}
	ck_assert_uint_eq(p->n_sent, sent);
	pair_run(p, 70 * NS_PER_S);
	ck_assert_uint_ge(p->n_sent, sent + 2);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* A plane that says nothing holds nobody up for more than a second. */
START_TEST(a_deaf_plane_does_not_keep_us_from_asking)
{
	struct pair *p = quiet();
	size_t sent = p->n_sent;

	p->end[LEFT].hold_sas = true;
	p->end[RIGHT].hold_sas = true;
	pair_run(p, 32 * NS_PER_S);
	ck_assert_uint_ge(p->n_sent, sent + 2);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-return")
{
	tcase_add_loop_test(tc, a_peer_that_speaks_is_called_at_once, 0, 2);
	tcase_add_loop_test(tc, who_speaks_from_elsewhere_is_not_the_peer, 0, 2);
	tcase_add_test(tc, it_is_believed_once_in_ten_seconds);
	tcase_add_test(tc, a_connection_that_is_not_wanted_stays_down);
	tcase_add_test(tc, pauses_grow_differ_and_are_bounded);
	tcase_add_test(tc, always_is_for_ever);
	tcase_add_test(tc, a_name_is_asked_anew_for_each_attempt);
	tcase_add_test(tc, a_peer_that_answers_no_packets_is_asked_at_growing_intervals);
	tcase_add_test(tc, what_came_since_it_was_asked_has_it_asked_at_once);
	tcase_add_test(tc, a_peer_that_was_just_heard_is_not_asked);
	tcase_add_test(tc, a_peer_whose_packets_come_is_not_asked);
	tcase_add_test(tc, a_deaf_plane_does_not_keep_us_from_asking);
}
