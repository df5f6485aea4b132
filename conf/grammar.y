/* SPDX-License-Identifier: Apache-2.0 */
/* Grammar of postern.conf: lines of `name = value`, `name = { list }` and blocks. It knows no
 * option by name. After a syntax error it goes on behind the end of the line (in a list: at the
 * next value), so that one run finds several.
 */
%code top {
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wredundant-decls"
#pragma GCC diagnostic ignored "-Wnull-dereference"
}
%code requires {
#include <string.h>

#include "conf/parse.h"

/* What a token carries: the text of a word or string, in the tree's memory. */
struct conf_token {
	const char *text;
};
}
%code provides {
int conf_parse_lex(CONF_PARSE_STYPE *value, CONF_PARSE_LTYPE *place, void *scanner);
}
%code {
static void conf_parse_error(const CONF_PARSE_LTYPE *place, void *scanner, struct parse *ps,
			     const char *text);

static struct mark mark_of(const CONF_PARSE_LTYPE *l)
{
	int width = l->first_line == l->last_line ? l->last_column - l->first_column : 1;

	return (struct mark){ .pos = { l->first_line, l->first_column }, .width = width };
}
}

%define api.pure full
%define api.prefix {conf_parse_}
%define parse.error custom
%define parse.lac full
%define lr.default-reduction consistent
%define api.value.type {struct conf_token}
%locations
%lex-param {void *scanner}
%parse-param {void *scanner} {struct parse *ps}
%initial-action { memset(&@$, 0, sizeof(@$)); }

%token END 0
%token <text> WORD STRING
%token EOL
%type <text> text

%%

file: body ;

body: lines last ;

lines: %empty | lines line ;

line: EOL | statement EOL | error EOL { parse_line_broken(ps); yyerrok; } ;

last: %empty | statement ;

statement: option | block | broken ;

broken: WORD error { parse_option_broken(ps, $1, mark_of(&@1)); } ;

option: WORD '=' text { parse_option(ps, $1, mark_of(&@1), $3, mark_of(&@3)); }
      | WORD '=' list { parse_list_end(ps, $1, mark_of(&@1)); }
      | WORD '=' error { parse_option_broken(ps, $1, mark_of(&@1)); }
      ;

list: '{' { parse_list_begin(ps, mark_of(&@1)); } items '}' ;

items: %empty | items item ;

item: ',' | EOL
    | text { parse_list_value(ps, $1, mark_of(&@1)); }
    | error { parse_line_broken(ps); }
    ;

text: WORD | STRING ;

block: WORD '{' { parse_block_begin(ps, $1, mark_of(&@1), NULL, mark_of(&@1)); } block_end
     | WORD text '{' { parse_block_begin(ps, $1, mark_of(&@1), $2, mark_of(&@2)); } block_end
     | WORD error '{' { parse_block_begin_broken(ps, $1, mark_of(&@1)); } block_end
     ;

block_end: body '}' { parse_block_end(ps, mark_of(&@2)); } ;

%%

static unsigned int token_bit(yysymbol_kind_t kind)
{
	switch ((int)kind) {
	case YYSYMBOL_WORD: return PT_WORD;
	case YYSYMBOL_STRING: return PT_STRING;
	case YYSYMBOL_EOL: return PT_EOL;
	case YYSYMBOL_YYEOF: return PT_END;
	}
	if (kind == yytranslate['='])
		return PT_EQUALS;
	if (kind == yytranslate['{'])
		return PT_OPEN;
	if (kind == yytranslate['}'])
		return PT_CLOSE;
	return kind == yytranslate[','] ? PT_COMMA : 0;
}

static int yyreport_syntax_error(const yypcontext_t *ctx, void *scanner, struct parse *ps)
{
	yysymbol_kind_t kinds[YYNTOKENS];
	int n = yypcontext_expected_tokens(ctx, kinds, YYNTOKENS);
	unsigned int wanted = 0;

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		wanted |= token_bit(kinds[i]);
	parse_unexpected(ps, (enum parse_token)token_bit(yypcontext_token(ctx)), wanted,
			 mark_of(yypcontext_location(ctx)));
	return 0;
}

/* Called for what is no syntax error: the parser's own memory. */
static void conf_parse_error(const CONF_PARSE_LTYPE *place, void *scanner, struct parse *ps,
			     const char *text)
{
	ps->nomem = true;
}
