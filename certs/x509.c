/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates out of PEM, DER and CERT payloads, and their times. What they
 * prove: certs/proves.c. */
#include "certs/x509.h"

#include <openssl/pem.h>
#include <stdio.h>

#include "base/escape.h"
#include "crypto/ossl.h"

enum { CERT_DER_MAX = 16384 };

X509 *x509_from_der(struct span der)
{
	const unsigned char *p = der.p;
	X509 *x;

	if (der.len == 0 || der.len > CERT_DER_MAX)
		return NULL;
	x = d2i_X509(NULL, &p, (long)der.len);
	if (x && p == der.p + der.len)
		return x;
	X509_free(x);
	ERR_clear_error();
	return NULL;
}

static void chain_free(STACK_OF(X509) * chain)
{
	sk_X509_pop_free(chain, X509_free);
}

/* Takes over *x. */
static bool chain_push(STACK_OF(X509) * chain, X509 *x)
{
	if (x && sk_X509_push(chain, x) > 0)
		return true;
	X509_free(x);
	return false;
}

static bool pem_ended(void)
{
	unsigned long e = ERR_peek_last_error();

	return ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

/* Reads until there is no further start line; anything else that stops it is
 * damage. */
static bool pem_read_all(BIO *bio, STACK_OF(X509) * chain)
{
	X509 *x;

	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if (!chain_push(chain, x))
			return false;
	}
	return pem_ended();
}

STACK_OF(X509) * x509_from_pem(struct span pem, char why[static 256])
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	BIO *bio =
		pem.len > 0 && pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.p, (int)pem.len) : NULL;
	bool whole = chain && bio && pem_read_all(bio, chain);

	ERR_clear_error();
	BIO_free(bio);
	if (whole && sk_X509_num(chain) > 0)
		return chain;
	if (whole || !chain)
		snprintf(why, 256,
			 "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
	else
		snprintf(why, 256, "certificate %d in it is damaged", sk_X509_num(chain) + 1);
	chain_free(chain);
	return NULL;
}

STACK_OF(X509) * x509_from_chain(struct span s)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct rd r = rd_from(s);

	while (chain && rd_left(&r) > 0) {
		struct span der = rd_take(&r, rd_u16(&r));

		if (!rd_ok(&r) || sk_X509_num(chain) >= CHAIN_CERTS_MAX ||
		    !chain_push(chain, x509_from_der(der)))
			goto bad;
	}
	if (chain && sk_X509_num(chain) > 0)
		return chain;
bad:
	chain_free(chain);
	return NULL;
}

bool x509_is_ca(X509 *x)
{
	return X509_check_ca(x) > 0;
}

const char *x509_name_text(const X509_NAME *name, char *buf, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len = 0;

	/* ASN1_STRFLGS_ESC_CTRL leaves printable ASCII; what remains is escaped like
	 * all that a peer says. */
	if (bio &&
	    X509_NAME_print_ex(bio, name, 0,
			       XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | ASN1_STRFLGS_ESC_CTRL |
				       ASN1_STRFLGS_UTF8_CONVERT) > 0)
		len = BIO_get_mem_data(bio, &p);
	escape_peer(span_of(p, len > 0 ? (size_t)len : 0), buf, size);
	BIO_free(bio);
	ERR_clear_error();
	return buf;
}

const char *x509_time_text(const ASN1_TIME *t, char buf[static TIME_TEXT_MAX])
{
	struct tm tm;

	if (!ossl_ok(ASN1_TIME_to_tm(t, &tm)) ||
	    strftime(buf, TIME_TEXT_MAX, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		snprintf(buf, TIME_TEXT_MAX, "an unreadable time");
	return buf;
}
