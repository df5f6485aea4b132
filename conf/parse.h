/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar's side of reading: text to tree. Scanner (lex.l) and parser (grammar.y) are
 * generated; what they call is here.
 */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include "conf/problems.h"
#include "conf/tree.h"

enum { PARSE_DEPTH_MAX = 8, PARSE_VALUE_MAX = 4096, PARSE_SIZE_MAX = 1 << 20 };

/* One run of the parser. */
struct parse {
	struct tree *tree;
	struct conf_problems *problems;
	struct tree_block *open; /* the innermost block that is not closed */
	int depth;
	int line; /* where the scanner stands */
	int column;
	bool line_begun;	 /* a token of this line was seen */
	struct tree_value first; /* that token */
	int closed_line;	 /* of the last `}` of a block */
	struct mark list_at;	 /* the brace of the list that is being read */
	struct tree_value *list;
	struct tree_value **list_end;
	bool in_list;
	bool lost; /* what follows cannot be told apart: the rest is not judged */
	bool nomem;
	char *room; /* what is left for the scanner's own things */
	size_t room_left;
};

/* The tokens, as bits: what the parser could take where it stopped. */
enum parse_token {
	PT_WORD = 1,
	PT_STRING = 2,
	PT_EQUALS = 4,
	PT_OPEN = 8,
	PT_CLOSE = 16,
	PT_COMMA = 32,
	PT_EOL = 64,
	PT_END = 128,
};

/* Makes a tree of `text`. Syntax errors become problems and the parser goes on behind them; the
 * blocks where they happened are marked broken. ERR_NOMEM, or ERR_LIMIT when the file is larger
 * than 1 MiB. */
MUST_USE enum err parse_text(struct span text, struct tree *t, struct conf_problems *p);

/* For the scanner. Each returns the token's text, or NULL after it reported a problem. */
const char *parse_word(struct parse *ps, const char *s, size_t len, struct mark at);
const char *parse_string(struct parse *ps, const char *s, size_t len, struct mark at);
void parse_open_quote(struct parse *ps, struct mark at);
void parse_bad_word(struct parse *ps, const char *s, size_t len, struct mark at);

/* For the parser. */
void parse_list_begin(struct parse *ps, struct mark at);
void parse_list_value(struct parse *ps, const char *text, struct mark at);
/* An option with the values of the list just read. */
void parse_list_end(struct parse *ps, const char *name, struct mark at);
void parse_option(struct parse *ps, const char *name, struct mark at, const char *value,
		  struct mark value_at);
void parse_option_broken(struct parse *ps, const char *name, struct mark at);
void parse_block_begin(struct parse *ps, const char *kind, struct mark at, const char *name,
		       struct mark name_at);
/* Its name was not understood. */
void parse_block_begin_broken(struct parse *ps, const char *kind, struct mark at);
void parse_block_end(struct parse *ps, struct mark at);
void parse_unexpected(struct parse *ps, enum parse_token got, unsigned int wanted, struct mark at);
void parse_line_broken(struct parse *ps);

/* The generated parser, as parse_text calls it. */
int conf_parse_run(struct parse *ps, struct span text);

#endif
