/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguished names as people write them, to DER and back. */
#ifndef CONF_DN_H
#define CONF_DN_H

#include "base/identity.h"

/* "C=XX, O=Example, CN=gw": attributes in the order of the encoding (as `openssl x509 -subject` and
 * identity_text show them), separated by commas; `+` joins the values of one RDN. A backslash takes
 * the meaning from the next character (RFC 4514 2.4: also two hexadecimal digits), quotes from all
 * between them. ERR_CONFIG: `why` says what is wrong; *id is cleared then. */
MUST_USE enum err dn_from_text(const char *text, struct identity *id, char why[static 256]);

/* No byte of an encoding takes more than four of its text. */
enum { DN_TEXT_MAX = 4 * IDENTITY_MAX };
/* What dn_from_text reads as the same name: whole and exact, where identity_text is for people and
 * cuts off. False for what is no name, or has an empty value. */
MUST_USE bool dn_to_text(const struct identity *id, char buf[static DN_TEXT_MAX]);

#endif
