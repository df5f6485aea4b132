/* SPDX-License-Identifier: Apache-2.0 */
/* Plain data by tables of its fields: see fields.h. */
#include "ike/fields.h"

#include "base/clock.h"
#include "crypto/suite.h"
#include "ike/core.h"

/* Beyond it sums of times could run over. */
static const mono_ns last_time = NEVER / 4;

static const void *at(const void *from, const struct field *f)
{
	return (const uint8_t *)from + f->at;
}

static void *room(void *to, const struct field *f)
{
	return (uint8_t *)to + f->at;
}

/* ---- values that others have no form for ---- */

static void put_group(struct wr *w, const struct ke_group *g)
{
	wr_u16(w, g ? g->id : KE_NONE);
}

static const struct ke_group *get_group(struct rd *r)
{
	uint16_t id = rd_u16(r);
	const struct ke_group *g = id != KE_NONE ? ke_find(id) : NULL;

	if (id != KE_NONE && !g)
		rd_fail(r);
	return g;
}

static void put_suite(struct wr *w, const struct suite *s)
{
	wr_u16(w, s->encr ? s->encr->id : 0);
	wr_u16(w, s->encr ? s->encr->key_bits : 0);
	wr_u16(w, s->integ ? s->integ->id : 0);
	wr_u16(w, s->prf ? s->prf->id : 0);
	put_group(w, s->ke);
	pack_bool(w, s->esn);
}

/* An algorithm that is not there any more breaks it: the SA cannot go on. */
static struct suite get_suite(struct rd *r)
{
	uint16_t encr = rd_u16(r), bits = rd_u16(r), integ = rd_u16(r), prf = rd_u16(r);
	struct suite s = {
		.encr = encr ? encr_find(encr, bits) : NULL,
		.integ = integ ? integ_find(integ) : NULL,
		.prf = prf ? prf_find(prf) : NULL,
	};

	if ((encr && !s.encr) || (integ && !s.integ) || (prf && !s.prf) || (!encr && bits))
		rd_fail(r);
	if (s.encr && s.encr->aead != !s.integ)
		rd_fail(r);
	s.ke = get_group(r);
	s.esn = unpack_bool(r);
	return s;
}

static mono_ns get_past(struct rd *r, mono_ns now)
{
	mono_ns t = rd_u64(r);

	if (t > now)
		rd_fail(r);
	return t;
}

static mono_ns get_when(struct rd *r)
{
	mono_ns t = rd_u64(r);

	if (t > last_time && t != NEVER)
		rd_fail(r);
	return t;
}

static void put_low(struct wr *w, const struct low_nonce *low)
{
	wr_u8(w, low->len);
	wr_span(w, span_of(low->b, sizeof(low->b)));
}

static struct low_nonce get_low(struct rd *r)
{
	struct low_nonce low;

	low.len = (uint8_t)unpack_enum(r, sizeof(low.b) + 1);
	rd_copy(r, low.b, sizeof(low.b));
	return low;
}

static enum err get_packets(struct rd *r, struct packets *p)
{
	struct span s = unpack_span(r, SCRATCH_LEN);

	if (!rd_ok(r))
		return ERR_SYNTAX;
	return s.len > 0 ? packets_set(p, s) : OK;
}

/* ---- both ways ---- */

static void put(struct wr *w, const struct field *f, const void *v)
{
	switch (f->kind) {
	case FIELD_BOOL:
		pack_bool(w, *(const bool *)v);
		break;
	case FIELD_U8:
		wr_u8(w, *(const uint8_t *)v);
		break;
	case FIELD_U16:
		wr_u16(w, *(const uint16_t *)v);
		break;
	case FIELD_U32:
		wr_u32(w, *(const uint32_t *)v);
		break;
	case FIELD_U64:
	case FIELD_PAST:
	case FIELD_WHEN:
		wr_u64(w, *(const uint64_t *)v);
		break;
	case FIELD_ENUM:
		pack_enum(w, *(const unsigned int *)v);
		break;
	case FIELD_TEXT:
		pack_text(w, v, f->size);
		break;
	case FIELD_BYTES:
		wr_span(w, span_of(v, f->size));
		break;
	case FIELD_ADDR:
		pack_addr(w, v);
		break;
	case FIELD_ENDPOINT:
		pack_endpoint(w, v);
		break;
	case FIELD_PATH:
		pack_path(w, v);
		break;
	case FIELD_KEY:
		pack_key(w, v);
		break;
	case FIELD_LOW:
		put_low(w, v);
		break;
	case FIELD_SUITE:
		put_suite(w, v);
		break;
	case FIELD_GROUP:
		put_group(w, *(const struct ke_group *const *)v);
		break;
	case FIELD_PACKETS:
		pack_span(w, packets_span(v));
		break;
	case FIELD_SELECTORS:
		pack_ts_list(w, v);
		break;
	}
}

static enum err get(struct rd *r, const struct field *f, void *v, mono_ns now)
{
	switch (f->kind) {
	case FIELD_BOOL:
		*(bool *)v = unpack_bool(r);
		break;
	case FIELD_U8:
		*(uint8_t *)v = rd_u8(r);
		break;
	case FIELD_U16:
		*(uint16_t *)v = rd_u16(r);
		break;
	case FIELD_U32:
		*(uint32_t *)v = rd_u32(r);
		break;
	case FIELD_U64:
		*(uint64_t *)v = rd_u64(r);
		break;
	case FIELD_PAST:
		*(mono_ns *)v = get_past(r, now);
		break;
	case FIELD_WHEN:
		*(mono_ns *)v = get_when(r);
		break;
	case FIELD_ENUM:
		*(unsigned int *)v = unpack_enum(r, (unsigned int)f->size);
		break;
	case FIELD_TEXT:
		unpack_text(r, v, f->size);
		break;
	case FIELD_BYTES:
		rd_copy(r, v, f->size);
		break;
	case FIELD_ADDR:
		*(struct addr *)v = unpack_addr(r);
		break;
	case FIELD_ENDPOINT:
		*(struct endpoint *)v = unpack_endpoint(r);
		break;
	case FIELD_PATH:
		*(struct path *)v = unpack_path(r);
		break;
	case FIELD_KEY:
		*(struct key *)v = unpack_key(r);
		break;
	case FIELD_LOW:
		*(struct low_nonce *)v = get_low(r);
		break;
	case FIELD_SUITE:
		*(struct suite *)v = get_suite(r);
		break;
	case FIELD_GROUP:
		*(const struct ke_group **)v = get_group(r);
		break;
	case FIELD_PACKETS:
		return get_packets(r, v);
	case FIELD_SELECTORS:
		return unpack_ts_list(r, v);
	}
	return rd_ok(r) ? OK : ERR_SYNTAX;
}

void fields_put(struct wr *w, struct fields f, const void *from)
{
	for (size_t i = 0; i < f.n; i++)
		put(w, &f.v[i], at(from, &f.v[i]));
}

enum err fields_get(struct rd *r, struct fields f, void *to, mono_ns now)
{
	enum err err = OK;

	for (size_t i = 0; i < f.n && err == OK; i++)
		err = get(r, &f.v[i], room(to, &f.v[i]), now);
	return err;
}
