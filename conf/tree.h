/* SPDX-License-Identifier: Apache-2.0 */
/* What the grammar makes of a file: blocks, options and values as they are written, each with its
 * place. Nothing here knows what a name means; that is the schema's part.
 *
 * A tree owns every byte that hangs on it and frees them all at once, so the parser may drop
 * half-read pieces on the way out of an error.
 */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include "conf/model.h"

/* A place in the file, wide enough to underline. Columns count characters, a tab is one. */
struct mark {
	struct conf_pos pos;
	int width;
};

struct tree_value {
	const char *text; /* quotes and backslashes taken off */
	struct mark at;
	struct tree_value *next;
};

struct tree_option {
	const char *name;
	struct mark at;
	bool broken; /* a syntax error or a wrong value: it counts as given, what it says does not
		      */
	size_t n_values;
	struct tree_value *values;
	struct tree_option *next;
};

struct tree_block {
	const char *kind; /* "me", "connection", "child"; NULL for the whole file */
	const char *name; /* NULL: none was written */
	struct mark at;
	struct mark name_at;
	bool broken; /* a part of it was not understood: what seems missing may be there */
	struct tree_block *parent;
	struct tree_option *options;
	struct tree_option **options_end;
	struct tree_block *blocks;
	struct tree_block **blocks_end;
	struct tree_block *next;
	void *made; /* the model's part that was built from it, or NULL */
};

struct tree_chunk;

struct tree {
	struct tree_block root;
	struct tree_chunk *chunks;
};

void tree_init(struct tree *t);
void tree_free(struct tree *t);
/* Zeroed memory that lives as long as the tree; NULL when there is none. */
void *tree_alloc(struct tree *t, size_t size);
const char *tree_text(struct tree *t, const char *s, size_t len);

struct tree_block *tree_block_add(struct tree *t, struct tree_block *parent, const char *kind,
				  struct mark at);
struct tree_option *tree_option_add(struct tree *t, struct tree_block *b, const char *name,
				    struct mark at);
/* The first of that name, or NULL. */
const struct tree_option *tree_option_find(const struct tree_block *b, const char *name);
/* It stands there, but what it should be is not known. */
bool tree_option_broken(const struct tree_block *b, const char *name);
/* Where a message about an option belongs: its first value, else its name, else the head of the
 * block. */
struct mark tree_value_mark(const struct tree_block *b, const char *option);
size_t tree_block_count(const struct tree_block *b, const char *kind);

#endif
