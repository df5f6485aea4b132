/* SPDX-License-Identifier: Apache-2.0 */
/* Text to tree: what may stand in a file at all, what words and strings are made of, and what the
 * parser builds. Nothing is expanded: `$`, `~` and `*` are characters like others, inside quotes.
 */
#include "conf/parse.h"

#include <stdio.h>
#include <string.h>

/* --- what a file may hold --- */

/* Length of the well-formed UTF-8 sequence at p (Unicode 3.9, table 3-7), 0 when there is none. C1
 * control characters count as malformed: a terminal obeys them. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
	uint8_t c = p[0];
	size_t len = c < 0x80		     ? 1
		     : c >= 0xc2 && c < 0xe0 ? 2
		     : c >= 0xe0 && c < 0xf0 ? 3
		     : c >= 0xf0 && c < 0xf5 ? 4
					     : 0;

	if (len == 0 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((c == 0xc2 && p[1] < 0xa0) || (c == 0xe0 && p[1] < 0xa0) ||
	    (c == 0xed && p[1] > 0x9f) || (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

static bool control_allowed(const uint8_t *p, size_t left)
{
	return p[0] == '\t' || p[0] == '\n' || (p[0] == '\r' && left > 1 && p[1] == '\n');
}

/* The length of the character at p; 0 for one that no configuration may hold. */
static size_t char_len(const uint8_t *p, size_t left)
{
	if (p[0] < 0x20 || p[0] == 0x7f)
		return control_allowed(p, left) ? 1 : 0;
	return utf8_len(p, left);
}

static void char_refuse(struct conf_problems *problems, struct mark at, uint8_t c)
{
	char text[WORDS_MAX];
	const char *hint =
		c < 0x80 ? "only text, tabs and line ends" : "the file must be UTF-8 text";

	mark_error(problems, at, words(text, "byte 0x%02x cannot stand in a configuration", c),
		   hint);
}

/* One problem a line at most: a binary file has one a byte. */
static bool text_check(struct span text, struct conf_problems *problems)
{
	struct mark at = { .pos = { 1, 1 }, .width = 1 };
	int bad_line = 0;
	size_t len;

	for (size_t i = 0; i < text.len; i += len) {
		len = char_len(text.p + i, text.len - i);
		if (len == 0 && at.pos.line != bad_line) {
			char_refuse(problems, at, text.p[i]);
			bad_line = at.pos.line;
		}
		len = len ? len : 1;
		at.pos.column++;
		if (text.p[i] == '\n')
			at.pos = (struct conf_pos){ at.pos.line + 1, 1 };
	}
	return bad_line == 0;
}

enum err parse_text(struct span text, struct tree *t, struct conf_problems *p)
{
	struct parse ps = { .tree = t, .problems = p, .open = &t->root, .line = 1, .column = 1 };
	char too_large[WORDS_MAX];
	int rc;

	if (text.len > PARSE_SIZE_MAX) {
		words(too_large, "the file has %zu bytes, %d are the most", text.len,
		      PARSE_SIZE_MAX);
		mark_error(p, (struct mark){ .pos = { 0, 0 } }, too_large, NULL);
		return ERR_LIMIT;
	}
	if (!text_check(text, p)) {
		t->root.broken = true;
		return OK;
	}
	rc = conf_parse_run(&ps, text);
	if (rc < 0 || ps.nomem)
		return ERR_NOMEM;
	for (struct tree_block *b = ps.open; rc != 0 && b; b = b->parent)
		b->broken = true;
	return rc == 0 || p->n_errors > 0 ? OK : ERR_SYNTAX;
}

/* --- for the scanner --- */

static const char *token_keep(struct parse *ps, const char *text, struct mark at)
{
	if (!text) {
		ps->nomem = true;
		return NULL;
	}
	if (!ps->line_begun)
		ps->first = (struct tree_value){ .text = text, .at = at };
	ps->line_begun = true;
	return text;
}

static bool token_fits(struct parse *ps, size_t len, struct mark at)
{
	char text[WORDS_MAX];

	if (len <= PARSE_VALUE_MAX)
		return true;
	mark_error(ps->problems, at,
		   words(text, "a value of %zu bytes, %d are the most", len, PARSE_VALUE_MAX),
		   NULL);
	return false;
}

const char *parse_word(struct parse *ps, const char *s, size_t len, struct mark at)
{
	return token_fits(ps, len, at) ? token_keep(ps, tree_text(ps->tree, s, len), at) : NULL;
}

