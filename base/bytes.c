/* SPDX-License-Identifier: Apache-2.0 */
/* Every comparison of a length with what is left stands in this file, and each is written so that
 * it cannot overflow: a wanted length is compared with the distance of two pointers, never added to
 * one first. Pointers are never NULL inside a reader or writer, so that no zero is ever added to
 * NULL.
 */
#include "base/bytes.h"

#include <string.h>

static const uint8_t nothing[1];

struct span span_of(const void *p, size_t len)
{
	return (struct span){ p, len };
}

struct span span_str(const char *s)
{
	return span_of(s, strlen(s));
}

bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

int span_cmp(struct span a, struct span b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.p, b.p, a.len);
}

int span_order_bytes(struct span a, struct span b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common == 0 ? 0 : memcmp(a.p, b.p, common);

	if (order != 0 || a.len == b.len)
		return order;
	return a.len < b.len ? -1 : 1;
}

struct span span_head(struct span s, size_t len)
{
	return span_of(s.p, len < s.len ? len : s.len);
}

struct span span_tail(struct span s, size_t skip)
{
	return skip < s.len ? span_of(s.p + skip, s.len - skip) : SPAN_EMPTY;
}

struct rd rd_from(struct span s)
{
	if (s.p == NULL || s.len == 0)
		return (struct rd){ nothing, nothing, s.len != 0 };
	return (struct rd){ s.p, s.p + s.len, false };
}

void rd_fail(struct rd *r)
{
	r->bad = true;
	r->p = r->end;
}

/* The one step that all reads are made of: `len` bytes, or NULL and a broken reader. */
static const uint8_t *rd_step(struct rd *r, size_t len)
{
	const uint8_t *at = r->p;

	if (r->bad || len > (size_t)(r->end - r->p)) {
		rd_fail(r);
		return NULL;
	}
	r->p += len;
	return at;
}

static uint64_t rd_number(struct rd *r, size_t len)
{
	const uint8_t *at = rd_step(r, len);
	uint64_t v = 0;

	for (size_t i = 0; at != NULL && i < len; i++)
		v = v << 8 | at[i];
	return v;
}

uint8_t rd_u8(struct rd *r)
{
	return (uint8_t)rd_number(r, 1);
}

uint16_t rd_u16(struct rd *r)
{
	return (uint16_t)rd_number(r, 2);
}

uint32_t rd_u32(struct rd *r)
{
	return (uint32_t)rd_number(r, 4);
}

uint64_t rd_u64(struct rd *r)
{
	return rd_number(r, 8);
}

struct span rd_take(struct rd *r, size_t len)
{
	const uint8_t *at = rd_step(r, len);

	return at == NULL ? SPAN_EMPTY : span_of(at, len);
}

struct span rd_rest(struct rd *r)
{
	return rd_take(r, rd_left(r));
}

void rd_skip(struct rd *r, size_t len)
{
	(void)rd_step(r, len);
}

void rd_copy(struct rd *r, void *to, size_t len)
{
	const uint8_t *at = rd_step(r, len);

	if (len == 0)
		return;
	if (at != NULL)
		memcpy(to, at, len);
	else
		memset(to, 0, len);
}

size_t rd_left(const struct rd *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

bool rd_ok(const struct rd *r)
{
	return !r->bad;
}

bool rd_end(const struct rd *r)
{
	return !r->bad && r->p == r->end;
}

/* Without room it stands on `nothing`, which is const: of its 0 bytes none is ever written. */
struct wr wr_into(void *buf, size_t size)
{
	uint8_t *p = buf != NULL && size > 0 ? buf : (uint8_t *)(uintptr_t)nothing;

	return (struct wr){ p, p, p + (buf != NULL ? size : 0), buf == NULL && size > 0 };
}

void wr_fail(struct wr *w)
{
	w->bad = true;
}

uint8_t *wr_take(struct wr *w, size_t len)
{
	uint8_t *at = w->p;

	if (w->bad || len > (size_t)(w->end - w->p)) {
		w->bad = true;
		return NULL;
	}
	w->p += len;
	return at;
}

static void put_number(uint8_t *at, uint64_t v, size_t len)
{
	for (size_t i = len; i > 0; i--, v >>= 8)
		at[i - 1] = (uint8_t)v;
}

static void wr_number(struct wr *w, uint64_t v, size_t len)
{
	uint8_t *at = wr_take(w, len);

	if (at != NULL)
		put_number(at, v, len);
}

void wr_u8(struct wr *w, uint8_t v)
{
	wr_number(w, v, 1);
}

void wr_u16(struct wr *w, uint16_t v)
{
	wr_number(w, v, 2);
}

void wr_u32(struct wr *w, uint32_t v)
{
	wr_number(w, v, 4);
}

void wr_u64(struct wr *w, uint64_t v)
{
	wr_number(w, v, 8);
}

void wr_span(struct wr *w, struct span s)
{
	uint8_t *at = wr_take(w, s.len);

	if (at != NULL && s.len > 0)
		memcpy(at, s.p, s.len);
}

void wr_zero(struct wr *w, size_t len)
{
	uint8_t *at = wr_take(w, len);

	if (at != NULL && len > 0)
		memset(at, 0, len);
}

size_t wr_hole_u16(struct wr *w)
{
	size_t at = wr_len(w);

	wr_u16(w, 0);
	return at;
}

/* Only what was written before may be filled in later. */
static void wr_fill(struct wr *w, size_t at, uint64_t v, size_t len)
{
	size_t written = wr_len(w);

	if (w->bad)
		return;
	if (at > written || len > written - at)
		w->bad = true;
	else
		put_number(w->start + at, v, len);
}

void wr_fill_u8(struct wr *w, size_t at, uint8_t v)
{
	wr_fill(w, at, v, 1);
}

void wr_fill_u16(struct wr *w, size_t at, uint16_t v)
{
	wr_fill(w, at, v, 2);
}

void wr_fill_u32(struct wr *w, size_t at, uint32_t v)
{
	wr_fill(w, at, v, 4);
}

void wr_fill_len16(struct wr *w, size_t at, size_t from)
{
	size_t written = wr_len(w);

	if (from > written || written - from > UINT16_MAX)
		w->bad = true;
	else
		wr_fill(w, at, written - from, 2);
}

size_t wr_len(const struct wr *w)
{
	return w->bad ? 0 : (size_t)(w->p - w->start);
}

size_t wr_left(const struct wr *w)
{
	return w->bad ? 0 : (size_t)(w->end - w->p);
}

bool wr_ok(const struct wr *w)
{
	return !w->bad;
}

struct span wr_done(const struct wr *w)
{
	return w->bad ? SPAN_EMPTY : span_of(w->start, (size_t)(w->p - w->start));
}
