/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/signature.h"

#include <openssl/err.h>
#include <string.h>

#include "tests/unit/crypto/hex.h"
#include "tests/unit/crypto/keys.h"
#include "tests/unit/unit.h"

enum {
	ALL_HASHES = SIGHASH_SHA2_256 | SIGHASH_SHA2_384 | SIGHASH_SHA2_512 | SIGHASH_IDENTITY,
	NO_RFC7427 = 0,
};

/* `hashes` 0: the peer does not speak RFC 7427. */
struct made {
	enum test_key key;
	uint32_t hashes;
	enum err want;
	uint8_t method;
	const char *scheme;
};

static const struct made cases[] = {
	{ KEY_RSA_2048, ALL_HASHES, OK, AUTH_SIGNATURE, "RSA-PSS with SHA2-256" },
	{ KEY_RSA_2048, SIGHASH_SHA2_256, OK, AUTH_SIGNATURE, "RSA-PSS with SHA2-256" },
	{ KEY_RSA_2048, SIGHASH_SHA2_384 | SIGHASH_SHA2_512, OK, AUTH_SIGNATURE,
	  "RSA-PSS with SHA2-512" },
	{ KEY_RSA_2048, SIGHASH_SHA1 | SIGHASH_SHA2_384, OK, AUTH_SIGNATURE,
	  "RSA-PSS with SHA2-384" },
	{ KEY_RSA_2048, SIGHASH_SHA1, ERR_AUTH_METHOD, 0, NULL },
	{ KEY_RSA_2048, SIGHASH_IDENTITY, ERR_AUTH_METHOD, 0, NULL },
	{ KEY_RSA_2048, NO_RFC7427, ERR_AUTH_METHOD, 0, NULL },
	{ KEY_RSA_PSS_2048, ALL_HASHES, OK, AUTH_SIGNATURE, "RSA-PSS with SHA2-256" },
	{ KEY_RSA_1024, ALL_HASHES, ERR_CERT_WEAK, 0, NULL },
	{ KEY_ECDSA_256, ALL_HASHES, OK, AUTH_SIGNATURE, "ECDSA with SHA2-256" },
	{ KEY_ECDSA_384, ALL_HASHES, OK, AUTH_SIGNATURE, "ECDSA with SHA2-384" },
	{ KEY_ECDSA_521, ALL_HASHES, OK, AUTH_SIGNATURE, "ECDSA with SHA2-512" },
	{ KEY_ECDSA_521, SIGHASH_SHA2_256 | SIGHASH_SHA2_384, OK, AUTH_SIGNATURE,
	  "ECDSA with SHA2-384" },
	{ KEY_ECDSA_256, SIGHASH_SHA2_512 | SIGHASH_SHA2_384, OK, AUTH_SIGNATURE,
	  "ECDSA with SHA2-512" },
	{ KEY_ECDSA_256, SIGHASH_SHA1, OK, AUTH_ECDSA_256, "ECDSA-256 with SHA2-256" },
	{ KEY_ECDSA_256, NO_RFC7427, OK, AUTH_ECDSA_256, "ECDSA-256 with SHA2-256" },
	{ KEY_ECDSA_384, NO_RFC7427, OK, AUTH_ECDSA_384, "ECDSA-384 with SHA2-384" },
	{ KEY_ECDSA_521, NO_RFC7427, OK, AUTH_ECDSA_521, "ECDSA-521 with SHA2-512" },
	{ KEY_ED25519, ALL_HASHES, OK, AUTH_SIGNATURE, "Ed25519" },
	{ KEY_ED25519, SIGHASH_SHA2_512, ERR_AUTH_METHOD, 0, NULL },
	{ KEY_ED25519, NO_RFC7427, ERR_AUTH_METHOD, 0, NULL },
	{ KEY_ECDSA_SECP256K1, ALL_HASHES, ERR_AUTH_METHOD, 0, NULL },
	{ KEY_ED448, ALL_HASHES, OK, AUTH_SIGNATURE, "Ed448" },
	{ KEY_ED448, SIGHASH_SHA2_512, ERR_AUTH_METHOD, 0, NULL },
	{ KEY_ED448, NO_RFC7427, ERR_AUTH_METHOD, 0, NULL },
	{ KEY_X25519_ONLY, ALL_HASHES, ERR_AUTH_METHOD, 0, NULL },
};

enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

static struct job_sign job_of(uint32_t hashes)
{
	return (struct job_sign){
		.hashes = hashes,
		.rfc7427 = hashes != NO_RFC7427,
		.octets = span_str("what both ends have said"),
	};
}

START_TEST(the_best_scheme_is_chosen_and_verifies)
{
	const struct made *c = &cases[_i];
	const struct job_sign job = job_of(c->hashes);
	EVP_PKEY *key = test_key(c->key);
	const char *scheme = "left over", *verified;
	uint8_t buf[SIG_MAX], method = 99;
	struct wr auth = wr_into(buf, sizeof(buf));

	ck_assert_int_eq(signature_make(key, &job, &auth, &method, &scheme), c->want);
	ck_assert_uint_eq(method, c->method);
	ck_assert_pstr_eq(scheme, c->scheme);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	if (c->want == OK) {
		ck_assert_int_eq(
			signature_verify(key, method, wr_done(&auth), job.octets, &verified), OK);
		ck_assert_str_eq(verified, scheme);
	}
	EVP_PKEY_free(key);
}
END_TEST

/* Each signature under each other key, and under each method: only its own pair holds. */
START_TEST(no_other_key_answers_for_a_signature)
{
	const struct made *c = &cases[_i];
	const struct job_sign job = job_of(c->hashes);
	EVP_PKEY *key = test_key(c->key);
	const char *scheme;
	uint8_t buf[SIG_MAX], method;
	struct wr auth = wr_into(buf, sizeof(buf));

	if (c->want == OK)
		ck_assert_int_eq(signature_make(key, &job, &auth, &method, &scheme), OK);
	for (int k = 0; c->want == OK && k < N_TEST_KEYS; k++) {
		EVP_PKEY *other = test_key((enum test_key)k);

		for (unsigned int m = 0; m <= UINT8_MAX; m += m < 20 ? 1 : 47)
			if ((enum test_key)k != c->key || m != method)
				ck_assert_int_ne(signature_verify(other, (uint8_t)m, wr_done(&auth),
								  job.octets, &scheme),
						 OK);
		EVP_PKEY_free(other);
	}
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_signature_bent_or_cut_is_refused)
{
	const struct made *c = &cases[_i];
	const struct job_sign job = job_of(c->hashes);
	EVP_PKEY *key = test_key(c->key);
	const char *scheme;
	uint8_t buf[SIG_MAX], method;
	struct wr auth = wr_into(buf, sizeof(buf));
	size_t len;

	if (c->want == OK)
		ck_assert_int_eq(signature_make(key, &job, &auth, &method, &scheme), OK);
	len = c->want == OK ? wr_len(&auth) : 0;
	for (size_t i = 0; i < len; i++) {
		const uint8_t bit = (uint8_t)(1 << i % 8);

		ck_assert_int_ne(
			signature_verify(key, method, span_of(buf, i), job.octets, &scheme), OK);
		buf[i] ^= bit;
		ck_assert_int_ne(
			signature_verify(key, method, span_of(buf, len), job.octets, &scheme), OK);
		ck_assert_ptr_null(scheme);
		buf[i] ^= bit;
	}
	EVP_PKEY_free(key);
}
END_TEST

