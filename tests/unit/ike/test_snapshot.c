/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: what is written down is everything, and what is read is that or nothing.
 *
 * A story goes through all that two ends do with an IKE SA and its children. At every datagram of
 * it each IKE SA of both ends is written down, read into another engine, and written down there
 * once more. */
#include <stdlib.h>
#include <string.h>

#include "ike/beside.h"
#include "ike/core.h"
#include "ike/keep.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"
#include "ike/snapshot.h"
#include "ike/snapshot_parts.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static uint8_t one[SNAPSHOT_MAX], two[SNAPSHOT_MAX];

/* ---- there and back ---- */

static struct span written(const struct ike_sa *sa, uint8_t *buf)
{
	struct wr w = wr_into(buf, SNAPSHOT_MAX);

	snapshot_put(&w, sa);
	ck_assert(wr_ok(&w));
	return wr_done(&w);
}

static struct span key_of(const struct ike_sa *sa)
{
	static uint8_t key[1 + IKE_SPI_LEN] = { KEEP_SA };

	memcpy(key + 1, sa->own_spi, IKE_SPI_LEN);
	return span_of(key, sizeof(key));
}

struct seen {
	size_t n;
	unsigned states; /* of IKE SAs */
	unsigned stages; /* of children */
	unsigned purposes[CREATE_INSTALL + 1];
	bool beside, rival, buried, lingers;
};
static struct seen seen;

static void look(const struct ike_sa *sa)
{
	seen.n++;
	seen.states |= 1u << sa->state;
	seen.beside |= sa->beside && sa->beside->out;
	for (const struct child_sa *c = sa->children; c; c = c->next) {
		if (!snapshot_has_child(c))
			continue;
		seen.stages |= 1u << c->stage;
		seen.buried |= !c->conf;
		seen.lingers |= c->rekey.lingers != 0;
	}
	if (!snapshot_has_mine(sa))
		return;
	seen.purposes[sa->mine->stage] |= 1u << sa->mine->purpose;
	seen.rival |= sa->mine->rival != 0;
}

static void there_and_back(struct end *end, const struct ike_sa *sa)
{
	struct ike_engine *e = pair_engine(end, true);
	struct span is = written(sa, one);
	const struct ike_sa *back;

	look(sa);
	ck_assert_int_eq(ike_engine_restore(e, key_of(sa), is), OK);
	ck_assert_int_eq(ike_engine_restore(e, key_of(sa), is), ERR_EXISTS);
	back = sa_find(e, sa_own_spi(sa));
	ck_assert_ptr_nonnull(back);
	ck_assert(span_eq(written(back, two), is));
	ike_engine_free(e);
}

static void each_sa(struct end *end, void (*fn)(struct end *end, const struct ike_sa *sa))
{
	struct table_node *n = NULL;

	while ((n = table_next(&end->e->by_spi, n))) {
		const struct ike_sa *sa = container_of(n, struct ike_sa, by_spi);

		if (snapshot_has(sa))
			fn(end, sa);
	}
}

static bool look_at_all(struct pair *p, struct datagram *d)
{
	uint64_t seeds[] = { p->end[LEFT].seed, p->end[RIGHT].seed };

	(void)d;
	for (enum side s = LEFT; s <= RIGHT; s++)
		each_sa(&p->end[s], there_and_back);
	p->end[LEFT].seed = seeds[LEFT];
	p->end[RIGHT].seed = seeds[RIGHT];
	return true;
}

static struct ike_sa *up_sa(struct pair *p, enum side s)
{
	struct table_node *n = NULL;

	while ((n = table_next(&p->end[s].e->by_spi, n))) {
		struct ike_sa *sa = container_of(n, struct ike_sa, by_spi);

		if (sa->state == S_UP)
			return sa;
	}
	ck_abort_msg("nothing is up");
}

static void rekey_child(struct pair *p, enum side s)
{
	struct ike_sa *sa = up_sa(p, s);

	sa->e->now = p->now;
	rekey_want(sa->children);
	pair_act(p, s);
}

static void rekey_ike(struct pair *p, enum side s)
{
	struct ike_sa *sa = up_sa(p, s);

	sa->e->now = p->now;
	rekey_ike_want(sa);
	pair_act(p, s);
}

/* All that can be seen is looked at on the way. */
static void story(struct pair *p)
{
	pair_up(p, LEFT, "site");
	pair_run(p, 10 * NS_PER_S);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		rekey_child(p, s);
		pair_run(p, 10 * NS_PER_S);
		rekey_ike(p, s);
		pair_run(p, 10 * NS_PER_S);
	}
	rekey_child(p, LEFT);
	rekey_child(p, RIGHT);
	pair_run(p, 10 * NS_PER_S);
	rekey_ike(p, LEFT);
	rekey_ike(p, RIGHT);
	pair_run(p, 100 * NS_PER_S);
	pair_down(p, LEFT, "site");
	pair_run(p, 10 * NS_PER_S);
}

