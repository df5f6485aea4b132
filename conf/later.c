/* SPDX-License-Identifier: Apache-2.0 */
/* What the grammar takes and this release does not have: said at once, not found out by a tunnel
 * that never comes up. When a feature arrives, its lines here go.
 */
#include <string.h>

#include "conf/build.h"

static void child_check(struct build *b, const struct tree_block *block,
			const struct conf_child *ch)
{
	if (ch->mode == CONF_MODE_TRANSPORT)
		mark_error(b->p, tree_value_mark(block, "mode"), "mode = transport comes later",
			   "mode = tunnel");
	if (ch->mode == CONF_MODE_PREFER_TRANSPORT)
		mark_error(b->p, tree_value_mark(block, "mode"),
			   "mode = prefer-transport comes later", "mode = tunnel");
}

void build_check_later(struct build *b)
{
	for (const struct tree_block *cn = b->t->root.blocks; cn; cn = cn->next) {
		for (const struct tree_block *ch = cn->blocks; ch; ch = ch->next) {
			if (ch->made)
				child_check(b, ch, ch->made);
		}
	}
}

void conf_check_release(const struct conf *c, struct conf_problems *problems)
{
	for (size_t i = 0; i < c->n_connections; i++) {
		if (c->connections[i].n_children > 1)
			conf_problem_warn(
				problems, c->connections[i].children[1].pos, 5,
				"only the first child of a connection comes up in this release",
				"one child with the networks of all");
	}
}
