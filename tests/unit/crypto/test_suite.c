/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/suite.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { WORDS_MAX = 64, WHY_MAX = 256, TEXT_MAX = 1024 };

/* Cuts `text` at its spaces. */
static size_t words_of(const char *text, char buf[static TEXT_MAX],
		       const char *words[static WORDS_MAX])
{
	size_t n = 0;

	ck_assert_uint_lt(strlen(text), TEXT_MAX);
	memcpy(buf, text, strlen(text) + 1);
	while (*buf) {
		const size_t len = strcspn(buf, " ");

		ck_assert_uint_lt(n, WORDS_MAX);
		words[n++] = buf;
		buf += len;
		if (*buf)
			*buf++ = '\0';
	}
	return n;
}

static enum err from_text(const char *text, struct suite_policy *p, char why[static WHY_MAX])
{
	const char *words[WORDS_MAX];
	char buf[TEXT_MAX];
	const size_t n = words_of(text, buf, words);

	memset(why, 'x', WHY_MAX);
	return suite_policy_from_words(words, n, p, why);
}

static void append(char out[static TEXT_MAX], const char *keyword)
{
	const size_t len = strlen(out);

	(void)snprintf(out + len, TEXT_MAX - len, "%s%s", len ? " " : "", keyword);
}

/* The whole policy as words, in its order. */
static const char *policy_text(const struct suite_policy *p, char out[static TEXT_MAX])
{
	out[0] = '\0';
	for (size_t i = 0; p->encr[i]; i++)
		append(out, p->encr[i]->keyword);
	for (size_t i = 0; p->integ[i]; i++)
		append(out, p->integ[i]->keyword);
	for (size_t i = 0; p->prf[i]; i++)
		append(out, p->prf[i]->keyword);
	for (size_t i = 0; p->ke[i]; i++)
		append(out, p->ke[i]->keyword);
	return out;
}

#define MODERN_ENCR "aes256gcm16 aes128gcm16 chacha20poly1305"
#define MODERN	    MODERN_ENCR " prfsha384 prfsha256 x25519 ecp384 ecp256 modp3072"
#define COMPATIBLE                                                                       \
	MODERN_ENCR " aes256 aes128 sha256 sha384 sha512 prfsha384 prfsha256 prfsha512 " \
		    "x25519 ecp384 ecp256 modp3072 modp4096 modp2048"

START_TEST(words_make_the_policy)
{
	static const struct {
		const char *words;
		const char *name;
		const char *policy;
		bool weak;
	} cases[] = {
		{ "modern", "modern", MODERN, false },
		{ "compatible", "compatible", COMPATIBLE, false },
		{ "modern compatible", "custom",
		  "aes256gcm16 aes128gcm16 chacha20poly1305 aes256 aes128 sha256 sha384 sha512 "
		  "prfsha384 prfsha256 prfsha512 x25519 ecp384 ecp256 modp3072 modp4096 modp2048",
		  false },
		{ "aes256gcm16 prfsha384 x25519", "custom", "aes256gcm16 prfsha384 x25519", false },
		{ "x25519 prfsha384 aes256gcm16", "custom", "aes256gcm16 prfsha384 x25519", false },
		{ "aes128 aes256 sha256 modp2048", "custom",
		  "aes128 aes256 sha256 prfsha256 modp2048", false },
		{ "aes128 sha1 modp2048", "custom", "aes128 sha1 prfsha1 modp2048", true },
		{ "aes128 sha1 prfsha256 modp2048", "custom", "aes128 sha1 prfsha256 modp2048",
		  true },
		{ "aes128 sha512 sha384 ecp256 ecp384", "custom",
		  "aes128 sha512 sha384 prfsha512 prfsha384 ecp256 ecp384", false },
		{ "compatible sha1", "custom",
		  MODERN_ENCR
		  " aes256 aes128 sha256 sha384 sha512 sha1 prfsha384 prfsha256 prfsha512 "
		  "x25519 ecp384 ecp256 modp3072 modp4096 modp2048",
		  true },
		{ "modern modp2048", "custom", MODERN " modp2048", false },
		{ "modp2048 modern", "custom",
		  MODERN_ENCR " prfsha384 prfsha256 modp2048 x25519 ecp384 ecp256 modp3072",
		  false },
		{ "modern modern x25519 x25519", "custom", MODERN, false },
		{ "aes128 aescmac modp2048", "custom", "aes128 aescmac prfaescmac modp2048",
		  false },
		{ "aes192ctr aesxcbc prfsha256 ecp521", "custom",
		  "aes192ctr aesxcbc prfsha256 ecp521", false },
		{ "aes256gcm8 prfsha256 x448", "custom", "aes256gcm8 prfsha256 x448", true },
		{ "aes128ccm12 prfsha256 ecp512bp", "custom", "aes128ccm12 prfsha256 ecp512bp",
		  false },
		{ "aes256gcm16 sha256 x25519", "custom", "aes256gcm16 sha256 prfsha256 x25519",
		  false },
	};
	struct suite_policy p;
	char why[WHY_MAX], text[TEXT_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_msg(from_text(cases[i].words, &p, why) == OK, "%s: %s", cases[i].words,
			      why);
		ck_assert_str_eq(why, "");
		ck_assert_str_eq(p.name, cases[i].name);
		ck_assert_str_eq(policy_text(&p, text), cases[i].policy);
		ck_assert_int_eq(p.weak, cases[i].weak);
	}
}
END_TEST