const char *parse_string(struct parse *ps, const char *s, size_t len, struct mark at)
{
	char plain[PARSE_VALUE_MAX];
	char text[WORDS_MAX];
	size_t n = 0;

	if (!token_fits(ps, len, at))
		return NULL;
	for (size_t i = 1; i + 1 < len; i++) {
		if (s[i] == '\\' && s[++i] != '\\' && s[i] != '"') {
			words(text, "`\\%c` means nothing in quotes", s[i]);
			mark_error(ps->problems, at, text, "only \\\" and \\\\ do");
			return NULL;
		}
		plain[n++] = s[i];
	}
	return token_keep(ps, tree_text(ps->tree, plain, n), at);
}

void parse_open_quote(struct parse *ps, struct mark at)
{
	ps->line_begun = true;
	mark_error(ps->problems, at, "the quote is not closed", "a value ends on its own line");
}

static bool plain_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c & 0x80) || (c && strchr("_.:/@%+*-[]", c));
}

void parse_bad_word(struct parse *ps, const char *s, size_t len, struct mark at)
{
	char text[WORDS_MAX];
	size_t i = 0;

	while (i + 1 < len && plain_char(s[i]))
		i++;
	ps->line_begun = true;
	switch (s[i]) {
	case ';':
		mark_error(ps->problems, at, "no semicolons here",
			   "the end of the line ends an option");
		return;
	case '\'':
		mark_error(ps->problems, at, "`'` quotes nothing here", "use double quotes");
		return;
	case '#':
		mark_error(ps->problems, at, "`#` inside a word",
			   "a comment wants a space before it, a value with # wants quotes");
		return;
	default:
		words(text, "`%c` needs quotes around the value", s[i]);
		mark_error(ps->problems, at, text, "nothing is ever expanded");
	}
}

/* --- for the parser --- */

void parse_list_begin(struct parse *ps, struct mark at)
{
	ps->list = NULL;
	ps->list_end = &ps->list;
	ps->list_at = at;
	ps->in_list = true;
}

static struct tree_value *value_new(struct parse *ps, const char *text, struct mark at)
{
	struct tree_value *v = tree_alloc(ps->tree, sizeof(*v));

	if (!v) {
		ps->nomem = true;
		return NULL;
	}
	v->text = text;
	v->at = at;
	return v;
}

void parse_list_value(struct parse *ps, const char *text, struct mark at)
{
	struct tree_value *v = value_new(ps, text, at);

	if (!v)
		return;
	*ps->list_end = v;
	ps->list_end = &v->next;
}

static struct tree_option *option_new(struct parse *ps, const char *name, struct mark at)
{
	struct tree_option *o = tree_option_add(ps->tree, ps->open, name, at);

	ps->in_list = false;
	if (!o)
		ps->nomem = true;
	return o;
}

void parse_list_end(struct parse *ps, const char *name, struct mark at)
{
	struct tree_option *o = option_new(ps, name, at);

	if (!o)
		return;
	o->values = ps->list;
	for (const struct tree_value *v = o->values; v; v = v->next)
		o->n_values++;
}

void parse_option(struct parse *ps, const char *name, struct mark at, const char *value,
		  struct mark value_at)
{
	struct tree_option *o = option_new(ps, name, at);

	if (!o)
		return;
	o->values = value_new(ps, value, value_at);
	o->n_values = 1;
}

void parse_option_broken(struct parse *ps, const char *name, struct mark at)
{
	struct tree_option *o = option_new(ps, name, at);

	if (o)
		o->broken = true;
	ps->open->broken = true;
}

void parse_line_broken(struct parse *ps)
{
	ps->open->broken = true;
}

void parse_block_begin(struct parse *ps, const char *kind, struct mark at, const char *name,
		       struct mark name_at)
{
	struct tree_block *b;

	if (ps->depth == PARSE_DEPTH_MAX) {
		mark_error(ps->problems, at, "too many blocks inside each other",
			   "a `}` may be missing above");
		ps->lost = true;
		return;
	}
	b = tree_block_add(ps->tree, ps->open, kind, at);
	if (!b) {
		ps->nomem = true;
		return;
	}
	b->name = name;
	b->name_at = name_at;
	ps->open = b;
	ps->depth++;
}

void parse_block_begin_broken(struct parse *ps, const char *kind, struct mark at)
{
	parse_block_begin(ps, kind, at, NULL, at);
	ps->open->broken = true;
}

void parse_block_end(struct parse *ps, struct mark at)
{
	ps->closed_line = at.pos.line;
	if (!ps->open->parent)
		return;
	ps->open = ps->open->parent;
	ps->depth--;
}
