/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind of Diffie-Hellman group has to be able to do, between ke.c (rows and what is checked
 * for all of them) and ke_modp.c, ke_ecp.c, ke_x.c.
 */
#ifndef CRYPTO_KE_OPS_H
#define CRYPTO_KE_OPS_H

#include <openssl/types.h>

#include "base/err.h"
#include "crypto/alg.h"

/* All lengths have been checked by ke.c. `param` is the group, as its kind knows it. */
struct ke_ops {
	enum err (*make_public)(const struct ke_group *g, const void *param, struct span priv,
				uint8_t *pub);
	/* `out` has secret_len bytes and is wiped by the caller when this fails. */
	enum err (*share)(const struct ke_group *g, const void *param, const struct span side[2],
			  uint8_t *out);
};

/* side[]: our private value, the peer's public one. */
enum { KE_SIDE_PRIVATE, KE_SIDE_PEER };

extern const struct ke_ops ke_modp_ops; /* param: struct modp */
extern const struct ke_ops ke_ecp_ops;	/* param: struct ecp */
extern const struct ke_ops ke_x_ops;	/* param: OpenSSL's name of the curve */

struct modp {
	BIGNUM *(*prime)(BIGNUM *room); /* OpenSSL's; of public_len bytes, and the generator is 2 */
};

struct ecp {
	int nid;     /* OpenSSL's number of the curve */
	uint8_t top; /* bits of a private value's first byte that count */
};

#endif
