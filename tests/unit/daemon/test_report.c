/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>

#include "daemon/report.h"
#include "tests/unit/unit.h"

static const struct {
	const char *text;
	const char *told; /* NULL: null */
} texts[] = {
	{ "", NULL },
	{ "the peer says \"no\"", "the peer says \"no\"" },
	{ "K\xc3\xb6ln", "K\xc3\xb6ln" },
	{ "fqdn K\xc3", "fqdn K\\xc3" },
	{ "fqdn \"K\xe2\x82 ...", "fqdn \\\"K\\xe2\\x82 ..." },
};
enum { N_TEXTS = sizeof(texts) / sizeof(texts[0]) };

/* The room for a text is counted in bytes, and what a peer is called in is long. */
START_TEST(a_text_that_is_cut_within_a_character_is_told)
{
	struct ike_note n = { .kind = IKE_NOTE_REFUSED };
	const char *told;
	json_t *o;

	snprintf(n.text, sizeof(n.text), "%s", texts[_i].text);
	o = report_note(&n, 0);
	ck_assert_ptr_nonnull(o);
	ck_assert_ptr_nonnull(json_object_get(o, "text"));
	told = json_string_value(json_object_get(o, "text"));
	ck_assert_int_eq(told == NULL, texts[_i].told == NULL);
	if (told)
		ck_assert_str_eq(told, texts[_i].told);
	json_decref(o);
}
END_TEST

/* What a reload says: its text, and behind a mark the lines of what it changes. */
static const struct {
	const char *said;
	const char *text;    /* NULL: null */
	const char *changes; /* their array */
} ends[] = {
	{ "", NULL, "null" },
	{ "no such setting", "no such setting", "null" },
	{ "\f", NULL, "[]" },
	{ "weak\n\foffice: added\nroad: removed\n", "weak\n",
	  "[\"office: added\",\"road: removed\"]" },
	{ "\foffice: added\nroad: rem", NULL, "[\"office: added\",\"road: rem\"]" },
	{ "\foffice: added\nK\xc3", NULL, "[\"office: added\",\"K\\\\xc3\"]" },
	{ "K\xc3\f", "K\\xc3", "[]" },
};
enum { N_ENDS = sizeof(ends) / sizeof(ends[0]) };

START_TEST(an_end_tells_each_line_of_what_was_changed)
{
	char changes[128];
	json_t *o = report_end(OK, span_str(ends[_i].said));
	json_t *a = json_object_get(o, "changes"), *text = json_object_get(o, "text");
	size_t len = json_dumpb(a, changes, sizeof(changes) - 1, JSON_COMPACT | JSON_ENCODE_ANY);

	ck_assert_uint_lt(len, sizeof(changes));
	changes[len] = '\0';
	ck_assert_str_eq(changes, ends[_i].changes);
	ck_assert_int_eq(json_is_null(text), ends[_i].text == NULL);
	if (ends[_i].text)
		ck_assert_str_eq(json_string_value(text), ends[_i].text);
	json_decref(o);
}
END_TEST

UNIT("daemon/report")
{
	tcase_add_loop_test(tc, an_end_tells_each_line_of_what_was_changed, 0, N_ENDS);
	tcase_add_loop_test(tc, a_text_that_is_cut_within_a_character_is_told, 0, N_TEXTS);
}
