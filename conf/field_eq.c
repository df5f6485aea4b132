/* SPDX-License-Identifier: Apache-2.0 */
/* Are two settings the same? A setting is a list of parts, by the type of its row, and settings are
 * the same if their parts are. The digest of a setting is made of these parts, too, so what is
 * compared and what is digested cannot drift apart. */
#include <string.h>

#include "base/secret.h"
#include "base/table.h"
#include "conf/field.h"

enum { PART_MAX = 4 * SUITE_ENCR_MAX };

struct part {
	struct span is; /* of the setting itself, or of: */
	uint8_t room[PART_MAX];
};

static bool is_made(struct part *p, const struct wr *w)
{
	p->is = wr_done(w);
	return true;
}

static bool is_bytes(struct part *p, const void *x, size_t size)
{
	p->is = span_of(x, size);
	return true;
}

/* With its end, so that an empty one is not like none. */
static bool is_text(struct part *p, const char *text)
{
	p->is = text ? span_of((const uint8_t *)text, strlen(text) + 1) : SPAN_EMPTY;
	return true;
}

static void put_addr(struct wr *w, const struct addr *a)
{
	wr_u16(w, (uint16_t)a->family);
	wr_span(w, span_of(a->b, sizeof(a->b)));
}

static bool is_addr(struct part *p, const struct addr *a)
{
	struct wr w = wr_into(p->room, sizeof(p->room));

	put_addr(&w, a);
	return is_made(p, &w);
}

/* Contents too: a renewed certificate, or another key, under the old name is a change. */
static bool file_part(const struct conf_file *f, size_t i, struct part *p)
{
	switch (i) {
	case 0:
		return is_text(p, f->path);
	case 1:
		p->is = f->bytes;
		return true;
	case 2:
		return is_bytes(p, f->mark, sizeof(f->mark));
	default:
		return false;
	}
}

/* As written: an upper-case letter in a name goes out on the wire. */
static bool identity_part(const struct identity *id, size_t i, struct part *p)
{
	if (i == 0)
		return is_bytes(p, &id->type, sizeof(id->type));
	p->is = identity_span(id);
	return i == 1;
}

static bool peer_part(const struct conf_connection *cn, size_t i, struct part *p)
{
	if (i == 0)
		return is_bytes(p, &cn->any_address, sizeof(cn->any_address));
	if (i == 1)
		return is_text(p, cn->address_name);
	return i - 2 < cn->n_addresses && is_addr(p, &cn->addresses[i - 2]);
}

/* Each network is one fact; their order too, for the first address is the one that is sent from. */
static bool addresses_part(const struct conf_child *ch, size_t i, struct part *p)
{
	struct wr w = wr_into(p->room, sizeof(p->room));

	if (i >= ch->n_addresses)
		return false;
	wr_u8(&w, ch->addresses[i].bits);
	put_addr(&w, &ch->addresses[i].addr);
	return is_made(p, &w);
}

static bool selector_part(const struct ts_list *l, size_t i, struct part *p)
{
	struct wr w = wr_into(p->room, sizeof(p->room));

	if (i >= l->n)
		return false;
	wr_u8(&w, l->v[i].proto);
	wr_u16(&w, l->v[i].port_lo);
	wr_u16(&w, l->v[i].port_hi);
	put_addr(&w, &l->v[i].lo);
	put_addr(&w, &l->v[i].hi);
	return is_made(p, &w);
}

/* By their numbers, which another process has, too. */
static bool policy_part(const struct suite_policy *s, size_t i, struct part *p)
{
	struct wr w = wr_into(p->room, sizeof(p->room));

	for (size_t k = 0; i == 0 && k < SUITE_ENCR_MAX && s->encr[k]; k++) {
		wr_u16(&w, s->encr[k]->id);
		wr_u16(&w, s->encr[k]->key_bits);
	}
	for (size_t k = 0; i == 1 && k < SUITE_INTEG_MAX && s->integ[k]; k++)
		wr_u16(&w, s->integ[k]->id);
	for (size_t k = 0; i == 2 && k < SUITE_PRF_MAX && s->prf[k]; k++)
		wr_u16(&w, s->prf[k]->id);
	for (size_t k = 0; i == 3 && k < SUITE_KE_MAX && s->ke[k]; k++)
		wr_u16(&w, s->ke[k]->id);
	return i < 4 && is_made(p, &w);
}

/* The identity is not asked for: local_identity has it. All others of it are files. */
static bool me_part(const struct conf_me *me, size_t i, struct part *p)
{
	const struct schema_option *row;

	for (size_t k = 0; me && (row = schema_row(k)); k++) {
		if (row->block != SCHEMA_ME || row->type != SCHEMA_FILE)
			continue;
		if (file_part((const void *)((const char *)me + row->offset), i, p))
			return true;
		i -= 3;
	}
	return false;
}

/* False: it has no such part, and none behind it. */
static bool part(const struct schema_option *row, const void *obj, size_t i, struct part *p)
{
	const void *x = (const char *)obj + row->offset;

	switch (row->type) {
	case SCHEMA_YES_NO:
	case SCHEMA_NUMBER:
	case SCHEMA_TIME:
	case SCHEMA_CHOICE:
	case SCHEMA_DEVICE:
		return i == 0 && is_bytes(p, x, row->size);
	case SCHEMA_FILE:
		return file_part(x, i, p);
	case SCHEMA_IDENTITY:
		return identity_part(x, i, p);
	case SCHEMA_PEER:
		return peer_part(obj, i, p);
	case SCHEMA_ADDRESS:
		return i == 0 && is_addr(p, x);
	case SCHEMA_ADDRESSES:
		return addresses_part(obj, i, p);
	case SCHEMA_SELECTORS:
		return selector_part(x, i, p);
	case SCHEMA_POLICY:
		return policy_part(x, i, p);
	case SCHEMA_ME_NAME:
		return me_part(*(const struct conf_me *const *)x, i, p);
	}
	return false;
}

bool field_eq(const struct schema_option *row, const void *a, const void *b)
{
	struct part x, y;
	bool more = true;

	for (size_t i = 0; more; i++) {
		more = part(row, a, i, &x);
		if (more != part(row, b, i, &y) || (more && !secret_eq(x.is, y.is)))
			return false;
	}
	return true;
}

const struct schema_option *field_difference(enum schema_block block, const void *a, const void *b)
{
	const struct schema_option *quiet = NULL;
	const struct schema_option *row;

	for (size_t i = 0; (row = schema_row(i)); i++) {
		if (row->block != block || field_eq(row, a, b))
			continue;
		if (row->reload != RELOAD_QUIET)
			return row;
		quiet = quiet ? quiet : row;
	}
	return quiet;
}

/* ---- digests ---- */

/* What was before, and the place of the part, are its key. */
uint64_t field_digest_part(uint64_t before, uint64_t place, struct span is)
{
	uint8_t key[SIPHASH_KEY_LEN];
	struct wr w = wr_into(key, sizeof(key));

	wr_u64(&w, before);
	wr_u64(&w, place);
	return siphash(key, is);
}

uint64_t field_digest(uint64_t before, enum schema_block block, const void *obj)
{
	const struct schema_option *row;
	struct part p;

	for (size_t i = 0; (row = schema_row(i)); i++) {
		if (row->block != block || row->reload == RELOAD_QUIET)
			continue;
		for (size_t k = 0; part(row, obj, k, &p); k++)
			before = field_digest_part(before, i << 32 | k, p.is);
	}
	return before;
}
