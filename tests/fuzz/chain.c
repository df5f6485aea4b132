/* SPDX-License-Identifier: Apache-2.0 */
/* See chain.h. */
#include "tests/fuzz/chain.h"

#include <string.h>

#include "crypto/alg.h"
#include "ike/wire.h"

enum { PIECES_MAX = 48, GIFT_MAX = 320 };

/* A payload, or what is no payload any more: the rest of a broken chain. */
struct piece {
	uint8_t type;
	uint8_t flags;
	bool raw;
	struct span body;
};

struct pieces {
	struct piece v[PIECES_MAX];
	size_t n;
};

static const uint8_t known_types[] = {
	PL_SA,	   PL_KE,     PL_IDI, PL_IDR, PL_CERT, PL_CERTREQ, PL_AUTH, PL_NONCE, PL_NOTIFY,
	PL_DELETE, PL_VENDOR, PL_TSI, PL_TSR, PL_SK,   PL_CP,	   PL_EAP,  PL_SKF,
};

static const uint16_t notifies[] = {
	NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD,
	NOTIFY_INVALID_IKE_SPI,
	NOTIFY_INVALID_MAJOR_VERSION,
	NOTIFY_INVALID_SYNTAX,
	NOTIFY_INVALID_SPI,
	NOTIFY_NO_PROPOSAL_CHOSEN,
	NOTIFY_INVALID_KE_PAYLOAD,
	NOTIFY_AUTHENTICATION_FAILED,
	NOTIFY_SINGLE_PAIR_REQUIRED,
	NOTIFY_NO_ADDITIONAL_SAS,
	NOTIFY_TS_UNACCEPTABLE,
	NOTIFY_TEMPORARY_FAILURE,
	NOTIFY_CHILD_SA_NOT_FOUND,
	NOTIFY_INITIAL_CONTACT,
	NOTIFY_SET_WINDOW_SIZE,
	NOTIFY_ADDITIONAL_TS_POSSIBLE,
	NOTIFY_IPCOMP_SUPPORTED,
	NOTIFY_NAT_DETECTION_SOURCE_IP,
	NOTIFY_NAT_DETECTION_DESTINATION_IP,
	NOTIFY_COOKIE,
	NOTIFY_USE_TRANSPORT_MODE,
	NOTIFY_REKEY_SA,
	NOTIFY_ESP_TFC_PADDING_NOT_SUPPORTED,
	NOTIFY_MOBIKE_SUPPORTED,
	NOTIFY_UPDATE_SA_ADDRESSES,
	NOTIFY_COOKIE2,
	NOTIFY_CHILDLESS_IKEV2_SUPPORTED,
	NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED,
	NOTIFY_SIGNATURE_HASH_ALGORITHMS,
	NOTIFY_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH,
};

static size_t change_bytes(struct chance *dice, chain_bytes_fn *fn, uint8_t *p, size_t len,
			   size_t max)
{
	if (fn)
		return fn(p, len, max);
	if (len > 0)
		p[chance_index(dice, len)] = (uint8_t)chance_u64(dice);
	return len;
}

/* ---- to pieces and back ---- */

static void take_apart(const struct chain *c, struct pieces *ps)
{
	struct rd r = rd_from(span_of(c->bytes, c->len));
	uint8_t type = c->first;

	ps->n = 0;
	while (rd_left(&r) > 0 && ps->n < PIECES_MAX) {
		struct rd at = r;
		struct piece p = { .type = type };
		uint16_t len;

		type = rd_u8(&r);
		p.flags = rd_u8(&r);
		len = rd_u16(&r);
		if (p.type != PL_NONE && rd_ok(&r) && len >= PAYLOAD_HEADER_LEN &&
		    len <= rd_left(&at) && ps->n < PIECES_MAX - 1) {
			p.body = rd_take(&r, (size_t)len - PAYLOAD_HEADER_LEN);
		} else {
			p.raw = true;
			p.body = rd_rest(&at);
			r = at;
		}
		ps->v[ps->n++] = p;
	}
}

