/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/chain.h"

struct chain *chain_find(const struct table *t, struct span key)
{
	struct table_node *n = table_find(t, key);

	return n == NULL ? NULL : container_of(n, struct chain, node);
}

/* ERR_EXISTS, the only failure, cannot be: who had the key was taken out before. */
static void into_table(struct table *t, struct chain *c)
{
	c->newer = NULL;
	(void)!table_add(t, &c->node);
}

void chain_put(struct table *t, struct chain *c)
{
	c->older = chain_find(t, t->key_of(&c->node));
	if (c->older != NULL) {
		table_del(t, &c->older->node);
		c->older->newer = c;
	}
	into_table(t, c);
}

void chain_take(struct table *t, struct chain *c)
{
	if (c->newer == NULL)
		table_del(t, &c->node);
	else
		c->newer->older = c->older;
	if (c->older != NULL && c->newer == NULL)
		into_table(t, c->older);
	else if (c->older != NULL)
		c->older->newer = c->newer;
	c->older = NULL;
	c->newer = NULL;
}
