/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table from bytes to things of the caller, for look-ups by SPI, address or cookie.
 *
 * Intrusive: the node lies in the caller's struct, so adding never allocates per entry. Keyed
 * SipHash-2-4: who chooses the keys (a stranger, often) cannot choose where they collide without
 * the table's seed.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/bytes.h"
#include "base/container.h"
#include "base/err.h"

enum { SIPHASH_KEY_LEN = 16 };

struct table_node {
	struct table_node *next;
	uint64_t hash;
};

/* The bytes by which a node is found; they must not change while it is in the table. */
typedef struct span table_key_fn(const struct table_node *n);

struct table {
	struct table_node **bucket;
	size_t n_buckets; /* a power of two */
	size_t n;
	uint8_t seed[SIPHASH_KEY_LEN];
	table_key_fn *key_of;
};

uint64_t siphash(const uint8_t key[static SIPHASH_KEY_LEN], struct span s);

/* The seed is random in the daemon and fixed in the simulator. ERR_NOMEM is the only failure. */
MUST_USE enum err table_init(struct table *t, const uint8_t seed[static SIPHASH_KEY_LEN],
			     table_key_fn *key_of);
/* Frees the table's own memory; the entries stay with their owners. Takes a zeroed table. */
void table_free(struct table *t);

/* NULL when there is none. */
struct table_node *table_find(const struct table *t, struct span key);
/* ERR_EXISTS when the key is there, and then nothing changed. Growing that fails for want of memory
 * is not an error: the chains get longer. */
MUST_USE enum err table_add(struct table *t, struct table_node *n);
/* Takes out a node; one that is not in the table does nothing. */
void table_del(struct table *t, struct table_node *n);

/* Every node once, in no promised order: begin with NULL. Only the node returned last may be taken
 * out between the calls, after asking for its successor. */
struct table_node *table_next(const struct table *t, const struct table_node *after);

#endif
