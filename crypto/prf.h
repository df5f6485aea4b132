/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-random functions and prf+ (RFC 7296 2.13), and the plain hashes that IKE needs. */
#ifndef CRYPTO_PRF_H
#define CRYPTO_PRF_H

#include "base/err.h"
#include "base/secret.h"
#include "crypto/alg.h"

/* out = prf(key, parts[0] | parts[1] | ...); out->len = prf->len. Keys of any length. */
MUST_USE enum err prf_compute(const struct prf *prf, struct span key, const struct span *parts,
			      size_t n_parts, struct key *out);

/* prf+(key, seed parts): fills all that is left of `out`, at most 255 * prf->len bytes (ERR_LIMIT).
 * On failure nothing is written. */
MUST_USE enum err prf_plus(const struct prf *prf, struct span key, const struct span *parts,
			   size_t n_parts, struct wr *out);

/* SHA-1, for NAT_DETECTION hashes only (RFC 7296 2.23). */
MUST_USE enum err hash_sha1(const struct span *parts, size_t n_parts, uint8_t out[static 20]);
MUST_USE enum err hash_sha256(const struct span *parts, size_t n_parts, uint8_t out[static 32]);

#endif
