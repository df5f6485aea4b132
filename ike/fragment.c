/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/fragment.h"

#include <stdlib.h>

/* A fragment that begins a message anew: the first of all, of another message, or of a set that
 * was cut smaller (RFC 7383 2.5.2: the sender searches the path's MTU downwards, so its totals
 * only grow). */
static bool begins(const struct reassembly *r, const struct message *m, const struct pl_skf *f)
{
	return r->total == 0 || r->message_id != m->h.message_id || f->total > r->total;
}

static bool superfluous(const struct reassembly *r, const struct pl_skf *f)
{
	return f->total < r->total || r->piece[f->number - 1].p != NULL;
}

/* A fragment that was opened; `p` holds the piece at its start and goes over into the
 * reassembly. */
struct opened {
	struct pl_skf f;
	uint8_t *p;
	struct span piece;
};

static void keep(struct reassembly *r, const struct message *m, const struct opened *o)
{
	if (begins(r, m, &o->f)) {
		reassembly_reset(r);
		r->message_id = m->h.message_id;
		r->total = o->f.total;
	}
	if (o->f.number == 1)
		r->first = o->f.first;
	r->piece[o->f.number - 1] = (struct piece){ o->p, (uint16_t)o->piece.len };
	r->bytes += (uint32_t)o->piece.len;
	r->n++;
}

static enum err open_into(const struct sk_keys *k, const struct message *m, struct opened *o)
{
	struct wr w;
	enum err err;

	o->p = malloc(m->raw.len);
	if (o->p == NULL)
		return ERR_NOMEM;
	w = wr_into(o->p, m->raw.len);
	err = protect_open_fragment(k, m, &w, &o->piece);
	if (err != OK)
		free(o->p); /* wiped by protect_open_fragment */
	return err;
}

enum err reassembly_add(struct reassembly *r, const struct sk_keys *k, const struct message *m,
			bool *whole)
{
	struct opened o;
	bool anew;
	enum err err = protect_fragment_peek(m, &o.f);

	*whole = false;
	if (err != OK)
		return err;
	if (o.f.total > FRAGMENTS_MAX)
		return ERR_LIMIT;
	/* Cheap questions first: a duplicate costs no decryption. */
	anew = begins(r, m, &o.f);
	if (!anew && superfluous(r, &o.f))
		return OK;
	err = open_into(k, m, &o);
	if (err != OK)
		return err;
	if ((anew ? 0 : r->bytes) + o.piece.len > REASSEMBLY_BYTES_MAX) {
		secret_free(o.p, o.piece.len);
		return ERR_LIMIT;
	}
	keep(r, m, &o);
	*whole = r->n == r->total;
	return OK;
}

enum err reassembly_join(const struct reassembly *r, struct wr *buf, struct inner *in)
{
	struct wr at = *buf;
	size_t from = wr_len(buf);

	if (r->total == 0 || r->n != r->total)
		return ERR_UNEXPECTED;
	for (size_t i = 0; i < r->total; i++)
		wr_span(&at, span_of(r->piece[i].p, r->piece[i].len));
	if (!wr_ok(&at))
		return ERR_SPACE;
	*in = (struct inner){ .first = r->first, .chain = span_tail(wr_done(&at), from) };
	*buf = at;
	return OK;
}

size_t reassembly_cost(const struct reassembly *r)
{
	return r ? sizeof(*r) + r->bytes + (size_t)r->n * FRAGMENT_COST : 0;
}

void reassembly_reset(struct reassembly *r)
{
	for (size_t i = 0; i < r->total; i++)
		secret_free(r->piece[i].p, r->piece[i].len);
	*r = (struct reassembly){ .total = 0 };
}
