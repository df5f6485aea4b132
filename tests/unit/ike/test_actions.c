/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ike/actions.h"
#include "ike/note.h"
#include "tests/unit/unit.h"

static const struct path from_500 = { .local.port = 500, .remote.port = 500 };
static const struct path from_4500 = { .local.port = 4500, .remote.port = 500 };

START_TEST(what_went_in_comes_out_in_order_and_owned)
{
	struct actions q = { .head = NULL };
	struct ike_action a;
	char bytes[] = "one", octets[] = "octets";
	struct job j = { .kind = JOB_SIGN, .ticket = 7, .sign = { .octets = span_str(octets) } };

	actions_send(&q, &from_500, span_str(bytes));
	ck_assert_int_eq(actions_job(&q, &j), OK);
	actions_guard(&q, "office", "lan", true);
	memset(bytes, 'x', 3);
	memset(octets, 'x', 6);

	ck_assert(actions_next(&q, &a));
	ck_assert_int_eq(a.kind, IKE_ACT_SEND);
	ck_assert(span_eq(a.send.bytes, span_str("one")));
	ck_assert(actions_next(&q, &a));
	ck_assert_int_eq(a.kind, IKE_ACT_JOB);
	ck_assert_uint_eq(a.job->ticket, 7);
	ck_assert(span_eq(a.job->sign.octets, span_str("octets")));
	ck_assert(actions_next(&q, &a));
	ck_assert_str_eq(a.child.child, "lan");
	ck_assert(a.child.guarded);
	ck_assert(!actions_next(&q, &a));
	ck_assert_ptr_null(q.spent);
	actions_free(&q);
}
END_TEST

START_TEST(the_marker_goes_with_every_port_but_500)
{
	struct actions q = { .head = NULL };
	struct ike_action a;

	actions_send(&q, &from_500, span_str("x"));
	actions_send(&q, &from_4500, span_str("x"));
	ck_assert(actions_next(&q, &a));
	ck_assert(!a.send.marker);
	ck_assert(actions_next(&q, &a));
	ck_assert(a.send.marker);
	actions_free(&q);
}
END_TEST

START_TEST(selectors_of_a_command_are_its_own)
{
	struct actions q = { .head = NULL };
	struct ts ts = { .proto = 6 };
	struct sa_cmd cmd = { .op = SA_INSTALL, .sa = { .local = { .n = 1, .v = &ts } } };
	struct ike_action a;

	ck_assert_int_eq(actions_sa(&q, &cmd), OK);
	ts.proto = 17;
	ck_assert(actions_next(&q, &a));
	ck_assert_uint_eq(a.sa->sa.local.v[0].proto, 6);
	actions_free(&q);
}
END_TEST

/* They point into a configuration that is about to go. */
START_TEST(requests_to_resolve_are_dropped_and_nothing_else)
{
	struct actions q = { .head = NULL };
	struct conf_connection cn = { .name = "office" };
	struct ike_action a;

	actions_resolve(&q, &cn);
	actions_mtu(&q, "office", "lan", 1400);
	actions_resolve(&q, &cn);
	actions_drop_resolves(&q);
	ck_assert(actions_next(&q, &a));
	ck_assert_int_eq(a.kind, IKE_ACT_CHILD_MTU);
	ck_assert(!actions_next(&q, &a));
	actions_free(&q);
}
END_TEST

START_TEST(a_list_of_selectors_that_is_cut_says_so)
{
	struct ts v[20];
	struct ts_list l = { .n = 20, .v = v };
	struct net n;
	char text[64];

	ck_assert(net_parse("10.1.0.0/16", &n));
	for (size_t i = 0; i < 20; i++)
		v[i] = ts_from_net(&n);
	note_print_ts(text, sizeof(text), &l);
	ck_assert_ptr_nonnull(strstr(text, "10.1.0.0/16, 10.1.0.0/16"));
	ck_assert_str_eq(text + strlen(text) - 4, " ...");
	l.n = 1;
	note_print_ts(text, sizeof(text), &l);
	ck_assert_str_eq(text, "10.1.0.0/16");
	l.n = 0;
	note_print_ts(text, sizeof(text), &l);
	ck_assert_str_eq(text, "");
}
END_TEST

UNIT("ike/actions")
{
	tcase_add_test(tc, what_went_in_comes_out_in_order_and_owned);
	tcase_add_test(tc, the_marker_goes_with_every_port_but_500);
	tcase_add_test(tc, selectors_of_a_command_are_its_own);
	tcase_add_test(tc, requests_to_resolve_are_dropped_and_nothing_else);
	tcase_add_test(tc, a_list_of_selectors_that_is_cut_says_so);
}
