/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC and CMAC are the library's; XCBC it does not have (mac_xcbc.c). */
#include "crypto/mac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "base/secret.h"
#include "crypto/mac_xcbc.h"
#include "crypto/ossl.h"

struct mac {
	const struct mac_algo *algo;
	EVP_MAC_CTX *evp;  /* HMAC, CMAC */
	struct xcbc *xcbc; /* XCBC */
};

const struct mac_algo hmac_sha256 = { BY_HMAC, "SHA256", 32 };

static enum err evp_new(struct mac *m, struct span key)
{
	const bool hmac = m->algo->kind == BY_HMAC;
	/* The library writes to nothing that a UTF-8 parameter points to; its interface only lacks
	 * the const. */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(hmac ? OSSL_MAC_PARAM_DIGEST
						      : OSSL_MAC_PARAM_CIPHER,
						 (char *)(uintptr_t)m->algo->name, 0),
		OSSL_PARAM_construct_end(),
	};
	static const uint8_t
		none[1]; /* a key without bytes is still a key: NULL would mean "the last one" */
	EVP_MAC *mac = EVP_MAC_fetch(NULL, hmac ? "HMAC" : "CMAC", NULL);

	m->evp = mac ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac); /* the context holds a reference */
	if (!m->evp || !ossl_ok(EVP_MAC_init(m->evp, key.len ? key.p : none, key.len, params)))
		return ossl_fail(ERR_CRYPTO);
	return OK;
}

static enum err evp_parts(struct mac *m, const struct span *parts, size_t n_parts, uint8_t *out)
{
	size_t len = 0;

	/* Without a key: starts again under the same one, from what the library made of it. */
	if (!ossl_ok(EVP_MAC_init(m->evp, NULL, 0, NULL)))
		return ossl_fail(ERR_CRYPTO);
	for (size_t i = 0; i < n_parts; i++)
		if (parts[i].len && !ossl_ok(EVP_MAC_update(m->evp, parts[i].p, parts[i].len)))
			return ossl_fail(ERR_CRYPTO);
	if (!ossl_ok(EVP_MAC_final(m->evp, out, &len, m->algo->len)) || len != m->algo->len)
		return ossl_fail(ERR_CRYPTO);
	return OK;
}

enum err mac_new(const struct mac_algo *algo, struct span key, struct mac **out)
{
	struct mac *m = calloc(1, sizeof(*m));
	enum err e;

	*out = NULL;
	if (!m)
		return ERR_NOMEM;
	m->algo = algo;
	e = algo->kind == BY_XCBC ? xcbc_new(algo->name, key, &m->xcbc) : evp_new(m, key);
	if (e != OK) {
		mac_free(m);
		return e;
	}
	*out = m;
	return OK;
}

void mac_free(struct mac *m)
{
	if (!m)
		return;
	EVP_MAC_CTX_free(m->evp);
	xcbc_free(m->xcbc);
	secret_free(m, sizeof(*m));
}

enum err mac_parts(struct mac *m, const struct span *parts, size_t n_parts, uint8_t *out)
{
	return m->xcbc ? xcbc_parts(m->xcbc, parts, n_parts, out)
		       : evp_parts(m, parts, n_parts, out);
}
