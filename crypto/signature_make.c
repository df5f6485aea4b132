/* SPDX-License-Identifier: Apache-2.0 */
/* Signing: the scheme is chosen by what the key is and by what the peer takes. Runs in the signer
 * alone. */
#include <openssl/ec.h>

#include "crypto/ossl.h"
#include "crypto/signature.h"
#include "crypto/signature_scheme.h"

struct sig_buf {
	size_t len;
	uint8_t b[SIG_MAX];
};

/* `scheme` is NULL for ECDSA's own methods, which need no setting up. */
static enum err sign(EVP_PKEY *key, const char *digest, const struct sig_scheme *scheme,
		     struct span octets, struct sig_buf *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	enum err e = ERR_CRYPTO;

	sig->len = sizeof(sig->b);
	if (!ctx || !ossl_ok(EVP_DigestSignInit_ex(ctx, &pctx, digest, NULL, NULL, key, NULL)))
		goto out;
	if (scheme && sig_scheme_set_up(scheme, pctx) != OK)
		goto out;
	if (ossl_ok(EVP_DigestSign(ctx, sig->b, &sig->len, octets.p, octets.len)))
		e = OK;
out:
	EVP_MD_CTX_free(ctx);
	return e == OK ? OK : ossl_fail(e);
}

/* RFC 7427 3: length of the AlgorithmIdentifier, the AlgorithmIdentifier, the signature. */
static enum err make_rfc7427(EVP_PKEY *key, const struct sig_scheme *scheme, struct span octets,
			     struct wr *auth)
{
	const struct span algid = sig_scheme_algid(scheme);
	struct sig_buf sig;
	enum err e = sign(key, scheme->digest, scheme, octets, &sig);

	if (e != OK)
		return e;
	wr_u8(auth, (uint8_t)algid.len);
	wr_span(auth, algid);
	wr_span(auth, span_of(sig.b, sig.len));
	return wr_ok(auth) ? OK : ERR_SPACE;
}

/* RFC 4754 7: r | s, each as wide as the curve's order, where the library gives a DER sequence. */
static enum err make_ecdsa(EVP_PKEY *key, const struct sig_curve *curve, struct span octets,
			   struct wr *auth)
{
	struct sig_buf sig;
	const uint8_t *der = sig.b;
	ECDSA_SIG *rs = NULL;
	uint8_t *out = wr_take(auth, 2u * curve->width);
	enum err e = out ? sign(key, curve->digest, NULL, octets, &sig) : ERR_SPACE;

	if (e != OK)
		return e;
	rs = d2i_ECDSA_SIG(NULL, &der, (long)sig.len);
	if (!rs || BN_bn2binpad(ECDSA_SIG_get0_r(rs), out, curve->width) != curve->width ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(rs), out + curve->width, curve->width) != curve->width)
		e = ossl_fail(ERR_CRYPTO);
	ECDSA_SIG_free(rs);
	return e;
}

enum err signature_make(EVP_PKEY *key, const struct job_sign *job, struct wr *auth, uint8_t *method,
			const char **scheme)
{
	const struct sig_scheme *s = NULL;
	const char *name;
	uint8_t chosen;
	struct sig_key k;
	enum err e = sig_key_judge(key, &k);

	*method = 0;
	*scheme = NULL;
	if (e != OK)
		return e;
	if (EVP_PKEY_get_size(key) > SIG_MAX)
		return ERR_SPACE;
	if (job->rfc7427)
		s = sig_scheme_choose(&k, job->hashes);
	if (s) {
		chosen = AUTH_SIGNATURE;
		name = s->name;
		e = make_rfc7427(key, s, job->octets, auth);
	} else if (k.curve) {
		chosen = k.curve->method;
		name = k.curve->name;
		e = make_ecdsa(key, k.curve, job->octets, auth);
	} else {
		return ERR_AUTH_METHOD; /* what is left for RSA is method 1, which means SHA-1 */
	}
	if (e != OK)
		return e;
	*method = chosen;
	*scheme = name;
	return OK;
}
