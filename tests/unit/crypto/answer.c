/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/crypto/answer.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <string.h>

int answer = ANSWER_NOT_OURS;
const char *answer_of;
size_t n_answered;

/* A question that the library answers by no has that answer: only a yes is turned. */
static int say(const char *name, bool ends, int real)
{
	if (answer == ANSWER_NOT_OURS || (answer_of ? strcmp(answer_of, name) != 0 : !ends))
		return real;
	if (answer_of && real != 1)
		return real;
	n_answered++;
	return answer;
}

/* The function does its work, whatever is answered, so that only the answer speaks. */
#define WRAP(ends, name, parameters, arguments)                   \
	int __real_##name parameters;                             \
	int __wrap_##name parameters;                             \
	int __wrap_##name parameters                              \
	{                                                         \
		return say(#name, ends, __real_##name arguments); \
	}

WRAP(true, EVP_DigestVerify,
     (EVP_MD_CTX * ctx, const unsigned char *sig, size_t siglen, const unsigned char *tbs,
      size_t n),
     (ctx, sig, siglen, tbs, n))
WRAP(true, EVP_DigestSign,
     (EVP_MD_CTX * ctx, unsigned char *sig, size_t *siglen, const unsigned char *tbs, size_t n),
     (ctx, sig, siglen, tbs, n))
WRAP(true, EVP_CipherFinal_ex, (EVP_CIPHER_CTX * ctx, unsigned char *out, int *len),
     (ctx, out, len))
WRAP(true, EVP_CipherUpdate,
     (EVP_CIPHER_CTX * ctx, unsigned char *out, int *len, const unsigned char *in, int n),
     (ctx, out, len, in, n))
WRAP(true, EVP_EncryptUpdate,
     (EVP_CIPHER_CTX * ctx, unsigned char *out, int *len, const unsigned char *in, int n),
     (ctx, out, len, in, n))
WRAP(true, EVP_MAC_final, (EVP_MAC_CTX * ctx, unsigned char *out, size_t *len, size_t size),
     (ctx, out, len, size))
WRAP(true, EVP_PKEY_derive, (EVP_PKEY_CTX * ctx, unsigned char *out, size_t *len), (ctx, out, len))
WRAP(true, EC_POINT_oct2point,
     (const EC_GROUP *g, EC_POINT *p, const unsigned char *b, size_t n, BN_CTX *ctx),
     (g, p, b, n, ctx))
WRAP(true, RAND_bytes, (unsigned char *buf, int num), (buf, num))
WRAP(false, EVP_CipherInit_ex2,
     (EVP_CIPHER_CTX * ctx, const EVP_CIPHER *c, const unsigned char *key, const unsigned char *iv,
      int enc, const OSSL_PARAM *p),
     (ctx, c, key, iv, enc, p))
WRAP(false, EVP_EncryptInit_ex2,
     (EVP_CIPHER_CTX * ctx, const EVP_CIPHER *c, const unsigned char *key, const unsigned char *iv,
      const OSSL_PARAM *p),
     (ctx, c, key, iv, p))
WRAP(false, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * ctx, int type, int arg, void *p),
     (ctx, type, arg, p))
WRAP(false, EVP_CIPHER_CTX_set_padding, (EVP_CIPHER_CTX * ctx, int pad), (ctx, pad))
WRAP(false, EVP_DigestInit_ex, (EVP_MD_CTX * ctx, const EVP_MD *md, ENGINE *e), (ctx, md, e))
WRAP(false, EVP_DigestUpdate, (EVP_MD_CTX * ctx, const void *d, size_t n), (ctx, d, n))
WRAP(false, EVP_DigestFinal_ex, (EVP_MD_CTX * ctx, unsigned char *out, unsigned int *n),
     (ctx, out, n))
WRAP(false, EVP_DigestSignInit_ex,
     (EVP_MD_CTX * ctx, EVP_PKEY_CTX **p, const char *md, OSSL_LIB_CTX *l, const char *q,
      EVP_PKEY *k, const OSSL_PARAM *o),
     (ctx, p, md, l, q, k, o))
WRAP(false, EVP_DigestVerifyInit_ex,
     (EVP_MD_CTX * ctx, EVP_PKEY_CTX **p, const char *md, OSSL_LIB_CTX *l, const char *q,
      EVP_PKEY *k, const OSSL_PARAM *o),
     (ctx, p, md, l, q, k, o))
