/* SPDX-License-Identifier: Apache-2.0 */
/* What a new configuration does to a connection: it goes, gives way to another one of its name, or
 * stays as it is and follows the new model. See connection.h. */
#include <string.h>

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/life.h"

void conn_retire(struct conn *c, const struct conf_connection *now)
{
	struct ike_sa *sa = c->sas;

	c->wanted = false;
	acquire_fail(c);
	while (sa) {
		struct ike_sa *next = sa->next;

		sa_close(sa, ERR_OPERATOR, 0);
		sa = next;
	}
	while (c->sas)
		conn_remove_sa(c, c->sas);
	for (size_t i = 0; now && i < c->conf->n_children; i++) {
		const char *child = c->conf->children[i].name;

		if (!c->children[i].guarded && conf_child_find(now, child))
			actions_guard(&c->e->actions, now->name, child, true);
	}
	conn_free(c);
}

/* The children are the same, but may stand in another order: what an operator did to one stays with
 * that one. */
static void children_follow(struct conn *c, const struct conf_connection *conf)
{
	for (size_t i = 0; i < conf->n_children; i++) {
		struct conn_child found;
		size_t k = i;

		while (k + 1 < conf->n_children &&
		       strcmp(c->children[k].conf->name, conf->children[i].name) != 0)
			k++;
		found = c->children[k];
		c->children[k] = c->children[i];
		c->children[i] = found;
		c->children[i].conf = &conf->children[i];
	}
}

void conn_repoint(struct conn *c, const struct conf_connection *conf)
{
	for (struct ike_sa *sa = c->sas; sa; sa = sa->next) {
		for (struct child_sa *child = sa->children; child; child = child->next)
			child->conf = conf_child_find(conf, child->conf->name);
	}
	children_follow(c, conf);
	c->conf = conf;
	/* What was asked about the peer's name may have been dropped with the old configuration. */
	if (c->resolving)
		actions_resolve(&c->e->actions, conf);
}
