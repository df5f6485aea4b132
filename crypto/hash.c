/* SPDX-License-Identifier: Apache-2.0 */
/* The plain hashes of prf.h. SHA-1 stands here for NAT detection alone, where it protects nothing.
 */
#include <openssl/evp.h>

#include "crypto/ossl.h"
#include "crypto/prf.h"

static enum err hash_parts(const EVP_MD *md, const struct span *parts, size_t n_parts, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && ossl_ok(EVP_DigestInit_ex(ctx, md, NULL));

	for (size_t i = 0; good && i < n_parts; i++)
		good = parts[i].len == 0 ||
		       ossl_ok(EVP_DigestUpdate(ctx, parts[i].p, parts[i].len));
	good = good && ossl_ok(EVP_DigestFinal_ex(ctx, out, NULL));
	EVP_MD_CTX_free(ctx);
	return good ? OK : ossl_fail(ERR_CRYPTO);
}

enum err hash_sha1(const struct span *parts, size_t n_parts, uint8_t out[static 20])
{
	return hash_parts(EVP_sha1(), parts, n_parts, out);
}

enum err hash_sha256(const struct span *parts, size_t n_parts, uint8_t out[static 32])
{
	return hash_parts(EVP_sha256(), parts, n_parts, out);
}