WRAP(false, EVP_MAC_init,
     (EVP_MAC_CTX * ctx, const unsigned char *key, size_t n, const OSSL_PARAM *p), (ctx, key, n, p))
WRAP(false, EVP_MAC_update, (EVP_MAC_CTX * ctx, const unsigned char *d, size_t n), (ctx, d, n))
WRAP(false, EVP_PKEY_derive_init, (EVP_PKEY_CTX * ctx), (ctx))
WRAP(false, EVP_PKEY_derive_set_peer, (EVP_PKEY_CTX * ctx, EVP_PKEY *peer), (ctx, peer))
WRAP(false, EVP_PKEY_CTX_set_rsa_mgf1_md_name, (EVP_PKEY_CTX * ctx, const char *md, const char *q),
     (ctx, md, q))
WRAP(false, EVP_PKEY_CTX_set_rsa_padding, (EVP_PKEY_CTX * ctx, int pad), (ctx, pad))
WRAP(false, EVP_PKEY_CTX_set_rsa_pss_saltlen, (EVP_PKEY_CTX * ctx, int n), (ctx, n))
WRAP(false, EVP_PKEY_get_bn_param, (const EVP_PKEY *k, const char *name, BIGNUM **bn),
     (k, name, bn))
WRAP(false, EVP_PKEY_get_utf8_string_param,
     (const EVP_PKEY *k, const char *name, char *s, size_t max, size_t *n), (k, name, s, max, n))
WRAP(false, EVP_PKEY_get_raw_public_key, (const EVP_PKEY *k, unsigned char *pub, size_t *n),
     (k, pub, n))
WRAP(false, EC_POINT_mul,
     (const EC_GROUP *g, EC_POINT *r, const BIGNUM *n, const EC_POINT *q, const BIGNUM *m,
      BN_CTX *ctx),
     (g, r, n, q, m, ctx))
WRAP(false, EC_POINT_is_on_curve, (const EC_GROUP *g, const EC_POINT *p, BN_CTX *ctx), (g, p, ctx))
WRAP(false, EVP_PKEY_is_a, (const EVP_PKEY *k, const char *name), (k, name))

/* What takes over its arguments takes none when it fails. */
int __real_ECDSA_SIG_set0(ECDSA_SIG *sig, BIGNUM *r, BIGNUM *s);
int __wrap_ECDSA_SIG_set0(ECDSA_SIG *sig, BIGNUM *r, BIGNUM *s);
int __wrap_ECDSA_SIG_set0(ECDSA_SIG *sig, BIGNUM *r, BIGNUM *s)
{
	const int said = say("ECDSA_SIG_set0", false, 1);

	return said == 1 ? __real_ECDSA_SIG_set0(sig, r, s) : said;
}

const char *const answer_names[] = {
	"EVP_DigestVerify",
	"EVP_DigestSign",
	"EVP_CipherFinal_ex",
	"EVP_CipherUpdate",
	"EVP_EncryptUpdate",
	"EVP_MAC_final",
	"EVP_PKEY_derive",
	"EC_POINT_oct2point",
	"RAND_bytes",
	"EVP_CipherInit_ex2",
	"EVP_EncryptInit_ex2",
	"EVP_CIPHER_CTX_ctrl",
	"EVP_CIPHER_CTX_set_padding",
	"EVP_DigestInit_ex",
	"EVP_DigestUpdate",
	"EVP_DigestFinal_ex",
	"EVP_DigestSignInit_ex",
	"EVP_DigestVerifyInit_ex",
	"EVP_MAC_init",
	"EVP_MAC_update",
	"EVP_PKEY_derive_init",
	"EVP_PKEY_derive_set_peer",
	"EVP_PKEY_CTX_set_rsa_mgf1_md_name",
	"EVP_PKEY_CTX_set_rsa_padding",
	"EVP_PKEY_CTX_set_rsa_pss_saltlen",
	"EVP_PKEY_get_bn_param",
	"EVP_PKEY_get_utf8_string_param",
	"EVP_PKEY_get_raw_public_key",
	"EC_POINT_mul",
	"EC_POINT_is_on_curve",
	"EVP_PKEY_is_a",
	"ECDSA_SIG_set0",
	NULL,
};
