/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends are one binary, so the form needs no version; it only has to be exact and checked. */
#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

void pack_bool(struct wr *w, bool v)
{
	wr_u8(w, v ? 1 : 0);
}

bool unpack_bool(struct rd *r)
{
	return unpack_enum(r, 2) == 1;
}

void pack_enum(struct wr *w, unsigned int v)
{
	if (v > UINT8_MAX)
		wr_fail(w);
	wr_u8(w, (uint8_t)v);
}

unsigned int unpack_enum(struct rd *r, unsigned int n)
{
	unsigned int v = rd_u8(r);

	if (v < n)
		return v;
	rd_fail(r);
	return 0;
}

void pack_err(struct wr *w, enum err e)
{
	pack_enum(w, (unsigned int)e);
}

enum err unpack_err(struct rd *r)
{
	return (enum err)unpack_enum(r, N_ERR);
}

void pack_span(struct wr *w, struct span s)
{
	if (s.len > UINT32_MAX)
		wr_fail(w);
	wr_u32(w, (uint32_t)s.len);
	wr_span(w, s);
}

struct span unpack_span(struct rd *r, size_t max)
{
	size_t len = rd_u32(r);

	if (len > max)
		rd_fail(r);
	return rd_take(r, len);
}

void pack_text(struct wr *w, const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (len == size)
		wr_fail(w);
	pack_span(w, span_of(text, len));
}

void unpack_text(struct rd *r, char *text, size_t size)
{
	struct span s = unpack_span(r, size - 1);

	memset(text, 0, size);
	if (s.len > 0 && memchr(s.p, 0, s.len) != NULL)
		rd_fail(r);
	else if (s.len > 0)
		memcpy(text, s.p, s.len);
}

void pack_addr(struct wr *w, const struct addr *a)
{
	struct span s = addr_span(a);

	wr_u8(w, (uint8_t)s.len);
	wr_span(w, s);
}

struct addr unpack_addr(struct rd *r)
{
	struct span s = rd_take(r, rd_u8(r));
	struct addr a;

	if (!addr_from_span(&a, s) && s.len != 0)
		rd_fail(r);
	if (addr_len(&a) != s.len) /* IPv4 dressed as IPv6: never packed */
		rd_fail(r);
	return rd_ok(r) ? a : (struct addr){ .family = AF_UNSPEC };
}

void pack_endpoint(struct wr *w, const struct endpoint *e)
{
	pack_addr(w, &e->addr);
	wr_u16(w, e->port);
}

struct endpoint unpack_endpoint(struct rd *r)
{
	struct addr a = unpack_addr(r);

	return (struct endpoint){ .addr = a, .port = rd_u16(r) };
}

void pack_path(struct wr *w, const struct path *p)
{
	pack_endpoint(w, &p->local);
	pack_endpoint(w, &p->remote);
}

struct path unpack_path(struct rd *r)
{
	struct endpoint local = unpack_endpoint(r);

	return (struct path){ .local = local, .remote = unpack_endpoint(r) };
}

void pack_identity(struct wr *w, const struct identity *id)
{
	wr_u8(w, id->type);
	pack_span(w, identity_span(id));
}

struct identity unpack_identity(struct rd *r)
{
	uint8_t type = rd_u8(r);
	struct span body = unpack_span(r, IDENTITY_MAX);
	struct identity id = { .type = ID_NONE };

	if (type == ID_NONE && body.len == 0)
		return id;
	if (identity_from_wire(&id, type, body) != OK)
		rd_fail(r);
	return id;
}

void pack_key(struct wr *w, const struct key *k)
{
	pack_span(w, key_span(k));
}

struct key unpack_key(struct rd *r)
{
	struct key k;

	if (!key_set(&k, unpack_span(r, KEY_MAX)))
		rd_fail(r);
	return k;
}

static void pack_ts(struct wr *w, const struct ts *t)
{
	wr_u8(w, t->proto);
	wr_u16(w, t->port_lo);
	wr_u16(w, t->port_hi);
	pack_addr(w, &t->lo);
	pack_addr(w, &t->hi);
}

static struct ts unpack_ts(struct rd *r)
{
	struct ts t;

	memset(&t, 0, sizeof(t));
	t.proto = rd_u8(r);
	t.port_lo = rd_u16(r);
	t.port_hi = rd_u16(r);
	t.lo = unpack_addr(r);
	t.hi = unpack_addr(r);
	if (!ts_valid(&t))
		rd_fail(r);
	return t;
}

void pack_ts_list(struct wr *w, const struct ts_list *l)
{
	wr_u8(w, l->n);
	for (unsigned int i = 0; i < l->n; i++)
		pack_ts(w, &l->v[i]);
}

enum err unpack_ts_list(struct rd *r, struct ts_list *l)
{
	uint8_t n = rd_u8(r);

	*l = (struct ts_list){ 0, NULL };
	if (n == 0)
		return rd_ok(r) ? OK : ERR_SYNTAX;
	l->v = calloc(n, sizeof(*l->v));
	if (l->v == NULL)
		return ERR_NOMEM;
	for (l->n = 0; l->n < n && rd_ok(r); l->n++)
		l->v[l->n] = unpack_ts(r);
	if (rd_ok(r))
		return OK;
	ts_list_free(l);
	return ERR_SYNTAX;
}

void pack_flow(struct wr *w, const struct flow *f)
{
	pack_addr(w, &f->src);
	pack_addr(w, &f->dst);
	wr_u8(w, f->proto);
	pack_bool(w, f->ports_known);
	wr_u16(w, f->sport);
	wr_u16(w, f->dport);
}

struct flow unpack_flow(struct rd *r)
{
	struct flow f;

	memset(&f, 0, sizeof(f));
	f.src = unpack_addr(r);
	f.dst = unpack_addr(r);
	f.proto = rd_u8(r);
	f.ports_known = unpack_bool(r);
	f.sport = rd_u16(r);
	f.dport = rd_u16(r);
	return f;
}