START_TEST(a_refusal_says_what_would_be_right)
{
	static const struct {
		const char *words;
		const char *why;
	} cases[] = {
		{ "", "no encryption is written: add aes256gcm16, or aes256 with sha256" },
		{ "x25519", "no encryption is written: add aes256gcm16, or aes256 with sha256" },
		{ "aes256gcm16 x25519", "no PRF is written: add prfsha384 or prfsha256" },
		{ "aes256gcm16 prfsha384",
		  "no key exchange group is written: add x25519, or ecp384" },
		{ "aes256 prfsha384 x25519",
		  "AES without gcm or ccm needs an integrity algorithm beside it: "
		  "add sha256, or write aes256gcm16" },
		{ "aes128ctr prfsha384 x25519",
		  "AES without gcm or ccm needs an integrity algorithm beside it: "
		  "add sha256, or write aes256gcm16" },
		{ "aes128 aesxcbc modp2048", "no PRF is written: add prfsha384 or prfsha256" },
		{ "3des sha256 x25519",
		  "3des is not implemented: its 64-bit blocks leak long texts "
		  "(SWEET32); aes256gcm16 would be right" },
		{ "modern 3DES",
		  "3des is not implemented: its 64-bit blocks leak long texts (SWEET32); "
		  "aes256gcm16 would be right" },
		{ "curve25519", "curve25519 is written x25519 here" },
		{ "aes265gcm16", "unknown word aes265gcm16: did you mean aes256gcm16?" },
		{ "AES256GCM16", "unknown word aes256gcm16: did you mean aes256gcm16?" },
		{ "modren", "unknown word modren: did you mean modern?" },
		{ "compatable", "unknown word compatable: did you mean compatible?" },
		{ "x22519", "unknown word x22519: did you mean x25519?" },
		{ "chacha20poly1350",
		  "unknown word chacha20poly1350: did you mean chacha20poly1305?" },
		{ "rot13", "unknown word rot13: write modern, compatible, or algorithms such as "
			   "aes256gcm16 prfsha384 x25519" },
		{ "\033[31m", "unknown word ?[31m: write modern, compatible, or algorithms such as "
			      "aes256gcm16 prfsha384 x25519" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "unknown word aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: write modern, compatible, or algorithms "
		  "such as aes256gcm16 prfsha384 x25519" },
	};
	struct suite_policy p;
	char why[WHY_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(from_text(cases[i].words, &p, why), ERR_CONFIG);
		ck_assert_str_eq(why, cases[i].why);
	}
}
END_TEST

START_TEST(what_is_not_implemented_is_refused_by_name)
{
	static const char *const words[] = {
		"des",	    "3des",	    "md5",	    "prfmd5",	    "modp768",	"modp1024",
		"modp1536", "dh1",	    "dh2",	    "dh5",	    "dh22",	"dh23",
		"dh24",	    "modp1024s160", "modp2048s224", "modp2048s256", "null",	"none",
		"ecp192",   "ecp224",	    "ecp224bp",	    "prfaesxcbc",   "blowfish", "cast128",
	};
	struct suite_policy p;
	char why[WHY_MAX], text[TEXT_MAX];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		text[0] = '\0';
		append(text, "modern");
		append(text, words[i]);
		ck_assert_int_eq(from_text(text, &p, why), ERR_CONFIG);
		ck_assert_ptr_nonnull(strstr(why, words[i]));
		ck_assert_ptr_nonnull(strstr(why, "is not implemented: "));
		ck_assert_ptr_nonnull(strstr(why, "would be right"));
	}
}
END_TEST

