/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguished names from text and back. The splitting is ours, attribute names and string types
 * are OpenSSL's, so that certs/ can compare what comes out with the subject of a certificate by
 * X509_NAME_cmp.
 */
#include "conf/dn.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

#include "base/escape.h"

enum { DN_VALUE_MAX = 256, DN_TYPE_MAX = 64 };

/* One attribute of the text: where we are, and what was read. */
struct dn_reader {
	const char *p;
	char type[DN_TYPE_MAX];
	char value[DN_VALUE_MAX];
	size_t value_len;
	bool joined; /* `+` stood before it: it belongs to the RDN before */
};

static void skip_spaces(struct dn_reader *r)
{
	r->p += strspn(r->p, " ");
}

static bool read_type(struct dn_reader *r)
{
	size_t n;

	skip_spaces(r);
	n = strcspn(r->p, "= ,+\"\\");
	if (n == 0 || n >= sizeof(r->type))
		return false;
	memcpy(r->type, r->p, n);
	r->type[n] = '\0';
	r->p += n;
	skip_spaces(r);
	if (*r->p != '=')
		return false;
	r->p++;
	skip_spaces(r);
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Behind a backslash. A byte 0 is refused: it would end the value for whoever prints it
 * (CVE-2009-2408). */
static bool read_escaped(struct dn_reader *r, char *c)
{
	if (hex_digit(r->p[0]) >= 0 && hex_digit(r->p[1]) >= 0) {
		*c = (char)(hex_digit(r->p[0]) << 4 | hex_digit(r->p[1]));
		r->p += 2;
		return *c != '\0';
	}
	*c = *r->p;
	if (*c == '\0')
		return false;
	r->p++;
	return true;
}

static bool read_value(struct dn_reader *r)
{
	bool quoted = false;
	size_t kept = 0; /* up to here spaces at the end were written on purpose */

	r->value_len = 0;
	while (*r->p && (quoted || !strchr(",+", *r->p))) {
		char c = *r->p++;
		bool escaped;

		if (c == '"') {
			quoted = !quoted;
			kept = r->value_len;
			continue;
		}
		escaped = c == '\\';
		if (escaped && !read_escaped(r, &c))
			return false;
		if (r->value_len == sizeof(r->value))
			return false;
		r->value[r->value_len++] = c;
		if (c != ' ' || quoted || escaped)
			kept = r->value_len;
	}
	r->value_len = kept;
	return !quoted && kept > 0;
}

static enum err attribute_add(X509_NAME *name, struct dn_reader *r, char why[static 256])
{
	ASN1_OBJECT *type = OBJ_txt2obj(r->type, 0);

	if (!type) {
		snprintf(why, 256,
			 "`%s` is no attribute: CN, O, OU, C, L, ST, DC, emailAddress, or an OID",
			 r->type);
		return ERR_CONFIG;
	}
	ASN1_OBJECT_free(type);
	if (X509_NAME_add_entry_by_txt(name, r->type, MBSTRING_UTF8,
				       (const unsigned char *)r->value, (int)r->value_len, -1,
				       r->joined ? -1 : 0) == 1)
		return OK;
	snprintf(why, 256,
		 "%s cannot have this value: too long, or a character that it may not hold",
		 r->type);
	return ERR_CONFIG;
}

static enum err name_read(X509_NAME *name, const char *text, char why[static 256])
{
	struct dn_reader r = { .p = text };
	enum err e = OK;

	while (e == OK) {
		if (!read_type(&r) || !read_value(&r)) {
			snprintf(
				why, 256,
				"wanted is TYPE=VALUE, TYPE=VALUE: \"C=XX, O=Example, CN=gw.example.org\"");
			return ERR_CONFIG;
		}
		e = attribute_add(name, &r, why);
		if (!*r.p)
			break;
		r.joined = *r.p++ == '+';
	}
	return e;
}

static enum err name_encode(const X509_NAME *name, struct identity *id, char why[static 256])
{
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(name, &der);
	enum err e;

	if (len <= 0)
		return ERR_CRYPTO;
	e = identity_from_wire(id, ID_DER_ASN1_DN, span_of(der, (size_t)len));
	OPENSSL_free(der);
	if (e != OK)
		snprintf(why, 256, "the name is longer than %d bytes", IDENTITY_MAX);
	return e == OK ? OK : ERR_CONFIG;
}

enum err dn_from_text(const char *text, struct identity *id, char why[static 256])
{
	X509_NAME *name = X509_NAME_new();
	enum err e;

	*id = (struct identity){ .type = ID_NONE };
	why[0] = '\0';
	if (!name)
		return ERR_NOMEM;
	e = name_read(name, text, why);
	if (e == OK)
		e = name_encode(name, id, why);
	X509_NAME_free(name);
	return e;
}

/* ---- and back ---- */

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* As it is, but for what means something to the reader. */
static bool value_write_plain(struct wr *w, struct span v)
{
	const uint8_t *from = w->p;

	escape_write(w, v, SIZE_MAX, ",+");
	return wr_ok(w) && v.len > 0 && v.p[0] != ' ' && v.p[v.len - 1] != ' ' &&
	       !memmem(from, (size_t)(w->p - from), "\\x", 2);
}

/* RFC 4514 2.4: any byte as two hexadecimal digits. */
static void value_write_hex(struct wr *w, struct span v)
{
	char text[4];

	for (size_t i = 0; i < v.len; i++) {
		snprintf(text, sizeof(text), is_alnum(v.p[i]) ? "%c" : "\\%02x", v.p[i]);
		wr_span(w, span_str(text));
	}
}

static bool value_write(struct wr *w, const ASN1_STRING *s)
{
	unsigned char *utf8 = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, s);
	struct wr plain = *w;

	if (len <= 0)
		return false;
	if (value_write_plain(&plain, span_of(utf8, (size_t)len)))
		*w = plain;
	else
		value_write_hex(w, span_of(utf8, (size_t)len));
	OPENSSL_free(utf8);
	return true;
}

static bool type_write(struct wr *w, const ASN1_OBJECT *type)
{
	int nid = OBJ_obj2nid(type);
	char oid[DN_TYPE_MAX];

	if (nid != NID_undef) {
		wr_span(w, span_str(OBJ_nid2sn(nid)));
		return true;
	}
	if (OBJ_obj2txt(oid, sizeof(oid), type, 1) >= (int)sizeof(oid))
		return false;
	wr_span(w, span_str(oid));
	return true;
}

static bool name_write(struct wr *w, const X509_NAME *name)
{
	int n = X509_NAME_entry_count(name), set = -1;
	bool good = n > 0;

	for (int i = 0; i < n && good; i++) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
		bool joined = X509_NAME_ENTRY_set(e) == set;

		wr_span(w, span_str(i == 0 ? "" : joined ? "+" : ", "));
		good = type_write(w, X509_NAME_ENTRY_get_object(e));
		wr_u8(w, '=');
		good = good && value_write(w, X509_NAME_ENTRY_get_data(e));
		set = X509_NAME_ENTRY_set(e);
	}
	return good;
}

bool dn_to_text(const struct identity *id, char buf[static DN_TEXT_MAX])
{
	const unsigned char *p = id->b;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, id->len);
	struct wr w = wr_into(buf, DN_TEXT_MAX);
	bool good = name && name_write(&w, name);

	wr_u8(&w, 0);
	X509_NAME_free(name);
	return good && wr_ok(&w);
}
