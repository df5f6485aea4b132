/* SPDX-License-Identifier: Apache-2.0 */
/* A table (base/table.h) in which several things may have one key: the newest of them stands in the
 * table, the others hang on it, newest first. Putting in and taking out need no memory and no walk.
 */
#ifndef XFRM_CHAIN_H
#define XFRM_CHAIN_H

#include "base/table.h"

/* Lies in the caller's struct. The key of the table is that of `node`. */
struct chain {
	struct table_node node;
	struct chain *older;
	struct chain *newer; /* NULL: it is the one in the table */
};

/* The newest that has the key, NULL when none has it; `older` leads on. */
struct chain *chain_find(const struct table *t, struct span key);
/* As the newest of its key. */
void chain_put(struct table *t, struct chain *c);
void chain_take(struct table *t, struct chain *c);

#endif
