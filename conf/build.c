/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of the tree to structs of the model. Which blocks there are stands here, which options
 * they have in the schema. A block with problems is built as far as it goes, so that the checks
 * find the rest in one run.
 */
#include "conf/build.h"

#include <stdlib.h>
#include <string.h>

#include "conf/value.h"

/* Whether `name` is taken by an earlier block of its kind. */
static const struct tree_block *block_twin(const struct tree_block *block)
{
	const char *name = block->name ? block->name : "";

	for (const struct tree_block *e = block->parent->blocks; e && e != block; e = e->next) {
		if (strcmp(e->kind, block->kind) == 0 && strcmp(e->name ? e->name : "", name) == 0)
			return e;
	}
	return NULL;
}

static bool block_name_judge(struct build *b, const struct tree_block *block)
{
	char text[WORDS_MAX];
	char hint[WORDS_MAX];
	const struct tree_block *twin = block_twin(block);

	if (block->name && !value_is_name(block->name)) {
		words(text, "`%.80s` cannot be a name", block->name);
		words(hint, "letters, digits, `_`, `-`, `.`; at most %d, a letter or digit first",
		      CONF_NAME_MAX);
		mark_error(b->p, block->name_at, text, hint);
		return false;
	}
	if (twin) {
		words(text, "`%s%s%.80s` stands twice", block->kind, block->name ? " " : "",
		      block->name ? block->name : "");
		words(hint, "the first is in line %d", twin->at.pos.line);
		mark_error(b->p, block->name ? block->name_at : block->at, text, hint);
		return false;
	}
	return true;
}

/* A name for connections and children is a must, for me it is not. */
static bool block_named(struct build *b, const struct tree_block *block, bool optional)
{
	char text[WORDS_MAX];
	char hint[WORDS_MAX];

	if (block->name || optional)
		return block_name_judge(b, block);
	words(text, "this %s has no name", block->kind);
	words(hint, "%s NAME {", block->kind);
	if (!block->broken)
		mark_error(b->p, block->at, text, hint);
	return false;
}

static void name_copy(char to[static CONF_NAME_MAX + 1], const struct tree_block *block)
{
	size_t len = block->name ? strlen(block->name) : 0;

	len = len > CONF_NAME_MAX ? CONF_NAME_MAX : len;
	memcpy(to, block->name ? block->name : "", len);
	to[len] = '\0';
}

static void block_refuse(struct build *b, const struct tree_block *block, const char *where,
			 const char *wanted)
{
	char text[WORDS_MAX];
	char hint[WORDS_MAX];

	words(text, "%s has no block `%.80s`", where, block->kind);
	if (word_distance(block->kind, wanted) <= 3)
		mark_error(b->p, block->at, text, words(hint, "did you mean `%s`?", wanted));
	else
		mark_error(b->p, block->at, text, NULL);
}

/* Zeroed room for n structs, at least one so that NULL means no memory. */
static void *array_new(struct build *b, size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		b->nomem = true;
	return p;
}

static void child_build(struct build *b, struct tree_block *block, struct conf_connection *cn)
{
	struct conf_child *ch;

	if (strcmp(block->kind, "child") != 0) {
		block_refuse(b, block, "a connection", "child");
		return;
	}
	if (!block_named(b, block, false))
		block->broken = true;
	ch = &cn->children[cn->n_children++];
	name_copy(ch->name, block);
	ch->pos = block->at.pos;
	block->made = ch;
	build_options(b, SCHEMA_CHILD, block, ch);
	for (const struct tree_block *in = block->blocks; in; in = in->next)
		block_refuse(b, in, "a child", "");
}

static void connection_build(struct build *b, struct tree_block *block)
{
	struct conf_connection *cn = &b->c->connections[b->c->n_connections];

	cn->children = array_new(b, tree_block_count(block, "child"), sizeof(*cn->children));
	if (!cn->children)
		return;
	b->c->n_connections++;
	if (!block_named(b, block, false))
		block->broken = true;
	name_copy(cn->name, block);
	cn->pos = block->at.pos;
	block->made = cn;
	build_options(b, SCHEMA_CONNECTION, block, cn);
	for (struct tree_block *in = block->blocks; in; in = in->next)
		child_build(b, in, cn);
}

static void me_build(struct build *b, struct tree_block *block)
{
	struct conf_me *me = &b->c->mes[b->c->n_mes++];

	if (!block_named(b, block, true))
		block->broken = true;
	name_copy(me->name, block);
	me->pos = block->at.pos;
	block->made = me;
	build_options(b, SCHEMA_ME, block, me);
	for (const struct tree_block *in = block->blocks; in; in = in->next)
		block_refuse(b, in, "a me block", "");
}

static const char *top_block_near(const char *kind)
{
	return word_distance(kind, "me") <= 1 ? "me" : "connection";
}

void build_all(struct build *b)
{
	struct tree_block *root = &b->t->root;

	b->c->mes = array_new(b, tree_block_count(root, "me"), sizeof(*b->c->mes));
	b->c->connections =
		array_new(b, tree_block_count(root, "connection"), sizeof(*b->c->connections));
	if (b->nomem)
		return;
	root->made = b->c;
	build_options(b, SCHEMA_GLOBAL, root, b->c);
	for (struct tree_block *in = root->blocks; in; in = in->next) {
		if (strcmp(in->kind, "me") == 0)
			me_build(b, in);
	}
	for (struct tree_block *in = root->blocks; in; in = in->next) {
		if (strcmp(in->kind, "connection") == 0)
			connection_build(b, in);
		else if (strcmp(in->kind, "me") != 0)
			block_refuse(b, in, schema_block_title(SCHEMA_GLOBAL),
				     top_block_near(in->kind));
	}
}
