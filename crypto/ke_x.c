/* SPDX-License-Identifier: Apache-2.0 */
/* Curve25519 and Curve448 (RFC 7748, RFC 8031). All bytes are a private value: the function clamps
 * them. All bytes are a public value too; the few of small order give an all-zero secret, which is
 * refused.
 */
#include <openssl/evp.h>

#include "crypto/ke_ops.h"
#include "crypto/ossl.h"

static EVP_PKEY *x_private(const char *name, struct span priv)
{
	return EVP_PKEY_new_raw_private_key_ex(NULL, name, NULL, priv.p, priv.len);
}

static enum err x_public(const struct ke_group *g, const void *param, struct span priv,
			 uint8_t *pub)
{
	EVP_PKEY *key = x_private(param, priv);
	size_t len = g->public_len;
	bool good = key && ossl_ok(EVP_PKEY_get_raw_public_key(key, pub, &len));

	EVP_PKEY_free(key);
	return good && len == g->public_len ? OK : ossl_fail(ERR_CRYPTO);
}

static enum err x_share(const struct ke_group *g, const void *param, const struct span side[2],
			uint8_t *out)
{
	const struct span peer = side[KE_SIDE_PEER];
	EVP_PKEY *ours = x_private(param, side[KE_SIDE_PRIVATE]);
	EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key_ex(NULL, param, NULL, peer.p, peer.len);
	EVP_PKEY_CTX *ctx = ours ? EVP_PKEY_CTX_new_from_pkey(NULL, ours, NULL) : NULL;
	size_t len = g->secret_len;
	enum err e = ERR_CRYPTO;

	if (!ctx || !theirs || !ossl_ok(EVP_PKEY_derive_init(ctx)) ||
	    !ossl_ok(EVP_PKEY_derive_set_peer(ctx, theirs)))
		goto out;
	/* All that is left to go wrong is the peer's value: one of small order. */
	e = ossl_ok(EVP_PKEY_derive(ctx, out, &len)) && len == g->secret_len ? OK : ERR_KE_VALUE;
out:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(theirs);
	EVP_PKEY_free(ours);
	return e == OK ? OK : ossl_fail(e);
}

const struct ke_ops ke_x_ops = { .make_public = x_public, .share = x_share };
