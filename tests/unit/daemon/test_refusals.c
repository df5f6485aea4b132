/* SPDX-License-Identifier: Apache-2.0 */
/* Which refused calls are remembered, and what the same once more does to the others. */
#include <stdio.h>
#include <string.h>

#include "daemon/refusals.h"
#include "tests/unit/unit.h"

static struct refusals book;

static void forget(void)
{
	book = (struct refusals){ .stranger = { { .times = 0 } } };
}

static struct ike_note call(const char *connection, enum err err, unsigned int host)
{
	struct ike_note n = { .kind = IKE_NOTE_REFUSED, .err = err };

	snprintf(n.connection, sizeof(n.connection), "%s", connection);
	n.path.remote =
		(struct endpoint){ .addr = { .family = AF_INET, .b = { 192, 0, 2, (uint8_t)host } },
				   .port = (uint16_t)(500 + host) };
	return n;
}

static struct report_now at(unsigned int s)
{
	return (struct report_now){ .mono = s * NS_PER_S, .wall = 1000000000 + (time_t)s };
}

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void expect_text(const json_t *o, const char *key, const char *text)
{
	const char *s = json_string_value(json_object_get(o, key));

	ck_assert_ptr_nonnull(s);
	ck_assert_str_eq(s, text);
}

START_TEST(a_refused_call_of_a_connection_is_remembered_with_its_reason)
{
	struct ike_note n = call("office", ERR_UNKNOWN_PEER, 1);
	struct report_now now = at(30);
	json_t *o;

	snprintf(n.text, sizeof(n.text), "the peer calls itself lefty");
	refusals_note(&book, &n, 10 * NS_PER_S);
	refusals_note(&book, &n, 20 * NS_PER_S);
	o = refusals_of(&book, "office", &now);
	expect_text(o, "reason", "unknown-peer");
	expect_text(o, "text", "the peer calls itself lefty");
	expect_text(o, "time", "2001-09-09T01:47:00Z");
	expect_text(o, "first_time", "2001-09-09T01:46:50Z");
	ck_assert_int_eq(number(o, "times"), 2);
	ck_assert(json_is_false(json_object_get(o, "over")));
	json_decref(o);
	o = refusals_of(&book, "branch", &now);
	ck_assert(json_is_null(o));
	json_decref(o);
	o = refusals_strangers(&book, &now);
	ck_assert_uint_eq(json_array_size(o), 0);
	json_decref(o);
}
END_TEST

START_TEST(what_we_failed_in_or_were_told_to_refuse_is_none)
{
	struct ike_note ours = call("office", ERR_PEER_AUTH, 1);
	struct ike_note down = call("office", ERR_OPERATOR, 1);
	struct report_now now = at(30);
	json_t *o;

	ours.initiator = true;
	refusals_note(&book, &ours, NS_PER_S);
	refusals_note(&book, &down, NS_PER_S);
	o = refusals_of(&book, "office", &now);
	ck_assert(json_is_null(o));
	json_decref(o);
}
END_TEST

START_TEST(a_connection_that_comes_up_is_over_its_refusal)
{
	const struct ike_note refused = call("office", ERR_AUTH, 1);
	struct ike_note up = call("office", OK, 1);
	struct report_now now = at(30);
	json_t *o;

	up.kind = IKE_NOTE_UP;
	refusals_note(&book, &refused, NS_PER_S);
	refusals_note(&book, &up, 2 * NS_PER_S);
	o = refusals_of(&book, "office", &now);
	ck_assert(json_is_true(json_object_get(o, "over")));
	json_decref(o);
	refusals_note(&book, &refused, 3 * NS_PER_S);
	o = refusals_of(&book, "office", &now);
	ck_assert(json_is_false(json_object_get(o, "over")));
	ck_assert_int_eq(number(o, "times"), 1);
	json_decref(o);
}
END_TEST

START_TEST(a_stranger_that_calls_again_takes_no_other_place)
{
	const struct ike_note loud = call("", ERR_UNKNOWN_PEER, 1);
	const struct ike_note quiet = call("", ERR_UNKNOWN_PEER, 2);
	struct ike_note other_port = loud;
	struct report_now now = at(30);
	json_t *a;

	other_port.path.remote.port = 4500;
	refusals_note(&book, &quiet, NS_PER_S);
	for (unsigned int i = 0; i < 20; i++)
		refusals_note(&book, i % 2 ? &loud : &other_port, (2 + i) * NS_PER_S);
	a = refusals_strangers(&book, &now);
	ck_assert_uint_eq(json_array_size(a), 2);
	expect_text(json_array_get(a, 0), "peer", "192.0.2.2:502");
	ck_assert_int_eq(number(json_array_get(a, 0), "times"), 1);
	expect_text(json_array_get(a, 1), "peer", "192.0.2.1:501");
	ck_assert_int_eq(number(json_array_get(a, 1), "times"), 20);
	json_decref(a);
}
END_TEST

START_TEST(when_all_places_are_taken_the_oldest_goes)
{
	struct report_now now = at(300);
	struct ike_note n;
	json_t *a, *o;

	for (unsigned int i = 1; i <= REFUSALS_STRANGERS + 2; i++) {
		n = call("", ERR_UNKNOWN_PEER, i);
		refusals_note(&book, &n, i * NS_PER_S);
	}
	a = refusals_strangers(&book, &now);
	ck_assert_uint_eq(json_array_size(a), REFUSALS_STRANGERS);
	expect_text(json_array_get(a, 0), "peer", "192.0.2.3:503");
	expect_text(json_array_get(a, REFUSALS_STRANGERS - 1), "peer", "192.0.2.10:510");
	json_decref(a);
	for (unsigned int i = 0; i <= REFUSALS_CONNECTIONS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%u", i);
		n = call(name, ERR_UNKNOWN_PEER, 1);
		refusals_note(&book, &n, (100 + i) * NS_PER_S);
	}
	o = refusals_of(&book, "c0", &now);
	ck_assert(json_is_null(o));
	json_decref(o);
	o = refusals_of(&book, "c1", &now);
	ck_assert(json_is_object(o));
	json_decref(o);
}
END_TEST

UNIT("daemon/refusals")
{
	tcase_add_checked_fixture(tc, forget, NULL);
	tcase_add_test(tc, a_refused_call_of_a_connection_is_remembered_with_its_reason);
	tcase_add_test(tc, what_we_failed_in_or_were_told_to_refuse_is_none);
	tcase_add_test(tc, a_connection_that_comes_up_is_over_its_refusal);
	tcase_add_test(tc, a_stranger_that_calls_again_takes_no_other_place);
	tcase_add_test(tc, when_all_places_are_taken_the_oldest_goes);
}
