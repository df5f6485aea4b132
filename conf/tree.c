/* SPDX-License-Identifier: Apache-2.0 */
/* The syntax tree and its memory: chunks in a list, given back together. */
#include "conf/tree.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 4096 };

struct tree_chunk {
	struct tree_chunk *next;
	size_t used;
	size_t size;
	max_align_t bytes[];
};

void tree_init(struct tree *t)
{
	memset(t, 0, sizeof(*t));
	t->root.options_end = &t->root.options;
	t->root.blocks_end = &t->root.blocks;
}

void tree_free(struct tree *t)
{
	struct tree_chunk *next;

	for (struct tree_chunk *c = t->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	t->chunks = NULL;
}

static struct tree_chunk *chunk_new(struct tree *t, size_t least)
{
	size_t size = least > CHUNK_SIZE ? least : CHUNK_SIZE;
	struct tree_chunk *c = calloc(1, sizeof(*c) + size);

	if (!c)
		return NULL;
	c->size = size;
	c->next = t->chunks;
	t->chunks = c;
	return c;
}

void *tree_alloc(struct tree *t, size_t size)
{
	const size_t unit = _Alignof(max_align_t);
	size_t rounded = (size + unit - 1) / unit * unit;
	struct tree_chunk *c = t->chunks;
	void *p;

	if (rounded < size)
		return NULL;
	if (!c || c->size - c->used < rounded)
		c = chunk_new(t, rounded);
	if (!c)
		return NULL;
	p = (char *)c->bytes + c->used;
	c->used += rounded;
	return p;
}

const char *tree_text(struct tree *t, const char *s, size_t len)
{
	char *copy = tree_alloc(t, len + 1);

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

struct tree_block *tree_block_add(struct tree *t, struct tree_block *parent, const char *kind,
				  struct mark at)
{
	struct tree_block *b = tree_alloc(t, sizeof(*b));

	if (!b)
		return NULL;
	b->kind = kind;
	b->at = at;
	b->parent = parent;
	b->options_end = &b->options;
	b->blocks_end = &b->blocks;
	*parent->blocks_end = b;
	parent->blocks_end = &b->next;
	return b;
}

struct tree_option *tree_option_add(struct tree *t, struct tree_block *b, const char *name,
				    struct mark at)
{
	struct tree_option *o = tree_alloc(t, sizeof(*o));

	if (!o)
		return NULL;
	o->name = name;
	o->at = at;
	*b->options_end = o;
	b->options_end = &o->next;
	return o;
}

const struct tree_option *tree_option_find(const struct tree_block *b, const char *name)
{
	const struct tree_option *o = b->options;

	while (o && strcmp(o->name, name) != 0)
		o = o->next;
	return o;
}

bool tree_option_broken(const struct tree_block *b, const char *name)
{
	const struct tree_option *o = tree_option_find(b, name);

	return o && o->broken;
}

struct mark tree_value_mark(const struct tree_block *b, const char *option)
{
	const struct tree_option *o = tree_option_find(b, option);

	if (!o)
		return b->at;
	return o->values ? o->values->at : o->at;
}

size_t tree_block_count(const struct tree_block *b, const char *kind)
{
	size_t n = 0;

	for (const struct tree_block *c = b->blocks; c; c = c->next)
		n += strcmp(c->kind, kind) == 0;
	return n;
}
