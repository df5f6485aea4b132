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

/* RFC 8032 7.4, those without a context */
static const struct {
	const char *key;
	const char *message;
	const char *sig;
} rfc8032_ed448[] = {
	{ "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46"
	  "c7061bd6783df1e50f6cd1fa1abeafe8256180",
	  "",
	  "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f62"
	  "8281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a9df63e006c5d1c2d345b925d"
	  "8dc00b4104852db99ac5c7cdda8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600" },
	{ "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb0074"
	  "2802b8438ea4cb82169c235160627b4c3a9480",
	  "03",
	  "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b9"
	  "81b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcec"
	  "bf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00" },
	{ "dcea9e78f35a1bf3499a831b10b86c90aac01cd84b67a0109b55a36e9328b1e365fce161d71c"
	  "e7131a543ea4cb5f7e9f1d8b00696447001400",
	  "0c3e544074ec63b0265e0c",
	  "1f0a8888ce25e8d458a21130879b840a9089d999aaba039eaf3e3afa090a09d389dba82c4ff2"
	  "ae8ac5cdfb7c55e94d5d961a29fe0109941e00b8dbdeea6d3b051068df7254c0cdc129cbe62d"
	  "b2dc957dbb47b51fd3f213fb8698f064774250a5028961c9bf8ffd973fe5d5c206492b140e00" },
	{ "3ba16da0c6f2cc1f30187740756f5e798d6bc5fc015d7c63cc9510ee3fd44adc24d8e968b6e4"
	  "6e6f94d19b945361726bd75e149ef09817f580",
	  "64a65f3cdedcdd66811e2915",
	  "7eeeab7c4e50fb799b418ee5e3197ff6bf15d43a14c34389b59dd1a7b1b85b4ae90438aca634"
	  "bea45e3a2695f1270f07fdcdf7c62b8efeaf00b45c2c96ba457eb1a8bf075a3db28e5c24f6b9"
	  "23ed4ad747c3c9e03c7079efb87cb110d3a99861e72003cbae6d6b8b827e4e6c143064ff3c00" },
	{ "b3da079b0aa493a5772029f0467baebee5a8112d9d3a22532361da294f7bb3815c5dc59e176b"
	  "4d9f381ca0938e13c6c07b174be65dfa578e80",
	  "64a65f3cdedcdd66811e2915e7",
	  "6a12066f55331b6c22acd5d5bfc5d71228fbda80ae8dec26bdd306743c5027cb4890810c162c"
	  "027468675ecf645a83176c0d7323a2ccde2d80efe5a1268e8aca1d6fbc194d3f77c44986eb4a"
	  "b4177919ad8bec33eb47bbb5fc6e28196fd1caf56b4e7e0ba5519234d047155ac727a1053100" },
	{ "df9705f58edbab802c7f8363cfe5560ab1c6132c20a9f1dd163483a26f8ac53a39d6808bf4a1"
	  "dfbd261b099bb03b3fb50906cb28bd8a081f00",
	  "bd0f6a3747cd561bdddf4640a332461a4a30a12a434cd0bf40d766d9c6d458e5512204a30c17"
	  "d1f50b5079631f64eb3112182da3005835461113718d1a5ef944",
	  "554bc2480860b49eab8532d2a533b7d578ef473eeb58c98bb2d0e1ce488a98b18dfde9b9b907"
	  "75e67f47d4a1c3482058efc9f40d2ca033a0801b63d45b3b722ef552bad3b4ccb667da350192"
	  "b61c508cf7b6b5adadc2c8d9a446ef003fb05cba5f30e88e36ec2703b349ca229c2670833900" },
};

enum { N_ED448 = sizeof(rfc8032_ed448) / sizeof(rfc8032_ed448[0]), HEAD_LEN = 8 };

static EVP_PKEY *ed448_key(const char *public)
{
	const struct hex raw = hex(public);
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED448, NULL, raw.b, raw.len);

	ck_assert_ptr_nonnull(key);
	return key;
}

static struct hex ed448_auth(const char *rs)
{
	const struct hex algid = hex("300506032b6571"), sig = hex(rs);

	return auth_body(hex_span(&algid), hex_span(&sig));
}

