/* SPDX-License-Identifier: Apache-2.0 */
/* What if the library's answer is neither yes nor no? Taking -1 or 2 for yes has let strangers in
 * (CVE-2013-2944, CVE-2020-16088). This program is linked with --wrap, so that the answer is ours:
 * only 1 may count.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "crypto/ke.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "crypto/signature.h"
#include "tests/unit/crypto/answer.h"
#include "tests/unit/crypto/hex.h"
#include "tests/unit/crypto/keys.h"
#include "tests/unit/unit.h"

static const int answers[] = { -2, -1, 0, 1, 2 };

enum { N_ANSWERS = sizeof(answers) / sizeof(answers[0]), NOT_OURS = ANSWER_NOT_OURS };

/* With a signature that is right, so that only the answer speaks; then with one that is wrong. */
START_TEST(only_1_verifies_a_signature)
{
	static const enum test_key kinds[] = { KEY_RSA_2048, KEY_ECDSA_256, KEY_ED25519 };
	const struct job_sign job = { .hashes = SIGHASH_SHA2_256 | SIGHASH_IDENTITY,
				      .rfc7427 = true,
				      .octets = span_str("octets") };
	uint8_t buf[SIG_MAX], method;
	const char *scheme;

	for (size_t k = 0; k < 3; k++) {
		EVP_PKEY *key = test_key(kinds[k]);
		struct wr auth = wr_into(buf, sizeof(buf));

		ck_assert_int_eq(signature_make(key, &job, &auth, &method, &scheme), OK);
		answer = answers[_i];
		ck_assert_int_eq(signature_verify(key, method, wr_done(&auth), job.octets, &scheme),
				 answer == 1 ? OK : ERR_AUTH);
		ck_assert_int_eq(scheme != NULL, answer == 1);
		ck_assert_int_eq(signature_verify(key, method, wr_done(&auth), span_str("others"),
						  &scheme),
				 answer == 1 ? OK : ERR_AUTH);
		answer = NOT_OURS;
		EVP_PKEY_free(key);
	}
}
END_TEST