/* Every hint must name a word that is right: it is followed blindly. */
START_TEST(the_words_that_others_use_lead_to_ours)
{
	static const char *const words[] = {
		"curve25519",  "secp256r1",    "p384",	   "dh14",     "dh19", "aes128cbc",
		"aes256gcm",   "aes256gcm128", "chacha20", "sha",      "sha2", "sha2_256",
		"default",     "aes",	       "dh17",	   "dh18",     "dh21", "dh28",
		"dh29",	       "dh30",	       "dh32",	   "curve448", "p521", "brainpoolp512r1",
		"aes192ccm96", "aes256gcm64",  "aesctr",   "cmac",     "xcbc", "prfcmac",
	};
	struct suite_policy p;
	char why[WHY_MAX], word[WHY_MAX], again[TEXT_MAX];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		ck_assert_int_eq(from_text(words[i], &p, why), ERR_CONFIG);
		ck_assert_int_eq(sscanf(why, "%*s is written %255s here", word), 1);
		again[0] = '\0';
		append(again, "compatible");
		append(again, word);
		ck_assert_int_eq(from_text(again, &p, why), OK);
	}
}
END_TEST

/* The longest list that anybody can write. */
START_TEST(a_policy_has_room_for_every_row)
{
	char text[TEXT_MAX] = "", back[TEXT_MAX], why[WHY_MAX];
	struct suite_policy p;

	for (size_t i = 0; encr_row(i); i++)
		append(text, encr_row(i)->keyword);
	for (size_t i = 0; integ_row(i); i++)
		append(text, integ_row(i)->keyword);
	for (size_t i = 0; prf_row(i); i++)
		append(text, prf_row(i)->keyword);
	for (size_t i = 0; ke_row(i); i++)
		append(text, ke_row(i)->keyword);
	ck_assert_int_eq(from_text(text, &p, why), OK);
	ck_assert_str_eq(policy_text(&p, back), text);
}
END_TEST

START_TEST(the_named_policies_hold_nothing_weak)
{
	const struct suite_policy *const policies[] = { suite_policy_modern(),
							suite_policy_compatible() };

	for (size_t n = 0; n < 2; n++) {
		const struct suite_policy *p = policies[n];

		ck_assert(!p->weak);
		for (size_t i = 0; p->encr[i]; i++)
			ck_assert(!p->encr[i]->weak);
		for (size_t i = 0; p->integ[i]; i++)
			ck_assert(!p->integ[i]->weak);
		for (size_t i = 0; p->prf[i]; i++)
			ck_assert(!p->prf[i]->weak);
		for (size_t i = 0; p->ke[i]; i++)
			ck_assert(!p->ke[i]->weak);
	}
}
END_TEST

START_TEST(a_suite_has_a_text)
{
	const struct suite ike = {
		.encr = encr_by_keyword("aes256gcm16"),
		.prf = prf_by_keyword("prfsha384"),
		.ke = ke_by_keyword("x25519"),
	};
	const struct suite esp = {
		.encr = encr_by_keyword("aes128"),
		.integ = integ_by_keyword("sha1"),
		.esn = true,
	};
	char buf[64], small[8];

	ck_assert_str_eq(suite_text(&ike, buf, sizeof(buf)), "aes256gcm16 prfsha384 x25519");
	ck_assert_str_eq(suite_text(&esp, buf, sizeof(buf)), "aes128 sha1");
	ck_assert_str_eq(suite_text(&ike, small, sizeof(small)), "aes256g");
}
END_TEST