/* Hashes that stand in the job by mistake mean nothing when the peer has not sent the notify. */
START_TEST(method_14_is_for_peers_that_speak_rfc_7427)
{
	const struct job_sign job = { .hashes = ALL_HASHES, .octets = span_str("octets") };
	static const struct {
		enum test_key key;
		enum err want;
		uint8_t method;
	} rows[] = {
		{ KEY_RSA_2048, ERR_AUTH_METHOD, 0 },
		{ KEY_ED25519, ERR_AUTH_METHOD, 0 },
		{ KEY_ECDSA_256, OK, AUTH_ECDSA_256 },
	};
	EVP_PKEY *key = test_key(rows[_i].key);
	uint8_t buf[SIG_MAX], method;
	struct wr auth = wr_into(buf, sizeof(buf));
	const char *scheme;

	ck_assert_int_eq(signature_make(key, &job, &auth, &method, &scheme), rows[_i].want);
	ck_assert_uint_eq(method, rows[_i].method);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_buffer_too_small_is_an_error_and_never_overrun)
{
	const struct job_sign job = job_of(ALL_HASHES);
	EVP_PKEY *key = test_key(KEY_RSA_2048);
	uint8_t buf[SIG_MAX];
	const char *scheme;
	uint8_t method;

	for (size_t size = 0; size < 1 + 67 + 256; size += 17) {
		struct wr auth = wr_into(buf, size);

		memset(buf, 0xa5, sizeof(buf));
		ck_assert_int_eq(signature_make(key, &job, &auth, &method, &scheme), ERR_SPACE);
		ck_assert_uint_eq(buf[size], 0xa5);
		ck_assert_uint_eq(method, 0);
		ck_assert_ptr_null(scheme);
	}
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_key_without_its_private_half_cannot_sign)
{
	const struct job_sign job = job_of(ALL_HASHES);
	EVP_PKEY *key = test_key(KEY_RSA_E_3);
	uint8_t buf[SIG_MAX];
	struct wr auth = wr_into(buf, sizeof(buf));
	const char *scheme;
	uint8_t method;

	ck_assert_int_ne(signature_make(key, &job, &auth, &method, &scheme), OK);
	ck_assert_ptr_null(scheme);
	EVP_PKEY_free(key);
}
END_TEST

/* The AlgorithmIdentifiers are those of RFC 7427 appendix A, with their length before them. */
START_TEST(algorithm_identifiers_are_those_of_the_rfc)
{
	static const struct {
		enum test_key key;
		const char *head;
	} rows[] = {
		{ KEY_ECDSA_256, "0c 300a06082a8648ce3d040302" },
		{ KEY_ECDSA_384, "0c 300a06082a8648ce3d040303" },
		{ KEY_ECDSA_521, "0c 300a06082a8648ce3d040304" },
		{ KEY_ED25519, "07 300506032b6570" },
		{ KEY_ED448, "07 300506032b6571" },
		{ KEY_RSA_2048,
		  "43 3041 06092a864886f70d01010a 3034"
		  "a00f300d06096086480165030402010500"
		  "a11c301a06092a864886f70d010108300d06096086480165030402010500 a203020120" },
	};
	const struct hex head = hex(rows[_i].head);
	const struct job_sign job = job_of(ALL_HASHES);
	EVP_PKEY *key = test_key(rows[_i].key);
	uint8_t buf[SIG_MAX];
	struct wr auth = wr_into(buf, sizeof(buf));
	const char *scheme;
	uint8_t method;

	ck_assert_int_eq(signature_make(key, &job, &auth, &method, &scheme), OK);
	hex_expect(rows[_i].head, span_head(wr_done(&auth), head.len));
	EVP_PKEY_free(key);
}
END_TEST

UNIT("crypto/signature_make")
{
	tcase_add_loop_test(tc, the_best_scheme_is_chosen_and_verifies, 0, N_CASES);
	tcase_add_loop_test(tc, no_other_key_answers_for_a_signature, 0, N_CASES);
	tcase_add_loop_test(tc, a_signature_bent_or_cut_is_refused, 0, N_CASES);
	tcase_add_loop_test(tc, method_14_is_for_peers_that_speak_rfc_7427, 0, 3);
	tcase_add_test(tc, a_buffer_too_small_is_an_error_and_never_overrun);
	tcase_add_test(tc, a_key_without_its_private_half_cannot_sign);
	tcase_add_loop_test(tc, algorithm_identifiers_are_those_of_the_rfc, 0, 6);
}
