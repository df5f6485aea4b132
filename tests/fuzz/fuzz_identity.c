/* SPDX-License-Identifier: Apache-2.0 */
/* Identities: from the wire, from what people write, and distinguished names both ways. What was
 * read from its own text is the same again; equality is one (of itself, both ways round, and of
 * three); whatever is shown is printable and bounded. First byte: how; then two halves.
 */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/identity.h"
#include "base/log.h"
#include "conf/dn.h"
#include "tests/fuzz/texts.h"

enum { TEXT_MAX = 1024 };

static void show(const struct identity *id)
{
	char text[IDENTITY_TEXT_MAX];
	struct log_line l = log_event(LOG_LEVEL_INFO, "x");

	memset(text, 'x', sizeof(text));
	FUZZ_HOLDS(identity_text(id, text) == text && strlen(text) < sizeof(text));
	FUZZ_HOLDS(text[0] != '\0'); /* people read it in logs and status */
	fuzz_printable(text);
	fuzz_printable(identity_type_name(id->type));
	log_identity(&l, "id", id);
	l.text[l.len] = '\0';
	fuzz_printable(l.text);
}

/* Unused bytes are zero, so that an identity can be compared and hashed as bytes. */
static void sound(const struct identity *id)
{
	FUZZ_HOLDS(id->len > 0 && id->len <= IDENTITY_MAX);
	for (size_t i = id->len; i < IDENTITY_MAX; i++)
		FUZZ_HOLDS(id->b[i] == 0);
	FUZZ_HOLDS(identity_eq(id, id));
	show(id);
}

static bool from_wire(struct rd *r, size_t len, struct identity *id)
{
	uint8_t type = rd_u8(r);
	struct span body = rd_take(r, len < rd_left(r) ? len : rd_left(r));
	uint8_t *exact = malloc(body.len > 0 ? body.len : 1);
	bool taken;

	FUZZ_HOLDS(exact != NULL);
	if (body.len > 0)
		memcpy(exact, body.p, body.len);
	taken = identity_from_wire(id, type, span_of(exact, body.len)) == OK;
	free(exact);
	if (!taken)
		return false;
	FUZZ_HOLDS(id->type == type && span_eq(identity_span(id), body));
	sound(id);
	return true;
}

static void two_of_the_wire(struct rd *r)
{
	struct identity a, b, c;
	uint8_t len = rd_u8(r);

	if (!from_wire(r, len, &a) || !from_wire(r, rd_left(r), &b))
		return;
	FUZZ_HOLDS(identity_eq(&a, &b) == identity_eq(&b, &a));
	FUZZ_HOLDS(!identity_eq(&a, &b) || a.type == b.type);
	c = b;
	for (size_t i = 0; i < c.len && c.type == ID_FQDN; i++)
		c.b[i] = c.b[i] >= 'a' && c.b[i] <= 'z' ? (uint8_t)(c.b[i] - 32) : c.b[i];
	FUZZ_HOLDS(identity_eq(&b, &c));
	FUZZ_HOLDS(identity_eq(&a, &c) == identity_eq(&a, &b));
}

static void text_of(struct span s, char text[static TEXT_MAX])
{
	size_t len = s.len < TEXT_MAX ? s.len : TEXT_MAX - 1;

	if (len > 0)
		memcpy(text, s.p, len);
	text[len] = '\0';
}

/* An address, an FQDN and an e-mail are written as they were read. */
static void written(struct span s)
{
	char text[TEXT_MAX], shown[IDENTITY_TEXT_MAX];
	struct identity id, again;

	text_of(s, text);
	if (identity_parse(&id, text) != OK)
		return;
	sound(&id);
	/* What is escaped or cut off is for people alone, and so are the bytes of a key's name. */
	if (id.type == ID_KEY_ID || id.len > 190 || strchr(identity_text(&id, shown), '\\'))
		return;
	FUZZ_HOLDS(identity_parse(&again, shown) == OK && identity_eq(&id, &again));
}

static void distinguished(struct span s)
{
	char text[TEXT_MAX], why[256] = "", shown[IDENTITY_TEXT_MAX];
	struct identity id, wire;

	text_of(s, text);
	if (dn_from_text(text, &id, why) != OK) {
		FUZZ_HOLDS(memchr(why, '\0', sizeof(why)) != NULL && why[0] != '\0');
		return;
	}
	FUZZ_HOLDS(id.type == ID_DER_ASN1_DN);
	sound(&id);
	/* What we make of it others take, and we, too; and what we show of it is a name. */
	FUZZ_HOLDS(identity_from_wire(&wire, id.type, identity_span(&id)) == OK);
	FUZZ_HOLDS(identity_eq(&id, &wire));
	FUZZ_HOLDS(identity_text(&id, shown)[0] != '\0');
}

static void network(struct span s)
{
	char text[TEXT_MAX], shown[ESCAPE_TEXT_MAX];
	struct net n;
	struct addr a;

	text_of(s, text);
	fuzz_printable(escape_peer(s, shown, sizeof(shown)));
	if (net_parse(text, &n))
		FUZZ_HOLDS(net_contains(&n, &n.addr));
	if (addr_parse(text, &a))
		FUZZ_HOLDS(a.family != AF_UNSPEC && addr_eq(&a, &a));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_from(span_of(bytes, len));
	uint8_t how = rd_u8(&r);

	if (!rd_ok(&r))
		return 0;
	switch (how % 4) {
	case 0:
		two_of_the_wire(&r);
		break;
	case 1:
		written(rd_rest(&r));
		break;
	case 2:
		distinguished(rd_rest(&r));
		break;
	case 3:
		network(rd_rest(&r));
		break;
	}
	return 0;
}
