/* SPDX-License-Identifier: Apache-2.0 */
/* Another engine goes on with what one has written down, and puts it right with the planes. That
 * nothing is lost at any moment is the simulator's. */
#include <stdlib.h>
#include <string.h>

#include "ike/child.h"
#include "ike/core.h"
#include "ike/keep.h"
#include "ike/snapshot.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/ike/pair_memory.h"
#include "tests/unit/unit.h"

static uint8_t record[SNAPSHOT_MAX];

static void hand_over_sa(struct ike_engine *to, const struct ike_sa *sa)
{
	struct wr w = wr_into(record, sizeof(record));
	uint8_t key[1 + IKE_SPI_LEN] = { KEEP_SA };

	memcpy(key + 1, sa->own_spi, IKE_SPI_LEN);
	snapshot_put(&w, sa);
	ck_assert_int_eq(ike_engine_restore(to, span_of(key, sizeof(key)), wr_done(&w)), OK);
}

static void hand_over_conn(struct ike_engine *to, const struct conn *c)
{
	static const uint8_t key[] = { KEEP_CONN };
	struct wr w = wr_into(record, sizeof(record));

	snapshot_put_conn(&w, c);
	ck_assert_int_eq(ike_engine_restore(to, span_of(key, sizeof(key)), wr_done(&w)), OK);
}

/* Its engine dies, and another one goes on. */
static void follow(struct pair *p, enum side s)
{
	struct end *end = &p->end[s];
	struct ike_engine *next = pair_engine(end, true);

	hand_over_sa(next, pair_sa(p, s));
	for (size_t i = 0; i < end->e->n_conns; i++)
		hand_over_conn(next, end->e->conns[i]);
	ike_engine_free(end->e);
	end->e = next;
	ike_engine_resume(next, p->now);
	pair_act(p, s);
	pair_run(p, 5 * NS_PER_S);
}

static struct pair *up(void)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_up(p, LEFT, "site");
	pair_run(p, 10 * NS_PER_S);
	pair_expect_children(p, 1);
	return p;
}

START_TEST(all_is_as_it_was)
{
	struct pair *p = up();
	uint32_t spi = pair_sa(p, LEFT)->children->spi_in;

	follow(p, LEFT);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_sa(p, LEFT)->children->spi_in, spi);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_LIMIT), 0);
	pair_free(p);
}
END_TEST

/* ... the moves that stop others, too (ike/move.h). */
START_TEST(what_is_spent_is_spent)
{
	struct pair *p = up();
	mono_ns until = p->now + 60 * NS_PER_S;

	p->end[LEFT].e->conns[0]->stops = until;
	follow(p, LEFT);
	ck_assert_uint_eq(p->end[LEFT].e->conns[0]->stops, until);
	pair_free(p);
}
END_TEST

/* A plane says it once, and there may have been no engine to hear it. */
START_TEST(what_has_carried_enough_is_renewed)
{
	struct pair *p = up();
	uint32_t spi = pair_sa(p, LEFT)->children->spi_in;

	p->end[LEFT].packets = UINT32_MAX - 1000;
	follow(p, LEFT);
	p->end[LEFT].packets = 0;
	ck_assert_uint_ge(pair_count(p, LEFT, IKE_NOTE_CHILD_LIMIT), 1);
	pair_run(p, 30 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_ne(pair_sa(p, LEFT)->children->spi_in, spi);
	pair_free(p);
}
END_TEST

/* Never put in a second time: its numbers would begin anew under the same key. */
START_TEST(what_a_plane_has_lost_is_made_anew)
{
	struct pair *p = up();
	struct end *end = &p->end[LEFT];
	uint32_t spi = pair_sa(p, LEFT)->children->spi_in;

	while (end->n_sas > 0)
		sa_desc_wipe(&end->sas[--end->n_sas]);
	follow(p, LEFT);
	pair_run(p, 30 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_ne(pair_sa(p, LEFT)->children->spi_in, spi);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 1);
	pair_free(p);
}
END_TEST

/* From the peer's next Delete on, LEFT's plane hears nothing. */
static bool deaf_to_what_follows(struct pair *p, struct datagram *d)
{
	if (d->to == LEFT && d->bytes[18] == X_INFORMATIONAL && !(d->bytes[19] & FLAG_RESPONSE))
		p->end[LEFT].hold_sas = true;
	return true;
}

static void tell(struct pair *p, enum side s, const struct plane_event *pe)
{
	struct ike_event ev = { .kind = IKE_EV_PLANE, .from = PLANE_USER, .plane = pe };

	pair_event(&p->end[s], &ev);
	pair_act(p, s);
}

/* An outbound half of `net`, and then an inbound one of `lab`, which is the first of the list: the
 * plane was asked for both, and heard of none. */
static struct pair *with_two_that_wait(void)
{
	struct pair *p = pair_new(pair_two(LEFT, false, ""), pair_two(RIGHT, false, ""));
	struct plane_event soft = { .kind = PLANE_EXPIRE, .soft = true, .dir = SA_IN };

	pair_command(p, LEFT, IKE_EV_UP, "net");
	pair_run(p, 10 * NS_PER_S);
	pair_expect_children(p, 1);
	soft.spi = pair_sa(p, RIGHT)->children->spi_in;
	p->filter = deaf_to_what_follows;
	tell(p, RIGHT, &soft);
	pair_run(p, NS_PER_S);
	p->filter = NULL;
	ck_assert_uint_eq(p->end[LEFT].n_unheard_installs, 1);
	pair_command(p, LEFT, IKE_EV_UP, "lab");
	pair_run(p, NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].n_unheard_installs, 2);
	ck_assert_uint_eq(p->end[LEFT].n_disordered, 0);
	return p;
}

