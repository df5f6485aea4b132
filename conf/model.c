/* SPDX-License-Identifier: Apache-2.0 */
/* The model as a whole: look-ups, equality, the end. */
#include "conf/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

const struct conf_connection *conf_connection_find(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_connections; i++) {
		if (strcmp(c->connections[i].name, name) == 0)
			return &c->connections[i];
	}
	return NULL;
}

const struct conf_child *conf_child_find(const struct conf_connection *cn, const char *name)
{
	for (size_t i = 0; i < cn->n_children; i++) {
		if (strcmp(cn->children[i].name, name) == 0)
			return &cn->children[i];
	}
	return NULL;
}

static bool text_eq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Contents too: a renewed certificate under the old name is a change. */
static bool file_eq(const struct conf_file *a, const struct conf_file *b)
{
	return text_eq(a->path, b->path) && secret_eq(a->bytes, b->bytes);
}

/* As written: an upper-case letter in a name goes out on the wire. */
static bool id_same(const struct identity *a, const struct identity *b)
{
	return a->type == b->type && span_eq(identity_span(a), identity_span(b));
}

static bool me_eq(const struct conf_me *a, const struct conf_me *b)
{
	if (!a || !b)
		return a == b;
	return file_eq(&a->certificate, &b->certificate) && file_eq(&a->key, &b->key) &&
	       file_eq(&a->passphrase, &b->passphrase) && file_eq(&a->trust, &b->trust);
}

static bool addresses_eq(const struct conf_connection *a, const struct conf_connection *b)
{
	if (a->n_addresses != b->n_addresses || a->any_address != b->any_address || !text_eq(a->address_name, b->address_name))
		return false;
	for (size_t i = 0; i < a->n_addresses; i++) {
		if (!addr_eq(&a->addresses[i], &b->addresses[i]))
			return false;
	}
	return addr_eq(&a->local_address, &b->local_address) && a->port == b->port;
}

/* Rows are const and single, so pointers say it all; behind the last both have NULL. */
static bool policy_eq(const struct suite_policy *a, const struct suite_policy *b)
{
	return memcmp(a->encr, b->encr, sizeof(a->encr)) == 0 && memcmp(a->integ, b->integ, sizeof(a->integ)) == 0 &&
	       memcmp(a->prf, b->prf, sizeof(a->prf)) == 0 && memcmp(a->ke, b->ke, sizeof(a->ke)) == 0;
}

bool conf_child_eq(const struct conf_child *a, const struct conf_child *b)
{
	return strcmp(a->name, b->name) == 0 && ts_list_eq(&a->local, &b->local) && ts_list_eq(&a->remote, &b->remote) &&
	       a->mode == b->mode && a->dataplane == b->dataplane && a->reqid == b->reqid &&
	       a->replay_window == b->replay_window && a->esn == b->esn;
}

static bool children_eq(const struct conf_connection *a, const struct conf_connection *b)
{
	for (size_t i = 0; i < a->n_children; i++) {
		const struct conf_child *twin = conf_child_find(b, a->children[i].name);

		if (!twin || !conf_child_eq(&a->children[i], twin))
			return false;
	}
	return a->n_children == b->n_children;
}

bool conf_connection_eq(const struct conf_connection *a, const struct conf_connection *b)
{
	return strcmp(a->name, b->name) == 0 && me_eq(a->me, b->me) && addresses_eq(a, b) &&
	       id_same(&a->identity, &b->identity) && id_same(&a->local_identity, &b->local_identity) &&
	       a->auth == b->auth && file_eq(&a->psk, &b->psk) && a->accept_weak_psk == b->accept_weak_psk &&
	       a->start == b->start && a->encap == b->encap && a->full_transcript == b->full_transcript &&
	       a->allow_rsa_sha1 == b->allow_rsa_sha1 && policy_eq(&a->policy, &b->policy) && a->liveness == b->liveness &&
	       a->keepalive == b->keepalive && a->fragment_size == b->fragment_size && children_eq(a, b);
}

static void file_free(struct conf_file *f)
{
	free(f->path);
	secret_free((void *)(uintptr_t)f->bytes.p, f->bytes.len);
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
	free(c->connections);
	free(c->mes);
	free(c->file);
	free(c);
}
