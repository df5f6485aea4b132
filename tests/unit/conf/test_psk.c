/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/secret.h"
#include "conf/psk.h"
#include "tests/unit/unit.h"

static const struct {
	const char *file;
	const char *key; /* NULL: refused */
	bool text;
} forms[] = {
	{ "correct horse battery\n", "correct horse battery", true },
	{ "correct horse battery\r\n", "correct horse battery", true },
	{ "correct horse battery", "correct horse battery", true },
	{ " spaces count \n", " spaces count ", true },
	{ "0x61626364\n", "abcd", false },
	{ "0x4A4b\n", "JK", false },
	{ "0sYWJjZA==\n", "abcd", false },
	{ "0sYWJj", "abc", false },
	{ "0sYWJjZGU=", "abcde", false },
	{ "0x", NULL, false },
	{ "0x1", NULL, false },
	{ "0xzz", NULL, false },
	{ "0s", NULL, false },
	{ "0sYWJj=", NULL, false },
	{ "0sYW!j", NULL, false },
	{ "", NULL, false },
	{ "\n", NULL, false },
	{ "\r\n", NULL, false },
	{ "a\nb\n", NULL, false },
	{ "a\n\n", NULL, false },
};

START_TEST(a_key_has_three_forms)
{
	char why[256] = "";
	struct span key;
	bool text;
	enum err e = psk_decode(span_str(forms[_i].file), &key, &text, why);

	ck_assert_int_eq(e, forms[_i].key ? OK : ERR_CONFIG);
	if (forms[_i].key) {
		ck_assert(span_eq(key, span_str(forms[_i].key)));
		ck_assert_int_eq(text, forms[_i].text);
	} else {
		ck_assert_ptr_null(key.p);
		ck_assert_str_ne(why, "");
	}
	secret_free((void *)(uintptr_t)key.p, key.len);
}
END_TEST

START_TEST(a_nul_in_a_key_is_refused)
{
	char why[256];
	struct span key;
	bool text;

	ck_assert_int_eq(psk_decode(span_of("a\0b", 3), &key, &text, why), ERR_CONFIG);
}
END_TEST

static void peer_make(struct conf_connection *cn)
{
	memset(cn, 0, sizeof(*cn));
	ck_assert_int_eq(identity_parse(&cn->identity, "right.example.org"), OK);
	ck_assert_int_eq(identity_parse(&cn->local_identity, "ops@example.org"), OK);
	ck_assert(addr_parse("203.0.113.2", &cn->addresses[0]));
	cn->n_addresses = 1;
	ck_assert(addr_parse("198.51.100.7", &cn->local_address));
}

static const struct {
	const char *key;
	bool text;
	const char *why; /* NULL: strong */
} strengths[] = {
	{ "correct horse battery staple", true, NULL },
	{ "abcdefgh012345678901", true, NULL },
	{ "abcdefgh01234567890", true, "fewer than 20 characters" },
	{ "abcdefg_abcdefg_abcdefg", true, NULL },
	{ "abcdefgabcdefgabcdefg", true, "fewer than 8 different" },
	{ "0123456789abcdef", false, NULL },
	{ "0123456789abcde", false, "fewer than 16 bytes" },
	{ "abcdefgabcdefgabcdefg", false, "fewer than 8 different" },
	{ "secret for right.example.org 1", true, "identity or address" },
	{ "secret for RIGHT.EXAMPLE.ORG 1", true, "identity or address" },
	{ "mail ops@example.org again", true, "identity or address" },
	{ "tunnel to 203.0.113.2, nice", true, "identity or address" },
	{ "tunnel of 198.51.100.7, nice", true, "identity or address" },
	{ "secret for right.example.com 1", true, NULL },
};

START_TEST(a_key_that_can_be_guessed_is_weak)
{
	char why[256] = "";
	struct conf_connection cn;
	bool strong;

	peer_make(&cn);
	strong = psk_strong(span_str(strengths[_i].key), strengths[_i].text, &cn, why);
	ck_assert_int_eq(strong, strengths[_i].why == NULL);
	if (strengths[_i].why)
		ck_assert_msg(strstr(why, strengths[_i].why) != NULL, "%s", why);
	ck_assert_ptr_null(strstr(why, strengths[_i].key));
}
END_TEST

UNIT("conf/psk")
{
	tcase_add_loop_test(tc, a_key_has_three_forms, 0, sizeof(forms) / sizeof(forms[0]));
	tcase_add_test(tc, a_nul_in_a_key_is_refused);
	tcase_add_loop_test(tc, a_key_that_can_be_guessed_is_weak, 0,
			    sizeof(strengths) / sizeof(strengths[0]));
}
