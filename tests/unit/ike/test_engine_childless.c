/* SPDX-License-Identifier: Apache-2.0 */
/* IKE SAs that begin without a child (RFC 6023): asked for only where that is configured and the
 * peer announces that it can, and then what comes is what was asked for. */
#include <string.h>

#include "ike/auth.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

#define CHILDLESS "start = manual\n childless = yes\n"

static const struct {
	const char *left, *right;
	const char *suite;
	size_t messages;
} configured[] = {
	{ "start = manual\n", "start = manual\n", "aes256gcm16", 4 },
	{ CHILDLESS, "start = manual\n", "aes256gcm16 x25519", 6 },
	/* It is the initiator's choice. */
	{ "start = manual\n", CHILDLESS, "aes256gcm16", 4 },
	{ CHILDLESS, CHILDLESS, "aes256gcm16 x25519", 6 },
};
enum { N_CONFIGURED = sizeof(configured) / sizeof(configured[0]) };

START_TEST(the_first_child_comes_afterwards_where_we_want_it_so)
{
	struct pair *p = pair_new(pair_psk(LEFT, configured[_i].left),
				  pair_psk(RIGHT, configured[_i].right));

	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(p->n_sent, configured[_i].messages);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_str_eq(pair_note(p, s, IKE_NOTE_CHILD_UP)->suite, configured[_i].suite);
		ck_assert_uint_eq(pair_sas(p, s), 1);
	}
	pair_free(p);
}
END_TEST

static bool never_announced(struct pair *p, struct datagram *d)
{
	if (d->to == LEFT && pair_hide_notify(p, d, NOTIFY_CHILDLESS_IKEV2_SUPPORTED))
		p->answered = true;
	return true;
}

/* "The initiator MUST NOT send the modified IKE_AUTH request if the notification was not present"
 * (RFC 6023 3). */
START_TEST(a_peer_that_does_not_announce_it_gets_a_child_along)
{
	struct pair *p = pair_new(pair_psk(LEFT, CHILDLESS), pair_psk(RIGHT, ""));

	p->filter = never_announced;
	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	ck_assert(p->answered);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(p->n_sent, 4);
	ck_assert_str_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_UP)->suite, "aes256gcm16");
	pair_free(p);
}
END_TEST

/* Taken down between the two: the IKE SA is there, without a child, and the next one uses it. */
START_TEST(a_child_that_is_no_longer_wanted_is_not_made)
{
	struct pair *p = pair_new(pair_psk(LEFT, CHILDLESS), pair_psk(RIGHT, ""));
	struct ike_event ev = { .kind = IKE_EV_DOWN,
				.command = { .connection = "site", .child = "net" } };

	p->end[RIGHT].hold_jobs = true;
	pair_up(p, LEFT, "site");
	pair_drain(p);
	ck_assert_ptr_null(pair_note(p, LEFT, IKE_NOTE_UP));
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	pair_run(p, 100 * NS_PER_S);
	pair_expect_children(p, 0);
	p->end[RIGHT].hold_jobs = false;
	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

static const struct {
	bool alone;
	uint32_t present;
	bool fits;
} answers[] = {
	{ false, PL_BIT(PL_SA) | PL_BIT(PL_TSI) | PL_BIT(PL_TSR), true },
	{ false, PL_BIT(PL_NOTIFY), true },
	{ false, 0, false },
	{ true, 0, true },
	{ true, PL_BIT(PL_NOTIFY), true },
	{ true, PL_BIT(PL_SA) | PL_BIT(PL_TSI) | PL_BIT(PL_TSR), false },
};
enum { N_ANSWERS = sizeof(answers) / sizeof(answers[0]) };

START_TEST(an_answer_has_a_child_where_one_was_asked_for)
{
	struct auth a = { .alone = answers[_i].alone, .m = { .present = answers[_i].present } };

	ck_assert(auth_child_fits(&a) == answers[_i].fits);
}
END_TEST

UNIT("ike/engine-childless")
{
	tcase_add_loop_test(tc, the_first_child_comes_afterwards_where_we_want_it_so, 0,
			    N_CONFIGURED);
	tcase_add_test(tc, a_peer_that_does_not_announce_it_gets_a_child_along);
	tcase_add_test(tc, a_child_that_is_no_longer_wanted_is_not_made);
	tcase_add_loop_test(tc, an_answer_has_a_child_where_one_was_asked_for, 0, N_ANSWERS);
}
