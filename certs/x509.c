/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates out of PEM, DER and CERT payloads, and their times. What they
 * prove: certs/proves.c. */
#include "certs/x509.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "crypto/ossl.h"

enum { CERT_DER_MAX = 16384 };

/* Answers of X509_check_ca that we take. Not 4 and 5: a keyUsage or a Netscape type alone. */
enum { CA_BY_CONSTRAINTS = 1, CA_VERSION_1 = 3 };

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
	BIO *bio = BIO_new_mem_buf(pem.len > 0 ? pem.p : (const void *)"",
				   pem.len <= INT32_MAX ? (int)pem.len : 0);
	bool whole;

	ERR_clear_error();
	whole = chain && bio && pem_read_all(bio, chain);
	ERR_clear_error();
	BIO_free(bio);
	if (whole && sk_X509_num(chain) > 0)
		return chain;
	if (!chain || !bio)
		snprintf(why, 256, "%s", err_text(ERR_NOMEM));
	else if (whole)
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
	const int kind = X509_check_ca(x);

	ERR_clear_error();
	return kind == CA_BY_CONSTRAINTS || kind == CA_VERSION_1;
}

/* Copies what is escaped already; what does not fit ends in "...", without half a character. */
static const char *text_cut(const char *text, char *buf, size_t size)
{
	static const char more[] = "...";
	size_t len = strlen(text);

	if (len < size) {
		snprintf(buf, size, "%s", text);
		return buf;
	}
	len = size > sizeof(more) ? size - sizeof(more) : 0;
	while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
		len--;
	snprintf(buf, size, "%.*s%s", (int)len, text, more);
	return buf;
}

/* As identities are shown, so that one name looks the same in every message. */
const char *x509_name_text(const X509_NAME *name, char *buf, size_t size)
{
	unsigned char *der = NULL;
	const int len = i2d_X509_NAME(name, &der);
	char text[IDENTITY_TEXT_MAX];
	struct identity id;

	if (len <= 0 || X509_NAME_entry_count(name) == 0)
		snprintf(text, sizeof(text), "nobody");
	else if (identity_from_wire(&id, ID_DER_ASN1_DN, span_of(der, (size_t)len)) == OK)
		identity_text(&id, text);
	else
		snprintf(text, sizeof(text), "a name of %d bytes", len);
	OPENSSL_free(der);
	ERR_clear_error();
	return text_cut(text, buf, size);
}

const char *x509_time_text(const ASN1_TIME *t, char buf[static TIME_TEXT_MAX])
{
	struct tm tm;

	if (!ossl_ok(ASN1_TIME_to_tm(t, &tm)) ||
	    strftime(buf, TIME_TEXT_MAX, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		snprintf(buf, TIME_TEXT_MAX, "an unreadable time");
	return buf;
}