START_TEST(ed448_of_rfc_8032_holds)
{
	const struct hex auth = ed448_auth(rfc8032_ed448[_i].sig);
	const struct hex message = hex(rfc8032_ed448[_i].message);
	EVP_PKEY *key = ed448_key(rfc8032_ed448[_i].key);

	ck_assert_int_eq(judge(key, AUTH_SIGNATURE, &auth, hex_span(&message)), OK);
	ck_assert_int_eq(judge(key, AUTH_SIGNATURE, &auth, span_str("other")), ERR_AUTH);
	for (size_t i = 0; i < auth.len; i++) {
		struct hex bent = auth;

		bent.b[i] = (uint8_t)(bent.b[i] ^ 1 << i % 8);
		ck_assert_int_ne(judge(key, AUTH_SIGNATURE, &bent, hex_span(&message)), OK);
	}
	EVP_PKEY_free(key);
}
END_TEST

/* Little-endian, to the bytes from `at` on. */
static void add_at(struct hex *h, size_t at, const struct hex *n)
{
	unsigned int carry = 0;

	for (size_t i = 0; i < n->len; i++) {
		carry += (unsigned int)h->b[at + i] + n->b[i];
		h->b[at + i] = (uint8_t)carry;
		carry >>= 8;
	}
	ck_assert_uint_eq(carry, 0);
}

/* RFC 8032 5.1.7, 5.2.7: S has to be below the order. S + L satisfies the equation as well, and
 * would be a second signature, which the holder of the key never made. */