/* Whoever comes next, after one that dies right then, takes all for done that is below the last
 * one. */
START_TEST(what_was_not_answered_is_asked_for_in_its_order)
{
	static const struct plane_event back = { .kind = PLANE_BACK };
	struct pair *p = with_two_that_wait();
	struct end *left = &p->end[LEFT];
	size_t before = left->n_installs;

	left->hold_sas = false;
	left->last_install = 0;
	left->n_claimed = 0;
	if (_i == 0)
		tell(p, LEFT, &back);
	else
		follow(p, LEFT);
	ck_assert_uint_ge(left->n_installs, before + 2);
	ck_assert_uint_eq(left->n_disordered, 0);
	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 0);
	pair_free(p);
}
END_TEST

/* Without memory to put them in order they are asked for all the same. */
START_TEST(what_was_not_answered_is_asked_for_without_memory)
{
	static const struct plane_event back = { .kind = PLANE_BACK };
	struct pair *p = with_two_that_wait();
	struct end *left = &p->end[LEFT];

	left->hold_sas = false;
	left->last_install = 0;
	left->n_claimed = 0;
	pair_memory_fail(1);
	tell(p, LEFT, &back);
	ck_assert_uint_eq(pair_memory_until_failure(), 0);
	ck_assert_uint_gt(left->n_disordered, 0); /* it was that which found none */
	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 0);
	pair_free(p);
}
END_TEST

/* Nobody has said that it is gone. A sweep that comes all the same takes it, and then that is said.
 */
START_TEST(what_a_plane_could_not_be_asked_is_asked_again)
{
	struct pair *p = up();
	struct end *end = &p->end[LEFT];
	uint32_t spi = pair_sa(p, LEFT)->children->spi_in;

	pair_has_rekeyed(p);
	end->n_unheard = _i ? 2 : 1;
	end->sweeps_not = _i == 0;
	follow(p, LEFT);
	ck_assert_uint_eq(end->n_unheard, 0);
	pair_run(p, 30 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_int_eq(pair_sa(p, LEFT)->children->spi_in == spi, _i == 0);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 1);
	pair_free(p);
}
END_TEST

static bool no_auth_answer(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->bytes[18] != X_IKE_AUTH || !(d->bytes[19] & FLAG_RESPONSE);
}

static const char *const handshakes[] = {
	"",
	"policy = { aes256 sha256 modp4096 }\n",
	"childless = yes\n",
	"encap = always\n",
	"full_transcript = require\n",
};
enum { N_HANDSHAKES = sizeof(handshakes) / sizeof(handshakes[0]) };

/* It has answered IKE_AUTH, and believes in the SA. */
START_TEST(a_peer_that_has_answered_is_not_forgotten)
{
	const char *more = handshakes[_i];
	struct pair *p = pair_new(_i % 2 ? pair_cert(LEFT, more) : pair_psk(LEFT, more),
				  _i % 2 ? pair_cert(RIGHT, more) : pair_psk(RIGHT, more));
	uint64_t spi;

	p->filter = no_auth_answer;
	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	ck_assert_int_eq(pair_sa(p, RIGHT)->state, S_UP);
	spi = sa_own_spi(pair_sa(p, RIGHT));
	p->filter = NULL;
	follow(p, LEFT);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 1);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_UP), 1);
	ck_assert_uint_eq(sa_own_spi(pair_sa(p, RIGHT)), spi);
	pair_free(p);
}
END_TEST

static bool keep_init_answer(struct pair *p, struct datagram *d)
{
	struct packets *answer = p->ctx;

	if (d->bytes[18] == X_IKE_SA_INIT && d->to == LEFT)
		ck_assert_int_eq(packets_set(answer, span_of(d->bytes, d->len)), OK);
	return no_auth_answer(p, d);
}

/* It may have been followed before: its IKE_AUTH would be another one under the same keys. */
START_TEST(another_answer_is_followed_by_nobody_who_was_restored)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct packets answer = { 0 };
	struct path path;
	size_t sent;

	p->ctx = &answer;
	p->filter = keep_init_answer;
	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	if (_i == 1)
		follow(p, LEFT);
	ck_assert_int_eq(pair_sa(p, LEFT)->state, S_AUTH_SENT);
	sent = p->n_sent;
	answer.bytes[8] ^= 1; /* SPIr */
	path = pair_sa(p, LEFT)->path;
	pair_deliver(p, LEFT, &path, packets_span(&answer));
	ck_assert_int_eq(pair_sa(p, LEFT)->hs->rivals != NULL, _i == 0);
	ck_assert_uint_eq(p->n_sent, sent);
	packets_free(&answer);
	pair_free(p);
}
END_TEST

