/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC (RFC 2104) with its key prepared once, over texts in parts: under the PRFs, under the
 * integrity transforms of packets, and under the key that makes CBC's IVs.
 */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/err.h"

/* A context keyed with `key` (of any length, also none). The caller frees it: EVP_MAC_CTX_free
 * wipes. */
MUST_USE enum err hmac_new(const char *digest, struct span key, EVP_MAC_CTX **out);

/* out[0..out_len) = HMAC(key, parts[0] | parts[1] | ...), out_len being the digest's whole length.
 * May be called again and again: the key stays. */
MUST_USE enum err hmac_parts(EVP_MAC_CTX *ctx, const struct span *parts, size_t n_parts,
			     uint8_t *out, size_t out_len);

#endif
