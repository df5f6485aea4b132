/* SPDX-License-Identifier: Apache-2.0 */
/* A new configuration in the middle of CREATE_CHILD_SA: whatever is under way, whoever has begun it
 * and whatever a worker says afterwards, both ends are left with the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/ke.h"
#include "ike/child.h"
#include "ike/create.h"
#include "ike/life.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"
#include "ike/renew.h"
#include "tests/unit/ike/roam.h"
#include "tests/unit/unit.h"

/* A worker computes it, so that every stage can be stopped at. */
#define SLOW "policy = { aes256gcm16 prfsha384 modp4096 }\n"

#define LAB	    " child lab {\n  local = 10.7.1.0/24\n  remote = 10.7.2.0/24\n }\n"
#define LAB_RIGHT   " child lab {\n  local = 10.7.2.0/24\n  remote = 10.7.1.0/24\n }\n"
#define LAB_ELSE    " child lab {\n  local = 10.7.1.0/24\n  remote = 10.9.2.0/24\n }\n"
#define NOT_WITH_US "policy = { aes256gcm16 prfsha384 x25519 }\n"
#define NOBODY	    "me {\n identity = left.example.org\n}\n"

static void reload(struct pair *p, const char *text)
{
	struct conf *old = p->end[LEFT].conf;

	p->end[LEFT].conf = pair_load(text);
	ck_assert_int_eq(ike_engine_reconfigure(p->end[LEFT].e, p->end[LEFT].conf, p->now), OK);
	conf_free(old);
	pair_act(p, LEFT);
}

/* Both children are up. */
static struct pair *with_two(const char *policy)
{
	char left[512], right[512];
	struct pair *p;

	snprintf(left, sizeof(left), "%s%s", policy, LAB);
	snprintf(right, sizeof(right), "%s%s", policy, LAB_RIGHT);
	p = pair_new(pair_psk(LEFT, left), pair_psk(RIGHT, right));
	pair_command(p, LEFT, IKE_EV_UP, NULL);
	pair_run(p, 5 * NS_PER_S);
	pair_expect_children(p, 2);
	return p;
}

static struct child_sa *lab(struct pair *p, enum side s)
{
	struct child_sa *c = pair_sa(p, s)->children;

	while (c && strcmp(c->conf->name, "lab") != 0)
		c = c->next;
	ck_assert_ptr_nonnull(c);
	return c;
}

/* ---- what a worker says, when the test wants it to ---- */

struct late {
	uint64_t ticket;
	uint8_t bytes[KE_PUBLIC_MAX];
	size_t len;
};

static struct late compute(const struct create *c)
{
	struct late l = { .ticket = 0 };
	struct span priv;

	if (!c)
		return l;
	l.ticket = c->ticket.number;
	priv = span_of(c->priv, c->group->private_len);
	if (c->stage == CREATE_PUBLIC) {
		l.len = c->group->public_len;
		ck_assert_int_eq(ke_public(c->group, priv, l.bytes), OK);
	} else if (c->stage == CREATE_SECRET) {
		l.len = c->group->secret_len;
		ck_assert_int_eq(ke_shared(c->group, priv, packets_span(&c->peer_ke), l.bytes), OK);
	}
	return l;
}

static void say(struct pair *p, const struct late *l)
{
	struct job_result r = { .kind = JOB_KE,
				.ticket = l->ticket,
				.bytes = span_of(l->bytes, l->len) };
	struct ike_event ev = { .kind = IKE_EV_JOB, .job = &r };

	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
}

/* ---- how far it is ---- */

struct at {
	const char *name;
	bool ours;
	enum create_stage stage;
};

static const struct at stages[] = {
	{ "ours, public value", true, CREATE_PUBLIC },
	{ "ours, waits for the window", true, CREATE_READY },
	{ "ours, asked", true, CREATE_ASKED },
	{ "ours, secret", true, CREATE_SECRET },
	{ "ours, being put in", true, CREATE_INSTALL },
	{ "theirs, public value", false, CREATE_PUBLIC },
	{ "theirs, secret", false, CREATE_SECRET },
	{ "theirs, being put in", false, CREATE_INSTALL },
};

