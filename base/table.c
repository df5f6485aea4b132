/* SPDX-License-Identifier: Apache-2.0 */
/* Chains in an array of buckets that doubles when there are more nodes than buckets. It never
 * shrinks: a gateway that once had many peers is likely to have them again.
 */
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 16 };

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static uint64_t le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (size_t i = 8; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

static void sip_rounds(struct sip *s, unsigned int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 = rotl(s->v2, 32);
	}
}

static void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_rounds(s, 2);
	s->v0 ^= m;
}

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2.2. */
uint64_t siphash(const uint8_t key[static SIPHASH_KEY_LEN], struct span s)
{
	uint64_t k0 = le64(key);
	uint64_t k1 = le64(key + 8);
	struct sip h = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
			 k1 ^ 0x7465646279746573 };
	uint8_t last[8] = { [7] = (uint8_t)s.len };
	struct rd r = rd_from(s);

	while (rd_left(&r) >= 8)
		sip_word(&h, le64(rd_take(&r, 8).p));
	rd_copy(&r, last, rd_left(&r));
	sip_word(&h, le64(last));
	h.v2 ^= 0xff;
	sip_rounds(&h, 4);
	return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}

enum err table_init(struct table *t, const uint8_t seed[static SIPHASH_KEY_LEN],
		    table_key_fn *key_of)
{
	*t = (struct table){ .n_buckets = FIRST_BUCKETS, .key_of = key_of };
	memcpy(t->seed, seed, sizeof(t->seed));
	t->bucket = calloc(t->n_buckets, sizeof(struct table_node *));
	if (t->bucket == NULL)
		t->n_buckets = 0;
	return t->bucket == NULL ? ERR_NOMEM : OK;
}

void table_free(struct table *t)
{
	free(t->bucket);
	*t = (struct table){ .bucket = NULL };
}

static struct table_node **bucket_of(const struct table *t, uint64_t hash)
{
	return &t->bucket[hash & (t->n_buckets - 1)];
}

static struct table_node *find_hashed(const struct table *t, uint64_t hash, struct span key)
{
	struct table_node *n = *bucket_of(t, hash);

	while (n != NULL && (n->hash != hash || !span_eq(t->key_of(n), key)))
		n = n->next;
	return n;
}

struct table_node *table_find(const struct table *t, struct span key)
{
	return t->n == 0 ? NULL : find_hashed(t, siphash(t->seed, key), key);
}

static void push(struct table *t, struct table_node *n)
{
	struct table_node **b = bucket_of(t, n->hash);

	n->next = *b;
	*b = n;
}

static void table_grow(struct table *t)
{
	struct table old = *t;
	struct table_node **wider;

	if (t->n < t->n_buckets)
		return;
	wider = calloc(t->n_buckets * 2, sizeof(struct table_node *));
	if (wider == NULL)
		return;
	t->bucket = wider;
	t->n_buckets *= 2;
	for (size_t i = 0; i < old.n_buckets; i++) {
		while (old.bucket[i] != NULL) {
			struct table_node *n = old.bucket[i];

			old.bucket[i] = n->next;
			push(t, n);
		}
	}
	free(old.bucket);
}

enum err table_add(struct table *t, struct table_node *n)
{
	struct span key = t->key_of(n);
	uint64_t hash = siphash(t->seed, key);

	if (find_hashed(t, hash, key) != NULL)
		return ERR_EXISTS;
	table_grow(t);
	n->hash = hash;
	push(t, n);
	t->n++;
	return OK;
}

void table_del(struct table *t, struct table_node *n)
{
	struct table_node **at;

	if (t->n == 0)
		return;
	for (at = bucket_of(t, n->hash); *at != NULL; at = &(*at)->next) {
		if (*at != n)
			continue;
		*at = n->next;
		n->next = NULL;
		t->n--;
		return;
	}
}

struct table_node *table_next(const struct table *t, const struct table_node *after)
{
	size_t i = 0;

	if (after != NULL && after->next != NULL)
		return after->next;
	if (after != NULL)
		i = (after->hash & (t->n_buckets - 1)) + 1;
	for (; i < t->n_buckets; i++)
		if (t->bucket[i] != NULL)
			return t->bucket[i];
	return NULL;
}
