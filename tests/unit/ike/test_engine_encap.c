/* SPDX-License-Identifier: Apache-2.0 */
/* `encap = always` where the connection is another one when the identities come than it was when
 * the answer to IKE_SA_INIT spoke of a NAT: both ends have the same children, or none. */
#include <stdio.h>

#include "crypto/ke.h"
#include "ike/core.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

#define ALWAYS "encap = always\n"
/* The answer is made by a worker, after the request has been taken. */
#define SLOW   "policy = { aes256gcm16 prfsha384 modp4096 }\n"

static void reload(struct pair *p, const char *text)
{
	struct end *end = &p->end[RIGHT];
	struct conf *old = end->conf;

	end->conf = pair_load(text);
	ck_assert_int_eq(ike_engine_reconfigure(end->e, end->conf, p->now), OK);
	conf_free(old);
	pair_act(p, RIGHT);
}

static const struct {
	const char *before, *after;
	bool is_told; /* that it came too late */
	bool encap;   /* the first IKE SA that is up */
} reloads[] = {
	{ "", "liveness = 77s\n", false, false },
	{ "", ALWAYS, true, true },
	{ ALWAYS, "", false, true },
	{ ALWAYS, ALWAYS "liveness = 77s\n", false, true },
};
enum { N_RELOADS = sizeof(reloads) / sizeof(reloads[0]) };

/* RIGHT has answered IKE_SA_INIT when its configuration becomes another one. */
START_TEST(a_reload_half_way_in_leaves_both_ends_with_the_same)
{
	struct pair *p =
		pair_new(pair_psk(LEFT, "start = always\n"), pair_psk(RIGHT, reloads[_i].before));
	const struct ike_note *refused;

	pair_deliver(p, RIGHT, &p->wire->path, span_of(p->wire->bytes, p->wire->len));
	reload(p, pair_psk(RIGHT, reloads[_i].after));
	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert(p->end[RIGHT].sas[0].encap == reloads[_i].encap);
	refused = pair_note(p, RIGHT, IKE_NOTE_REFUSED);
	ck_assert((refused != NULL) == reloads[_i].is_told);
	ck_assert(!refused || refused->err == ERR_BUSY);
	pair_free(p);
}
END_TEST

/* A worker says it at last. */
static void compute(struct pair *p, const struct ike_sa *sa)
{
	const struct handshake *hs = sa->hs;
	const struct ke_group *g = hs->chosen->group;
	uint8_t pub[KE_PUBLIC_MAX] = { 0 };
	struct job_result r = { .kind = JOB_KE,
				.ticket = hs->ticket.number,
				.bytes = span_of(pub, g->public_len) };
	struct ike_event ev = { .kind = IKE_EV_JOB, .job = &r };

	ck_assert_int_eq(hs->wait, WAIT_KE_PUBLIC);
	ck_assert_int_eq(ke_public(g, span_of(hs->chosen->priv, g->private_len), pub), OK);
	pair_event(&p->end[RIGHT], &ev);
	pair_act(p, RIGHT);
}

/* ... or has taken it, and not answered yet: then the answer speaks for the new one. */
START_TEST(an_answer_speaks_for_the_configuration_that_it_is_made_by)
{
	bool always = _i == 0;
	struct pair *p =
		pair_new(pair_psk(LEFT, SLOW), pair_psk(RIGHT, always ? SLOW : SLOW ALWAYS));
	struct end *right = &p->end[RIGHT];
	const struct table_node *half;

	right->hold_jobs = true;
	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S / 4);
	half = table_next(&right->e->by_init, NULL);
	ck_assert_ptr_nonnull(half);
	reload(p, pair_psk(RIGHT, always ? SLOW ALWAYS : SLOW));
	right->hold_jobs = false;
	compute(p, container_of(half, const struct ike_sa, by_init));
	pair_run(p, 10 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_REFUSED), 0);
	ck_assert(right->sas[0].encap == always);
	pair_free(p);
}
END_TEST

/* The first connection that takes the offer answers; the identity is that of the second one. */
START_TEST(another_connection_keeps_to_what_was_answered)
{
	char text[1024];
	struct pair *p;

	snprintf(text, sizeof(text),
		 "me {\n identity = right.example.org\n}\n"
		 "connection one {\n address = any\n identity = other.example.org\n auth = psk\n"
		 " psk_file = a.psk\n %s child net {\n  local = 10.2.0.0/16\n"
		 "  remote = 10.1.0.0/17\n }\n}\n"
		 "connection two {\n address = any\n identity = left.example.org\n auth = psk\n"
		 " psk_file = b.psk\n %s child net {\n  local = 10.2.0.0/16\n"
		 "  remote = 10.1.128.0/17\n }\n}\n",
		 _i == 0 ? ALWAYS : "", _i == 0 ? "" : ALWAYS);
	p = pair_new(pair_psk(LEFT, ""), text);
	pair_up(p, LEFT, "site");
	pair_run(p, 10 * NS_PER_S);
	ck_assert_str_eq(pair_note(p, RIGHT, IKE_NOTE_UP)->connection, "two");
	pair_expect_children(p, 1);
	ck_assert(p->end[RIGHT].sas[0].encap == (_i == 0));
	pair_free(p);
}
END_TEST

UNIT("ike/encap")
{
	tcase_add_loop_test(tc, a_reload_half_way_in_leaves_both_ends_with_the_same, 0, N_RELOADS);
	tcase_add_loop_test(tc, an_answer_speaks_for_the_configuration_that_it_is_made_by, 0, 2);
	tcase_add_loop_test(tc, another_connection_keeps_to_what_was_answered, 0, 2);
}
