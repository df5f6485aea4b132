/* SPDX-License-Identifier: Apache-2.0 */
/* Identities as people read them. A distinguished name is DER from a stranger: it is walked with
 * readers inside readers, no deeper than Name, RDN, attribute, value, and whatever is not that
 * shape is shown as hex. The order is that of the encoding, and separators inside a value are
 * escaped, so that no value can pass for an attribute of its own.
 */
#include "base/identity.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"

enum { DER_OID = 0x06, DER_SEQUENCE = 0x30, DER_SET = 0x31 };
enum {
	DER_UTF8 = 0x0c,
	DER_NUMERIC = 0x12,
	DER_PRINTABLE = 0x13,
	DER_T61 = 0x14,
	DER_IA5 = 0x16,
	DER_VISIBLE = 0x1a
};

#define DN_SPECIAL ",+;<>="

static const struct {
	const char *name;
	uint8_t len;
	uint8_t oid[10];
} attributes[] = {
	{ "CN", 3, { 0x55, 4, 3 } },
	{ "SN", 3, { 0x55, 4, 4 } },
	{ "serialNumber", 3, { 0x55, 4, 5 } },
	{ "C", 3, { 0x55, 4, 6 } },
	{ "L", 3, { 0x55, 4, 7 } },
	{ "ST", 3, { 0x55, 4, 8 } },
	{ "street", 3, { 0x55, 4, 9 } },
	{ "O", 3, { 0x55, 4, 10 } },
	{ "OU", 3, { 0x55, 4, 11 } },
	{ "title", 3, { 0x55, 4, 12 } },
	{ "GN", 3, { 0x55, 4, 42 } },
	{ "UID", 10, { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1 } },
	{ "DC", 10, { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25 } },
	{ "emailAddress", 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1 } },
};

static void text_add(struct wr *w, const char *s)
{
	wr_span(w, span_str(s));
}

static void hex_add(struct wr *w, struct span s)
{
	static const char digits[] = "0123456789abcdef";
	struct span shown = span_head(s, ESCAPE_MAX);

	for (size_t i = 0; i < shown.len; i++) {
		wr_u8(w, (uint8_t)digits[shown.p[i] >> 4]);
		wr_u8(w, (uint8_t)digits[shown.p[i] & 15]);
	}
	if (shown.len < s.len)
		text_add(w, "...");
}

/* X.690 8.1.3, definite lengths of at most two bytes: an identity is no longer than that. */
static struct span der_take(struct rd *r, uint8_t *tag)
{
	size_t len;

	*tag = rd_u8(r);
	len = rd_u8(r);
	if (len == 0x81)
		len = rd_u8(r);
	else if (len == 0x82)
		len = rd_u16(r);
	else if (len > 0x7f)
		rd_fail(r);
	return rd_take(r, len);
}

static struct span der_expect(struct rd *r, uint8_t wanted)
{
	uint8_t tag = 0;
	struct span body = der_take(r, &tag);

	if (tag != wanted)
		rd_fail(r);
	return rd_ok(r) ? body : SPAN_EMPTY;
}

/* X.690 8.19: base 128, the first number holds two arcs. */
static void oid_write(struct wr *w, struct span oid)
{
	uint64_t arc = 0;
	char text[24];
	bool first = true;

	for (size_t i = 0; i < oid.len; i++) {
		arc = arc << 7 | (oid.p[i] & 0x7f);
		if (oid.p[i] & 0x80)
			continue;
		if (first) {
			unsigned int top = arc < 40 ? 0 : arc < 80 ? 1 : 2;

			snprintf(text, sizeof(text), "%u.%llu", top,
				 (unsigned long long)arc - 40ull * top);
		} else {
			snprintf(text, sizeof(text), ".%llu", (unsigned long long)arc);
		}
		text_add(w, text);
		first = false;
		arc = 0;
	}
}

static bool is_text_tag(uint8_t tag)
{
	return tag == DER_UTF8 || tag == DER_NUMERIC || tag == DER_PRINTABLE || tag == DER_T61 ||
	       tag == DER_IA5 || tag == DER_VISIBLE;
}

