/* SPDX-License-Identifier: Apache-2.0 */
#include "base/escape.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *in;
	const char *out;
} cases[] = {
	{ "", "" },
	{ "plain text", "plain text" },
	{ "a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f" },
	{ "say \"no\" \\ yes", "say \\\"no\\\" \\\\ yes" },
	{ "\x1b[2J", "\\x1b[2J" },
	{ "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\x92",
	  "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\x92" },
	{ "\xff\xfe", "\\xff\\xfe" },
	{ "\xc3", "\\xc3" },				/* cut off */
	{ "\xc3(", "\\xc3(" },				/* not continued */
	{ "\xc0\xaf", "\\xc0\\xaf" },			/* overlong '/' */
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },		/* overlong, three bytes */
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },		/* surrogate */
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
	{ "\xc2\x9b", "\\xc2\\x9b" },			/* C1: CSI of one character */
	{ "\xe2\x80\xae"
	  "abc",
	  "\\xe2\\x80\\xae"
	  "abc" },			       /* right-to-left override */
	{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" }, /* byte order mark */
};

START_TEST(nothing_reaches_a_terminal_that_it_would_obey)
{
	char buf[ESCAPE_TEXT_MAX];

	ck_assert_str_eq(escape_peer(span_str(cases[_i].in), buf, sizeof(buf)), cases[_i].out);
}
END_TEST

START_TEST(a_nul_is_shown_and_ends_nothing)
{
	char buf[ESCAPE_TEXT_MAX];

	ck_assert_str_eq(escape_peer(span_of("a\0b", 3), buf, sizeof(buf)), "a\\x00b");
}
END_TEST

START_TEST(every_byte_gives_printable_text)
{
	char buf[ESCAPE_TEXT_MAX];

	for (unsigned int b = 0; b < 256; b++) {
		uint8_t in[ESCAPE_MAX + 1];

		memset(in, (int)b, sizeof(in));
		escape_peer(span_of(in, sizeof(in)), buf, sizeof(buf));
		for (const char *p = buf; *p != '\0'; p++)
			ck_assert(*p >= ' ' && *p <= '~');
		ck_assert_str_eq(buf + strlen(buf) - 3, "...");
	}
}
END_TEST

START_TEST(long_values_are_cut_at_200_bytes)
{
	char in[ESCAPE_MAX + 2];
	char buf[ESCAPE_TEXT_MAX];

	memset(in, 'x', sizeof(in));
	ck_assert_uint_eq(strlen(escape_peer(span_of(in, ESCAPE_MAX), buf, sizeof(buf))),
			  ESCAPE_MAX);
	ck_assert_uint_eq(strlen(escape_peer(span_of(in, ESCAPE_MAX + 1), buf, sizeof(buf))),
			  ESCAPE_MAX + 3);
}
END_TEST

START_TEST(a_small_buffer_gets_no_half_of_anything)
{
	static const char in[] = "a\x01\xe2\x82\xac\x02";
	char buf[16];

	for (size_t size = 1; size <= sizeof(buf); size++) {
		size_t len = strlen(escape_peer(span_str(in), buf, size));

		ck_assert_uint_lt(len, size);
		ck_assert(len == 0 || len == 1 || len == 4 || len == 5 || len == 8 || len == 12 ||
			  len == 11);
	}
	ck_assert_ptr_eq(escape_peer(span_str(in), buf, 0), buf);
}
END_TEST

START_TEST(separators_of_the_caller_are_escaped_too)
{
	char buf[64];
	struct wr w = wr_into(buf, sizeof(buf));

	escape_write(&w, span_str("a,b=c"), SIZE_MAX, ",=");
	escape_end(&w);
	ck_assert_str_eq(buf, "a\\,b\\=c");
}
END_TEST

START_TEST(a_text_that_does_not_fit_is_empty)
{
	char buf[4] = "zzz";
	struct wr w = wr_into(buf, sizeof(buf));

	escape_write(&w, span_str("abcd"), SIZE_MAX, NULL);
	escape_end(&w);
	ck_assert_str_eq(buf, "");
}
END_TEST

static const struct {
	const char *text;
	bool good;
} encoded[] = {
	{ "", true },
	{ "plain \x01", true },
	{ "K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x98\x80", true },
	{ "K\xc3", false },
	{ "\xe2\x82 ...", false },
	{ "\xc0\xaf", false },
	{ "\xed\xa0\x80", false },
	{ "\xf4\x90\x80\x80", false },
	{ "\xb6", false },
};

START_TEST(bad_utf8_is_told_apart)
{
	ck_assert_int_eq(escape_is_utf8(span_str(encoded[_i].text)), encoded[_i].good);
}
END_TEST

UNIT("base/escape")
{
	tcase_add_loop_test(tc, bad_utf8_is_told_apart, 0, sizeof(encoded) / sizeof(encoded[0]));
	tcase_add_loop_test(tc, nothing_reaches_a_terminal_that_it_would_obey, 0,
			    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, a_nul_is_shown_and_ends_nothing);
	tcase_add_test(tc, every_byte_gives_printable_text);
	tcase_add_test(tc, long_values_are_cut_at_200_bytes);
	tcase_add_test(tc, a_small_buffer_gets_no_half_of_anything);
	tcase_add_test(tc, separators_of_the_caller_are_escaped_too);
	tcase_add_test(tc, a_text_that_does_not_fit_is_empty);
}