START_TEST(what_is_weak_is_named)
{
	static const struct {
		const char *words;
		const char *weak;
	} cases[] = {
		{ "modern", "" },
		{ "compatible", "" },
		{ "aes128gcm12 prfsha256 x25519", "" },
		{ "aes128gcm8 prfsha256 x25519", "aes128gcm8" },
		{ "aes128 sha1 modp2048", "sha1 prfsha1" },
		{ "compatible sha1 aes256ccm8 prfsha1", "aes256ccm8 sha1 prfsha1" },
		{ "aes256gcm8 aes192gcm8 aes128gcm8 aes256ccm8 aes192ccm8 aes128ccm8 sha1 x25519",
		  "aes256gcm8 aes192gcm8 aes128gcm8 aes256ccm8 aes192ccm8 aes128ccm8 sha1 prfsha1" },
	};
	const struct suite sound = {
		.encr = encr_by_keyword("aes256gcm16"),
		.prf = prf_by_keyword("prfsha384"),
		.ke = ke_by_keyword("x25519"),
	};
	const struct suite weak = {
		.encr = encr_by_keyword("aes128"),
		.integ = integ_by_keyword("sha1"),
	};
	struct suite_policy p;
	char why[WHY_MAX], text[SUITE_WEAK_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(from_text(cases[i].words, &p, why), OK);
		ck_assert_str_eq(suite_policy_weak_text(&p, text), cases[i].weak);
		ck_assert_int_eq(p.weak, cases[i].weak[0] != '\0');
	}
	ck_assert(!suite_weak(&sound));
	ck_assert_str_eq(suite_weak_text(&sound, text), "");
	ck_assert(suite_weak(&weak));
	ck_assert_str_eq(suite_weak_text(&weak, text), "sha1");
	ck_assert(suite_word_weak("prfsha1"));
	ck_assert(!suite_word_weak("prfsha256"));
	ck_assert(!suite_word_weak("compatible"));
	ck_assert(!suite_word_weak("sha"));
}
END_TEST

START_TEST(the_first_suite_is_a_whole_one)
{
	static const char *const rows[][2] = {
		{ "modern", "aes256gcm16 prfsha384 x25519" },
		{ "aes128 aes256gcm16 sha384 sha256 modp4096 x25519",
		  "aes128 sha384 prfsha384 modp4096" },
		{ "aes256gcm16 aes128 sha256 prfsha256 ecp384 ecp256",
		  "aes256gcm16 prfsha256 ecp384" },
	};
	char text[TEXT_MAX], why[WHY_MAX];
	struct suite_policy p, first;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(from_text(rows[i][0], &p, why), OK);
		suite_policy_first(&p, &first);
		ck_assert_str_eq(policy_text(&first, text), rows[i][1]);
		ck_assert_str_eq(first.name, p.name);
	}
	/* A cipher that is left without its integrity is passed over. */
	ck_assert_int_eq(from_text("aes128 aes256gcm16 sha256 x25519", &p, why), OK);
	p.integ[0] = NULL;
	suite_policy_first(&p, &first);
	ck_assert_str_eq(policy_text(&first, text), "aes256gcm16 prfsha256 x25519");
}
END_TEST

START_TEST(policies_are_equal_by_algorithms_and_their_order)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "modern", MODERN, true },
		{ "modern", "compatible", false },
		{ "x25519 prfsha384 aes256gcm16", "aes256gcm16 prfsha384 x25519", true },
		{ "aes256gcm16 aes128gcm16 prfsha384 x25519",
		  "aes128gcm16 aes256gcm16 prfsha384 x25519", false },
		{ "aes256 sha256 prfsha256 x25519", "aes256 sha384 prfsha256 x25519", false },
		{ "aes256gcm16 prfsha256 x25519", "aes256gcm16 prfsha384 x25519", false },
		{ "aes256gcm16 prfsha256 x25519", "aes256gcm16 prfsha256 x25519 ecp256", false },
	};
	struct suite_policy a, b;
	char why[WHY_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(from_text(cases[i].a, &a, why), OK);
		ck_assert_int_eq(from_text(cases[i].b, &b, why), OK);
		ck_assert_msg(suite_policy_eq(&a, &b) == cases[i].equal, "%s and %s", cases[i].a,
			      cases[i].b);
	}
}
END_TEST

UNIT("crypto/suite")
{
	tcase_add_test(tc, words_make_the_policy);
	tcase_add_test(tc, a_refusal_says_what_would_be_right);
	tcase_add_test(tc, what_is_not_implemented_is_refused_by_name);
	tcase_add_test(tc, the_words_that_others_use_lead_to_ours);
	tcase_add_test(tc, a_policy_has_room_for_every_row);
	tcase_add_test(tc, the_named_policies_hold_nothing_weak);
	tcase_add_test(tc, policies_are_equal_by_algorithms_and_their_order);
	tcase_add_test(tc, a_suite_has_a_text);
	tcase_add_test(tc, the_first_suite_is_a_whole_one);
	tcase_add_test(tc, what_is_weak_is_named);
}
