/* SPDX-License-Identifier: Apache-2.0 */
/* Our own certificates, as CERT and CERTREQ payloads carry them (RFC 7296 3.6, 3.7). */
#include "certs/cert.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/jobs.h"
#include "certs/x509.h"
#include "crypto/ossl.h"

static enum err chain_write(struct wr *w, X509 *x)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);

	if (len <= 0 || len > UINT16_MAX) {
		OPENSSL_free(der);
		return ossl_fail(len > 0 ? ERR_SPACE : ERR_CRYPTO);
	}
	wr_u16(w, (uint16_t)len);
	wr_span(w, span_of(der, (size_t)len));
	OPENSSL_free(der);
	return OK;
}

/* Its start is NULL when there is no memory: `give` says so. */
static struct wr wr_new(size_t size)
{
	uint8_t *buf = malloc(size);

	return wr_into(buf, buf ? size : 0);
}

/* Hands the bytes written so far over to the caller, or frees them. */
static enum err give(enum err e, struct wr *w, struct span *out, char why[static 256])
{
	if (!w->start)
		e = ERR_NOMEM;
	else if (e == OK && !wr_ok(w))
		e = ERR_SPACE;
	if (e == OK) {
		*out = wr_done(w);
		return OK;
	}
	snprintf(why, 256, "%s",
		 e == ERR_SPACE ? "its certificates are larger than 64 KiB" : err_text(e));
	free(w->start);
	return e;
}

enum err cert_chain_from_pem(struct span pem, struct span *chain, char why[static 256])
{
	STACK_OF(X509) *certs = x509_from_pem(pem, why);
	struct wr w = { 0 };
	enum err e = OK;

	*chain = SPAN_EMPTY;
	if (!certs)
		return ERR_CONFIG;
	if (sk_X509_num(certs) > CHAIN_CERTS_MAX) {
		snprintf(why, 256, "it holds more than %d certificates", CHAIN_CERTS_MAX);
		sk_X509_pop_free(certs, X509_free);
		return ERR_CONFIG;
	}
	w = wr_new(CERT_CHAIN_MAX);
	for (int i = 0; w.start && i < sk_X509_num(certs) && e == OK; i++)
		e = chain_write(&w, sk_X509_value(certs, i));
	sk_X509_pop_free(certs, X509_free);
	return give(e, &w, chain, why);
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
	struct wr w = { 0 };
	enum err e = OK;
	size_t size;

	*hashes = SPAN_EMPTY;
	if (!certs)
		return ERR_CONFIG;
	size = (size_t)sk_X509_num(certs) * SHA_DIGEST_LENGTH;
	w = wr_new(size);
	for (int i = 0; w.start && i < sk_X509_num(certs) && e == OK; i++)
		e = authority_write(&w, sk_X509_value(certs, i));
	sk_X509_pop_free(certs, X509_free);
	return give(e, &w, hashes, why);
}

bool cert_proves(struct span der, const struct identity *id)
{
	X509 *x = x509_from_der(der);
	bool proves = x && x509_proves(x, id);

	X509_free(x);
	return proves;
}
