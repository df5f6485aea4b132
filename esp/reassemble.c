/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded store of datagrams that are not whole yet.
 *
 * A datagram is a buffer as long as its furthest fragment, and a bit for each 8 bytes that came.
 * Whoever can send fragments by the TUN can fill the store, but only with what is his: a pair of
 * hosts has half of the places, the oldest makes room, and the next fragment of anybody takes away
 * what is over two seconds old.
 */
#include "esp/reassemble.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "esp/checksum.h"

enum {
	UNIT = 8,
	UNITS = 65536 / UNIT,
	HEAD_MAX = 60,
	GROW_STEP = 8192,
	PIECE_AT6 = IP6_HEAD_LEN + 8, /* behind the fragment header */
	NEXT_AT6 = 6,
};

struct reassembly {
	struct addr src;
	struct addr dst;
	uint32_t id;
	uint32_t from; /* the device */
	uint8_t proto; /* IPv4: of the key; IPv6: 0 */
	bool spoiled;  /* what comes later is dropped, too */
	mono_ns since;
	uint8_t head[HEAD_MAX]; /* of the first fragment */
	size_t head_len;	/* 0: it did not come yet */
	uint8_t next;		/* IPv6: from its fragment header */
	size_t total;		/* 0: the last fragment did not come yet */
	size_t reach;		/* where the furthest that came ends */
	size_t got;
	uint8_t *b;
	size_t size;
	uint8_t came[UNITS / 8];
};

/* One fragment, as the store sees it. */
struct piece {
	struct reassembly key; /* addresses, identification, device and protocol only */
	struct span head;
	uint8_t next;
	struct span body;
	size_t at;
	bool more;
};

static void drop_slot(struct reassembler *r, size_t i)
{
	struct reassembly *d = r->slots[i];

	if (!d)
		return;
	r->bytes -= d->size;
	if (d->b)
		secret_free(d->b, d->size);
	secret_free(d, sizeof(*d));
	r->slots[i] = NULL;
}

void reassembler_free(struct reassembler *r)
{
	for (size_t i = 0; i < REASSEMBLY_SLOTS; i++)
		drop_slot(r, i);
}

/* IPv6: the fragment header stands right behind the IPv6 header, or there is something before it
 * that transport mode does not carry, and that nobody needs in a fragment. */
static bool read_piece(struct span p, const struct inner *in, struct piece *f)
{
	struct rd r = rd_from(span_head(p, in->len));

	*f = (struct piece){ .key = { .src = in->flow.src, .dst = in->flow.dst },
			     .at = in->frag_at,
			     .more = in->more };
	f->head = span_head(p, in->head_len);
	if (in->version == 4) {
		f->key.proto = in->flow.proto;
		rd_skip(&r, 4);
		f->key.id = rd_u16(&r);
		f->body = span_tail(span_head(p, in->len), in->head_len);
	} else {
		rd_skip(&r, NEXT_AT6);
		if (rd_u8(&r) != PROTO_FRAGMENT)
			return false;
		rd_skip(&r, IP6_HEAD_LEN - NEXT_AT6 - 1);
		f->next = rd_u8(&r);
		rd_skip(&r, 3);
		f->key.id = rd_u32(&r);
		f->body = span_tail(span_head(p, in->len), PIECE_AT6);
	}
	return rd_ok(&r) && f->body.len > 0;
}

static bool same_hosts(const struct reassembly *a, const struct reassembly *b)
{
	return addr_eq(&a->src, &b->src) && addr_eq(&a->dst, &b->dst);
}

static void give_up(struct reassembler *r, size_t i)
{
	if (r->slots[i] && !r->slots[i]->spoiled)
		r->dropped++;
	drop_slot(r, i);
}

static void expire(struct reassembler *r, mono_ns now)
{
	for (size_t i = 0; i < REASSEMBLY_SLOTS; i++)
		if (r->slots[i] && now - r->slots[i]->since > REASSEMBLY_SECONDS * NS_PER_S)
			give_up(r, i);
}

static size_t find(const struct reassembler *r, const struct reassembly *key)
{
	size_t i = 0;

	while (i < REASSEMBLY_SLOTS &&
	       (!r->slots[i] || r->slots[i]->id != key->id || r->slots[i]->proto != key->proto ||
		r->slots[i]->from != key->from || !same_hosts(r->slots[i], key)))
		i++;
	return i;
}

/* The oldest (of those hosts, when `of` is not NULL) but `but`; REASSEMBLY_SLOTS: none. */
static size_t oldest(const struct reassembler *r, const struct reassembly *of, size_t but)
{
	size_t found = REASSEMBLY_SLOTS;

	for (size_t i = 0; i < REASSEMBLY_SLOTS; i++) {
		if (!r->slots[i] || i == but || (of && !same_hosts(r->slots[i], of)))
			continue;
		if (found == REASSEMBLY_SLOTS || r->slots[i]->since < r->slots[found]->since)
			found = i;
	}
	return found;
}

