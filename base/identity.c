/* SPDX-License-Identifier: Apache-2.0 */
/* Identities as they come over the wire and as people write them. A peer's identity is a claim
 * until AUTH proves it, so it is checked for form here and for nothing else.
 */
#include "base/identity.h"

#include <string.h>
#include <strings.h>

enum { FQDN_MAX = 253, LABEL_MAX = 63 };

/* Room for printing: nothing here ever has a control byte that could end a string or a line. */
static bool has_control_byte(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

static bool form_is_good(uint8_t type, struct span body)
{
	switch (type) {
	case ID_NONE:
		return false;
	case ID_IPV4_ADDR:
		return body.len == 4;
	case ID_IPV6_ADDR:
		return body.len == 16;
	case ID_FQDN:
	case ID_RFC822_ADDR:
		return !has_control_byte(body);
	}
	return true;
}

enum err identity_from_wire(struct identity *id, uint8_t type, struct span body)
{
	*id = (struct identity){ .type = ID_NONE };
	if (body.len == 0 || body.len > IDENTITY_MAX || !form_is_good(type, body))
		return ERR_SYNTAX;
	*id = (struct identity){ .type = type, .len = (uint16_t)body.len };
	memcpy(id->b, body.p, body.len);
	return OK;
}

struct span identity_span(const struct identity *id)
{
	return span_of(id->b, id->len <= IDENTITY_MAX ? id->len : IDENTITY_MAX);
}

static bool span_eq_nocase(struct span a, struct span b)
{
	return a.len == b.len && strncasecmp((const char *)a.p, (const char *)b.p, a.len) == 0;
}

/* How many bytes stand before the last '@'; 0 when there is none. */
static size_t mailbox_len(struct span s)
{
	for (size_t i = s.len; i > 0; i--)
		if (s.p[i - 1] == '@')
			return i - 1;
	return 0;
}

/* RFC 5321 2.4: the local part is the business of its own host, the domain knows no case. */
static bool email_eq(struct span a, struct span b)
{
	size_t local = mailbox_len(a);

	return local == mailbox_len(b) && span_eq(span_head(a, local), span_head(b, local)) &&
	       span_eq_nocase(span_tail(a, local), span_tail(b, local));
}

bool identity_eq(const struct identity *a, const struct identity *b)
{
	struct span x = identity_span(a);
	struct span y = identity_span(b);

	if (a->type != b->type || a->type == ID_NONE)
		return false;
	if (a->type == ID_FQDN)
		return span_eq_nocase(x, y);
	if (a->type == ID_RFC822_ADDR)
		return email_eq(x, y);
	return span_eq(x, y);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Labels of letters, digits, '-' and '_'. A last label of digits alone is refused: it is an address
 * with a slip of the pen, and as a name it would never match what the peer proves. */
static bool fqdn_is_good(const char *s)
{
	size_t label = 0;
	bool digits = true;

	if (strlen(s) > FQDN_MAX)
		return false;
	for (; *s != '\0'; s++) {
		if (*s == '.' && label > 0) {
			label = 0;
			digits = true;
			continue;
		}
		if ((!is_alnum(*s) && *s != '-' && *s != '_') || label == LABEL_MAX)
			return false;
		digits = digits && is_digit(*s);
		label++;
	}
	return label > 0 && !digits;
}

static bool email_is_good(const char *s)
{
	size_t local = mailbox_len(span_str(s));

	for (size_t i = 0; i < local; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return local > 0 && fqdn_is_good(s + local + 1);
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* By the one check of sizes that there is: the local part of an e-mail is as long as it likes. */
static enum err written_as(struct identity *id, uint8_t type, struct span body)
{
	return identity_from_wire(id, type, body) == OK ? OK : ERR_CONFIG;
}

static enum err key_id_parse_hex(struct identity *id, const char *hex)
{
	uint8_t b[IDENTITY_MAX];
	struct wr w = wr_into(b, sizeof(b));

	for (; hex[0] != '\0'; hex += 2) {
		if (hex_value(hex[0]) < 0 || hex_value(hex[1]) < 0)
			return ERR_CONFIG;
		wr_u8(&w, (uint8_t)(hex_value(hex[0]) << 4 | hex_value(hex[1])));
	}
	return written_as(id, ID_KEY_ID, wr_done(&w));
}

static enum err key_id_parse(struct identity *id, const char *text)
{
	if (strncasecmp(text, "0x", 2) == 0)
		return key_id_parse_hex(id, text + 2);
	return written_as(id, ID_KEY_ID, span_str(text));
}

/* "CN=" or "2.5.4.3 =": an attribute's name and an equals sign. */
static bool looks_like_dn(const char *s)
{
	size_t n = strspn(s, "0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return n > 0 && s[n + strspn(s + n, " ")] == '=';
}

enum err identity_parse(struct identity *id, const char *text)
{
	struct addr a;

	*id = (struct identity){ .type = ID_NONE };
	if (addr_parse(text, &a))
		return written_as(id, a.family == AF_INET ? ID_IPV4_ADDR : ID_IPV6_ADDR,
				  addr_span(&a));
	if (strncmp(text, "keyid:", 6) == 0)
		return key_id_parse(id, text + 6);
	if (looks_like_dn(text)) {
		id->type = ID_DER_ASN1_DN;
		return ERR_UNSUPPORTED;
	}
	if (strchr(text, '@') != NULL ? !email_is_good(text) : !fqdn_is_good(text))
		return ERR_CONFIG;
	return written_as(id, strchr(text, '@') != NULL ? ID_RFC822_ADDR : ID_FQDN, span_str(text));
}

const char *identity_type_name(uint8_t type)
{
	switch (type) {
	case ID_IPV4_ADDR:
		return "ipv4";
	case ID_IPV6_ADDR:
		return "ipv6";
	case ID_FQDN:
		return "fqdn";
	case ID_RFC822_ADDR:
		return "email";
	case ID_DER_ASN1_DN:
		return "dn";
	case ID_KEY_ID:
		return "keyid";
	}
	return "unknown";
}
