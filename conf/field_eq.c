/* SPDX-License-Identifier: Apache-2.0 */
/* Are two settings the same? By type of the schema's row. */
#include <string.h>

#include "base/secret.h"
#include "conf/field.h"

static bool text_eq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Contents too: a renewed certificate, or another key, under the old name is a change. */
static bool file_eq(const struct conf_file *a, const struct conf_file *b)
{
	return text_eq(a->path, b->path) && secret_eq(a->bytes, b->bytes) &&
	       secret_eq(span_of(a->mark, sizeof a->mark), span_of(b->mark, sizeof b->mark));
}

/* As written: an upper-case letter in a name goes out on the wire. */
static bool identity_same(const struct identity *a, const struct identity *b)
{
	return a->type == b->type && span_eq(identity_span(a), identity_span(b));
}

static bool peer_eq(const struct conf_connection *a, const struct conf_connection *b)
{
	if (a->n_addresses != b->n_addresses || a->any_address != b->any_address ||
	    !text_eq(a->address_name, b->address_name))
		return false;
	for (size_t i = 0; i < a->n_addresses; i++) {
		if (!addr_eq(&a->addresses[i], &b->addresses[i]))
			return false;
	}
	return true;
}

/* Each network is one fact; their order too, for the first address is the one that is sent from. */
static bool addresses_eq(const struct conf_child *a, const struct conf_child *b)
{
	if (a->n_addresses != b->n_addresses)
		return false;
	for (size_t i = 0; i < a->n_addresses; i++) {
		if (a->addresses[i].bits != b->addresses[i].bits ||
		    !addr_eq(&a->addresses[i].addr, &b->addresses[i].addr))
			return false;
	}
	return true;
}

/* The identity is not asked for: local_identity has it. */
static bool me_eq(const struct conf_me *a, const struct conf_me *b)
{
	const struct schema_option *row;

	if (!a || !b)
		return a == b;
	for (size_t i = 0; (row = schema_row(i)); i++) {
		if (row->block == SCHEMA_ME && row->type != SCHEMA_IDENTITY && !field_eq(row, a, b))
			return false;
	}
	return true;
}

bool field_eq(const struct schema_option *row, const void *a, const void *b)
{
	const void *x = (const char *)a + row->offset;
	const void *y = (const char *)b + row->offset;

	switch (row->type) {
	case SCHEMA_YES_NO:
	case SCHEMA_NUMBER:
	case SCHEMA_TIME:
	case SCHEMA_CHOICE:
	case SCHEMA_DEVICE:
		return memcmp(x, y, row->size) == 0;
	case SCHEMA_FILE:
		return file_eq(x, y);
	case SCHEMA_IDENTITY:
		return identity_same(x, y);
	case SCHEMA_PEER:
		return peer_eq(a, b);
	case SCHEMA_ADDRESS:
		return addr_eq(x, y);
	case SCHEMA_ADDRESSES:
		return addresses_eq(a, b);
	case SCHEMA_SELECTORS:
		return ts_list_eq(x, y);
	case SCHEMA_POLICY:
		return suite_policy_eq(x, y);
	case SCHEMA_ME_NAME:
		return me_eq(*(const struct conf_me *const *)x, *(const struct conf_me *const *)y);
	}
	return false;
}

const struct schema_option *field_difference(enum schema_block block, const void *a, const void *b)
{
	const struct schema_option *quiet = NULL;
	const struct schema_option *row;

	for (size_t i = 0; (row = schema_row(i)); i++) {
		if (row->block != block || field_eq(row, a, b))
			continue;
		if (row->reload != RELOAD_QUIET)
			return row;
		quiet = quiet ? quiet : row;
	}
	return quiet;
}