static size_t free_slot(struct reassembler *r, const struct reassembly *key)
{
	size_t of_pair = 0, i;

	for (i = 0; i < REASSEMBLY_SLOTS; i++)
		of_pair += r->slots[i] && same_hosts(r->slots[i], key);
	if (of_pair >= REASSEMBLY_OF_PAIR)
		give_up(r, oldest(r, key, REASSEMBLY_SLOTS));
	for (i = 0; i < REASSEMBLY_SLOTS && r->slots[i];)
		i++;
	if (i == REASSEMBLY_SLOTS) {
		i = oldest(r, NULL, REASSEMBLY_SLOTS);
		give_up(r, i);
	}
	return i;
}

static size_t open_slot(struct reassembler *r, const struct reassembly *key, mono_ns now)
{
	size_t i = free_slot(r, key);

	r->slots[i] = calloc(1, sizeof(*r->slots[i]));
	if (!r->slots[i])
		return REASSEMBLY_SLOTS;
	*r->slots[i] = *key;
	r->slots[i]->since = now;
	return i;
}

/* Nothing of it is kept but its name. */
static void spoil(struct reassembler *r, struct reassembly *d)
{
	r->dropped++;
	r->bytes -= d->size;
	if (d->b)
		secret_free(d->b, d->size);
	d->b = NULL;
	d->size = 0;
	d->spoiled = true;
}

static bool grow(struct reassembler *r, size_t i, size_t end)
{
	struct reassembly *d = r->slots[i];
	size_t size = (end + GROW_STEP - 1) / GROW_STEP * GROW_STEP;
	uint8_t *b;

	if (end <= d->size)
		return true;
	while (r->bytes - d->size + size > REASSEMBLY_BYTES)
		give_up(r, oldest(r, NULL, i));
	b = malloc(size);
	if (!b)
		return false;
	if (d->b) {
		memcpy(b, d->b, d->size);
		secret_free(d->b, d->size);
	}
	r->bytes += size - d->size;
	d->b = b;
	d->size = size;
	return true;
}

/* Marks what came; false when some of it came before. */
static bool mark(struct reassembly *d, size_t at, size_t len)
{
	bool fresh = true;

	for (size_t u = at / UNIT; u * UNIT < at + len; u++) {
		uint8_t bit = (uint8_t)(1 << u % 8);

		fresh = fresh && !(d->came[u / 8] & bit);
		d->came[u / 8] |= bit;
	}
	return fresh;
}

/* The fragment fits to what is there. */
static bool fits(const struct reassembly *d, const struct piece *f)
{
	size_t end = f->at + f->body.len;
	size_t most = UINT16_MAX - (d->src.family == AF_INET ? (size_t)IP4_HEAD_MIN : IP6_HEAD_LEN);

	if (end > most || (d->total > 0 && end > d->total))
		return false;
	return f->more || d->reach <= end;
}

static bool put(struct reassembler *r, size_t i, const struct piece *f)
{
	struct reassembly *d = r->slots[i];
	size_t end = f->at + f->body.len;

	if (!fits(d, f) || !grow(r, i, end) || !mark(d, f->at, f->body.len))
		return false;
	memcpy(d->b + f->at, f->body.p, f->body.len);
	d->got += f->body.len;
	if (end > d->reach)
		d->reach = end;
	if (!f->more)
		d->total = end;
	if (f->at == 0) {
		memcpy(d->head, f->head.p, f->head.len);
		d->head_len = f->head.len;
		d->next = f->next;
	}
	return true;
}

/* The header of the first fragment (RFC 791 3.2, RFC 8200 4.5). Its TOS is that of all: one host
 * sent them at one time. */
static bool write_whole(const struct reassembly *d, struct wr *w)
{
	size_t start = wr_len(w);

	wr_span(w, span_of(d->head, d->head_len));
	wr_span(w, span_of(d->b, d->total));
	if (!wr_ok(w))
		return false;
	if (d->src.family == AF_INET) {
		wr_fill_u16(w, start + 2, (uint16_t)(d->head_len + d->total));
		wr_fill_u16(w, start + 6, 0);
		wr_fill_u16(w, start + 10, 0);
		wr_fill_u16(w, start + 10,
			    checksum_fold(checksum_add(0, span_head(span_tail(wr_done(w), start),
								    d->head_len))));
	} else {
		wr_fill_u16(w, start + 4, (uint16_t)d->total);
		wr_fill_u8(w, start + NEXT_AT6, d->next);
	}
	return wr_ok(w);
}

bool reassembler_add(struct reassembler *r, struct span p, const struct inner *in, mono_ns now,
		     struct wr *w)
{
	struct reassembly *d;
	struct piece f;
	bool whole;
	size_t i;

	expire(r, now);
	if (!read_piece(p, in, &f)) {
		r->dropped++;
		return false;
	}
	f.key.from = r->from;
	i = find(r, &f.key);
	if (i == REASSEMBLY_SLOTS)
		i = open_slot(r, &f.key, now);
	if (i == REASSEMBLY_SLOTS || r->slots[i]->spoiled)
		return false;
	d = r->slots[i];
	if (!put(r, i, &f)) {
		spoil(r, d);
		return false;
	}
	/* Units are all different and lie within the total, so this is the whole of it. */
	if (d->total == 0 || d->got != d->total || d->head_len == 0)
		return false;
	whole = d->head_len + d->total <= UINT16_MAX && write_whole(d, w);
	r->dropped += !whole;
	drop_slot(r, i);
	return whole;
}
