/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of alg.h with what only this folder has to know about each: OpenSSL's names and the
 * operations. The tables stand in encr.c, integ.c, prf.c and ke.c; the index is for const tables
 * that name rows (suite.c).
 */
#ifndef CRYPTO_ROWS_H
#define CRYPTO_ROWS_H

#include "crypto/alg.h"
#include "crypto/ke_ops.h"

enum encr_index { AES256_GCM16, AES128_GCM16, CHACHA20, AES256_CBC, AES128_CBC, N_ENCR };
enum integ_index { MAC_SHA256, MAC_SHA384, MAC_SHA512, MAC_SHA1, N_INTEG };
enum prf_index { PRF_SHA384, PRF_SHA256, PRF_SHA512, PRF_SHA1, N_PRF };
enum ke_index { X25519, ECP384, ECP256, MODP3072, MODP4096, MODP2048, N_KE };

struct encr_impl {
	struct encr row;
	const char *cipher;
	const char *iv_cipher; /* CBC: the bare block cipher that makes IVs; NULL with AEAD */
};

struct integ_impl {
	struct integ row;
	const char *digest; /* of the HMAC; its output is key_len (RFC 4868 2.1.1) */
};

struct prf_impl {
	struct prf row;
	const char *digest; /* of the HMAC; its output is len */
};

struct ke_impl {
	struct ke_group row;
	const struct ke_ops *ops;
	const void *param; /* the group, as `ops` knows it */
};

extern const struct encr_impl encr_rows[N_ENCR];
extern const struct integ_impl integ_rows[N_INTEG];
extern const struct prf_impl prf_rows[N_PRF];
extern const struct ke_impl ke_rows[N_KE];

/* The row with its inside; NULL when it is none of ours. */
const struct encr_impl *encr_impl(const struct encr *encr);
const struct integ_impl *integ_impl(const struct integ *integ);

#endif
