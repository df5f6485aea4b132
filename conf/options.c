/* SPDX-License-Identifier: Apache-2.0 */
/* The options of one block: those that stand there into their fields, presets into the others. What
 * is unknown, twice, or missing is reported.
 */
#include <string.h>

#include "conf/build.h"

static void option_set(struct build *b, const struct schema_option *row, struct tree_option *o,
		       void *obj)
{
	char text[WORDS_MAX];
	bool good = false;

	if (o->n_values == 0)
		mark_error(b->p, o->at, words(text, "`%s` has no value", row->name), row->values);
	else if (o->n_values > 1 && !build_set_takes_list(row->type))
		mark_error(b->p, o->values->next->at,
			   words(text, "`%s` takes one value", row->name), row->values);
	else
		good = build_set(b, row, o, obj);
	o->broken = !good;
	if (row->pos_offset && o->values)
		memcpy((char *)obj + row->pos_offset, &o->values->at.pos,
		       sizeof(o->values->at.pos));
}

static void preset_set(struct build *b, const struct schema_option *row, void *obj)
{
	struct tree_value v = { .text = row->preset };
	struct tree_option o = { .name = row->name, .n_values = 1, .values = &v };

	option_set(b, row, &o, obj);
}

/* A known option elsewhere is named as such: most slips are a line in the wrong block. */
static void option_unknown(struct build *b, enum schema_block kind, const struct tree_option *o)
{
	char text[WORDS_MAX];
	char hint[WORDS_MAX] = "";
	const char *near = schema_suggest(kind, o->name);

	words(text, "%s has no option `%.80s`", schema_block_title(kind), o->name);
	if (near) {
		words(hint, "did you mean `%s`?", near);
	} else {
		for (unsigned int other = SCHEMA_GLOBAL; other < N_SCHEMA_BLOCKS && !hint[0];
		     other++) {
			if (schema_find((enum schema_block)other, o->name))
				words(hint, "%s has it",
				      schema_block_title((enum schema_block)other));
		}
	}
	mark_error(b->p, o->at, text, hint);
}

/* A misspelt option is reported as that, not as missing too. */
static bool option_meant(enum schema_block kind, const struct tree_block *block, const char *name)
{
	for (const struct tree_option *o = block->options; o; o = o->next) {
		const char *near =
			schema_find(kind, o->name) ? NULL : schema_suggest(kind, o->name);

		if (near && strcmp(near, name) == 0)
			return true;
	}
	return false;
}

static void option_take(struct build *b, enum schema_block kind, const struct tree_block *block,
			struct tree_option *o, void *obj)
{
	const struct schema_option *row = schema_find(kind, o->name);
	const struct tree_option *first = tree_option_find(block, o->name);
	char text[WORDS_MAX];
	char hint[WORDS_MAX];

	if (o->broken)
		return;
	if (!row) {
		option_unknown(b, kind, o);
	} else if (first != o) {
		words(text, "`%s` stands twice", o->name);
		mark_error(b->p, o->at, text,
			   words(hint, "the first is in line %d", first->at.pos.line));
	} else {
		option_set(b, row, o, obj);
	}
}

void build_options(struct build *b, enum schema_block kind, struct tree_block *block, void *obj)
{
	const struct schema_option *row;
	char text[WORDS_MAX];

	for (struct tree_option *o = block->options; o; o = o->next)
		option_take(b, kind, block, o, obj);
	for (size_t i = 0; (row = schema_row(i)); i++) {
		if (row->block != kind || tree_option_find(block, row->name))
			continue;
		if (row->preset)
			preset_set(b, row, obj);
		else if (row->required && !block->broken && !option_meant(kind, block, row->name))
			mark_error(b->p, block->at,
				   words(text, "`%s` is missing in %s", row->name,
					 schema_block_title(kind)),
				   row->example);
	}
}
