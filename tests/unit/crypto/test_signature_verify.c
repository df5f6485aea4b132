/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/signature.h"

#include <openssl/err.h>
#include <string.h>

#include "tests/unit/crypto/hex.h"
#include "tests/unit/crypto/sig_vectors.h"
#include "tests/unit/unit.h"

/* RFC 7427 3: the AUTH body of method 14. */
static struct hex auth_body(struct span algid, struct span sig)
{
	struct hex h;
	struct wr w = wr_into(h.b, sizeof(h.b));

	wr_u8(&w, (uint8_t)algid.len);
	wr_span(&w, algid);
	wr_span(&w, sig);
	ck_assert(wr_ok(&w));
	h.len = wr_len(&w);
	return h;
}

/* Whatever the verdict: a scheme is named only with OK, and nothing stays in the library's error
 * queue. */
static enum err judge(EVP_PKEY *key, uint8_t method, const struct hex *auth, struct span octets)
{
	const char *scheme = "left over";
	const enum err e = signature_verify(key, method, hex_span(auth), octets, &scheme);

	ck_assert_int_eq(scheme != NULL, e == OK);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	return e;
}

START_TEST(rsa_signatures_are_judged_as_the_vector_says)
{
	const struct sig_vector *v = &sig_vectors[_i];
	const struct hex algid = hex(v->algid), sig = hex(v->sig);
	const struct hex auth = auth_body(hex_span(&algid), hex_span(&sig));
	EVP_PKEY *key = test_key(v->key);
	const enum err e = judge(key, AUTH_SIGNATURE, &auth, span_str(SIG_VECTOR_OCTETS));

	ck_assert_msg(e == v->want, "%s: %s instead of %s", v->name, err_slug(e),
		      err_slug(v->want));
	EVP_PKEY_free(key);
}
END_TEST

/* What the vectors' good signatures carry is refused as soon as one bit of it, or of the octets, is
 * turned. */
