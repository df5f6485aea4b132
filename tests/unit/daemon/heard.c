/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/daemon/heard.h"

#include <jansson.h>
#include <string.h>

#include "tests/unit/unit.h"

/* Times are those of the run. */
static void without_times(json_t *o)
{
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach(o, i, value) without_times(value);
	json_object_foreach(o, key, value)
	{
		const char *s = json_string_value(value);

		if (s && strlen(s) == 20 && s[10] == 'T' && s[19] == 'Z')
			json_string_set(value, "a time");
		without_times(value);
	}
}

/* A new reference; NULL behind the last. */
static json_t *next_line(const struct heard *h, size_t *at)
{
	const char *begin = h->text + *at, *end;
	json_t *o;

	if (*at == h->len)
		return NULL;
	end = memchr(begin, '\n', h->len - *at);
	ck_assert_msg(end != NULL, "half a line: %.*s", (int)(h->len - *at), begin);
	o = json_loadb(begin, (size_t)(end - begin), 0, NULL);
	ck_assert_msg(json_is_object(o), "no object: %.*s", (int)(end - begin), begin);
	without_times(o);
	*at += (size_t)(end - begin) + 1;
	return o;
}

static bool is_end(const json_t *o)
{
	return o && strcmp(json_string_value(json_object_get(o, "kind")), "end") == 0;
}

bool heard_judge(const struct heard *whole, const struct heard *h, size_t nth)
{
	size_t at = 0, there = 0;
	bool all = true;
	json_t *want, *got;

	while ((want = next_line(whole, &there))) {
		got = next_line(h, &at);
		ck_assert_msg(!got || json_equal(want, got),
			      "allocation %zu: not the same:\n%.900s", nth, h->text);
		all = got != NULL;
		json_decref(want);
		json_decref(got);
		if (!all)
			break;
	}
	ck_assert_uint_eq(at, h->len);
	ck_assert_msg(all || h->over, "allocation %zu: it waits for ever", nth);
	return all;
}

void heard_judge_end(const struct heard *whole)
{
	size_t at = 0;
	json_t *o, *last = NULL;

	while ((o = next_line(whole, &at))) {
		json_decref(last);
		last = o;
	}
	ck_assert_int_eq(is_end(last), whole->over && whole->len > 0);
	json_decref(last);
}
