/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying what a peer signed. Everything but one exact yes of the library is a no; the
 * out-parameter stays NULL with it, so that nothing of an unproven peer is carried on. Runs in the
 * verifier alone.
 */
#include <openssl/ec.h>

#include "crypto/ossl.h"
#include "crypto/signature.h"
#include "crypto/signature_scheme.h"

enum { ECDSA_DER_MAX = 160 }; /* two integers of 66 bytes and a sign byte, with their heads */

/* `scheme` is NULL for ECDSA's own methods. */
static enum err verify(EVP_PKEY *key, const char *digest, const struct sig_scheme *scheme,
		       struct span sig, struct span octets)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	enum err e = ERR_CRYPTO;

	if (!ctx || !ossl_ok(EVP_DigestVerifyInit_ex(ctx, &pctx, digest, NULL, NULL, key, NULL)))
		goto out;
	if (scheme && sig_scheme_set_up(scheme, pctx) != OK)
		goto out;
	e = ossl_ok(EVP_DigestVerify(ctx, sig.p, sig.len, octets.p, octets.len)) ? OK : ERR_AUTH;
out:
	EVP_MD_CTX_free(ctx);
	return e == OK ? OK : ossl_fail(e);
}

/* RFC 7427 3 */
static enum err verify_rfc7427(const struct sig_key *k, struct span auth, struct span octets,
			       const char **name)
{
	struct rd r = rd_from(auth);
	const struct span algid = rd_take(&r, rd_u8(&r));
	const struct span sig = rd_rest(&r);
	const struct sig_scheme *s = sig_scheme_by_algid(algid);

	if (!rd_end(&r) || algid.len == 0 || sig.len == 0)
		return ERR_AUTH;
	if (!s || !sig_scheme_fits(s, k))
		return ERR_AUTH_METHOD;
	*name = s->name;
	return verify(k->key, s->digest, s, sig, octets);
}

/* r | s of fixed width (RFC 4754 7) to the DER that the library wants; empty when there is no such
 * pair. */
static size_t ecdsa_der(const struct sig_curve *curve, struct span auth,
			uint8_t der[static ECDSA_DER_MAX])
{
	struct rd rd = rd_from(auth);
	const struct span r = rd_take(&rd, curve->width);
	const struct span s = rd_take(&rd, curve->width);
	ECDSA_SIG *rs = rd_end(&rd) ? ECDSA_SIG_new() : NULL;
	BIGNUM *bn_r = BN_bin2bn(r.p, (int)r.len, NULL);
	BIGNUM *bn_s = BN_bin2bn(s.p, (int)s.len, NULL);
	int len = 0;

	if (rs && bn_r && bn_s && ossl_ok(ECDSA_SIG_set0(rs, bn_r, bn_s))) {
		bn_r = bn_s = NULL; /* now rs has them */
		if (i2d_ECDSA_SIG(rs, NULL) <= ECDSA_DER_MAX)
			len = i2d_ECDSA_SIG(rs, &der);
	}
	BN_free(bn_r);
	BN_free(bn_s);
	ECDSA_SIG_free(rs);
	return len > 0 ? (size_t)len : 0;
}

static enum err verify_ecdsa(const struct sig_key *k, struct span auth, struct span octets,
			     const char **name)
{
	uint8_t der[ECDSA_DER_MAX];
	const size_t len = ecdsa_der(k->curve, auth, der);

	if (len == 0)
		return ossl_fail(ERR_AUTH);
	*name = k->curve->name;
	return verify(k->key, k->curve->digest, NULL, span_of(der, len), octets);
}

enum err signature_verify(EVP_PKEY *key, uint8_t method, struct span auth, struct span octets,
			  const char **scheme)
{
	const char *name = NULL;
	struct sig_key k;
	enum err e = sig_key_judge(key, &k);

	*scheme = NULL;
	if (e != OK)
		return e;
	if (method == AUTH_SIGNATURE)
		e = verify_rfc7427(&k, auth, octets, &name);
	else if (k.curve && k.curve->method == method)
		e = verify_ecdsa(&k, auth, octets, &name);
	else
		e = ERR_AUTH_METHOD; /* method 1 is SHA-1; 9 to 11 belong to one curve each */
	if (e == OK)
		*scheme = name;
	return e;
}
