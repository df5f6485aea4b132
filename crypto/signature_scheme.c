/* SPDX-License-Identifier: Apache-2.0 */
/* The schemes of RFC 7427 as rows, and what keys may be used with them.
 *
 * An AlgorithmIdentifier is compared as bytes with those that we know and never parsed: PSS
 * parameters that nobody compares have been a source of overflows and of forgeries (CVE-2021-41990,
 * CVE-2018-16151).
 */
#include "crypto/signature_scheme.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <string.h>

#include "crypto/ossl.h"

/* Beyond these OpenSSL would work for long on a stranger's numbers, or none at all. */
enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192 };

/* clang-format off */
/* DER. SHA2-256, -384, -512 are 2.16.840.1.101.3.4.2.1 to .3. */
#define OID_SHA2(n) 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, n
#define OID_PKCS1(n) 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n
#define DER_NULL 0x05, 0x00

/* RSASSA-PSS-params (RFC 4055 3.1). RFC 4055 2.1 lets the parameters of a hash be NULL or absent,
 * and the trailer, being the default, must be absent in DER, but is there in RFC 7427 A.4.3. */
#define PSS_SALT(n) 0xa2, 0x03, 0x02, 0x01, n
#define PSS_TRAILER 0xa3, 0x03, 0x02, 0x01, 0x01
#define PSS_NULL(n) \
	0xa0, 0x0f, 0x30, 0x0d, OID_SHA2(n), DER_NULL, \
	0xa1, 0x1c, 0x30, 0x1a, OID_PKCS1(0x08), 0x30, 0x0d, OID_SHA2(n), DER_NULL
#define PSS_BARE(n) \
	0xa0, 0x0d, 0x30, 0x0b, OID_SHA2(n), \
	0xa1, 0x1a, 0x30, 0x18, OID_PKCS1(0x08), 0x30, 0x0b, OID_SHA2(n)
#define PSS_FORMS(n, salt) { \
	{ 0x30, 0x41, OID_PKCS1(0x0a), 0x30, 0x34, PSS_NULL(n), PSS_SALT(salt) }, \
	{ 0x30, 0x46, OID_PKCS1(0x0a), 0x30, 0x39, PSS_NULL(n), PSS_SALT(salt), PSS_TRAILER }, \
	{ 0x30, 0x3d, OID_PKCS1(0x0a), 0x30, 0x30, PSS_BARE(n), PSS_SALT(salt) }, \
	{ 0x30, 0x42, OID_PKCS1(0x0a), 0x30, 0x35, PSS_BARE(n), PSS_SALT(salt), PSS_TRAILER } }

/* RFC 4055 5: the NULL has to be there, and its absence has to be accepted. */
#define RSA_FORMS(n) { \
	{ 0x30, 0x0d, OID_PKCS1(n), DER_NULL }, \
	{ 0x30, 0x0b, OID_PKCS1(n) } }

/* RFC 5758 3.2: the parameters must be absent; some send NULL. */
#define ECDSA_OID(n) 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, n
#define ECDSA_FORMS(n) { \
	{ 0x30, 0x0a, ECDSA_OID(n) }, \
	{ 0x30, 0x0c, ECDSA_OID(n), DER_NULL } }

/* The strongest hash of each kind first, and PSS before PKCS #1 v1.5, which so is only taken and
 * never chosen. */
static const struct sig_scheme schemes[] = {
	{ SIG_RSA_PSS, "RSA-PSS with SHA2-512", "SHA512", SIGHASH_SHA2_512, 64, PSS_FORMS(3, 64) },
	{ SIG_RSA_PSS, "RSA-PSS with SHA2-384", "SHA384", SIGHASH_SHA2_384, 48, PSS_FORMS(2, 48) },
	{ SIG_RSA_PSS, "RSA-PSS with SHA2-256", "SHA256", SIGHASH_SHA2_256, 32, PSS_FORMS(1, 32) },
	{ SIG_RSA, "RSA PKCS #1 with SHA2-512", "SHA512", SIGHASH_SHA2_512, 0, RSA_FORMS(0x0d) },
	{ SIG_RSA, "RSA PKCS #1 with SHA2-384", "SHA384", SIGHASH_SHA2_384, 0, RSA_FORMS(0x0c) },
	{ SIG_RSA, "RSA PKCS #1 with SHA2-256", "SHA256", SIGHASH_SHA2_256, 0, RSA_FORMS(0x0b) },
	{ SIG_ECDSA, "ECDSA with SHA2-512", "SHA512", SIGHASH_SHA2_512, 0, ECDSA_FORMS(4) },
	{ SIG_ECDSA, "ECDSA with SHA2-384", "SHA384", SIGHASH_SHA2_384, 0, ECDSA_FORMS(3) },
	{ SIG_ECDSA, "ECDSA with SHA2-256", "SHA256", SIGHASH_SHA2_256, 0, ECDSA_FORMS(2) },
	{ SIG_ED25519, "Ed25519", NULL, SIGHASH_IDENTITY, 0,
	  { { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 } } },	/* RFC 8420 A.1 */
	{ SIG_ED448, "Ed448", NULL, SIGHASH_IDENTITY, 0,
	  { { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x71 } } },	/* A.2 */
};
/* clang-format on */

