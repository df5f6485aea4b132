/* SPDX-License-Identifier: Apache-2.0 */
/* Which identities a certificate proves. Names are compared whole and by
 * length, so that a NUL inside one, a shorter one, or a wildcard proves
 * nothing; domains without regard to case (RFC 4343), distinguished names by
 * OpenSSL's canonical form.
 */
#include <string.h>

#include "base/escape.h"
#include "certs/x509.h"
#include "crypto/ossl.h"

static struct span asn1_span(const ASN1_STRING *s)
{
	int len = ASN1_STRING_length(s);

	return span_of(ASN1_STRING_get0_data(s), len > 0 ? (size_t)len : 0);
}

static bool name_eq(const X509_NAME *name, struct span der)
{
	const unsigned char *p = der.p;
	X509_NAME *wanted = der.len > 0 ? d2i_X509_NAME(NULL, &p, (long)der.len) : NULL;
	bool eq = wanted && p == der.p + der.len && X509_NAME_entry_count(name) > 0 &&
		  X509_NAME_cmp(name, wanted) == 0;

	X509_NAME_free(wanted);
	ERR_clear_error();
	return eq;
}

/* The general name as an identity; false for kinds that IKE has no identity
 * for. */
static bool general_name_identity(const GENERAL_NAME *g, struct identity *id)
{
	struct span s;
	uint8_t type;

	switch (g->type) {
	case GEN_DNS:
		s = asn1_span(g->d.dNSName);
		type = ID_FQDN;
		break;
	case GEN_EMAIL:
		s = asn1_span(g->d.rfc822Name);
		type = ID_RFC822_ADDR;
		break;
	case GEN_IPADD:
		s = asn1_span(g->d.iPAddress);
		type = s.len == 4 ? ID_IPV4_ADDR : ID_IPV6_ADDR;
		break;
	default:
		return false;
	}
	return identity_from_wire(id, type, s) == OK;
}

static bool general_name_proves(const GENERAL_NAME *g, const struct identity *id)
{
	struct identity shown;

	if (g->type == GEN_DIRNAME)
		return id->type == ID_DER_ASN1_DN && name_eq(g->d.directoryName, identity_span(id));
	return general_name_identity(g, &shown) && identity_eq(&shown, id);
}

static bool alt_name_proves(X509 *x, const struct identity *id)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	bool proves = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !proves; i++)
		proves = general_name_proves(sk_GENERAL_NAME_value(names, i), id);
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return proves;
}

bool x509_proves(X509 *x, const struct identity *id)
{
	const ASN1_OCTET_STRING *ski;

	if (id->type == ID_KEY_ID) {
		ski = X509_get0_subject_key_id(x);
		return ski && span_eq(asn1_span(ski), identity_span(id));
	}
	if (id->type == ID_DER_ASN1_DN && name_eq(X509_get_subject_name(x), identity_span(id)))
		return true;
	return alt_name_proves(x, id);
}

static bool subject_identity(X509 *x, struct identity *id)
{
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(X509_get_subject_name(x), &der);
	bool fits =
		len > 2 && identity_from_wire(id, ID_DER_ASN1_DN, span_of(der, (size_t)len)) == OK;

	OPENSSL_free(der);
	ERR_clear_error();
	return fits;
}

void x509_first_identity(X509 *x, struct identity *id)
{
	static const int order[] = { GEN_DNS, GEN_IPADD, GEN_EMAIL };
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
			const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

			found = g->type == order[k] && general_name_identity(g, id);
		}
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	if (!found && !subject_identity(x, id))
		memset(id, 0, sizeof(*id));
}

static void text_add(struct wr *w, const struct identity *id)
{
	char text[IDENTITY_TEXT_MAX];

	if (wr_len(w) > 0)
		wr_span(w, span_str(", "));
	wr_span(w, span_str(identity_text(id, text)));
}

const char *x509_identities_text(X509 *x, char *buf, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	struct wr w = wr_into(buf, size);
	struct identity id;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		if (general_name_identity(sk_GENERAL_NAME_value(names, i), &id))
			text_add(&w, &id);
	}
	if (wr_len(&w) == 0 && subject_identity(x, &id))
		text_add(&w, &id);
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	escape_end(&w);
	return buf;
}