static const char *const stories[] = {
	"",
	"policy = { aes256 sha256 modp4096 }\n",
	"policy = { chacha20poly1305 prfsha512 ecp384 }\n",
	"encap = always\n",
	"fragment_size = 0\n",
};
enum { N_STORIES = sizeof(stories) / sizeof(stories[0]) };

START_TEST(what_is_read_is_what_was_written)
{
	struct pair *p = pair_new(pair_psk(LEFT, stories[_i]), pair_psk(RIGHT, stories[_i]));

	seen = (struct seen){ .n = 0 };
	p->filter = look_at_all;
	story(p);
	ck_assert_uint_gt(seen.n, 90);
	ck_assert_uint_eq(seen.states, 1u << S_AUTH_SENT | 1u << S_UP | 1u << S_CLOSING);
	ck_assert(seen.stages & 1u << CHILD_UP);
	ck_assert(seen.stages & 1u << CHILD_OUTBOUND);
	ck_assert(seen.lingers);
	ck_assert_uint_eq(seen.purposes[CREATE_ASKED],
			  1u << CREATE_CHILD_REKEY | 1u << CREATE_IKE_REKEY);
	pair_free(p);
}
END_TEST

/* An engine may end before it goes on with what it was given. */
START_TEST(what_was_read_goes_with_its_engine)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct ike_engine *e;
	struct ike_sa *sa;
	uint32_t n = 0;

	pair_up(p, LEFT, "site");
	pair_run(p, 10 * NS_PER_S);
	e = pair_engine(&p->end[LEFT], true);
	for (sa = up_sa(p, LEFT); n < 2; n++) {
		ck_assert_int_eq(ike_engine_restore(e, key_of(sa), written(sa, one)), OK);
		/* As if there were another one. */
		sa->spi_i++;
		sa->children->spi_in ^= 1;
	}
	ck_assert_uint_eq(e->stats.sas, n);
	ike_engine_free(e);
	sa->spi_i -= n;
	sa->children->spi_in ^= n & 1;
	pair_free(p);
}
END_TEST

/* ---- what is held up half way ---- */

enum halt {
	H_AUTH,
	H_AUTH_SLOW,
	H_AUTH_ALONE,
	H_UP,
	H_ASKED,
	H_INSTALL,
	H_HELD,
	H_SECRET,
	H_IKE_ASKED,
	H_IKE_SECRET,
	H_IKE_RIVAL,
	H_CLOSING,
	N_HALTS
};

static bool nothing_passes(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return false;
}

/* The workers of LEFT are deaf from the moment on at which its request is answered. */
static bool deaf_when_answered(struct pair *p, struct datagram *d)
{
	p->end[LEFT].hold_jobs |= d->to == LEFT && d->bytes[18] == X_CREATE_CHILD_SA;
	return true;
}

static bool no_answer(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->bytes[18] != X_CREATE_CHILD_SA || !(d->bytes[19] & FLAG_RESPONSE);
}

static bool no_auth(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->bytes[18] != X_IKE_AUTH;
}

static bool is_slow(enum halt h)
{
	return h == H_SECRET || h == H_IKE_SECRET || h == H_AUTH_SLOW;
}

static bool is_auth(enum halt h)
{
	return h == H_AUTH || h == H_AUTH_SLOW || h == H_AUTH_ALONE;
}

static bool is_ike(enum halt h)
{
	return h == H_IKE_ASKED || h == H_IKE_SECRET || h == H_IKE_RIVAL;
}

static void halt(struct pair *p, enum halt h)
{
	p->filter = is_auth(h) ? no_auth : NULL;
	pair_up(p, LEFT, "site");
	pair_run(p, is_auth(h) ? NS_PER_S : 10 * NS_PER_S);
	if (is_auth(h))
		return;
	p->filter = is_slow(h) ? deaf_when_answered : h == H_IKE_RIVAL ? no_answer : NULL;
	if (h == H_ASKED || h == H_IKE_ASKED || h == H_CLOSING)
		p->filter = nothing_passes;
	p->end[LEFT].hold_sas = h == H_INSTALL || h == H_HELD;
	if (h == H_CLOSING)
		pair_down(p, LEFT, "site");
	else if (is_ike(h))
		rekey_ike(p, LEFT);
	else if (h != H_UP)
		rekey_child(p, LEFT);
	if (h == H_IKE_RIVAL)
		rekey_ike(p, RIGHT);
	pair_drain(p);
}

static struct pair *halted(enum halt h)
{
	const char *more = is_slow(h)	       ? "policy = { aes256gcm16 prfsha384 modp4096 }\n"
			   : h == H_AUTH_ALONE ? "childless = yes\n"
					       : "";
	struct pair *p = pair_new(pair_psk(LEFT, more), pair_psk(RIGHT, more));

	halt(p, h);
	return p;
}

static enum side side_of(enum halt h)
{
	return h == H_HELD ? RIGHT : LEFT;
}

