/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds of limits.h in the engine: it asks for them before it works for a stranger, and tells
 * what each one cost. */
#include <string.h>

#include "ike/core.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static struct limits *limits_of(struct pair *p)
{
	return &p->end[RIGHT].e->limits;
}

/* ---- asked ---- */

static void owes_much(struct limits *l, const struct addr *a, mono_ns now)
{
	for (int i = 0; i < FAILURES_HOST; i++)
		limits_failed(l, a, now);
}

static void opened_much(struct limits *l, const struct addr *a, mono_ns now)
{
	for (int i = 0; i < BAD_OPENS_PER_S; i++)
		limits_opened_badly(l, a, now);
}

static void no_place(struct limits *l, const struct addr *a, mono_ns now)
{
	(void)a;
	(void)now;
	l->half_open = HALF_OPEN_MAX;
}

static void no_room(struct limits *l, const struct addr *a, mono_ns now)
{
	(void)a;
	(void)now;
	l->fragment_bytes = l->fragment_strange = FRAGMENT_STRANGERS;
}

static void (*const scarce[])(struct limits *l, const struct addr *a, mono_ns now) = {
	owes_much,
	opened_much,
	no_place,
	no_room,
};
enum { N_SCARCE = sizeof(scarce) / sizeof(scarce[0]) };

/* What is owed is forgiven by time alone; the rest is given back. With certificates IKE_AUTH comes
 * in fragments. */
START_TEST(what_is_over_a_bound_is_dropped_until_there_is_room)
{
	struct pair *p = pair_new(pair_cert(LEFT, ""), pair_cert(RIGHT, ""));
	struct limits *l = limits_of(p);

	scarce[_i](l, &p->end[LEFT].addr, p->now);
	pair_up(p, LEFT, "site");
	pair_run(p, 200 * NS_PER_MS);
	ck_assert_uint_gt(ike_engine_stats(p->end[RIGHT].e)->dropped[ERR_LIMIT], 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), scarce[_i] == opened_much || scarce[_i] == no_room);
	if (scarce[_i] == no_place)
		l->half_open = 0;
	if (scarce[_i] == no_room)
		l->fragment_bytes = l->fragment_strange = 0;
	pair_run(p, 5 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

static bool answers_are_lost(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->to == RIGHT;
}

START_TEST(a_half_open_sa_has_the_time_that_there_is)
{
	static const struct {
		uint32_t others, seconds;
	} loads[] = { { 0, 60 }, { HALF_OPEN_MAX - 1, 10 } };
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	limits_of(p)->half_open = loads[_i].others;
	p->filter = answers_are_lost;
	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_down(p, LEFT, "site");
	pair_run(p, (loads[_i].seconds - 1) * NS_PER_S);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	pair_run(p, 2 * NS_PER_S);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

/* ---- answers in clear ---- */

static void of_another_version(uint8_t *b, size_t len)
{
	(void)len;
	b[17] = 0x30;
}

static void with_a_critical_payload(uint8_t *b, size_t len)
{
	(void)len;
	b[16] = 200;
	b[IKE_HEADER_LEN + 1] = 0x80;
}

static void about_an_sa_of_nobody(uint8_t *b, size_t len)
{
	const uint8_t whole[] = { 0, 0, (uint8_t)((len - IKE_HEADER_LEN) >> 8),
				  (uint8_t)(len - IKE_HEADER_LEN) };

	b[IKE_SPI_LEN] = 7;
	b[16] = PL_SK;
	b[18] = X_INFORMATIONAL;
	memcpy(b + IKE_HEADER_LEN, whole, sizeof(whole));
}

static void (*const answered[])(uint8_t *b, size_t len) = {
	of_another_version,
	with_a_critical_payload,
	about_an_sa_of_nobody,
};
enum { N_ANSWERED = sizeof(answered) / sizeof(answered[0]) };

/* So many a second, for all strangers together: who names others as the sender floods nobody. */
START_TEST(strangers_are_answered_at_a_rate)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct path path;
	uint8_t request[2048];
	size_t len, sent;

	p->filter = pair_lose;
	pair_up(p, LEFT, "site");
	len = p->last_len;
	memcpy(request, p->last, len);
	answered[_i](request, len);
	path = pair_path(p, LEFT);
	for (unsigned second = 0; second < 3; second++) {
		sent = p->n_sent;
		for (unsigned i = 0; i < 5 * CLEAR_ANSWERS_PER_S; i++) {
			memcpy(path.remote.addr.b, &(uint32_t){ 0x0a000001 + i }, 4);
			memcpy(request, &(uint64_t){ i + 1 }, IKE_SPI_LEN);
			pair_deliver(p, RIGHT, &path, span_of(request, len));
		}
		ck_assert_uint_eq(p->n_sent - sent, CLEAR_ANSWERS_PER_S);
		pair_down(p, LEFT, "site");
		pair_run(p, NS_PER_S);
	}
	pair_free(p);
}
END_TEST

/* ---- told ---- */

static bool nothing(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return true;
}

static bool wrong_key(struct pair *p, struct datagram *d)
{
	(void)d;
	p->end[LEFT].psk = "not the key that is configured";
	return true;
}

static bool no_shared_key(struct pair *p, struct datagram *d)
{
	struct message m;
	struct span ke;

	(void)p;
	if (d->to != RIGHT || message_decode(span_of(d->bytes, d->len), &m) != OK ||
	    m.h.exchange != X_IKE_SA_INIT)
		return true;
	ke = message_body(&m, PL_KE);
	memset(d->bytes + (ke.p - d->bytes) + 4, 0, ke.len - 4);
	return true;
}

static bool nobody_sealed_it(struct pair *p, struct datagram *d)
{
	struct ike_header h;

	(void)p;
	if (d->to == RIGHT && header_decode(span_of(d->bytes, d->len), &h) == OK &&
	    h.exchange == X_IKE_AUTH)
		d->bytes[d->len - 1] ^= 1;
	return true;
}

static const struct {
	bool (*bend)(struct pair *p, struct datagram *d);
	bool owed;
	uint32_t bad_opens;
} costs[] = {
	{ nothing, false, 0 },
	{ wrong_key, true, 0 },
	{ no_shared_key, true, 0 },
	{ nobody_sealed_it, false, 1 },
};
enum { N_COSTS = sizeof(costs) / sizeof(costs[0]) };

START_TEST(what_a_handshake_cost_is_told)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	const struct limits *l = limits_of(p);
	uint32_t bad_opens = 0;
	bool owed = false;

	p->filter = costs[_i].bend;
	pair_up(p, LEFT, "site");
	pair_drain(p);
	for (size_t i = 0; i < BUDGET_BUCKETS; i++) {
		owed = owed || l->host[i].forgiven > p->now;
		bad_opens += l->host[i].bad_opens;
	}
	ck_assert_int_eq(owed, costs[_i].owed);
	ck_assert_uint_eq(bad_opens, costs[_i].bad_opens);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_UP), costs[_i].bend == nothing);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-limits")
{
	tcase_add_loop_test(tc, strangers_are_answered_at_a_rate, 0, N_ANSWERED);
	tcase_add_loop_test(tc, what_is_over_a_bound_is_dropped_until_there_is_room, 0, N_SCARCE);
	tcase_add_loop_test(tc, a_half_open_sa_has_the_time_that_there_is, 0, 2);
	tcase_add_loop_test(tc, what_a_handshake_cost_is_told, 0, N_COSTS);
}
