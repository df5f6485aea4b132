/* SPDX-License-Identifier: Apache-2.0 */
/* Diffie-Hellman: public values and shared secrets of each group. Pure functions: the private value
 * is the caller's random bytes, so that everything can be replayed. MODP by GMP (mpn_sec_powm), the
 * curves by OpenSSL. Public values are checked here, once, for every group (RFC 6989): length, 1 <
 * y < p-1, on the curve; an all-zero secret is refused (RFC 8031 5).
 */
#ifndef CRYPTO_KE_H
#define CRYPTO_KE_H

#include "base/err.h"
#include "base/secret.h"
#include "crypto/alg.h"

/* `priv` has private_len bytes; `pub` receives exactly public_len. ERR_KE_VALUE when the bytes make
 * no valid private value (a curve's scalar out of range: draw again). */
MUST_USE enum err ke_public(const struct ke_group *g, struct span priv, uint8_t *pub);
/* `secret` receives exactly secret_len bytes, leading zeros kept (RFC 7296 2.14). */
MUST_USE enum err ke_shared(const struct ke_group *g, struct span priv, struct span peer_pub,
			    uint8_t *secret);

#endif