static void attribute_write(struct wr *w, struct span oid, uint8_t tag, struct span value)
{
	const char *name = NULL;

	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (span_eq(oid, span_of(attributes[i].oid, attributes[i].len)))
			name = attributes[i].name;
	if (name != NULL)
		text_add(w, name);
	else
		oid_write(w, oid);
	text_add(w, "=");
	if (is_text_tag(tag)) {
		escape_write(w, value, ESCAPE_MAX, DN_SPECIAL);
	} else {
		text_add(w, "#");
		hex_add(w, value);
	}
}

/* RFC 5280 4.1.2.4: a set of attributes, nearly always one. */
static bool rdn_write(struct wr *w, struct span set, const char *between)
{
	struct rd r = rd_from(set);

	if (rd_left(&r) == 0)
		return false;
	while (rd_left(&r) > 0) {
		struct rd inner = rd_from(der_expect(&r, DER_SEQUENCE));
		struct span oid = der_expect(&inner, DER_OID);
		uint8_t tag = 0;
		struct span value = der_take(&inner, &tag);

		if (!rd_ok(&r) || !rd_end(&inner) || oid.len == 0)
			return false;
		text_add(w, between);
		attribute_write(w, oid, tag, value);
		between = "+";
	}
	return true;
}

/* False when `der` is no Name, or one whose text leaves no place for the NUL behind it (a text that
 * is cut off could be another's name): the caller then shows it as hex. */
static bool dn_write(struct wr *w, struct span der)
{
	struct rd whole = rd_from(der);
	struct rd r = rd_from(der_expect(&whole, DER_SEQUENCE));
	const char *between = "";

	while (rd_left(&r) > 0) {
		struct span set = der_expect(&r, DER_SET);

		if (!rd_ok(&r) || !rdn_write(w, set, between))
			return false;
		between = ", ";
	}
	return rd_end(&whole) && *between != '\0' && wr_left(w) > 0;
}

/* As text when every byte is plain and it could not be mistaken for the hexadecimal form. */
static void key_id_write(struct wr *w, struct span s)
{
	bool plain = !(s.len >= 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x');

	for (size_t i = 0; i < s.len; i++)
		plain = plain && s.p[i] > 0x20 && s.p[i] < 0x7f;
	text_add(w, plain ? "keyid:" : "keyid:0x");
	if (plain)
		escape_write(w, s, ESCAPE_MAX, NULL);
	else
		hex_add(w, s);
}

static void other_write(struct wr *w, uint8_t type, struct span s)
{
	char label[24];

	snprintf(label, sizeof(label), "type-%u:0x", (unsigned int)type);
	text_add(w, type == ID_DER_ASN1_DN ? "dn:0x" : label);
	hex_add(w, s);
}

static void addr_write(struct wr *w, struct span s)
{
	char text[ADDR_TEXT_MAX];
	struct addr a;

	/* Of a wrong size it is never made by identity_from_wire, and shows as "-". */
	if (!addr_from_span(&a, s))
		a = (struct addr){ .family = AF_UNSPEC };
	text_add(w, addr_text(&a, text));
}

static void identity_write(struct wr *w, const struct identity *id)
{
	struct span s = identity_span(id);
	struct wr before = *w;

	switch (id->type) {
	case ID_NONE:
		text_add(w, "none");
		return;
	case ID_IPV4_ADDR:
	case ID_IPV6_ADDR:
		addr_write(w, s);
		return;
	case ID_FQDN:
	case ID_RFC822_ADDR:
		escape_write(w, s, ESCAPE_MAX, NULL);
		return;
	case ID_KEY_ID:
		key_id_write(w, s);
		return;
	case ID_DER_ASN1_DN:
		if (dn_write(w, s))
			return;
		*w = before;
		break;
	}
	other_write(w, id->type, s);
}

const char *identity_text(const struct identity *id, char buf[static IDENTITY_TEXT_MAX])
{
	struct wr w = wr_into(buf, IDENTITY_TEXT_MAX);

	identity_write(&w, id);
	escape_end(&w);
	return buf;
}
