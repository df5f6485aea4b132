/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/ossl.h"

enum err hmac_new(const char *digest, struct span key, EVP_MAC_CTX **out)
{
	/* The library writes to nothing that a UTF-8 parameter points to; its interface only lacks
	 * the const. */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)digest,
						 0),
		OSSL_PARAM_construct_end(),
	};
	static const uint8_t
		none[1]; /* a key without bytes is still a key: NULL would mean "the last one" */
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac); /* ctx holds a reference */
	*out = NULL;
	if (!ctx || !ossl_ok(EVP_MAC_init(ctx, key.len ? key.p : none, key.len, params))) {
		EVP_MAC_CTX_free(ctx);
		return ossl_fail(ERR_CRYPTO);
	}
	*out = ctx;
	return OK;
}

enum err hmac_parts(EVP_MAC_CTX *ctx, const struct span *parts, size_t n_parts, uint8_t *out,
		    size_t out_len)
{
	size_t len = 0;

	/* Without a key: starts again under the same one, from the two digest states that hold it.
	 */
	if (!ossl_ok(EVP_MAC_init(ctx, NULL, 0, NULL)))
		return ossl_fail(ERR_CRYPTO);
	for (size_t i = 0; i < n_parts; i++)
		if (parts[i].len && !ossl_ok(EVP_MAC_update(ctx, parts[i].p, parts[i].len)))
			return ossl_fail(ERR_CRYPTO);
	if (!ossl_ok(EVP_MAC_final(ctx, out, &len, out_len)) || len != out_len)
		return ossl_fail(ERR_CRYPTO);
	return OK;
}
