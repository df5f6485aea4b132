/* SPDX-License-Identifier: Apache-2.0 */
/* See understood.h. Nothing here is ike's. */
#include "tests/unit/ike/understood.h"

#include <string.h>

#define HAS(type) (1u << ((type)-32))

static bool many(uint8_t type)
{
	return type == PL_CERT || type == PL_CERTREQ || type == PL_NOTIFY || type == PL_DELETE ||
	       type == PL_VENDOR;
}

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* RFC 7296 3.13.1 */
static bool selectors_hold(const uint8_t *b, size_t len)
{
	size_t at = 4;

	if (len < 4 || b[0] == 0)
		return false;
	for (unsigned i = 0; i < b[0]; i++) {
		if (len - at < 8 || u16(b + at + 2) < 8 || u16(b + at + 2) > len - at)
			return false;
		at += u16(b + at + 2);
	}
	return at == len;
}

/* The least that a body needs. */
static bool body_holds(const uint8_t *b, const struct part *p)
{
	switch (p->type) {
	case PL_SA:
		return p->len >= 8;
	case PL_KE:
	case PL_IDI:
	case PL_IDR:
	case PL_AUTH:
		return p->len > 4;
	case PL_CERT:
		return p->len > 1;
	case PL_NONCE:
		return p->len >= 16 && p->len <= 256;
	case PL_NOTIFY:
		return p->len >= 4 && p->len >= 4u + b[1];
	case PL_TSI:
	case PL_TSR:
		return selectors_hold(b, p->len);
	case PL_DELETE:
		return p->len >= 4 && p->len == 4u + (size_t)b[1] * u16(b + 2);
	default:
		return true;
	}
}

/* Payloads that have to be there, all of them; and that, if one is there, all are. */
static const struct {
	uint32_t must;
	uint32_t child;
} needs[N_STATIONS] = {
	[M_INIT_ASK] = { HAS(PL_SA) | HAS(PL_KE) | HAS(PL_NONCE), 0 },
	[M_INIT_ANSWER] = { HAS(PL_SA) | HAS(PL_KE) | HAS(PL_NONCE), 0 },
	[M_AUTH_ASK] = { HAS(PL_IDI) | HAS(PL_AUTH), HAS(PL_SA) | HAS(PL_TSI) | HAS(PL_TSR) },
	[M_AUTH_ANSWER] = { HAS(PL_IDR) | HAS(PL_AUTH), HAS(PL_SA) | HAS(PL_TSI) | HAS(PL_TSR) },
	[M_CREATE_ASK] = { HAS(PL_SA) | HAS(PL_NONCE) | HAS(PL_TSI) | HAS(PL_TSR), 0 },
	[M_CREATE_ANSWER] = { HAS(PL_SA) | HAS(PL_NONCE) | HAS(PL_TSI) | HAS(PL_TSR), 0 },
};

/* Bodies that only the child is about: in IKE_AUTH the IKE SA comes up without it (2.21.2). */
static bool of_the_child(enum station at, uint8_t type)
{
	return (at == M_AUTH_ASK || at == M_AUTH_ANSWER) &&
	       (type == PL_SA || type == PL_TSI || type == PL_TSR);
}

bool understood(enum station at, const struct chain *c)
{
	struct part parts[PARTS_MAX];
	uint32_t present = 0;
	size_t n;

	if (!chain_parts(c, parts, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t type = parts[i].type;
		bool known = type >= PL_SA && type <= PL_EAP && type != PL_SK;

		if (type == PL_SK || type == PL_SKF)
			return false;
		if (!known && type != 0 && c->b[parts[i].at - 3] & 0x80)
			return false;
		if (!known)
			continue;
		if ((present & HAS(type) && !many(type)) ||
		    (!of_the_child(at, type) && !body_holds(c->b + parts[i].at, &parts[i])))
			return false;
		present |= HAS(type);
	}
	return (present & needs[at].must) == needs[at].must &&
	       ((present & needs[at].child) == needs[at].child || !(present & needs[at].child));
}

bool child_understood(const struct chain *c)
{
	struct part parts[PARTS_MAX];
	size_t n;

	if (!chain_parts(c, parts, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!body_holds(c->b + parts[i].at, &parts[i]))
			return false;
	}
	return true;
}

bool same_proof(const struct chain *good, const struct chain *bad)
{
	static const uint8_t types[] = { PL_IDI, PL_IDR, PL_AUTH };
	struct part g[PARTS_MAX], b[PARTS_MAX];
	size_t n_g, n_b;

	if (!chain_parts(good, g, &n_g) || !chain_parts(bad, b, &n_b))
		return false;
	for (size_t i = 0; i < sizeof(types); i++) {
		const struct part *x = part_find(g, n_g, types[i]);
		const struct part *y = part_find(b, n_b, types[i]);

		/* IDr of a request is what the initiator would like; it is nobody's proof. */
		if (!x || (types[i] == PL_IDR && part_find(g, n_g, PL_IDI)))
			continue;
		if (!y || x->len != y->len || memcmp(good->b + x->at, bad->b + y->at, x->len) != 0)
			return false;
	}
	return true;
}
