/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a sealer, between seal.c and the ways to protect: seal_aead.c, seal_ccm.c,
 * seal_mac.c. */
#ifndef CRYPTO_SEAL_OPS_H
#define CRYPTO_SEAL_OPS_H

#include <openssl/evp.h>

#include "crypto/rows.h"
#include "crypto/seal.h"

/* As OpenSSL's `enc` argument. */
enum seal_dir { SEAL_OPEN = 0, SEAL_CLOSE = 1 };

struct sealer {
	const struct encr_impl *encr;
	const struct integ *integ; /* NULL with AEAD */
	struct key key;		   /* without the salt */
	struct key salt;
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx[2]; /* by enum seal_dir; keyed, made when first used */
	EVP_CIPHER_CTX *iv;	/* CBC: makes IVs; made when first used */
	struct mac *mac;	/* keyed; NULL with AEAD */
};

struct seal_ops {
	/* What a context has to know before its key; NULL: nothing. */
	bool (*prepare)(EVP_CIPHER_CTX *ctx, const struct encr *encr);
	/* AEAD: the text goes through the cipher; opening, it judges the ICV, too. */
	bool (*run)(EVP_CIPHER_CTX *ctx, const struct seal_text *t);
	enum err (*seal)(struct sealer *s, const struct seal_text *t);
	enum err (*unseal)(struct sealer *s, const struct seal_text *t);
};

/* The context of one direction, keyed and waiting for `iv` of this packet. NULL when the library
 * refuses. */
EVP_CIPHER_CTX *sealer_begin(struct sealer *s, enum seal_dir dir, const uint8_t *iv);

/* Of all AEADs (seal_aead.c). */
enum err aead_seal(struct sealer *s, const struct seal_text *t);
enum err aead_unseal(struct sealer *s, const struct seal_text *t);

#endif
