/* SPDX-License-Identifier: Apache-2.0 */
/* Files that nobody wrote by hand: too large, too long, too deep, cut anywhere, every byte
 * exchanged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/conf/fixture.h"
#include "tests/unit/unit.h"

enum { MEBIBYTE = 1 << 20 };

static enum err load(struct span text, struct conf_problems *problems)
{
	struct conf_source src = fixture_no_files();
	struct conf *c;
	enum err e = conf_load("f", text, &src, &c, problems);

	ck_assert_int_eq(c != NULL, e == OK);
	conf_free(c);
	return e;
}

START_TEST(a_file_over_one_mebibyte_is_refused)
{
	struct conf_problems problems;
	char *text = malloc(MEBIBYTE + 1);

	memset(text, '\n', MEBIBYTE + 1);
	ck_assert_int_eq(load(span_of(text, MEBIBYTE + 1), &problems), ERR_CONFIG);
	ck_assert_str_eq(problems.v[0].text, "the file has 1048577 bytes, 1048576 are the most");
	ck_assert_int_eq(load(span_of(text, MEBIBYTE), &problems), OK);
	free(text);
}
END_TEST

START_TEST(a_value_over_4096_bytes_is_refused)
{
	struct conf_problems problems;
	char text[6 + 5000];

	memset(text, 'a', sizeof(text));
	memcpy(text, "tun = ", 6);
	ck_assert_int_eq(load(span_of(text, sizeof(text)), &problems), ERR_CONFIG);
	ck_assert_str_eq(problems.v[0].text, "a value of 5000 bytes, 4096 are the most");
	ck_assert_uint_eq(problems.n, 1);
}
END_TEST

START_TEST(endless_nesting_ends)
{
	struct conf_problems problems;
	char *text = malloc(MEBIBYTE);

	for (size_t i = 0; i < MEBIBYTE; i += 2)
		memcpy(text + i, "a{", 2);
	ck_assert_int_eq(load(span_of(text, MEBIBYTE), &problems), ERR_CONFIG);
	free(text);
}
END_TEST

START_TEST(twenty_problems_are_kept_and_the_rest_is_counted)
{
	struct conf_problems problems;
	char *text = calloc(1000, 4);

	for (size_t i = 0; i < 1000; i++)
		memcpy(text + 4 * i, "a=b\n", 4);
	ck_assert_int_eq(load(span_of(text, 4000), &problems), ERR_CONFIG);
	ck_assert_uint_eq(problems.n_errors, 1000);
	ck_assert_int_eq(problems.v[19].line, 20);
	free(text);
}
END_TEST

START_TEST(a_thousand_connections_load)
{
	struct conf_problems problems;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	fputs("me {\nidentity = hub.example.org\n}\n", f);
	for (int i = 0; i < 1000; i++) {
		fprintf(f,
			"connection c%d {\naddress = c%d.example.org\nidentity = c%d.example.org\nauth = psk\npsk_file = p\n",
			i, i, i);
		fprintf(f, "child lan {\nlocal = 10.0.0.0/9\nremote = 10.%d.%d.0/24\n}\n}\n",
			128 + i / 256, i % 256);
	}
	fclose(f);
	ck_assert_int_eq(load(span_of(text, len), &problems), OK);
	free(text);
}
END_TEST

/* The result does not matter; that there is one, without a leak or a read beyond the end, does. */
START_TEST(no_byte_is_too_strange_anywhere)
{
	static const char strange[] = "\0\n\r\t {}=,\"\\#[;$\x80\xff";
	char *good = fixture_text(11, "policy = { aes256gcm16 prfsha384 x25519 }");
	size_t len = strlen(good);
	struct conf_problems problems;

	for (size_t i = 0; i < len; i++) {
		for (size_t k = 0; k < sizeof(strange) - 1; k++) {
			char was = good[i];

			good[i] = strange[k];
			(void)!load(span_of(good, len), &problems);
			good[i] = was;
		}
	}
	free(good);
}
END_TEST

START_TEST(a_process_without_files_has_the_rest)
{
	struct conf_source src = fixture_no_files();
	struct conf_problems problems;
	struct conf *c;
	char *text = fixture_text(4, "key = left.key");

	ck_assert_int_eq(conf_load("/a/b", span_str(text), &src, &c, &problems), OK);
	ck_assert_str_eq(c->mes[0].key.path, "/a/left.key");
	ck_assert_ptr_null(c->mes[0].key.bytes.p);
	ck_assert_ptr_null(c->connections[0].psk.bytes.p);
	conf_free(c);
	free(text);
}
END_TEST

UNIT("conf/parse")
{
	tcase_add_test(tc, a_file_over_one_mebibyte_is_refused);
	tcase_add_test(tc, a_value_over_4096_bytes_is_refused);
	tcase_add_test(tc, endless_nesting_ends);
	tcase_add_test(tc, twenty_problems_are_kept_and_the_rest_is_counted);
	tcase_add_test(tc, a_thousand_connections_load);
	tcase_add_test(tc, no_byte_is_too_strange_anywhere);
	tcase_add_test(tc, a_process_without_files_has_the_rest);
}
