/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in the table of options (schema_rows.c). */
#include <string.h>

#include "conf/schema.h"

const struct schema_option *schema_find(enum schema_block block, const char *name)
{
	const struct schema_option *row;

	for (size_t i = 0; (row = schema_row(i)); i++) {
		if (row->block == block && strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

bool schema_knows(const char *name)
{
	for (unsigned int b = SCHEMA_GLOBAL; b < N_SCHEMA_BLOCKS; b++) {
		if (schema_find((enum schema_block)b, name))
			return true;
	}
	return false;
}

const char *schema_block_word(enum schema_block block)
{
	switch (block) {
	case SCHEMA_GLOBAL:
		return NULL;
	case SCHEMA_ME:
		return "me";
	case SCHEMA_CONNECTION:
		return "connection";
	case SCHEMA_CHILD:
		return "child";
	}
	return NULL;
}

bool schema_block_known(const char *word)
{
	for (unsigned int b = SCHEMA_GLOBAL + 1; b < N_SCHEMA_BLOCKS; b++) {
		if (strcmp(schema_block_word((enum schema_block)b), word) == 0)
			return true;
	}
	return false;
}

const char *schema_block_title(enum schema_block block)
{
	switch (block) {
	case SCHEMA_GLOBAL:
		return "the file outside of blocks";
	case SCHEMA_ME:
		return "a me block";
	case SCHEMA_CONNECTION:
		return "a connection";
	case SCHEMA_CHILD:
		return "a child";
	}
	return "";
}