enum { N_SCHEMES = sizeof(schemes) / sizeof(schemes[0]) };

static const struct sig_curve curves[] = {
	{ "prime256v1", "SHA256", "ECDSA-256 with SHA2-256", SIGHASH_SHA2_256, AUTH_ECDSA_256, 32 },
	{ "secp384r1", "SHA384", "ECDSA-384 with SHA2-384", SIGHASH_SHA2_384, AUTH_ECDSA_384, 48 },
	{ "secp521r1", "SHA512", "ECDSA-521 with SHA2-512", SIGHASH_SHA2_512, AUTH_ECDSA_521, 66 },
};

static const struct sig_curve *curve_of(EVP_PKEY *key)
{
	char group[32];
	size_t len = 0;

	if (!ossl_ok(EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group,
						    sizeof(group), &len)))
		return NULL;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (strcmp(curves[i].group, group) == 0)
			return &curves[i];
	return NULL;
}

/* 2048 bits and more, and numbers that can be an RSA key's at all: an even modulus or an exponent
 * of 0 or 1 have crashed others or let anybody sign (CVE-2017-9022, CVE-2026-14957). */
static enum err rsa_judge(EVP_PKEY *key)
{
	BIGNUM *n = NULL, *e = NULL;
	enum err verdict = ERR_CERT_WEAK;

	if (ossl_ok(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n)) &&
	    ossl_ok(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e)) &&
	    BN_num_bits(n) >= RSA_BITS_MIN && BN_num_bits(n) <= RSA_BITS_MAX && BN_is_odd(n) &&
	    BN_is_odd(e) && !BN_is_one(e) && BN_cmp(e, n) < 0)
		verdict = OK;
	BN_free(n);
	BN_free(e);
	return verdict;
}

enum err sig_key_judge(EVP_PKEY *key, struct sig_key *out)
{
	enum err e = OK;

	*out = (struct sig_key){ .key = key };
	if (!key)
		return ERR_AUTH_METHOD;
	if (ossl_ok(EVP_PKEY_is_a(key, "RSA"))) {
		out->kind = SIG_RSA;
		e = rsa_judge(key);
	} else if (ossl_ok(EVP_PKEY_is_a(key, "RSA-PSS"))) {
		out->kind = SIG_RSA_PSS;
		e = rsa_judge(key);
	} else if (ossl_ok(EVP_PKEY_is_a(key, "EC"))) {
		out->kind = SIG_ECDSA;
		out->curve = curve_of(key);
		e = out->curve ? OK : ERR_AUTH_METHOD;
	} else if (ossl_ok(EVP_PKEY_is_a(key, "ED25519"))) {
		out->kind = SIG_ED25519;
	} else if (ossl_ok(EVP_PKEY_is_a(key, "ED448"))) {
		out->kind = SIG_ED448;
	} else {
		e = ERR_AUTH_METHOD;
	}
	return e == OK ? OK : ossl_fail(e);
}

bool sig_scheme_fits(const struct sig_scheme *s, const struct sig_key *k)
{
	if (s->kind == k->kind)
		return true;
	return s->kind == SIG_RSA_PSS && k->kind == SIG_RSA;
}

/* All are below 128 bytes: the second byte is the length of what follows. */
static struct span der_span(const uint8_t der[static ALGID_MAX])
{
	return der[0] ? span_of(der, 2u + der[1]) : SPAN_EMPTY;
}

const struct sig_scheme *sig_scheme_by_algid(struct span algid)
{
	for (size_t i = 0; algid.len && i < N_SCHEMES; i++)
		for (size_t form = 0; form < ALGID_FORMS; form++)
			if (span_eq(algid, der_span(schemes[i].algid[form])))
				return &schemes[i];
	return NULL;
}

struct span sig_scheme_algid(const struct sig_scheme *s)
{
	return der_span(s->algid[0]);
}

const struct sig_scheme *sig_scheme_choose(const struct sig_key *k, uint32_t hashes)
{
	/* A longer hash than the key is strong adds nothing. */
	const uint32_t suits = k->curve ? k->curve->hash : SIGHASH_SHA2_256;

	if (k->kind != SIG_ED25519 && k->kind != SIG_ED448 && (hashes & suits))
		hashes = suits;
	for (size_t i = 0; i < N_SCHEMES; i++)
		if ((schemes[i].hash & hashes) && sig_scheme_fits(&schemes[i], k))
			return &schemes[i];
	return NULL;
}

enum err sig_scheme_set_up(const struct sig_scheme *s, EVP_PKEY_CTX *ctx)
{
	const int padding = s->pss_salt ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;

	if (s->kind != SIG_RSA && s->kind != SIG_RSA_PSS)
		return OK;
	if (!ossl_ok(EVP_PKEY_CTX_set_rsa_padding(ctx, padding)))
		return ERR_CRYPTO;
	if (!s->pss_salt)
		return OK;
	if (!ossl_ok(EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, s->digest, NULL)) ||
	    !ossl_ok(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, s->pss_salt)))
		return ERR_CRYPTO;
	return OK;
}
