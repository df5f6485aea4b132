/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/desk.h"

#include <stdlib.h>

static struct span slip_key(const struct table_node *n)
{
	const struct slip *s = container_of(n, const struct slip, node);

	return span_of(s->key, sizeof s->key);
}

static void make_key(uint8_t key[static SLIP_KEY_LEN], enum role r, unsigned int kind,
		     uint64_t ticket)
{
	struct wr w = wr_into(key, SLIP_KEY_LEN);

	wr_u64(&w, ticket);
	wr_u32(&w, (uint32_t)r);
	wr_u32(&w, kind);
}

/* Tickets are numbers of ours: nobody chooses where they collide. */
enum err desk_init(struct desk *d)
{
	static const uint8_t seed[SIPHASH_KEY_LEN];

	*d = (struct desk){ .n = { 0 } };
	return table_init(&d->slips, seed, slip_key);
}

struct slip *desk_put(struct desk *d, enum role r, unsigned int kind, uint64_t ticket)
{
	struct slip *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->role = r;
	s->kind = kind;
	s->ticket = ticket;
	make_key(s->key, r, kind, ticket);
	/* No ticket is given twice. */
	if (table_add(&d->slips, &s->node) != OK) {
		free(s);
		return NULL;
	}
	s->next = d->first[r];
	if (s->next != NULL)
		s->next->prev = s;
	d->first[r] = s;
	d->n[r]++;
	return s;
}

static struct slip *take(struct desk *d, struct slip *s)
{
	table_del(&d->slips, &s->node);
	*(s->prev != NULL ? &s->prev->next : &d->first[s->role]) = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	d->n[s->role]--;
	return s;
}

struct slip *desk_take(struct desk *d, enum role r, unsigned int kind, uint64_t ticket)
{
	struct table_node *n;
	uint8_t key[SLIP_KEY_LEN];

	make_key(key, r, kind, ticket);
	n = table_find(&d->slips, span_of(key, sizeof key));
	return n != NULL ? take(d, container_of(n, struct slip, node)) : NULL;
}

struct slip *desk_take_any(struct desk *d, enum role r)
{
	return d->first[r] != NULL ? take(d, d->first[r]) : NULL;
}

size_t desk_count(const struct desk *d, enum role r)
{
	return d->n[r];
}

void desk_free(struct desk *d)
{
	for (unsigned int r = 0; r < N_ROLES; r++) {
		while (d->first[r] != NULL)
			free(take(d, d->first[r]));
	}
	table_free(&d->slips);
}
