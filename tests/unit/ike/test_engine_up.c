/* SPDX-License-Identifier: Apache-2.0 */
/* The main job: two engines, one tunnel. */
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

START_TEST(psk_brings_up_one_pair)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert_ptr_nonnull(pair_note(p, LEFT, IKE_NOTE_UP));
	ck_assert_ptr_nonnull(pair_note(p, RIGHT, IKE_NOTE_UP));
	ck_assert(pair_note(p, RIGHT, IKE_NOTE_UP)->downgrade_protected);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	ck_assert_uint_eq(p->n_sent, 4);
	pair_free(p);
}
END_TEST

static void addresses_are(struct pair *p, const char *text)
{
	struct ike_addresses own = { .n = 1 };
	const struct ike_event ev = { .kind = IKE_EV_ADDRESSES, .addresses = &own };

	ck_assert(addr_parse(text, &own.addrs[0]));
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
}

/* It is said, and not that nobody answers; when the address comes nobody waits for the next try. */
START_TEST(an_own_address_that_is_not_here_is_said_and_waited_for)
{
	struct pair *p = pair_new(pair_psk(LEFT, " start = always\n local_address = 192.0.2.1"),
				  pair_psk(RIGHT, ""));
	struct ike_resolved nothing = { .connection = "site", .err = ERR_NOT_HERE };
	struct ike_event ev = { .kind = IKE_EV_RESOLVED, .resolved = &nothing };
	const struct ike_note *n;

	pair_down(p, LEFT, "site"); /* what had begun when the pair was made */
	p->end[LEFT].hold_names = true;
	pair_up(p, LEFT, "site");
	for (int i = 0; i < 8; i++) {
		pair_event(&p->end[LEFT], &ev);
		pair_act(p, LEFT);
		if (i < 7)
			pair_run(p, 70 * NS_PER_S);
	}
	n = pair_note(p, LEFT, IKE_NOTE_REFUSED);
	ck_assert_int_eq(n->err, ERR_NOT_HERE);
	ck_assert_str_eq(n->text, "local_address = 192.0.2.1 is no address of this machine");
	ck_assert_ptr_nonnull(strstr(n->fix, "as soon as the address is there"));
	ck_assert_uint_gt(n->next_try_ms, 20000);
	p->end[LEFT].hold_names = false;
	addresses_are(p, "192.0.2.9");
	pair_run(p, NS_PER_S);
	pair_expect_children(p, 0);
	addresses_are(p, "192.0.2.1");
	pair_run(p, NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

static void keep_view(void *ctx, const struct ike_view *v)
{
	struct ike_view *out = ctx;

	*out = *v;
}

static struct ike_view view_of(const struct pair *p)
{
	struct ike_view v = { .asked = 0 };

	ike_engine_views(p->end[LEFT].e, keep_view, &v);
	return v;
}

/* Only so many datagrams arrive. */
static unsigned arrive;

static bool lose_others(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	if (arrive == 0)
		return false;
	arrive--;
	return true;
}

START_TEST(an_attempt_shows_how_often_it_asked_and_since_when)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct ike_view v = view_of(p);
	mono_ns begun;

	ck_assert_uint_eq(v.asked, 0);
	arrive = _i == 0 ? 0 : 2; /* IKE_SA_INIT and its answer */
	p->filter = lose_others;
	begun = p->now;
	pair_up(p, LEFT, "site");
	pair_run(p, 10 * NS_PER_S);
	v = view_of(p);
	ck_assert_int_eq(v.state, IKE_STATE_CONNECTING);
	ck_assert(v.asked_auth == (_i == 1));
	ck_assert_uint_ge(v.asked, 4);
	ck_assert_uint_eq(v.asked, p->n_sent - (_i == 0 ? 0 : 2));
	ck_assert_uint_ge(v.silent_since, begun);
	ck_assert_uint_le(v.silent_since, begun + NS_PER_S);
	p->filter = NULL;
	pair_run(p, 10 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(view_of(p).asked, 0);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-up")
{
	tcase_add_test(tc, an_own_address_that_is_not_here_is_said_and_waited_for);
	tcase_add_test(tc, psk_brings_up_one_pair);
	tcase_add_loop_test(tc, an_attempt_shows_how_often_it_asked_and_since_when, 0, 2);
}
