/* SPDX-License-Identifier: Apache-2.0 */
/* A selector is a box (base/ts), and narrowing is the intersection of boxes: every one of the
 * peer's with every one of ours. The result keeps the order of the peer's, so when it must be cut,
 * its first and specific selector survives.
 */
#include "ike/narrow.h"

#include <stdlib.h>

enum { TS_IPV4_ADDR_RANGE = 7, TS_IPV6_ADDR_RANGE = 8, TS_HEADER_LEN = 4 };
/* Comparisons for one side. Two lists of 255 that meet one by one take half of them; what a peer
 * has made up to meet each with each is left out, as is allowed: the first ones stay (2.9). */
enum { NARROW_WORK_MAX = 1 << 18 };

/* One selector's content behind type, protocol and length. False: not of a type that we speak. */
static bool ts_read(struct rd *r, uint8_t type, struct ts *t)
{
	size_t len = type == TS_IPV4_ADDR_RANGE ? 4 : 16;
	sa_family_t family = type == TS_IPV4_ADDR_RANGE ? AF_INET : AF_INET6;

	if (type != TS_IPV4_ADDR_RANGE && type != TS_IPV6_ADDR_RANGE) {
		(void)rd_rest(r);
		return false;
	}
	t->port_lo = rd_u16(r);
	t->port_hi = rd_u16(r);
	if (!addr_from_span(&t->lo, rd_take(r, len)) || !addr_from_span(&t->hi, rd_take(r, len))) {
		rd_fail(r);
		return false;
	}
	/* A range of IPv4-mapped addresses would turn into one of IPv4, which it does not say it
	 * is. */
	return t->lo.family == family && t->hi.family == family;
}

static enum err ts_next(struct rd *r, struct ts_list *l)
{
	struct ts t = { .proto = 0 };
	uint8_t type = rd_u8(r);
	uint16_t len;
	struct rd content;
	bool speaks;

	t.proto = rd_u8(r);
	len = rd_u16(r);
	if (!rd_ok(r) || len < TS_HEADER_LEN)
		return ERR_SYNTAX;
	content = rd_from(rd_take(r, (size_t)(len - TS_HEADER_LEN)));
	speaks = rd_ok(r) && ts_read(&content, type, &t);
	if (!rd_ok(r) || !rd_end(&content))
		return ERR_SYNTAX;
	if (!speaks)
		return OK;
	if (!ts_valid(&t))
		return ERR_SYNTAX;
	l->v[l->n++] = t;
	return OK;
}

enum err ts_payload_decode(struct span body, struct ts_list *l)
{
	struct rd r = rd_from(body);
	uint8_t n = rd_u8(&r);
	enum err err = OK;

	*l = (struct ts_list){ .n = 0 };
	rd_skip(&r, 3); /* RESERVED */
	if (!rd_ok(&r) || n == 0)
		return ERR_SYNTAX;
	l->v = calloc(n, sizeof(*l->v));
	if (l->v == NULL)
		return ERR_NOMEM;
	for (unsigned int i = 0; err == OK && i < n; i++)
		err = ts_next(&r, l);
	if (err == OK && !rd_end(&r))
		err = ERR_SYNTAX;
	if (err != OK)
		ts_list_free(l);
	return err;
}

static void ts_write(struct wr *w, const struct ts *t)
{
	size_t from = wr_len(w);

	wr_u8(w, t->lo.family == AF_INET ? TS_IPV4_ADDR_RANGE : TS_IPV6_ADDR_RANGE);
	wr_u8(w, t->proto);
	wr_u16(w, 0);
	wr_u16(w, t->port_lo);
	wr_u16(w, t->port_hi);
	wr_span(w, addr_span(&t->lo));
	wr_span(w, addr_span(&t->hi));
	wr_fill_len16(w, from + 2, from);
}

void ts_payload_encode(struct wr *w, const struct ts_list *l)
{
	if (l->n == 0)
		wr_fail(w); /* 3.13: at least one */
	wr_u8(w, l->n);
	wr_zero(w, 3);
	for (unsigned int i = 0; i < l->n; i++)
		ts_write(w, &l->v[i]);
}