/* The last record that is handed out. */
static bool drained(struct ike_engine *e, bool *too_long)
{
	struct ike_action a;
	bool kept = false;

	*too_long = false;
	while (ike_engine_next(e, &a)) {
		if (a.kind != IKE_ACT_KEEP || a.keep.key.p[0] != KEEP_SA)
			continue;
		kept = !a.keep.gone;
		*too_long = a.keep.too_long;
	}
	return kept;
}

START_TEST(what_is_too_long_to_be_kept_is_told)
{
	struct pair *p = up();
	struct ike_engine *e;
	struct ike_sa *sa;
	bool too_long;

	follow(p, LEFT);
	e = p->end[LEFT].e;
	e->env.keeps = true;
	e->keeps.bytes = malloc(SNAPSHOT_MAX);
	ck_assert_ptr_nonnull(e->keeps.bytes);
	sa = pair_sa(p, LEFT);
	keep_touch_sa(sa);
	ck_assert(drained(e, &too_long) && !too_long);
	ck_assert_int_eq(packets_set(&sa->window.answer, span_of(record, sizeof(record))), OK);
	keep_touch_sa(sa);
	ck_assert(!drained(e, &too_long) && too_long);
	ck_assert_uint_eq(ike_engine_kept(e), 2);
	ck_assert_int_eq(packets_set(&sa->window.answer, span_of(record, 100)), OK);
	keep_touch_sa(sa);
	ck_assert(drained(e, &too_long) && !too_long);
	ck_assert_uint_eq(ike_engine_kept(e), 2);
	e->env.keeps = false;
	pair_free(p);
}
END_TEST

/* Both ends': one that we begin comes to its connection before there is anything to write. */
START_TEST(who_came_later_is_listed_later)
{
	struct pair *p = up();
	enum side s = _i ? RIGHT : LEFT;
	uint64_t first;

	follow(p, LEFT);
	follow(p, RIGHT);
	pair_down(p, LEFT, "site");
	pair_run(p, 5 * NS_PER_S);
	pair_up(p, LEFT, "site");
	pair_run(p, 5 * NS_PER_S);
	first = pair_sa(p, s)->keep->listed_at;
	ck_assert_uint_ge(first, pair_sa(p, s)->born_at);
	pair_down(p, LEFT, "site");
	pair_run(p, 5 * NS_PER_S);
	pair_up(p, LEFT, "site");
	pair_run(p, 5 * NS_PER_S);
	ck_assert_uint_gt(pair_sa(p, s)->keep->listed_at, first);
	pair_free(p);
}
END_TEST

START_TEST(another_mtu_is_written_down)
{
	struct pair *p = up();
	struct plane_event mtu = { .kind = PLANE_MTU, .mtu = 1300 };
	const struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &mtu };
	struct ike_engine *e;
	bool too_long;

	follow(p, LEFT);
	e = p->end[LEFT].e;
	e->env.keeps = true;
	e->keeps.bytes = malloc(SNAPSHOT_MAX);
	ck_assert_ptr_nonnull(e->keeps.bytes);
	ck_assert(!drained(e, &too_long));
	mtu.remote.addr = pair_sa(p, LEFT)->path.remote.addr;
	ike_engine_event(e, &ev, p->now);
	ck_assert(drained(e, &too_long));
	ike_engine_event(e, &ev, p->now);
	ck_assert(!drained(e, &too_long)); /* it is the same */
	e->env.keeps = false;
	pair_free(p);
}
END_TEST

UNIT("ike/restore")
{
	tcase_add_test(tc, another_mtu_is_written_down);
	tcase_add_loop_test(tc, who_came_later_is_listed_later, 0, 2);
	tcase_add_loop_test(tc, what_a_plane_could_not_be_asked_is_asked_again, 0, 2);
	tcase_add_test(tc, what_is_too_long_to_be_kept_is_told);
	tcase_add_loop_test(tc, another_answer_is_followed_by_nobody_who_was_restored, 0, 2);
	tcase_add_loop_test(tc, a_peer_that_has_answered_is_not_forgotten, 0, N_HANDSHAKES);
	tcase_add_test(tc, all_is_as_it_was);
	tcase_add_test(tc, what_is_spent_is_spent);
	tcase_add_test(tc, what_has_carried_enough_is_renewed);
	tcase_add_test(tc, what_a_plane_has_lost_is_made_anew);
	tcase_add_loop_test(tc, what_was_not_answered_is_asked_for_in_its_order, 0, 2);
	tcase_add_test(tc, what_was_not_answered_is_asked_for_without_memory);
}
