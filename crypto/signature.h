/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of IKE_AUTH: RFC 7427 (method 14: RSA-PSS, RSA PKCS #1 v1.5, ECDSA, Ed25519, Ed448),
 * and the ECDSA methods 9 to 11 of RFC 4754. RSA method 1 means SHA-1 and is refused here both
 * ways: a job carries no permission for it. Keys are OpenSSL's; used by the signer (sign) and the
 * verifier (verify), which are different processes.
 */
#ifndef CRYPTO_SIGNATURE_H
#define CRYPTO_SIGNATURE_H

#include <openssl/evp.h>

#include "base/err.h"
#include "base/jobs.h"

/* Picks the best scheme that the key, the peer's hashes (SIGHASH_*) and `rfc7427` allow, signs
 * `octets`, and writes the AUTH body (for method 14: one length byte, AlgorithmIdentifier,
 * signature). *scheme is a const text "ECDSA with SHA2-256". ERR_AUTH_METHOD: no scheme is common;
 * ERR_CERT_WEAK: RSA under 2048 bits; ERR_SPACE: `auth` is too small. *method is 0 and *scheme NULL
 * on every failure. */
MUST_USE enum err signature_make(EVP_PKEY *key, const struct job_sign *job, struct wr *auth,
				 uint8_t *method, const char **scheme);

/* Judges an AUTH body made by `key`. Refuses SHA-1, unknown or malformed AlgorithmIdentifiers, PSS
 * parameters other than (hash, MGF1 of the same hash, salt = hash length), RSA under 2048 bits,
 * keys of another kind than the scheme: ERR_CERT_WEAK, ERR_AUTH_METHOD or ERR_AUTH. *scheme is NULL
 * on every failure. */
MUST_USE enum err signature_verify(EVP_PKEY *key, uint8_t method, struct span auth,
				   struct span octets, const char **scheme);

#endif
