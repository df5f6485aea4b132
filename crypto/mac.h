/* SPDX-License-Identifier: Apache-2.0 */
/* MACs with their key prepared once, over texts in parts: HMAC (RFC 2104), AES-CMAC (RFC 4493) and
 * AES-XCBC-MAC (RFC 3566). They stand under the PRFs, under the integrity transforms of packets,
 * and under the key that makes CBC's IVs.
 */
#ifndef CRYPTO_MAC_H
#define CRYPTO_MAC_H

#include "base/bytes.h"
#include "base/err.h"

enum mac_kind { BY_HMAC, BY_CMAC, BY_XCBC };

struct mac_algo {
	enum mac_kind kind;
	const char *name; /* OpenSSL's, of the digest or of the cipher */
	uint8_t len;	  /* of the whole output, before anybody cuts it */
};

extern const struct mac_algo hmac_sha256;

struct mac; /* keyed; not for two threads at once */

/* HMAC takes keys of any length, also none; CMAC and XCBC those of their cipher, else ERR_CRYPTO.
 * The caller frees what it gets, which wipes. */
MUST_USE enum err mac_new(const struct mac_algo *algo, struct span key, struct mac **out);
void mac_free(struct mac *m);

/* out[0..algo->len) = MAC(key, parts[0] | parts[1] | ...). May be called again and again: the key
 * stays. */
MUST_USE enum err mac_parts(struct mac *m, const struct span *parts, size_t n_parts, uint8_t *out);

#endif