START_TEST(rsa_signatures_with_one_bit_turned_are_refused)
{
	const struct sig_vector *v = &sig_vectors[_i];
	const struct hex algid = hex(v->algid), sig = hex(v->sig);
	const struct hex good = auth_body(hex_span(&algid), hex_span(&sig));
	EVP_PKEY *key = test_key(v->key);

	ck_assert_int_eq(v->want, OK);
	for (size_t i = 0; i < good.len; i++) {
		struct hex bent = good;

		bent.b[i] = (uint8_t)(bent.b[i] ^ 1 << i % 8);
		ck_assert_int_ne(judge(key, AUTH_SIGNATURE, &bent, span_str(SIG_VECTOR_OCTETS)),
				 OK);
	}
	ck_assert_int_eq(judge(key, AUTH_SIGNATURE, &good, span_str("the octets that were signee")),
			 ERR_AUTH);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(an_auth_body_cut_anywhere_is_refused)
{
	const struct sig_vector *v = &sig_vectors[_i];
	const struct hex algid = hex(v->algid), sig = hex(v->sig);
	struct hex auth = auth_body(hex_span(&algid), hex_span(&sig));
	EVP_PKEY *key = test_key(v->key);

	while (auth.len-- > 0)
		ck_assert_int_ne(judge(key, AUTH_SIGNATURE, &auth, span_str(SIG_VECTOR_OCTETS)),
				 OK);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(garbage_is_refused)
{
	EVP_PKEY *key = test_key((enum test_key)_i);
	const struct hex cases[] = {
		hex(""),
		hex("00"),
		hex("ff"),
		hex("0130"),
		hex("0030"),
		hex("023000"),
		hex("0c300a06082a8648ce3d040302"), /* no signature behind it */
		hex("0c300a06082a8648ce3d04030200"),
		hex("0c300a06082a8648ce3d0403023006020100020100"), /* r = s = 0 */
		hex("0c300a06082a8648ce3d0403023006020101020101"),
		hex("0c300a06082a8648ce3d04030230060201ff0201ff"),
		hex("0c300a06082a8648ce3d04030230840fffffff"),
		hex("0c300a06082a8648ce3d0403023080020101020101 0000"),
		hex("07300506032b6570"),
		hex("07300506032b657000"),
	};
	static const uint8_t methods[] = { 0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 15, 201, 255 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t m = 0; m < sizeof(methods); m++)
			ck_assert_int_ne(judge(key, methods[m], &cases[i], span_str("abc")), OK);
	EVP_PKEY_free(key);
}
END_TEST

/* RFC 4754 8: the keys are those of section 8, the message is "abc". */
static const struct {
	uint8_t method;
	enum test_key key;
	const char *rs;
} rfc4754[] = {
	{ AUTH_ECDSA_256, KEY_ECDSA_256,
	  "cb28e0999b9c7715fd0a80d8e47a77079716cbbf917dd72e97566ea1c066957c"
	  "86fa3bb4e26cad5bf90b7f81899256ce7594bb1ea0c89212748bff3b3d5b0315" },
	{ AUTH_ECDSA_384, KEY_ECDSA_384,
	  "fb017b914e29149432d8bac29a514640b46f53ddab2c69948084e2930f1c8f7e"
	  "08e07c9c63f2d21a07dcb56a6af56eb3b263a1305e057f984d38726a1b468741"
	  "09f417bca112674c528262a40a629af1cbb9f516ce0fa7d2ff630863a00e8b9f" },
	{ AUTH_ECDSA_521, KEY_ECDSA_521,
	  "0154fd3836af92d0dca57dd5341d3053988534fde8318fc6aaaab68e2e6f4339"
	  "b19f2f281a7e0b22c269d93cf8794a9278880ed7dbb8d9362caeacee54432055"
	  "2251017705a7030290d1ceb605a9a1bb03ff9cdd521e87a696ec926c8c10c836"
	  "2df4975367101f67d1cf9bccbf2f3d239534fa509e70aac851ae01aac68d62f8"
	  "66472660" },
};

enum { N_RFC4754 = sizeof(rfc4754) / sizeof(rfc4754[0]) };

START_TEST(ecdsa_of_rfc_4754_holds)
{
	const struct hex rs = hex(rfc4754[_i].rs);
	EVP_PKEY *key = test_key(rfc4754[_i].key);

	ck_assert_int_eq(judge(key, rfc4754[_i].method, &rs, span_str("abc")), OK);
	ck_assert_int_eq(judge(key, rfc4754[_i].method, &rs, span_str("abd")), ERR_AUTH);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(ecdsa_of_rfc_4754_bent_or_of_other_width_is_refused)
{
	const struct hex rs = hex(rfc4754[_i].rs);
	EVP_PKEY *key = test_key(rfc4754[_i].key);
	struct hex other;

	for (size_t i = 0; i < rs.len; i++) {
		other = rs;
		other.b[i] = (uint8_t)(other.b[i] ^ 1 << i % 8);
		ck_assert_int_eq(judge(key, rfc4754[_i].method, &other, span_str("abc")), ERR_AUTH);
	}
	for (other = rs, other.len = 0; other.len < rs.len + 3; other.len++)
		if (other.len != rs.len)
			ck_assert_int_eq(judge(key, rfc4754[_i].method, &other, span_str("abc")),
					 ERR_AUTH);
	memset(other.b, 0, rs.len);
	other.len = rs.len;
	ck_assert_int_eq(judge(key, rfc4754[_i].method, &other, span_str("abc")), ERR_AUTH);
	memset(other.b, 0xff, rs.len);
	ck_assert_int_eq(judge(key, rfc4754[_i].method, &other, span_str("abc")), ERR_AUTH);
	EVP_PKEY_free(key);
}
END_TEST

/* A method of RFC 4754 names its curve, and no other key may answer for it. */
START_TEST(ecdsa_methods_belong_to_one_curve)
{
	const struct hex rs = hex(rfc4754[_i].rs);

	for (int k = 0; k < FIRST_PUBLIC_KEY; k++) {
		EVP_PKEY *key = test_key((enum test_key)k);

		if ((enum test_key)k != rfc4754[_i].key)
			ck_assert_int_ne(judge(key, rfc4754[_i].method, &rs, span_str("abc")), OK);
		for (uint8_t m = 0; m < 20; m++)
			if (m != rfc4754[_i].method || (enum test_key)k != rfc4754[_i].key)
				ck_assert_int_ne(judge(key, m, &rs, span_str("abc")), OK);
		EVP_PKEY_free(key);
	}
}
END_TEST

/* RFC 8032 7.1, test 3 */
START_TEST(ed25519_of_rfc_8032_holds)
{
	static const uint8_t message[] = { 0xaf, 0x82 };
	static const uint8_t other[] = { 0xaf, 0x83 };
	const struct hex auth =
		hex("07 300506032b6570"
		    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
		    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
	EVP_PKEY *key = test_key(KEY_ED25519);

	ck_assert_int_eq(judge(key, AUTH_SIGNATURE, &auth, span_of(message, 2)), OK);
	ck_assert_int_eq(judge(key, AUTH_SIGNATURE, &auth, span_of(other, 2)), ERR_AUTH);
	ck_assert_int_eq(judge(key, AUTH_SIGNATURE, &auth, span_of(message, 1)), ERR_AUTH);
	for (size_t i = 0; i < auth.len; i++) {
		struct hex bent = auth;

		bent.b[i] = (uint8_t)(bent.b[i] ^ 1 << i % 8);
		ck_assert_int_ne(judge(key, AUTH_SIGNATURE, &bent, span_of(message, 2)), OK);
	}
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(no_key_is_no_key)
{
	const struct hex rs = hex(rfc4754[0].rs);

	ck_assert_int_ne(judge(NULL, AUTH_SIGNATURE, &rs, span_str("abc")), OK);
	ck_assert_int_ne(judge(NULL, AUTH_ECDSA_256, &rs, span_str("abc")), OK);
}
END_TEST

UNIT("crypto/signature_verify")
{
	tcase_add_loop_test(tc, rsa_signatures_are_judged_as_the_vector_says, 0, N_SIG_VECTORS);
	tcase_add_loop_test(tc, rsa_signatures_with_one_bit_turned_are_refused, 0,
			    N_SIG_VECTORS_GOOD);
	tcase_add_loop_test(tc, an_auth_body_cut_anywhere_is_refused, 0, N_SIG_VECTORS_GOOD);
	tcase_add_loop_test(tc, garbage_is_refused, 0, FIRST_PUBLIC_KEY);
	tcase_add_loop_test(tc, ecdsa_of_rfc_4754_holds, 0, N_RFC4754);
	tcase_add_loop_test(tc, ecdsa_of_rfc_4754_bent_or_of_other_width_is_refused, 0, N_RFC4754);
	tcase_add_loop_test(tc, ecdsa_methods_belong_to_one_curve, 0, N_RFC4754);
	tcase_add_test(tc, ed25519_of_rfc_8032_holds);
	tcase_add_test(tc, no_key_is_no_key);
}