START_TEST(eddsa_refuses_s_above_the_order)
{
	const struct hex l25519 =
		hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
	const struct hex l448 = hex("f34458ab92c27823558fc58d72c26c219036d6ae49db4ec4e923ca7c"
				    "ffffffffffffffffffffffffffffffffffffffffffffffffffffff3f00");
	static const uint8_t message[] = { 0xaf, 0x82 };
	struct hex auth = hex("07 300506032b6570"
			      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
			      "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
	struct hex auth448 = ed448_auth(rfc8032_ed448[0].sig);
	EVP_PKEY *key = test_key(KEY_ED25519), *key448 = ed448_key(rfc8032_ed448[0].key);

	ck_assert_int_eq(judge(key, AUTH_SIGNATURE, &auth, span_of(message, 2)), OK);
	add_at(&auth, HEAD_LEN + 32, &l25519);
	ck_assert_int_eq(judge(key, AUTH_SIGNATURE, &auth, span_of(message, 2)), ERR_AUTH);
	ck_assert_int_eq(judge(key448, AUTH_SIGNATURE, &auth448, SPAN_EMPTY), OK);
	add_at(&auth448, HEAD_LEN + 57, &l448);
	ck_assert_int_eq(judge(key448, AUTH_SIGNATURE, &auth448, SPAN_EMPTY), ERR_AUTH);
	EVP_PKEY_free(key);
	EVP_PKEY_free(key448);
}
END_TEST

/* The orders of the curves of RFC 4754. */
static const char *const orders[N_RFC4754] = {
	"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
	"ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
	"581a0db248b0a77aecec196accc52973",
	"01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
	"51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
};

/* r | s with one of them replaced by 0, 1, n - 1, n, n + 1, all ones. */
START_TEST(ecdsa_refuses_r_and_s_out_of_range)
{
	const struct hex rs = hex(rfc4754[_i].rs), n = hex(orders[_i]);
	const size_t last = n.len - 1;
	EVP_PKEY *key = test_key(rfc4754[_i].key);

	ck_assert_uint_eq(rs.len, 2 * n.len);
	for (int k = 0; k < 12; k++) {
		struct hex bad = rs;
		uint8_t *half = bad.b + (k / 6 ? n.len : 0);

		memset(half, k % 6 == 5 ? 0xff : 0, n.len);
		if (k % 6 < 2)
			half[last] = (uint8_t)(k % 6);
		else if (k % 6 < 5)
			memcpy(half, n.b, n.len);
		if (k % 6 == 2)
			half[last]--;
		if (k % 6 == 4)
			half[last]++;
		ck_assert_int_eq(judge(key, rfc4754[_i].method, &bad, span_str("abc")), ERR_AUTH);
	}
	ck_assert_int_eq(judge(key, rfc4754[_i].method, &rs, span_str("abc")), OK);
	EVP_PKEY_free(key);
}
END_TEST

/* Method 14 carries the pair in DER (RFC 7427 A.3). The same two numbers written otherwise are no
 * signature. The first case is the right one, of RFC 4754 8.1. */
#define R256 "cb28e0999b9c7715fd0a80d8e47a77079716cbbf917dd72e97566ea1c066957c"
#define S256 "86fa3bb4e26cad5bf90b7f81899256ce7594bb1ea0c89212748bff3b3d5b0315"
static const struct {
	const char *name;
	enum err want;
	const char *der;
} ecdsa_ders[] = {
	{ "DER", OK, "3046 022100" R256 "022100" S256 },
	{ "r with a zero too many", ERR_AUTH, "3047 02220000" R256 "022100" S256 },
	{ "s with a zero too many", ERR_AUTH, "3047 022100" R256 "02220000" S256 },
	{ "r without its zero, so that it is negative", ERR_AUTH, "3045 0220" R256 "022100" S256 },
	{ "s without its zero, so that it is negative", ERR_AUTH, "3045 022100" R256 "0220" S256 },
	{ "length in the long form", ERR_AUTH, "308146 022100" R256 "022100" S256 },
	{ "length of r in the long form", ERR_AUTH, "3047 02812100" R256 "022100" S256 },
	{ "indefinite length", ERR_AUTH, "3080 022100" R256 "022100" S256 "0000" },
	{ "something behind it", ERR_AUTH, "3046 022100" R256 "022100" S256 "00" },
	{ "something in it behind s", ERR_AUTH, "3048 022100" R256 "022100" S256 "0500" },
	{ "a third number", ERR_AUTH, "3049 022100" R256 "022100" S256 "020101" },
	{ "r alone", ERR_AUTH, "3023 022100" R256 },
	{ "r in an octet string", ERR_AUTH, "3046 042100" R256 "022100" S256 },
	{ "a set", ERR_AUTH, "3146 022100" R256 "022100" S256 },
	{ "length one too long", ERR_AUTH, "3047 022100" R256 "022100" S256 },
	{ "length one too short", ERR_AUTH, "3045 022100" R256 "022100" S256 },
	{ "r | s bare, as for method 9", ERR_AUTH, R256 S256 },
	{ "r = 0", ERR_AUTH, "3026 020100 022100" S256 },
	{ "s = 0", ERR_AUTH, "3026 022100" R256 "020100" },
	{ "r of no bytes", ERR_AUTH, "3025 0200 022100" S256 },
	{ "r + n", ERR_AUTH,
	  "3046 022101cb28e0989b9c7716fd0a80d8e47a770753fdc66d389575b38b103964bcc9bacd 022100" S256 },
	{ "r = n", ERR_AUTH,
	  "3046 022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551 022100" S256 },
	{ "r = p", ERR_AUTH,
	  "3046 022100ffffffff00000001000000000000000000000000ffffffffffffffffffffffff 022100" S256 },
};

enum { N_ECDSA_DERS = sizeof(ecdsa_ders) / sizeof(ecdsa_ders[0]) };

START_TEST(ecdsa_has_one_encoding)
{
	const struct hex algid = hex("300a06082a8648ce3d040302"), sig = hex(ecdsa_ders[_i].der);
	const struct hex auth = auth_body(hex_span(&algid), hex_span(&sig));
	EVP_PKEY *key = test_key(KEY_ECDSA_256);
	const enum err e = judge(key, AUTH_SIGNATURE, &auth, span_str("abc"));

	ck_assert_msg(e == ecdsa_ders[_i].want, "%s: %s", ecdsa_ders[_i].name, err_slug(e));
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
	tcase_add_loop_test(tc, ed448_of_rfc_8032_holds, 0, N_ED448);
	tcase_add_test(tc, eddsa_refuses_s_above_the_order);
	tcase_add_loop_test(tc, ecdsa_refuses_r_and_s_out_of_range, 0, N_RFC4754);
	tcase_add_loop_test(tc, ecdsa_has_one_encoding, 0, N_ECDSA_DERS);
	tcase_add_test(tc, no_key_is_no_key);
}
