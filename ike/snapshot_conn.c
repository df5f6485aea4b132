/* SPDX-License-Identifier: Apache-2.0 */
/* What is wanted of a connection, written and read. An attempt that was under way is not: it begins
 * anew. */
#include <string.h>

#include "ike/connection.h"
#include "ike/core.h"
#include "ike/snapshot_parts.h"

#define CONN(name)	 FIELD(struct conn, name)
#define CONN_CHILD(name) FIELD(struct conn_child, name)

static const struct field conn_rows[] = {
	CONN(down),
	CONN(rekeys),
	WHEN(struct conn, not_before),
	PAST(struct conn, heard),
	CONN(renews),
	PAST(struct conn, busy_since),
	PAST(struct conn, since),
	CONN(redirected_from),
	CONN(n_redirects),
	PAST(struct conn, redirects_since),
	CONN(tries),
	WHEN(struct conn, stops),
};

static const struct field child_rows[] = {
	CONN_CHILD(guarded),
	CONN_CHILD(down),
	CONN_CHILD(due),
	CONN_CHILD(missed),
	CONN_CHILD(tries),
	WHEN(struct conn_child, not_before),
	CONN_CHILD(refused_by),
	CONN_CHILD(pairs),
	CONN_CHILD(acquire.there),
	CONN_CHILD(acquire.waits),
	CONN_CHILD(acquire.number),
	WHEN(struct conn_child, acquire.forget_at),
};

struct fields snapshot_rows_conn(void)
{
	return FIELDS(conn_rows);
}

struct fields snapshot_rows_conn_child(void)
{
	return FIELDS(child_rows);
}

void snapshot_put_conn(struct wr *w, const struct conn *c)
{
	wr_u16(w, SNAPSHOT_VERSION);
	snapshot_put_name(w, c->conf->name, c->digest);
	fields_put(w, FIELDS(conn_rows), c);
	wr_u8(w, (uint8_t)c->n_paths);
	for (size_t i = 0; i < c->n_paths; i++)
		pack_path(w, &c->paths[i]);
	wr_u8(w, (uint8_t)c->conf->n_children);
	for (size_t i = 0; i < c->conf->n_children; i++) {
		snapshot_put_name(w, c->children[i].conf->name, c->children[i].digest);
		fields_put(w, FIELDS(child_rows), &c->children[i]);
		pack_flow(w, &c->children[i].acquire.flow);
	}
}

/* ---- reading ---- */

struct got {
	struct conn conn; /* the fields of the table, and where the peer is */
	struct conn_child children[CONF_CHILDREN_MAX];
	uint8_t n_children;
};

static void get_paths(struct rd *r, struct conn *c)
{
	c->n_paths = unpack_enum(r, CONF_ADDRS_MAX + 1);
	for (size_t i = 0; i < c->n_paths; i++)
		c->paths[i] = unpack_path(r);
}

/* Without a configuration: there is no such child any more. */
static enum err get_child(struct rd *r, const struct conn *c, struct conn_child *child)
{
	char name[CONF_NAME_MAX + 1];
	uint64_t digest = snapshot_get_name(r, name);
	enum err err;

	if (!rd_ok(r) || name[0] == '\0')
		return ERR_SYNTAX;
	*child = (struct conn_child){ .conf = conn_child_twin(c, name, digest), .digest = digest };
	err = fields_get(r, FIELDS(child_rows), child, c->e->now);
	child->acquire.flow = unpack_flow(r);
	return err;
}

static enum err get_all(struct rd *r, const struct conn *c, struct got *g)
{
	enum err err = fields_get(r, FIELDS(conn_rows), &g->conn, c->e->now);

	get_paths(r, &g->conn);
	g->n_children = (uint8_t)unpack_enum(r, CONF_CHILDREN_MAX + 1);
	for (size_t i = 0; i < g->n_children && err == OK; i++)
		err = get_child(r, c, &g->children[i]);
	return err != OK || rd_end(r) ? err : ERR_SYNTAX;
}

static void take(struct conn *c, const struct got *g)
{
	c->begun = true;
	c->down = g->conn.down;
	c->rekeys = g->conn.rekeys;
	c->not_before = g->conn.not_before;
	c->heard = g->conn.heard;
	c->renews = g->conn.renews;
	c->busy_since = g->conn.busy_since;
	c->since = g->conn.since;
	c->redirected_from = g->conn.redirected_from;
	c->n_redirects = g->conn.n_redirects;
	c->redirects_since = g->conn.redirects_since;
	c->tries = g->conn.tries;
	c->stops = g->conn.stops;
	c->n_paths = g->conn.n_paths;
	memcpy(c->paths, g->conn.paths, sizeof(c->paths));
	for (size_t i = 0; i < c->conf->n_children; i++)
		c->children[i] = conn_child_fresh(c, &c->conf->children[i]);
	for (size_t i = 0; i < g->n_children; i++) {
		const struct conf_child *conf = g->children[i].conf;

		if (conf)
			c->children[conf - c->conf->children] = g->children[i];
	}
	conn_count_due(c);
}

enum err snapshot_get_conn(struct ike_engine *e, struct span bytes)
{
	struct rd r = rd_from(bytes);
	char name[CONF_NAME_MAX + 1];
	struct got g = { .n_children = 0 };
	uint64_t digest;
	struct conn *c;
	enum err err;

	if (rd_u16(&r) != SNAPSHOT_VERSION)
		return ERR_SYNTAX;
	digest = snapshot_get_name(&r, name);
	if (!rd_ok(&r))
		return ERR_SYNTAX;
	c = conn_find(e, name);
	if (!c || c->digest != digest)
		return ERR_NOT_FOUND;
	err = get_all(&r, c, &g);
	if (err == OK)
		take(c, &g);
	return err;
}
