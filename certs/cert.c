/* SPDX-License-Identifier: Apache-2.0 */
/* Our own certificates, as CERT and CERTREQ payloads carry them (RFC
 * 7296 3.6, 3.7). */
#include "certs/cert.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "base/jobs.h"
#include "certs/x509.h"
#include "crypto/ossl.h"

static enum err chain_write(struct wr *w, X509 *x)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);

	if (len <= 0 || len > UINT16_MAX)
		return ossl_fail(ERR_CRYPTO);
	wr_u16(w, (uint16_t)len);
	wr_span(w, span_of(der, (size_t)len));
	OPENSSL_free(der);
	return OK;
}

/* Hands the bytes written so far over to the caller, or frees them. */
static enum err give(enum err e, struct wr *w, struct span *out)
{
	if (e == OK && !wr_ok(w))
		e = ERR_SPACE;
	*out = e == OK ? wr_done(w) : SPAN_EMPTY;
	if (e != OK)
		free(w->start);
	return e;
}

enum err cert_chain_from_pem(struct span pem, struct span *chain, char why[static 256])
{
	STACK_OF(X509) *certs = x509_from_pem(pem, why);
	uint8_t *buf = certs ? malloc(CERT_CHAIN_MAX) : NULL;
	struct wr w = wr_into(buf, buf ? CERT_CHAIN_MAX : 0);
	enum err e = OK;

	*chain = SPAN_EMPTY;
	if (!certs)
		return ERR_CONFIG;
	for (int i = 0; buf && i < sk_X509_num(certs) && e == OK; i++)
		e = chain_write(&w, sk_X509_value(certs, i));
	sk_X509_pop_free(certs, X509_free);
	return buf ? give(e, &w, chain) : ERR_NOMEM;
}

static enum err authority_write(struct wr *w, X509 *x)
{
	unsigned char *der = NULL, hash[SHA_DIGEST_LENGTH];
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	bool ok = len > 0 && EVP_Q_digest(NULL, "SHA1", NULL, der, (size_t)len, hash, NULL) == 1;

	OPENSSL_free(der);
	if (!ok)
		return ossl_fail(ERR_CRYPTO);
	wr_span(w, span_of(hash, sizeof(hash)));
	return OK;
}

enum err cert_authorities_from_pem(struct span pem, struct span *hashes, char why[static 256])
{
	STACK_OF(X509) *certs = x509_from_pem(pem, why);
	size_t size = certs ? (size_t)sk_X509_num(certs) * SHA_DIGEST_LENGTH : 0;
	uint8_t *buf = size > 0 ? malloc(size) : NULL;
	struct wr w = wr_into(buf, buf ? size : 0);
	enum err e = OK;

	*hashes = SPAN_EMPTY;
	if (!certs)
		return ERR_CONFIG;
	for (int i = 0; buf && i < sk_X509_num(certs) && e == OK; i++)
		e = authority_write(&w, sk_X509_value(certs, i));
	sk_X509_pop_free(certs, X509_free);
	return buf ? give(e, &w, hashes) : ERR_NOMEM;
}

bool cert_proves(struct span der, const struct identity *id)
{
	X509 *x = x509_from_der(der);
	bool proves = x && x509_proves(x, id);

	X509_free(x);
	return proves;
}
