/* SPDX-License-Identifier: Apache-2.0 */
/* What a new configuration does to a connection: it goes, gives way to another one of its name, or
 * stays and follows the new model, perhaps with other children. See connection.h. */
#include <stdlib.h>
#include <string.h>

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/create.h"
#include "ike/life.h"
#include "ike/proof.h"

/* From now on it only says goodbye, and knows no policy that an heir could be judged by: our own
 * request for one is forgotten. The heir that a peer has made of it finds nobody, and ends. */
static void orphan(struct conn *c, struct ike_sa *sa)
{
	if (sa->mine) {
		create_free(&sa->mine);
		sa_settle(sa);
	}
	mobike_end(sa);
	conn_remove_sa(c, sa);
}

void conn_retire(struct conn *c, const struct conf_connection *now)
{
	struct ike_sa *sa = c->sas;

	conn_want_nothing(c);
	acquire_fail(c);
	while (sa) {
		struct ike_sa *next = sa->next;

		sa_close(sa, ERR_OPERATOR, 0);
		sa = next;
	}
	while (c->sas)
		orphan(c, c->sas);
	for (size_t i = 0; now && i < c->conf->n_children; i++) {
		const char *child = c->conf->children[i].name;

		if (!c->children[i].guarded && conf_child_find(now, child))
			actions_guard(&c->e->actions, now->name, child, true);
	}
	conn_free(c);
}

/* ---- the same peer, perhaps with other children ---- */

/* What is not in the new configuration, or there otherwise, goes at once, whatever the peer says;
 * the peer is told. One that the peer has not heard of yet is not told of. */
static void bury(struct ike_sa *sa, struct child_sa *child)
{
	if (sa->theirs && sa->theirs->deal.child == child)
		child_free(child);
	else
		child_bury(child);
}

static const struct conf_child *twin_of(const struct conf_connection *conf,
					const struct conf_child *was)
{
	const struct conf_child *is = was ? conf_child_find(conf, was->name) : NULL;

	return is && conf_child_eq(was, is) ? is : NULL;
}

static void sa_follow(struct ike_sa *sa, const struct conf_connection *conf)
{
	struct child_sa *child = sa->children;

	while (child) {
		struct child_sa *next = child->next;
		const struct conf_child *twin = twin_of(conf, child->conf);

		if (twin)
			child->conf = twin;
		else if (child->conf)
			bury(sa, child);
		child = next;
	}
}

/* A handshake whose child is not what it was ends, and begins anew if it is ours. */
static bool is_stale(const struct ike_sa *sa, const struct conf_connection *conf)
{
	const struct child_sa *child = sa->hs ? sa->children : NULL;

	while (child && twin_of(conf, child->conf))
		child = child->next;
	return child != NULL;
}

static void children_follow(struct conn *c, const struct conf_connection *conf)
{
	struct ike_sa *sa = c->sas;

	while (sa) {
		struct ike_sa *next = sa->next;

		if (is_stale(sa, conf))
			sa_end(sa, ERR_OPERATOR);
		else
			sa_follow(sa, conf);
		sa = next;
	}
}

static struct conn_child *find(const struct conn *c, const char *name)
{
	for (size_t i = 0; i < c->conf->n_children; i++) {
		if (strcmp(c->children[i].conf->name, name) == 0)
			return &c->children[i];
	}
	return NULL;
}

/* The daemon puts the guards of the whole configuration in place before there is an engine. */
struct conn_child conn_child_fresh(const struct conn *c, const struct conf_child *conf)
{
	return (struct conn_child){
		.conf = conf,
		.guarded = true,
		.digest = conf_child_digest(conf),
		.due = c->begun && c->conf->start == CONF_START_ALWAYS && !c->conf->any_address &&
		       !c->down,
	};
}

uint64_t conn_child_digest(const struct conn *c, const struct conf_child *conf)
{
	return c->children[conf - c->conf->children].digest;
}

const struct conf_child *conn_child_twin(const struct conn *c, const char *name, uint64_t digest)
{
	const struct conf_child *is = conf_child_find(c->conf, name);

	return is && conn_child_digest(c, is) == digest ? is : NULL;
}

/* What an operator did to a child stays with it; another one under its name begins anew, guarded.
 */
static struct conn_child follow(struct conn *c, const struct conf_child *is)
{
	struct conn_child *was = find(c, is->name);

	if (was && conf_child_eq(was->conf, is)) {
		struct conn_child fresh = *was;

		fresh.conf = is;
		was->acquire = (struct acquire){ .there = false };
		return fresh;
	}
	if (was && !was->guarded)
		actions_guard(&c->e->actions, c->conf->name, is->name, true);
	return conn_child_fresh(c, is);
}

enum err conn_repoint(struct conn *c, const struct conf_connection *conf)
{
	struct conn_child *children = calloc(conf->n_children + 1, sizeof(*children));

	if (!children)
		return ERR_NOMEM;
	children_follow(c, conf);
	for (size_t i = 0; i < conf->n_children; i++)
		children[i] = follow(c, &conf->children[i]);
	acquire_fail(c); /* of those that are gone */
	free(c->children);
	c->children = children;
	c->conf = conf;
	conn_count_due(c);
	/* What was asked about the peer's name may have been dropped with the old configuration. */
	if (c->resolving)
		actions_resolve(&c->e->actions, conf);
	for (struct ike_sa *sa = c->sas; sa; sa = sa->next) {
		proof_follow(sa);
		sa_settle(sa);
	}
	if (c->wanted && c->next_try == NEVER)
		conn_push(c);
	conn_look(c);
	return OK;
}