static void begin(struct pair *p, enum side s, enum create_purpose purpose)
{
	if (purpose == CREATE_CHILD)
		pair_command(p, s, IKE_EV_UP, "lab");
	else if (purpose == CREATE_CHILD_REKEY)
		rekey_want(lab(p, s));
	else
		rekey_ike_want(pair_sa(p, s));
	pair_act(p, s);
}

static bool one_comes(struct pair *p)
{
	struct datagram *d = p->wire;

	if (!d)
		return false;
	p->wire = d->next;
	pair_deliver(p, d->to, &d->path, span_of(d->bytes, d->len));
	free(d);
	return true;
}

/* An empty request keeps the window, so that ours has to wait. */
static void keep_window(struct pair *p)
{
	pair_sa(p, LEFT)->alive_wanted = true;
	sa_settle(pair_sa(p, LEFT));
	pair_act(p, LEFT);
}

static bool is_there(const struct ike_sa *sa, const struct at *at)
{
	const struct create *c = at->ours ? sa->mine : sa->theirs;
	const struct child_sa *child = sa->children;

	if (!at->ours || at->stage != CREATE_INSTALL)
		return c && c->stage == at->stage;
	/* Ours is on its own then. */
	while (child && child->stage != CHILD_INBOUND)
		child = child->next;
	return child != NULL;
}

static void walk(struct pair *p, const struct at *at)
{
	struct ike_sa *sa = pair_sa(p, LEFT);
	struct create **slot = at->ours ? &sa->mine : &sa->theirs;

	for (int i = 0; i < 20 && !is_there(sa, at); i++) {
		bool computes = *slot && (*slot)->ticket.number;
		struct late l;

		if (computes && at->stage == CREATE_READY)
			keep_window(p);
		if (computes) {
			l = compute(*slot);
			say(p, &l);
		} else {
			ck_assert(one_comes(p));
		}
	}
	ck_assert(is_there(sa, at));
}

/* ---- what becomes of it ---- */

struct change {
	const char *name;
	const char *more; /* in the connection; NULL: it is not there any more */
	bool down;	  /* it was taken down before */
	size_t pairs;	  /* what is left */
};

static const struct change changes[] = {
	{ "the child goes", SLOW, false, 1 },
	{ "the child is another one", SLOW LAB_ELSE, false, 1 },
	{ "the connection goes", NULL, false, 0 },
	{ "the connection is another one", NOT_WITH_US LAB, false, 0 },
	{ "down, and the connection goes", NULL, true, 0 },
	{ "down, and the connection is another one", NOT_WITH_US LAB, true, 0 },
};

enum {
	N_STAGES = sizeof(stages) / sizeof(stages[0]),
	N_CHANGES = sizeof(changes) / sizeof(changes[0]),
	N_PURPOSES = CREATE_IKE_REKEY + 1,
	N_CASES = N_STAGES * N_CHANGES * N_PURPOSES,
};

static void expect(struct pair *p, size_t pairs)
{
	pair_expect_children(p, pairs);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(pair_sas(p, s), pairs > 0);
		ck_assert_uint_eq(pairs > 0 ? child_count(pair_sa(p, s)) : 0, pairs);
	}
}

START_TEST(a_reload_in_the_middle_leaves_both_ends_with_the_same)
{
	const struct at *at = &stages[_i % N_STAGES];
	const struct change *ch = &changes[_i / N_STAGES % N_CHANGES];
	enum create_purpose purpose = (enum create_purpose)(_i / N_STAGES / N_CHANGES);
	enum side s = at->ours ? LEFT : RIGHT;
	struct pair *p;
	struct ike_sa *sa;
	struct late l;

	if (purpose == CREATE_IKE_REKEY && at->stage == CREATE_INSTALL)
		return; /* no plane has a part in it */
	p = with_two(SLOW);
	if (purpose == CREATE_CHILD) {
		pair_command(p, s, IKE_EV_DOWN, "lab");
		pair_run(p, NS_PER_S);
		pair_expect_children(p, 1);
	}
	p->end[LEFT].hold_jobs = true;
	p->end[LEFT].hold_sas = at->stage == CREATE_INSTALL;
	begin(p, s, purpose);
	walk(p, at);
	sa = pair_sa(p, LEFT);
	l = compute(at->ours ? sa->mine : sa->theirs);
	p->end[LEFT].hold_sas = false;
	if (ch->down)
		pair_command(p, LEFT, IKE_EV_DOWN, NULL);
	reload(p, ch->more ? pair_psk(LEFT, ch->more) : NOBODY);
	p->end[LEFT].hold_jobs = false;
	say(p, &l);
	/* What only the peer still has goes when the peer looks. */
	pair_run(p, 400 * NS_PER_S);
	expect(p, ch->pairs);
	pair_free(p);
}
END_TEST

