/* SPDX-License-Identifier: Apache-2.0 */
/* Identities (RFC 7296 3.5): a type and its bytes, by value. */
#ifndef BASE_IDENTITY_H
#define BASE_IDENTITY_H

#include "base/addr.h"
#include "base/err.h"

enum id_type {
	ID_NONE = 0,
	ID_IPV4_ADDR = 1,
	ID_FQDN = 2,
	ID_RFC822_ADDR = 3,
	ID_IPV6_ADDR = 5,
	ID_DER_ASN1_DN = 9,
	ID_DER_ASN1_GN = 10,
	ID_KEY_ID = 11,
};

enum { IDENTITY_MAX = 512, IDENTITY_TEXT_MAX = 900 };

struct identity {
	uint8_t type; /* as on the wire, so also values that the enum does not name */
	uint16_t len;
	uint8_t b[IDENTITY_MAX]; /* unused bytes are zero */
};

/* Body of an ID payload after its four-byte header. Refuses: an empty one, one over IDENTITY_MAX,
 * an address of wrong size, an FQDN or e-mail with a NUL or control byte. */
MUST_USE enum err identity_from_wire(struct identity *id, uint8_t type, struct span body);
struct span identity_span(const struct identity *id);
/* Same type and same bytes; FQDN and the domain of an e-mail without regard to case. Distinguished
 * names are compared by certs/, which knows their syntax; here they are equal only as bytes. */
bool identity_eq(const struct identity *a, const struct identity *b);
/* What people write: 192.0.2.1, 2001:db8::1, user@example.org, gw.example.org, keyid:office-7,
 * keyid:0x0badcafe, and "CN=gw, O=Example" which is left to certs/ (ERR_UNSUPPORTED, type set to
 * DN). */
MUST_USE enum err identity_parse(struct identity *id, const char *text);
/* Printable and escaped (control bytes, quotes, bad UTF-8), cut at 200 bytes of input; never empty.
 * A distinguished name is shown as RFC 4514-like text; one that has no attribute, is no Name, or
 * whose text does not fit, as bytes in hexadecimal. */
const char *identity_text(const struct identity *id, char buf[static IDENTITY_TEXT_MAX]);
/* "fqdn", "ipv4", "ipv6", "email", "dn", "keyid", "unknown" */
const char *identity_type_name(uint8_t type);

#endif
