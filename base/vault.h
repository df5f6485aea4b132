/* SPDX-License-Identifier: Apache-2.0 */
/* Records that outlive the process that writes them: in memory that another process holds, too.
 *
 * A log: what is put in is written behind what is there, and counts when one word says so, which is
 * written last. So a writer that is killed at any instruction leaves what it had committed, whole.
 * When the log has grown to some times what is alive in it, that is copied to the other half of the
 * memory, and the same word turns to that. What counts no more is wiped as soon as the word says
 * so.
 *
 * One writer at a time; a reader is the next writer, when the one before is gone. It trusts nothing
 * that it finds.
 */
#ifndef BASE_VAULT_H
#define BASE_VAULT_H

#include "base/table.h"

/* VAULT_FORMAT: of the memory; another one is not read. */
enum { VAULT_KEY_MAX = 255, VAULT_SIZE_MIN = 4096, VAULT_FORMAT = 1 };

struct vault_entry;

struct vault {
	uint8_t *mem;
	size_t size;
	unsigned int half; /* that is written */
	struct wr w;	   /* into that half, behind the last record */
	size_t other_used; /* of the other half, until the next commit wipes it */
	size_t alive;	   /* bytes of records that are the newest of their key */
	size_t reserve;	   /* ... that would say of each that it is gone */
	struct table index;
	struct vault_entry *touched; /* since the last commit */
};

/* Memory of zeros is an empty one, and is touched only where something is put; it is aligned to 8
 * bytes, and stays the caller's. ERR_SYNTAX: it is of another kind, or spoilt: *v is empty then,
 * and so is the memory. ERR_NOMEM. */
MUST_USE enum err vault_open(struct vault *v, void *mem, size_t size);
/* The memory stays as it is. Takes one that was never opened, zeroed. */
void vault_close(struct vault *v);

/* In the place of what was under the key. ERR_SPACE: there is no room for it: what was there is to
 * be forgotten, and that always has room. ERR_NOMEM. */
MUST_USE enum err vault_put(struct vault *v, struct span key, struct span bytes);
/* Nothing is under the key any more. */
void vault_forget(struct vault *v, struct span key);
/* All of that counts. True: in the other half of the memory, so what vault_spare has is much. */
bool vault_commit(struct vault *v);

/* Where nothing is that counts, behind the log and in the other half, right after an opening or a
 * commit. Its pages may be given back: zeros are what is expected there, not what is relied on. */
void vault_spare(const struct vault *v, struct span spare[static 2]);

/* What is under the key, until something is put or forgotten; false: nothing. */
bool vault_get(const struct vault *v, struct span key, struct span *bytes);
/* Each record once, in no order. It may be neither put nor forgotten meanwhile. */
typedef void vault_fn(void *ctx, struct span key, struct span bytes);
void vault_each(const struct vault *v, vault_fn *fn, void *ctx);
size_t vault_count(const struct vault *v);

#endif
