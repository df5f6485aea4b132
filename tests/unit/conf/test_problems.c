/* SPDX-License-Identifier: Apache-2.0 */
/* How problems look, and what happens when there are many. Whole screens are in golden/. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/load.h"
#include "tests/unit/conf/fixture.h"
#include "tests/unit/unit.h"

static char *read_file(const char *folder, const char *name)
{
	const char *top = getenv("top_srcdir");
	char path[512];
	char *out = calloc(1, 65536);
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", top ? top : "..", folder, name);
	f = fopen(path, "re");
	ck_assert_msg(f != NULL, "%s is not there: set top_srcdir", path);
	ck_assert_uint_lt(fread(out, 1, 65535, f), 65535);
	fclose(f);
	return out;
}

static char *screen(const char *name, const char *text)
{
	struct conf_source src = fixture_files();
	struct conf_problems problems;
	struct conf *c;
	char *out;

	ck_assert_int_eq(conf_load(name, span_str(text), &src, &c, &problems), ERR_CONFIG);
	ck_assert_ptr_null(c);
	out = conf_problems_text(name, span_str(text), &problems);
	ck_assert_ptr_nonnull(out);
	return out;
}

static const char *const golden[] = { "three", "syntax", "unicode", "cut-off", "many" };

START_TEST(a_screen_of_problems_is_as_it_was)
{
	char conf[64];
	char expected_name[64];
	char *text;
	char *expected;
	char *out;

	snprintf(conf, sizeof(conf), "%s.conf", golden[_i]);
	snprintf(expected_name, sizeof(expected_name), "%s.txt", golden[_i]);
	text = read_file("tests/unit/conf/golden", conf);
	expected = read_file("tests/unit/conf/golden", expected_name);
	out = screen(conf, text);
	ck_assert_str_eq(out, expected);
	free(text);
	free(expected);
	free(out);
}
END_TEST

static const char *const samples[] = { "behind-nat.conf", "cloud.conf", "psk.conf",
				       "site-to-site.conf" };

START_TEST(every_sample_loads)
{
	char *text = read_file("conf/samples", samples[_i]);

	conf_free(fixture_load(text));
	free(text);
}
END_TEST

START_TEST(an_error_is_kept_before_warnings)
{
	struct conf_problems p = { .n = 0 };

	for (int i = 0; i < CONF_PROBLEMS_MAX; i++)
		conf_problem_warn(&p, (struct conf_pos){ i + 1, 1 }, 1, "a warning", NULL);
	conf_problem_add(&p, (struct conf_pos){ 5, 1 }, 1, "an error", NULL);
	ck_assert_uint_eq(p.n, CONF_PROBLEMS_MAX + 1);
	ck_assert_uint_eq(p.n_errors, 1);
	ck_assert_str_eq(p.v[CONF_PROBLEMS_MAX - 1].text, "an error");
	conf_problem_warn(&p, (struct conf_pos){ 99, 1 }, 1, "another warning", NULL);
	ck_assert_uint_eq(p.n, CONF_PROBLEMS_MAX + 2);
	ck_assert_str_eq(p.v[CONF_PROBLEMS_MAX - 1].text, "an error");
	ck_assert_str_eq(p.v[CONF_PROBLEMS_MAX - 2].text, "a warning");
}
END_TEST

START_TEST(a_long_line_is_shown_around_the_mark)
{
	struct conf_problems p = { .n = 0 };
	char line[1200];
	char *out;

	memset(line, 'a', sizeof(line));
	memset(line + 1000, 'b', 10);
	conf_problem_add(&p, (struct conf_pos){ 1, 1001 }, 10, "here", "hint");
	out = conf_problems_text("f", span_of(line, sizeof(line)), &p);
	ck_assert_uint_lt(strlen(out), 400);
	ck_assert_ptr_nonnull(strstr(out, "aabbbbbbbbbbaa"));
	ck_assert_ptr_nonnull(strstr(out, " ^^^^^^^^^^ hint\n"));
	free(out);
}
END_TEST

START_TEST(problems_stand_in_the_order_of_the_file_also_outside_of_it)
{
	struct conf_problems p = { .n = 0 };
	char *out;

	conf_problem_add(&p, (struct conf_pos){ 99, 7 }, 3, "behind the end", NULL);
	conf_problem_add(&p, (struct conf_pos){ 0, 0 }, 0, "the whole file", NULL);
	out = conf_problems_text("f", span_str("x\n"), &p);
	ck_assert_str_eq(
		out,
		"f: error: the whole file\nf:99:7: error: behind the end\n  99 | \n     |       ^^^\n");
	free(out);
}
END_TEST

UNIT("conf/problems")
{
	tcase_add_loop_test(tc, a_screen_of_problems_is_as_it_was, 0,
			    sizeof(golden) / sizeof(golden[0]));
	tcase_add_loop_test(tc, every_sample_loads, 0, sizeof(samples) / sizeof(samples[0]));
	tcase_add_test(tc, an_error_is_kept_before_warnings);
	tcase_add_test(tc, a_long_line_is_shown_around_the_mark);
	tcase_add_test(tc, problems_stand_in_the_order_of_the_file_also_outside_of_it);
}