/* Takes out what `t` covers and puts `t` where the first of those stood, or at the end. Nothing
 * else moves, so what stood before stays before. */
static void list_put(struct ts_list *l, const struct ts *t)
{
	unsigned int kept = 0;
	bool put = false;

	for (unsigned int i = 0; i < l->n; i++) {
		bool covered = ts_covers(t, &l->v[i]);

		if (!covered)
			l->v[kept++] = l->v[i];
		else if (!put)
			l->v[kept++] = *t;
		put = put || covered;
	}
	if (!put && kept < TS_MAX)
		l->v[kept++] = *t;
	l->n = (uint8_t)kept;
}

/* What of `offer` lies in `ours`. */
static enum err narrow_side(const struct ts_list *offer, const struct ts_list *ours,
			    struct ts_list *out)
{
	struct ts both;
	unsigned int work = 0;

	*out = (struct ts_list){ .v = calloc(TS_MAX, sizeof(*out->v)) };
	if (out->v == NULL)
		return ERR_NOMEM;
	for (unsigned int i = 0; i < offer->n; i++) {
		for (unsigned int j = 0; j < ours->n && work < NARROW_WORK_MAX; j++) {
			work++;
			if (!ts_intersect(&offer->v[i], &ours->v[j], &both))
				continue;
			work += 2U * out->n;
			if (!ts_list_covers(out, &both))
				list_put(out, &both);
		}
	}
	return out->n > 0 ? OK : ERR_TS;
}

/* Is there any packet that both sides let through? */
static bool pair_lives(const struct ts_pair *p)
{
	for (unsigned int i = 0; i < p->i.n; i++) {
		for (unsigned int j = 0; j < p->r.n; j++) {
			if (ts_could_meet(&p->i.v[i], &p->r.v[j]))
				return true;
		}
	}
	return false;
}

static bool ts_list_meets(const struct ts_list *l, const struct ts *t)
{
	struct ts both;

	for (unsigned int i = 0; i < l->n; i++) {
		if (ts_intersect(&l->v[i], t, &both))
			return true;
	}
	return false;
}

/* Without it nothing comes of it; most of what does not fit is known by that, at little cost. */
static bool could_fit(const struct ts_pair *offer, const struct ts_pair *ours)
{
	bool meets[TS_MAX];

	for (unsigned int j = 0; j < offer->r.n; j++)
		meets[j] = ts_list_meets(&ours->r, &offer->r.v[j]);
	for (unsigned int i = 0; i < offer->i.n; i++) {
		if (!ts_list_meets(&ours->i, &offer->i.v[i]))
			continue;
		for (unsigned int j = 0; j < offer->r.n; j++) {
			if (meets[j] && ts_could_meet(&offer->i.v[i], &offer->r.v[j]))
				return true;
		}
	}
	return false;
}

enum err narrow_respond(const struct ts_pair *offer, const struct ts_pair *ours,
			struct ts_pair *out)
{
	enum err err;

	*out = (struct ts_pair){ .i = { .n = 0 } };
	if (!could_fit(offer, ours))
		return ERR_TS;
	err = narrow_side(&offer->i, &ours->i, &out->i);
	if (err == OK)
		err = narrow_side(&offer->r, &ours->r, &out->r);
	if (err == OK && !pair_lives(out))
		err = ERR_TS;
	if (err != OK)
		ts_pair_free(out);
	return err;
}

bool narrow_keeps_first(const struct ts_pair *offer, const struct ts_pair *ours)
{
	return offer->i.n > 0 && offer->r.n > 0 && ts_list_covers(&ours->i, &offer->i.v[0]) &&
	       ts_list_covers(&ours->r, &offer->r.v[0]);
}

enum err narrow_verify(const struct ts_pair *offer, const struct ts_pair *answer)
{
	bool within =
		ts_list_within(&answer->i, &offer->i) && ts_list_within(&answer->r, &offer->r);

	return within && pair_lives(answer) ? OK : ERR_TS;
}

void ts_pair_free(struct ts_pair *p)
{
	ts_list_free(&p->i);
	ts_list_free(&p->r);
}