static void put_together(struct chain *c, const struct pieces *ps)
{
	static uint8_t out[CHAIN_ROOM];
	struct wr w = wr_into(out, sizeof(out));

	c->first = ps->n > 0 ? ps->v[0].type : PL_NONE;
	for (size_t i = 0; i < ps->n; i++) {
		const struct piece *p = &ps->v[i];

		if (!p->raw) {
			wr_u8(&w, i + 1 < ps->n ? ps->v[i + 1].type : PL_NONE);
			wr_u8(&w, p->flags);
			wr_u16(&w, (uint16_t)(p->body.len + PAYLOAD_HEADER_LEN));
		}
		wr_span(&w, p->body);
	}
	/* One that does not fit stays as it was. */
	if (wr_ok(&w))
		chain_set(c, c->first, wr_done(&w));
}

void chain_set(struct chain *c, uint8_t first, struct span bytes)
{
	c->first = first;
	c->len = bytes.len < CHAIN_ROOM ? bytes.len : CHAIN_ROOM;
	if (c->len > 0)
		memmove(c->bytes, bytes.p, c->len);
}

/* ---- payloads out of nothing ---- */

static void give_sa(struct wr *w, struct chance *dice)
{
	size_t at = wr_len(w);

	wr_u16(w, 0);
	wr_u16(w, 0);
	wr_u8(w, 1);
	wr_u8(w, PROTO_ESP);
	wr_u8(w, 4);
	wr_u8(w, 2);
	wr_u32(w, (uint32_t)chance_u64(dice));
	wr_u32(w, 3u << 24 | 12);
	wr_u32(w, 1u << 24 | ENCR_AES_GCM_16);
	wr_u32(w, 0x800e0100);
	wr_u32(w, 8);
	wr_u32(w, 5u << 24 | chance_index(dice, 2));
	wr_fill_len16(w, at + 2, at);
}

static void give_ts(struct wr *w, struct chance *dice)
{
	uint8_t n = (uint8_t)chance_between(dice, 1, 3);

	wr_u32(w, (uint32_t)n << 24);
	for (uint8_t i = 0; i < n; i++) {
		wr_u8(w, 7);
		wr_u8(w, (uint8_t)(chance_index(dice, 2) * 6));
		wr_u16(w, 16);
		wr_u32(w, 0xffff);
		wr_u32(w, 0x0a000000 | chance_index(dice, 8) << 16);
		wr_u32(w, 0x0a00ffff | chance_between(dice, 1, 9) << 16);
	}
}

static void give_notify(struct wr *w, struct chance *dice)
{
	bool spi = chance_index(dice, 4) == 0;

	wr_u8(w, spi ? PROTO_ESP : PROTO_NONE);
	wr_u8(w, spi ? 4 : 0);
	wr_u16(w, notifies[chance_index(dice, sizeof(notifies) / sizeof(notifies[0]))]);
	if (spi)
		wr_u32(w, (uint32_t)chance_u64(dice));
	for (uint32_t n = chance_index(dice, 3) * 2; n > 0; n--)
		wr_u8(w, (uint8_t)chance_index(dice, 32));
}

static void give_delete(struct wr *w, struct chance *dice)
{
	bool ike = chance_index(dice, 4) == 0;
	uint16_t n = ike ? 0 : (uint16_t)chance_between(dice, 1, 9);

	wr_u8(w, ike ? PROTO_IKE : PROTO_ESP);
	wr_u8(w, ike ? 0 : 4);
	wr_u16(w, n);
	for (; n > 0; n--)
		wr_u32(w, (uint32_t)chance_u64(dice));
}

static void give(struct piece *p, uint8_t *room, struct chance *dice)
{
	struct wr w = wr_into(room, GIFT_MAX);

	*p = (struct piece){ .type = known_types[chance_index(dice, sizeof(known_types))] };
	/* What most exchanges are about comes more often. */
	if (chance_index(dice, 2) == 0)
		p->type = chance_index(dice, 3) == 0 ? PL_DELETE : PL_NOTIFY;
	switch (p->type) {
	case PL_SA:
		give_sa(&w, dice);
		break;
	case PL_TSI:
	case PL_TSR:
		give_ts(&w, dice);
		break;
	case PL_DELETE:
		give_delete(&w, dice);
		break;
	case PL_KE:
		wr_u32(&w, 31u << 16);
		break;
	case PL_NOTIFY:
		give_notify(&w, dice);
		break;
	}
	if (p->type == PL_KE || p->type == PL_NONCE || wr_len(&w) == 0) {
		for (uint32_t i = 0; i < 32; i++)
			wr_u8(&w, (uint8_t)chance_u64(dice));
	}
	p->body = wr_done(&w);
}

