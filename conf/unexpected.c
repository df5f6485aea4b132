/* SPDX-License-Identifier: Apache-2.0 */
/* What the parser did not expect, in the words of whoever wrote the file: not which tokens would
 * fit, but what is probably missing.
 */
#include <string.h>

#include "conf/parse.h"
#include "conf/schema.h"

struct unexpected {
	const char *text;
	const char *hint;
	bool lost; /* the blocks cannot be told apart any more */
};

static struct unexpected unexpected_in_list(struct parse *ps, enum parse_token got,
					    char hint[static WORDS_MAX])
{
	words(hint, "the `{` of line %d is not closed", ps->list_at.pos.line);
	if (got == PT_END)
		return (struct unexpected){ "the file ends inside a list", hint, true };
	if (got == PT_OPEN)
		return (struct unexpected){ "a list holds values, no other list", hint, true };
	return (struct unexpected){ "`=` inside a list", hint, true };
}

static struct unexpected unexpected_end(struct parse *ps, char text[static WORDS_MAX],
					char hint[static WORDS_MAX])
{
	const struct tree_block *b = ps->open;

	words(text, "the file ends inside `%s%s%.80s`", b->kind, b->name ? " " : "",
	      b->name ? b->name : "");
	words(hint, "the `{` of line %d is not closed", b->at.pos.line);
	return (struct unexpected){ text, hint, true };
}

/* Others have a colon behind the name: `address: 192.0.2.1`. */
static bool cut_colon(const char *word, char name[static WORDS_MAX])
{
	const size_t len = strlen(word);

	if (len < 2 || len > 80 || word[len - 1] != ':')
		return false;
	words(name, "%.*s", (int)len - 1, word);
	return !schema_block_known(name);
}

/* After `word`, or after `word word`. */
static struct unexpected unexpected_after_name(struct parse *ps, enum parse_token got,
					       unsigned int wanted, char text[static WORDS_MAX],
					       char hint[static WORDS_MAX])
{
	const char *name = ps->first.text ? ps->first.text : "";
	bool known = schema_knows(name);
	char option[WORDS_MAX];

	if (cut_colon(name, option)) {
		words(text, "`:` after `%.80s`, where `=` belongs", option);
		words(hint, "%.80s = VALUE", option);
		return (struct unexpected){ text, hint, false };
	}
	if (wanted & PT_EQUALS && schema_block_known(name)) {
		words(text, "`{` is missing after `%.80s`", name);
		words(hint, "%.80s {", name);
		return (struct unexpected){ text, hint, true };
	}
	if (wanted & PT_EQUALS) {
		words(text, "`%.80s` stands alone", name);
		words(hint,
		      known ? "%.80s = VALUE" : "an option is NAME = VALUE, a block NAME { ... }",
		      name);
		return (struct unexpected){ text, hint, false };
	}
	if (known) {
		words(text, "`=` is missing after `%.80s`", name);
		words(hint, "%.80s = VALUE", name);
		return (struct unexpected){ text, hint, false };
	}
	words(text, "`{` is missing after the head of the block");
	words(hint, "%.80s NAME { on one line", name);
	return (struct unexpected){ text, hint, got == PT_EOL };
}

static struct unexpected unexpected_at_start(struct parse *ps, enum parse_token got)
{
	if (got == PT_CLOSE && !ps->open->parent)
		return (struct unexpected){ "this `}` closes nothing", "a `{` may be missing above",
					    false };
	return (struct unexpected){ "a line begins with the name of an option or a block", NULL,
				    false };
}

static struct unexpected unexpected_behind(enum parse_token got)
{
	if (got == PT_EQUALS)
		return (struct unexpected){ "a second `=` in one line",
					    "one option a line; a value with = wants quotes",
					    false };
	if (got == PT_OPEN)
		return (struct unexpected){ "a `{` behind a value", NULL, true };
	return (struct unexpected){ "more than one value",
				    "several stand in braces: { A, B }; one with spaces in quotes",
				    false };
}

void parse_unexpected(struct parse *ps, enum parse_token got, unsigned int wanted, struct mark at)
{
	struct unexpected u;
	char text[WORDS_MAX];
	char hint[WORDS_MAX];

	if (ps->lost || ps->nomem)
		return;
	if (wanted == PT_OPEN && ps->first.text &&
	    (schema_knows(ps->first.text) || cut_colon(ps->first.text, text)))
		at = ps->first.at;
	if (ps->in_list)
		u = unexpected_in_list(ps, got, hint);
	else if (wanted & PT_EQUALS || wanted == PT_OPEN)
		u = unexpected_after_name(ps, got, wanted, text, hint);
	else if (wanted & PT_STRING)
		u = (struct unexpected){ "a value is missing behind `=`", NULL, false };
	else if (got == PT_END)
		u = unexpected_end(ps, text, hint);
	else if (wanted & PT_WORD)
		u = unexpected_at_start(ps, got);
	else if (got == PT_CLOSE && !ps->open->parent)
		u = unexpected_at_start(ps, got);
	else if (ps->closed_line == at.pos.line)
		u = (struct unexpected){ "`}` ends a line", "a line break before this", false };
	else
		u = unexpected_behind(got);
	mark_error(ps->problems, at, u.text, u.hint);
	ps->lost = u.lost;
}