/* It is what it is called. */
static void expect_halt(enum halt h)
{
	const unsigned *purposes = seen.purposes;

	ck_assert(is_auth(h) == (seen.states == 1u << S_AUTH_SENT));
	ck_assert((h == H_CLOSING) == (seen.states == 1u << S_CLOSING));
	ck_assert((h == H_INSTALL) == !!(seen.stages & 1u << CHILD_INBOUND));
	ck_assert((h == H_HELD) == !!(seen.stages & 1u << CHILD_HELD));
	ck_assert((h == H_ASKED) == !!(purposes[CREATE_ASKED] & 1u << CREATE_CHILD_REKEY));
	ck_assert((h == H_SECRET) == !!(purposes[CREATE_SECRET] & 1u << CREATE_CHILD_REKEY));
	ck_assert((h == H_IKE_ASKED || h == H_IKE_RIVAL) ==
		  !!(purposes[CREATE_ASKED] & 1u << CREATE_IKE_REKEY));
	ck_assert((h == H_IKE_SECRET) == !!(purposes[CREATE_SECRET] & 1u << CREATE_IKE_REKEY));
	ck_assert((h == H_IKE_RIVAL) == seen.rival);
}

START_TEST(what_is_under_way_is_written)
{
	struct pair *p = halted((enum halt)_i);

	seen = (struct seen){ .n = 0 };
	each_sa(&p->end[side_of((enum halt)_i)], there_and_back);
	expect_halt((enum halt)_i);
	pair_free(p);
}
END_TEST

/* ---- what is no snapshot ---- */

static void let_go_on(struct ike_engine *e, mono_ns now)
{
	struct ike_action a;

	ike_engine_resume(e, now);
	for (int i = 0; i < 3; i++) {
		while (ike_engine_next(e, &a))
			;
		if (ike_engine_deadline(e) == NEVER)
			break;
		ike_engine_tick(e, ike_engine_deadline(e));
	}
}

static void expect_retired(const struct ike_sa *sa)
{
	size_t n_buried = 0;

	for (const struct child_sa *c = sa->children; c; c = c->next)
		n_buried += !c->conf;
	if (sa->conn)
		ck_assert_uint_gt(n_buried, 0);
	else
		ck_assert(sa->state == S_CLOSING && !sa->children && !sa->mine);
}

/* It is refused, and nothing of it is left; or it is one, and then it says just that; or it is of
 * another configuration, and then it is closed, or has children that are. */
static bool is_refused(struct end *end, struct span key, struct span is, struct ike_engine **e)
{
	enum err err = ike_engine_restore(*e, key, is);
	const struct ike_sa *sa = (*e)->restored;

	if (err != OK) {
		ck_assert(err == ERR_SYNTAX || err == ERR_NOT_FOUND || err == ERR_EXISTS);
		ck_assert_ptr_null(sa);
		ck_assert_uint_eq((*e)->by_spi.n, 0);
		ck_assert_uint_eq((*e)->stats.sas, 0);
		return true;
	}
	if ((*e)->n_retired == 0)
		ck_assert(span_eq(written(sa, two), is));
	else
		expect_retired(sa);
	let_go_on(*e, end->pair->now);
	ike_engine_free(*e);
	*e = pair_engine(end, true);
	return false;
}

static void cut(struct end *end, const struct ike_sa *sa)
{
	struct ike_engine *e = pair_engine(end, true);
	struct span is = written(sa, one);

	for (size_t len = 0; len < is.len; len++)
		ck_assert(is_refused(end, key_of(sa), span_head(is, len), &e));
	ck_assert(!is_refused(end, key_of(sa), is, &e));
	one[is.len] = 0;
	ck_assert(is_refused(end, key_of(sa), span_of(one, is.len + 1), &e));
	ike_engine_free(e);
}

START_TEST(every_cut_is_refused)
{
	struct pair *p = halted((enum halt)_i);

	each_sa(&p->end[side_of((enum halt)_i)], cut);
	pair_free(p);
}
END_TEST

static void flip(struct end *end, const struct ike_sa *sa)
{
	struct ike_engine *e = pair_engine(end, true);
	struct span is = written(sa, one);
	size_t n_refused = 0;

	for (size_t bit = 0; bit < 8 * is.len; bit++) {
		one[bit / 8] ^= (uint8_t)(1u << bit % 8);
		n_refused += is_refused(end, key_of(sa), is, &e);
		one[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ck_assert_uint_gt(n_refused, 0);
	ck_assert_uint_lt(n_refused, 8 * is.len);
	ike_engine_free(e);
}

START_TEST(a_flipped_bit_is_refused_or_meant)
{
	struct pair *p = halted((enum halt)_i);

	each_sa(&p->end[side_of((enum halt)_i)], flip);
	pair_free(p);
}
END_TEST

UNIT("ike/snapshot")
{
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, what_is_read_is_what_was_written, 0, N_STORIES);
	tcase_add_test(tc, what_was_read_goes_with_its_engine);
	tcase_add_loop_test(tc, what_is_under_way_is_written, 0, N_HALTS);
	tcase_add_loop_test(tc, every_cut_is_refused, 0, N_HALTS);
	tcase_add_loop_test(tc, a_flipped_bit_is_refused_or_meant, 0, N_HALTS);
}