/* ---- changes ---- */

static void leave_out(struct pieces *ps, size_t at)
{
	memmove(&ps->v[at], &ps->v[at + 1], (ps->n - at - 1) * sizeof(ps->v[0]));
	ps->n--;
}

static void put_in(struct pieces *ps, size_t at, struct piece p)
{
	if (ps->n == PIECES_MAX)
		return;
	memmove(&ps->v[at + 1], &ps->v[at], (ps->n - at) * sizeof(ps->v[0]));
	ps->v[at] = p;
	ps->n++;
}

static void exchange(struct pieces *ps, struct chance *dice, size_t at)
{
	size_t other = chance_index(dice, ps->n);
	struct piece p = ps->v[at];

	ps->v[at] = ps->v[other];
	ps->v[other] = p;
}

/* Some two bytes inside say how long something is. */
static void bend_length(uint8_t *body, size_t len, struct chance *dice)
{
	const uint16_t values[] = { 0, 1, 3, 4, 7, 8, (uint16_t)len, (uint16_t)(len + 1), 0xffff };
	uint16_t v = values[chance_index(dice, sizeof(values) / sizeof(values[0]))];
	size_t at = chance_index(dice, len);

	body[at] = (uint8_t)(v >> 8);
	if (at + 1 < len)
		body[at + 1] = (uint8_t)v;
}

static void change_body(struct piece *p, struct chance *dice, chain_bytes_fn *bytes)
{
	static uint8_t room[CHAIN_ROOM];
	size_t len = p->body.len;

	if (len > 0)
		memcpy(room, p->body.p, len);
	switch (chance_index(dice, 4)) {
	case 0:
		len = chance_index(dice, len + 1);
		break;
	case 1:
		if (len > 0)
			bend_length(room, len, dice);
		break;
	default:
		len = change_bytes(dice, bytes, room, len, sizeof(room) / 2);
	}
	p->body = span_of(room, len);
}

/* Lengths and types of generic headers that are wrong in the end. */
static void bend_header(struct chain *c, struct chance *dice)
{
	struct rd r = rd_from(span_of(c->bytes, c->len));
	size_t at = 0, skip = chance_index(dice, 6);

	for (size_t i = 0; i < skip && rd_left(&r) >= PAYLOAD_HEADER_LEN; i++) {
		at = c->len - rd_left(&r);
		rd_skip(&r, 2);
		rd_skip(&r, (size_t)rd_u16(&r) - PAYLOAD_HEADER_LEN);
	}
	if (at + PAYLOAD_HEADER_LEN <= c->len)
		bend_length(c->bytes + at + (chance_index(dice, 4) == 0 ? 0 : 2), 2, dice);
}

static void change_piece(struct pieces *ps, struct chance *dice, chain_bytes_fn *bytes)
{
	size_t at = chance_index(dice, ps->n);
	struct piece *p = &ps->v[at];

	switch (chance_index(dice, 8)) {
	case 0:
		leave_out(ps, at);
		break;
	case 1:
		put_in(ps, at, *p);
		break;
	case 2:
		exchange(ps, dice, at);
		break;
	case 3:
		p->type = chance_index(dice, 8) == 0
				  ? (uint8_t)chance_u64(dice)
				  : known_types[chance_index(dice, sizeof(known_types))];
		break;
	case 4:
		p->flags ^= 0x80;
		break;
	default:
		change_body(p, dice, bytes);
	}
}

void chain_mutate(struct chain *c, struct chance *dice, chain_bytes_fn *bytes)
{
	uint8_t room[GIFT_MAX];
	struct pieces ps;
	struct piece gift;

	if (chance_index(dice, 12) == 0) {
		bend_header(c, dice);
		return;
	}
	take_apart(c, &ps);
	if (ps.n == 0 || chance_index(dice, 6) == 0) {
		give(&gift, room, dice);
		put_in(&ps, chance_index(dice, ps.n + 1), gift);
	} else {
		change_piece(&ps, dice, bytes);
	}
	put_together(c, &ps);
}