START_TEST(only_1_verifies_an_ecdsa_method)
{
	const struct job_sign job = { .octets = span_str("octets") };
	EVP_PKEY *key = test_key(KEY_ECDSA_384);
	uint8_t buf[SIG_MAX], method;
	struct wr auth = wr_into(buf, sizeof(buf));
	const char *scheme;

	ck_assert_int_eq(signature_make(key, &job, &auth, &method, &scheme), OK);
	ck_assert_uint_eq(method, AUTH_ECDSA_384);
	answer = answers[_i];
	ck_assert_int_eq(signature_verify(key, method, wr_done(&auth), job.octets, &scheme),
			 answer == 1 ? OK : ERR_AUTH);
	answer = NOT_OURS;
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(only_1_makes_a_signature)
{
	const struct job_sign job = { .octets = span_str("octets") };
	EVP_PKEY *key = test_key(KEY_ECDSA_256);
	uint8_t buf[SIG_MAX], method;
	struct wr auth = wr_into(buf, sizeof(buf));
	const char *scheme;

	answer = answers[_i];
	ck_assert_int_eq(signature_make(key, &job, &auth, &method, &scheme),
			 answer == 1 ? OK : ERR_CRYPTO);
	answer = NOT_OURS;
	EVP_PKEY_free(key);
}
END_TEST

static struct sealer *sealer_of(const char *encr, const char *integ)
{
	static const uint8_t zero[KEY_MAX];
	const struct encr *e = encr_by_keyword(encr);
	const struct integ *i = integ ? integ_by_keyword(integ) : NULL;
	struct sealer *s;

	ck_assert_int_eq(sealer_new(e, i, span_of(zero, (size_t)e->key_len + e->salt_len),
				    span_of(zero, i ? i->key_len : 0), &s),
			 OK);
	return s;
}

/* `answer` -1 or so at sealing and opening alike, by whatever the way to protect ends with. */
static void expect_sealed_only_by_1(const char *encr, const char *integ)
{
	struct sealer *s = sealer_of(encr, integ);
	uint8_t iv[16] = { 0 }, text[32] = { 0 }, icv[16] = { 0 };
	const struct seal_text t = { .iv = iv, .text = text, .text_len = 32, .icv = icv };

	ck_assert_int_eq(seal(s, &t), OK);
	ck_assert_int_eq(unseal(s, &t), OK);
	for (size_t i = 0; i < N_ANSWERS; i++) {
		answer = answers[i];
		ck_assert_int_eq(seal(s, &t), answer == 1 ? OK : ERR_CRYPTO);
		answer = NOT_OURS;
		ck_assert_int_eq(seal(s, &t), OK);
		answer = answers[i];
		ck_assert_int_eq(unseal(s, &t) == OK, answer == 1);
		answer = NOT_OURS;
	}
	sealer_free(s);
}

START_TEST(only_1_seals_and_opens)
{
	expect_sealed_only_by_1("aes256gcm16", NULL);
	expect_sealed_only_by_1("chacha20poly1305", NULL);
	expect_sealed_only_by_1("aes128gcm8", NULL);
	expect_sealed_only_by_1("aes192ccm12", NULL);
	expect_sealed_only_by_1("aes128", "sha256");
	expect_sealed_only_by_1("aes128ctr", "aescmac");
	expect_sealed_only_by_1("aes192", "aesxcbc");
}
END_TEST

START_TEST(only_1_shares_a_secret)
{
	static const uint8_t nine[32] = { 9 }, priv[32] = { 1 };
	uint8_t out[32];

	answer = answers[_i];
	ck_assert_int_eq(ke_shared(ke_find(KE_CURVE25519), span_of(priv, 32), span_of(nine, 32),
				   out),
			 answer == 1 ? OK : ERR_KE_VALUE);
	answer = NOT_OURS;
}
END_TEST

/* A library that says yes to a value of small order meets our own look at the secret. */
START_TEST(a_zero_secret_is_refused_whatever_the_library_says)
{
	static const uint8_t zero[32], priv[32] = { 1 };
	uint8_t out[32] = { 0 };

	answer = 1;
	ck_assert_int_eq(ke_shared(ke_find(KE_CURVE25519), span_of(priv, 32), span_of(zero, 32),
				   out),
			 ERR_KE_VALUE);
	answer = NOT_OURS;
}
END_TEST

/* The group's generator is a point; unless the library says otherwise. */
START_TEST(only_1_is_a_point)
{
	const struct hex g =
		hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
		    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
	static const uint8_t priv[32] = { 1 };
	uint8_t out[32];

	answer = answers[_i];
	ck_assert_int_eq(ke_shared(ke_find(KE_ECP_256), span_of(priv, 32), hex_span(&g), out),
			 answer == 1 ? OK : ERR_KE_VALUE);
	answer = NOT_OURS;
}
END_TEST

START_TEST(only_1_is_random)
{
	const struct random r = random_system();
	uint8_t b[16];
	bool filled;

	answer = answers[_i];
	filled = random_fill(&r, b, sizeof(b));
	answer = NOT_OURS;
	ck_assert_int_eq(filled, answers[_i] == 1);
	if (!filled)
		hex_expect("00000000000000000000000000000000", span_of(b, sizeof(b)));
}
END_TEST

UNIT("crypto/verdict")
{
	tcase_add_loop_test(tc, only_1_verifies_a_signature, 0, N_ANSWERS);
	tcase_add_loop_test(tc, only_1_verifies_an_ecdsa_method, 0, N_ANSWERS);
	tcase_add_loop_test(tc, only_1_makes_a_signature, 0, N_ANSWERS);
	tcase_add_test(tc, only_1_seals_and_opens);
	tcase_add_loop_test(tc, only_1_shares_a_secret, 0, N_ANSWERS);
	tcase_add_test(tc, a_zero_secret_is_refused_whatever_the_library_says);
	tcase_add_loop_test(tc, only_1_is_a_point, 0, N_ANSWERS);
	tcase_add_loop_test(tc, only_1_is_random, 0, N_ANSWERS);
}
