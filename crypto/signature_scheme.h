/* SPDX-License-Identifier: Apache-2.0 */
/* Which ways to sign there are, and which of them a key can: shared by signature_make.c and
 * signature_verify.c. */
#ifndef CRYPTO_SIGNATURE_SCHEME_H
#define CRYPTO_SIGNATURE_SCHEME_H

#include <openssl/evp.h>

#include "base/err.h"
#include "base/jobs.h"

/* RSA-PSS keys are RSA keys whose certificate forbids anything else (RFC 4055 1.2). */
enum sig_kind { SIG_RSA, SIG_RSA_PSS, SIG_ECDSA, SIG_ED25519, SIG_ED448 };

/* A curve with its own authentication method (RFC 4754). */
struct sig_curve {
	const char *group; /* OpenSSL's name */
	const char *digest;
	const char *name; /* of the method */
	uint32_t hash;	  /* SIGHASH_* */
	uint8_t method;	  /* enum auth_method */
	uint8_t width;	  /* bytes of r, and of s */
};

/* A row of RFC 7427. */
enum { ALGID_MAX = 72, ALGID_FORMS = 4 };
struct sig_scheme {
	enum sig_kind kind;
	const char *name;
	const char *digest; /* NULL: the algorithm hashes by itself */
	uint32_t hash;	    /* SIGHASH_* that the peer must have announced */
	uint8_t pss_salt;   /* bytes; 0: not PSS */
	/* AlgorithmIdentifiers in DER: the one that we send, then others that mean the same. */
	uint8_t algid[ALGID_FORMS][ALGID_MAX];
};

/* What a key is. */
struct sig_key {
	EVP_PKEY *key;
	enum sig_kind kind;
	const struct sig_curve *curve; /* ECDSA */
};

/* ERR_CERT_WEAK: RSA below 2048 bits, or numbers that are no RSA key at all; ERR_AUTH_METHOD: a
 * kind of key that we do not speak. */
MUST_USE enum err sig_key_judge(EVP_PKEY *key, struct sig_key *out);

/* May this key sign so? An ECDSA key never verifies for an RSA scheme (CVE-2020-16088). */
bool sig_scheme_fits(const struct sig_scheme *s, const struct sig_key *k);
/* The scheme whose AlgorithmIdentifier is exactly `algid`; NULL when there is none. */
const struct sig_scheme *sig_scheme_by_algid(struct span algid);
/* The scheme to sign by: the hash that suits the key when the peer takes it, else the strongest
 * common one. NULL when there is none. */
const struct sig_scheme *sig_scheme_choose(const struct sig_key *k, uint32_t hashes);
/* The AlgorithmIdentifier that we send. */
struct span sig_scheme_algid(const struct sig_scheme *s);

/* Sets padding, MGF1 and salt of an RSA scheme; nothing to do for others. */
MUST_USE enum err sig_scheme_set_up(const struct sig_scheme *s, EVP_PKEY_CTX *ctx);

#endif