/* The Delete of what was buried is not answered yet, and the plane's word was on its way. */
START_TEST(a_limit_of_what_was_buried_is_nothing)
{
	struct pair *p = with_two("");
	struct plane_event limit = {
		.kind = PLANE_EXPIRE,
		.dir = SA_IN,
		.spi = lab(p, LEFT)->spi_in,
		.soft = _i == 0,
	};
	struct ike_event ev = { .kind = IKE_EV_PLANE, .from = PLANE_USER, .plane = &limit };

	reload(p, pair_psk(LEFT, ""));
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	ck_assert_uint_eq(ike_engine_stats(p->end[LEFT].e)->dropped[ERR_NOT_FOUND], 0);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_LIMIT), 0);
	pair_run(p, NS_PER_S);
	expect(p, 1);
	pair_free(p);
}
END_TEST

/* Our own request for an heir has not left when another handshake takes its place. */
START_TEST(renewal_and_rekeying_leave_one)
{
	struct pair *p = with_two(SLOW);
	struct ike_sa *sa = pair_sa(p, LEFT);
	struct late l;

	p->end[LEFT].hold_jobs = true;
	rekey_ike_want(sa);
	pair_act(p, LEFT);
	ck_assert_int_eq((int)sa->mine->stage, CREATE_PUBLIC);
	l = compute(sa->mine);
	p->end[LEFT].hold_jobs = false;
	renew_begin(sa);
	ck_assert(renew_is_old(sa));
	say(p, &l);
	pair_act(p, LEFT);
	pair_run(p, 300 * NS_PER_S);
	expect(p, 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEYED), 0);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 2);
	pair_free(p);
}
END_TEST

/* Nobody answers its Delete, and nobody knows any more where else the peer might be. */
START_TEST(what_closes_without_its_connection_comes_to_its_end)
{
	struct pair *p = with_two("");

	ck_assert(pair_sa(p, LEFT)->mobike.on && pair_sa(p, LEFT)->mobike.decides);
	p->filter = pair_lose;
	reload(p, NOBODY);
	ck_assert_uint_eq(ike_engine_stats(p->end[LEFT].e)->sas, 1);
	pair_run(p, 120 * NS_PER_S);
	ck_assert_uint_eq(ike_engine_stats(p->end[LEFT].e)->sas, 0);
	pair_free(p);
}
END_TEST

/* ... and what is answered by then moves it nowhere. */
START_TEST(what_moves_without_its_connection_comes_to_its_end)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);

	roam_go(p, LEFT, ROAM_ELSEWHERE);
	ck_assert(pair_sa(p, LEFT)->mobike.update_out);
	reload(p, NOBODY);
	pair_drain(p);
	ck_assert_uint_eq(ike_engine_stats(p->end[LEFT].e)->sas, 0);
	ck_assert_uint_eq(ike_engine_stats(p->end[RIGHT].e)->sas, 0);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-reload")
{
	tcase_add_test(tc, what_moves_without_its_connection_comes_to_its_end);
	tcase_add_test(tc, what_closes_without_its_connection_comes_to_its_end);
	tcase_add_loop_test(tc, a_reload_in_the_middle_leaves_both_ends_with_the_same, 0, N_CASES);
	tcase_add_loop_test(tc, a_limit_of_what_was_buried_is_nothing, 0, 2);
	tcase_add_test(tc, renewal_and_rekeying_leave_one);
}
