/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of alg.h with what only this folder has to know about each: OpenSSL's names and the
 * operations. The tables stand in encr.c, integ.c, prf.c and ke.c; the index is for const tables
 * that name rows (suite.c).
 */
#ifndef CRYPTO_ROWS_H
#define CRYPTO_ROWS_H

#include "crypto/alg.h"
#include "crypto/ke_ops.h"
#include "crypto/mac.h"

/* clang-format off */
enum encr_index {
	AES256_GCM16, AES192_GCM16, AES128_GCM16, CHACHA20,
	AES256_CCM16, AES192_CCM16, AES128_CCM16,
	AES256_GCM12, AES192_GCM12, AES128_GCM12,
	AES256_CCM12, AES192_CCM12, AES128_CCM12,
	AES256_CBC, AES192_CBC, AES128_CBC,
	AES256_CTR, AES192_CTR, AES128_CTR,
	AES256_GCM8, AES192_GCM8, AES128_GCM8,
	AES256_CCM8, AES192_CCM8, AES128_CCM8,
	N_ENCR,
};
enum integ_index { MAC_SHA256, MAC_SHA384, MAC_SHA512, MAC_CMAC, MAC_XCBC, MAC_SHA1, N_INTEG };
enum prf_index { PRF_SHA384, PRF_SHA256, PRF_SHA512, PRF_CMAC, PRF_SHA1, N_PRF };
enum ke_index {
	X25519, X448,
	ECP384, ECP256, ECP521,
	BRAINPOOL256, BRAINPOOL384, BRAINPOOL512,
	MODP3072, MODP4096, MODP6144, MODP8192, MODP2048,
	N_KE,
};
/* clang-format on */

/* crypto/seal_ops.h */
struct seal_ops;
extern const struct seal_ops seal_aead_ops; /* GCM, ChaCha20-Poly1305 */
extern const struct seal_ops seal_ccm_ops;
extern const struct seal_ops seal_mac_ops; /* CBC or CTR, then MAC */

struct encr_impl {
	struct encr row;
	const char *cipher;
	const char *iv_cipher; /* CBC: the bare block cipher that makes IVs; else NULL */
	const struct seal_ops *ops;
};

struct integ_impl {
	struct integ row;
	struct mac_algo mac; /* of icv_len bytes and more, and cut to them */
};

struct prf_impl {
	struct prf row;
	struct mac_algo mac;
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
