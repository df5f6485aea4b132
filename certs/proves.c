/* SPDX-License-Identifier: Apache-2.0 */
/* Which identities a certificate proves. Names are compared whole and by length, so that a NUL
 * inside one, a shorter one, or a wildcard proves nothing; domains without regard to case (RFC
 * 4343), distinguished names by OpenSSL's canonical form. A common name is no domain: only a
 * subjectAltName proves one, because name constraints hold for those alone.
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

/* What stands in names of hosts: no wildcard, no dot at either end, nothing but letters, digits,
 * '-' and '_' between the dots. Anything else could be read by somebody as another name than by us,
 * or slip past a name constraint. */
static bool domain_is_plain(struct span s)
{
	bool dot = true; /* before the first label as after a dot */

	for (size_t i = 0; i < s.len; i++) {
		const uint8_t c = s.p[i], letter = c | 0x20;

		if (c == '.' && dot)
			return false;
		dot = c == '.';
		if (!dot && c != '-' && c != '_' && (c < '0' || c > '9') &&
		    (letter < 'a' || letter > 'z'))
			return false;
	}
	return !dot;
}

/* user@domain, with one '@'. */
static bool mailbox_is_plain(struct span s)
{
	const uint8_t *at = s.len > 0 ? memchr(s.p, '@', s.len) : NULL;
	const size_t user_len = at ? (size_t)(at - s.p) : 0;

	for (size_t i = 0; i < user_len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return user_len > 0 && domain_is_plain(span_tail(s, user_len + 1));
}

/* The general name as an identity; false for kinds that IKE has no identity for, and for what is no
 * name of its kind. */
static bool general_name_identity(const GENERAL_NAME *g, struct identity *id)
{
	struct span s;
	uint8_t type;

	switch (g->type) {
	case GEN_DNS:
		s = asn1_span(g->d.dNSName);
		if (!domain_is_plain(s))
			return false;
		type = ID_FQDN;
		break;
	case GEN_EMAIL:
		s = asn1_span(g->d.rfc822Name);
		if (!mailbox_is_plain(s))
			return false;
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

/* False for an empty name, and for one that is too long to be an identity. */
static bool name_identity(const X509_NAME *name, struct identity *id)
{
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(name, &der);
	bool fits =
		len > 2 && identity_from_wire(id, ID_DER_ASN1_DN, span_of(der, (size_t)len)) == OK;

	OPENSSL_free(der);
	ERR_clear_error();
	return fits;
}

static bool name_proves(const X509_NAME *name, const struct identity *id, struct identity *own)
{
	return id->type == ID_DER_ASN1_DN && name_eq(name, identity_span(id)) &&
	       name_identity(name, own);
}

static bool general_name_proves(const GENERAL_NAME *g, const struct identity *id,
				struct identity *own)
{
	if (g->type == GEN_DIRNAME)
		return name_proves(g->d.directoryName, id, own);
	return general_name_identity(g, own) && identity_eq(own, id);
}

static bool alt_name_proves(X509 *x, const struct identity *id, struct identity *own)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	bool proves = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !proves; i++)
		proves = general_name_proves(sk_GENERAL_NAME_value(names, i), id, own);
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return proves;
}

bool x509_proves_as(X509 *x, const struct identity *id, struct identity *own)
{
	const ASN1_OCTET_STRING *ski;

	if (id->type == ID_KEY_ID) {
		ski = X509_get0_subject_key_id(x);
		*own = *id;
		return ski && span_eq(asn1_span(ski), identity_span(id));
	}
	return name_proves(X509_get_subject_name(x), id, own) || alt_name_proves(x, id, own);
}

bool x509_proves(X509 *x, const struct identity *id)
{
	struct identity own;

	return x509_proves_as(x, id, &own);
}

static bool subject_identity(X509 *x, struct identity *id)
{
	return name_identity(X509_get_subject_name(x), id);
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

/* Adds as long as it fits with what says that there are more; false when it did not. */
static bool text_add(struct wr *w, const struct identity *id)
{
	char text[IDENTITY_TEXT_MAX];
	struct wr next = *w;

	if (wr_len(w) > 0)
		wr_span(&next, span_str(", "));
	wr_span(&next, span_str(identity_text(id, text)));
	if (!wr_ok(&next) || wr_left(&next) < sizeof(", ...")) {
		wr_span(w, span_str(wr_len(w) > 0 ? ", ..." : "a name that is too long to show"));
		return false;
	}
	*w = next;
	return true;
}

const char *x509_identities_text(X509 *x, char *buf, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	struct wr w = wr_into(buf, size);
	struct identity id;
	bool room = true;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && room; i++) {
		if (general_name_identity(sk_GENERAL_NAME_value(names, i), &id))
			room = text_add(&w, &id);
	}
	if (wr_len(&w) == 0 && subject_identity(x, &id))
		text_add(&w, &id);
	if (wr_len(&w) == 0)
		wr_span(&w, span_str("no identity at all"));
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	escape_end(&w);
	return buf;
}
