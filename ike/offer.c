/* SPDX-License-Identifier: Apache-2.0 */
/* Substructures of the SA payload are nested TLVs, each with a length that counts its own header
 * and a byte that says whether another follows. The walker believes neither alone: they must
 * agree, as must the count of transforms.
 */
#include "ike/offer.h"

#include "crypto/alg.h"

enum {
	SUB_HEADER_LEN = 4, /* last, RESERVED, length of the whole */
	SUB_LAST = 0,
	SUB_MORE_PROPOSALS = 2,
	SUB_MORE_TRANSFORMS = 3,
	ATTR_TV = 0x8000, /* AF bit: the value stands in the length field */
	ATTR_KEY_LENGTH = 14,
};

static struct offer_walk walk_from(struct span s)
{
	return (struct offer_walk){ .r = rd_from(s), .more = true };
}

static bool walk_stop(struct offer_walk *w)
{
	w->bad = true;
	rd_fail(&w->r);
	return false;
}

/* The next substructure's content; `more` is the value that announces another one of its kind. */
static bool walk_next(struct offer_walk *w, uint8_t more, struct rd *content)
{
	uint8_t last;
	uint16_t len;

	if (w->bad || !w->more)
		return false;
	last = rd_u8(&w->r);
	rd_skip(&w->r, 1);
	len = rd_u16(&w->r);
	if (!rd_ok(&w->r) || len < SUB_HEADER_LEN || (last != SUB_LAST && last != more))
		return walk_stop(w);
	*content = rd_from(rd_take(&w->r, (size_t)(len - SUB_HEADER_LEN)));
	w->more = last == more;
	return rd_ok(&w->r) ? true : walk_stop(w);
}

struct offer_walk offer_proposals(struct span sa_body)
{
	return walk_from(sa_body);
}

bool offer_next_proposal(struct offer_walk *w, struct offer_proposal *p)
{
	struct rd r;
	uint8_t spi_len;

	if (!walk_next(w, SUB_MORE_PROPOSALS, &r))
		return false;
	p->number = rd_u8(&r);
	p->protocol = rd_u8(&r);
	spi_len = rd_u8(&r);
	p->n_transforms = rd_u8(&r);
	p->spi = rd_take(&r, spi_len);
	p->transforms = rd_rest(&r);
	return rd_end(&r) ? true : walk_stop(w);
}

/* RFC 7296 3.3: a proposal has one or more transforms, so an empty one is a broken walk. */
struct offer_walk offer_transforms(const struct offer_proposal *p)
{
	return walk_from(p->transforms);
}

/* RFC 7296 3.3.5. Key Length comes in short form alone; all else makes the transform unusable. */
static bool attribute_read(struct rd *r, struct offer_transform *t)
{
	uint16_t type = rd_u16(r);
	uint16_t value = rd_u16(r);

	if (!(type & ATTR_TV))
		rd_skip(r, value);
	if (type != (ATTR_TV | ATTR_KEY_LENGTH) || t->key_bits != 0 || value == 0)
		t->strange = true;
	else
		t->key_bits = value;
	return rd_ok(r);
}

bool offer_next_transform(struct offer_walk *w, struct offer_transform *t)
{
	struct rd r;

	if (!walk_next(w, SUB_MORE_TRANSFORMS, &r))
		return false;
	*t = (struct offer_transform){ .type = rd_u8(&r) };
	rd_skip(&r, 1);
	t->id = rd_u16(&r);
	while (rd_left(&r) > 0) {
		if (!attribute_read(&r, t))
			break;
	}
	return rd_end(&r) ? true : walk_stop(w);
}

bool offer_ok(const struct offer_walk *w)
{
	return !w->bad && !w->more && rd_end(&w->r);
}

static bool transforms_ok(const struct offer_proposal *p)
{
	struct offer_walk w = offer_transforms(p);
	struct offer_transform t;
	size_t n = 0;

	while (offer_next_transform(&w, &t))
		n++;
	return offer_ok(&w) && n == p->n_transforms;
}

enum err offer_check(struct span sa_body)
{
	struct offer_walk w = offer_proposals(sa_body);
	struct offer_proposal p;

	while (offer_next_proposal(&w, &p)) {
		if (!transforms_ok(&p))
			return ERR_SYNTAX;
	}
	return offer_ok(&w) ? OK : ERR_SYNTAX;
}

struct offer_pen offer_begin_proposal(struct wr *w, const struct offer_proposal *p, bool last)
{
	struct offer_pen pen = { .w = w, .begun_at = wr_len(w) };

	wr_u8(w, last ? SUB_LAST : SUB_MORE_PROPOSALS);
	wr_u8(w, 0);
	wr_u16(w, 0);
	wr_u8(w, p->number);
	wr_u8(w, p->protocol);
	wr_u8(w, (uint8_t)p->spi.len);
	pen.count_at = wr_len(w);
	wr_u8(w, 0);
	wr_span(w, p->spi);
	return pen;
}

void offer_add_transform(struct offer_pen *pen, uint8_t type, uint16_t id, uint16_t key_bits)
{
	size_t at = wr_len(pen->w);

	if (pen->n == UINT8_MAX)
		wr_fail(pen->w);
	pen->last_at = at;
	pen->n++;
	wr_u8(pen->w, SUB_MORE_TRANSFORMS);
	wr_u8(pen->w, 0);
	wr_u16(pen->w, 0);
	wr_u8(pen->w, type);
	wr_u8(pen->w, 0);
	wr_u16(pen->w, id);
	if (key_bits != 0) {
		wr_u16(pen->w, ATTR_TV | ATTR_KEY_LENGTH);
		wr_u16(pen->w, key_bits);
	}
	wr_fill_len16(pen->w, at + 2, at);
}

void offer_end_proposal(struct offer_pen *pen)
{
	if (pen->n == 0)
		wr_fail(pen->w);
	wr_fill_u8(pen->w, pen->last_at, SUB_LAST);
	wr_fill_u8(pen->w, pen->count_at, pen->n);
	wr_fill_len16(pen->w, pen->begun_at + 2, pen->begun_at);
}
