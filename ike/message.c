/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over a chain of payloads. It takes at least a generic header's four bytes a step, so
 * it ends; what is kept is bounded; and what may be there once is refused when it comes twice (a
 * second SA or ID could otherwise be judged by one part of the program and used by another).
 */
#include "ike/message.h"

enum { CRITICAL_BIT = 0x80, FIRST_TYPE = 33, LAST_TYPE = 63 };

#define KNOWN_TYPES                                                                                \
	(PL_BIT(PL_SA) | PL_BIT(PL_KE) | PL_BIT(PL_IDI) | PL_BIT(PL_IDR) | PL_BIT(PL_CERT) |       \
	 PL_BIT(PL_CERTREQ) | PL_BIT(PL_AUTH) | PL_BIT(PL_NONCE) | PL_BIT(PL_NOTIFY) |             \
	 PL_BIT(PL_DELETE) | PL_BIT(PL_VENDOR) | PL_BIT(PL_TSI) | PL_BIT(PL_TSR) | PL_BIT(PL_SK) | \
	 PL_BIT(PL_CP) | PL_BIT(PL_EAP) | PL_BIT(PL_SKF))
#define REPEATABLE_TYPES                                                                \
	(PL_BIT(PL_CERT) | PL_BIT(PL_CERTREQ) | PL_BIT(PL_NOTIFY) | PL_BIT(PL_DELETE) | \
	 PL_BIT(PL_VENDOR))
#define SEALED_TYPES (PL_BIT(PL_SK) | PL_BIT(PL_SKF))

/* The bit of a type that we know; 0 for a stranger. */
static uint32_t known_bit(uint8_t type)
{
	return type >= FIRST_TYPE && type <= LAST_TYPE ? PL_BIT(type) & KNOWN_TYPES : 0;
}

/* The generic header (RFC 7296 3.2) and its body. */
static bool chain_next(struct rd *r, uint8_t *next, struct payload *p)
{
	uint16_t len;

	*next = rd_u8(r);
	p->critical = (rd_u8(r) & CRITICAL_BIT) != 0;
	len = rd_u16(r);
	if (len < PAYLOAD_HEADER_LEN) {
		rd_fail(r);
		return false;
	}
	p->body = rd_take(r, (size_t)(len - PAYLOAD_HEADER_LEN));
	return rd_ok(r);
}

static enum err message_keep(struct message *m, const struct payload *p)
{
	uint32_t bit = known_bit(p->type);
	struct pl_notify n;

	if (bit == 0) {
		m->critical_type = p->type;
		return p->critical ? ERR_CRITICAL : OK;
	}
	if (m->present & bit & ~REPEATABLE_TYPES)
		return ERR_SYNTAX;
	if (m->n == MESSAGE_PAYLOADS_MAX)
		return ERR_LIMIT;
	/* Checked here once, so that looking for a notify never meets a bad one. */
	if (p->type == PL_NOTIFY && pl_notify_decode(p->body, &n) != OK)
		return ERR_SYNTAX;
	m->present |= bit;
	m->v[m->n++] = *p;
	return OK;
}

/* Walks a chain that begins with a payload of type `type`. SK and SKF end it: their Next Payload
 * field belongs to what is inside (3.14). */
static enum err message_walk(struct message *m, uint8_t type, struct span chain)
{
	struct rd r = rd_from(chain);

	while (type != PL_NONE) {
		struct payload p = { .type = type };
		enum err err;

		if (!chain_next(&r, &type, &p))
			return ERR_SYNTAX;
		err = message_keep(m, &p);
		if (err != OK)
			return err;
		if (known_bit(p.type) & SEALED_TYPES) {
			m->inner_first = type;
			break;
		}
	}
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

/* Only what is not reached by payload number n need be cleared: v[] is never read behind n. */
static void message_clear(struct message *m)
{
	m->raw = SPAN_EMPTY;
	m->present = 0;
	m->n = 0;
	m->inner_first = PL_NONE;
	m->critical_type = PL_NONE;
}

enum err message_decode(struct span datagram, struct message *m)
{
	enum err err = header_decode(datagram, &m->h);

	message_clear(m);
	if (err != OK)
		return err;
	m->raw = datagram;
	return message_walk(m, m->h.next, span_tail(datagram, IKE_HEADER_LEN));
}

enum err message_decode_inner(const struct ike_header *h, const struct inner *in, struct message *m)
{
	enum err err;

	message_clear(m);
	m->h = *h;
	err = message_walk(m, in->first, in->chain);
	return err == OK && (m->present & SEALED_TYPES) ? ERR_SYNTAX : err;
}

static const struct payload *find_from(const struct message *m, size_t i, uint8_t type)
{
	for (; i < m->n; i++) {
		if (m->v[i].type == type)
			return &m->v[i];
	}
	return NULL;
}

const struct payload *message_find(const struct message *m, uint8_t type)
{
	return message_has(m, type) ? find_from(m, 0, type) : NULL;
}

const struct payload *message_next(const struct message *m, const struct payload *p)
{
	return find_from(m, (size_t)(p - m->v) + 1, p->type);
}

struct span message_body(const struct message *m, uint8_t type)
{
	const struct payload *p = message_find(m, type);

	return p != NULL ? p->body : SPAN_EMPTY;
}

bool message_notify(const struct message *m, uint16_t type, struct pl_notify *n)
{
	const struct payload *p = message_find(m, PL_NOTIFY);
	struct pl_notify view;

	for (; p != NULL; p = message_next(m, p)) {
		if (pl_notify_decode(p->body, &view) == OK && view.type == type) {
			if (n != NULL)
				*n = view;
			return true;
		}
	}
	return false;
}

bool message_error(const struct message *m, struct pl_notify *n)
{
	const struct payload *p = message_find(m, PL_NOTIFY);
	struct pl_notify view;

	for (; p != NULL; p = message_next(m, p)) {
		if (pl_notify_decode(p->body, &view) == OK && view.type < NOTIFY_STATUS_FIRST) {
			if (n != NULL)
				*n = view;
			return true;
		}
	}
	return false;
}
