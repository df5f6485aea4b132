/* SPDX-License-Identifier: Apache-2.0 */
/* The model as text, block by block and row by row. */
#include "conf/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/field.h"

static int longest_name(enum schema_block block)
{
	const struct schema_option *row;
	size_t longest = 0;

	for (size_t i = 0; (row = schema_row(i)); i++) {
		if (row->block == block && strlen(row->name) > longest)
			longest = strlen(row->name);
	}
	return (int)longest;
}

static void options_write(enum schema_block block, const void *obj, const char *indent, FILE *f)
{
	const struct schema_option *row;

	for (size_t i = 0; (row = schema_row(i)); i++) {
		if (row->block != block || !field_is_set(row, obj))
			continue;
		fprintf(f, "%s%-*s = ", indent, longest_name(block), row->name);
		field_write(row, obj, f);
		fputc('\n', f);
	}
}

static void me_write(const struct conf_me *me, FILE *f)
{
	fprintf(f, "\nme %s%s{\n", me->name, me->name[0] ? " " : "");
	options_write(SCHEMA_ME, me, "\t", f);
	fputs("}\n", f);
}

static void connection_write(const struct conf_connection *cn, FILE *f)
{
	fprintf(f, "\nconnection %s {\n", cn->name);
	options_write(SCHEMA_CONNECTION, cn, "\t", f);
	for (size_t i = 0; i < cn->n_children; i++) {
		fprintf(f, "\n\tchild %s {\n", cn->children[i].name);
		options_write(SCHEMA_CHILD, &cn->children[i], "\t\t", f);
		fputs("\t}\n", f);
	}
	fputs("}\n", f);
}

char *conf_text(const struct conf *c)
{
	char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);

	if (!f)
		return NULL;
	options_write(SCHEMA_GLOBAL, c, "", f);
	for (size_t i = 0; i < c->n_mes; i++)
		me_write(&c->mes[i], f);
	for (size_t i = 0; i < c->n_connections; i++)
		connection_write(&c->connections[i], f);
	if (fclose(f) == 0)
		return out;
	free(out);
	return NULL;
}
