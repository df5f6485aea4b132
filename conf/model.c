/* SPDX-License-Identifier: Apache-2.0 */
/* The model as a whole: look-ups, equality, the end. */
#include "conf/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "conf/field.h"

const struct conf_connection *conf_connection_find(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_connections; i++) {
		if (strcmp(c->connections[i].name, name) == 0)
			return &c->connections[i];
	}
	return NULL;
}

bool conf_peer_may_be_at(const struct conf_connection *cn, const struct addr *a)
{
	for (size_t i = 0; i < cn->n_addresses; i++) {
		if (addr_eq(&cn->addresses[i], a))
			return true;
	}
	return cn->any_address || cn->address_name != NULL || cn->redirect == CONF_REDIRECT_FOLLOW;
}

const struct conf_child *conf_child_find(const struct conf_connection *cn, const char *name)
{
	for (size_t i = 0; i < cn->n_children; i++) {
		if (strcmp(cn->children[i].name, name) == 0)
			return &cn->children[i];
	}
	return NULL;
}

/* An option that changes nothing for an SA that is up does not count. */
static bool block_eq(enum schema_block block, const void *a, const void *b)
{
	const struct schema_option *row = field_difference(block, a, b);

	return !row || row->reload == RELOAD_QUIET;
}

bool conf_child_eq(const struct conf_child *a, const struct conf_child *b)
{
	return strcmp(a->name, b->name) == 0 && a->reqid == b->reqid && a->set == b->set &&
	       block_eq(SCHEMA_CHILD, a, b);
}

bool conf_connection_same(const struct conf_connection *a, const struct conf_connection *b)
{
	return strcmp(a->name, b->name) == 0 && block_eq(SCHEMA_CONNECTION, a, b);
}

uint64_t conf_child_digest(const struct conf_child *ch)
{
	const uint64_t name = field_digest_part(0, SCHEMA_CHILD, span_str(ch->name));

	return field_digest(name ^ ch->reqid ^ (uint64_t)ch->set << 32, SCHEMA_CHILD, ch);
}

uint64_t conf_connection_digest(const struct conf_connection *cn)
{
	const uint64_t name = field_digest_part(0, SCHEMA_CONNECTION, span_str(cn->name));

	return field_digest(name, SCHEMA_CONNECTION, cn);
}

static void file_free(struct conf_file *f)
{
	free(f->path);
	secret_free((void *)(uintptr_t)f->bytes.p, f->bytes.len);
	secret_free((void *)(uintptr_t)f->secret.p, f->secret.len);
}

static void connection_free(struct conf_connection *cn)
{
	free(cn->address_name);
	file_free(&cn->psk);
	for (size_t i = 0; i < cn->n_children; i++) {
		ts_list_free(&cn->children[i].local);
		ts_list_free(&cn->children[i].remote);
	}
	free(cn->children);
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_connections; i++)
		connection_free(&c->connections[i]);
	for (size_t i = 0; i < c->n_mes; i++) {
		file_free(&c->mes[i].certificate);
		file_free(&c->mes[i].key);
		file_free(&c->mes[i].passphrase);
		file_free(&c->mes[i].trust);
	}
	file_free(&c->qcd_secret);
	free(c->connections);
	free(c->mes);
	free(c->file);
	free(c);
}
