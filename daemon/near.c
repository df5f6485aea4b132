/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/near.h"

#include <stdio.h>
#include <string.h>

#include "conf/schema.h"

static void near_take(struct near *n, unsigned int slips, const char *connection, const char *child)
{
	if (n->name[0] != '\0' && slips >= n->slips)
		return;
	n->slips = slips;
	snprintf(n->name, sizeof(n->name), "%s%s%s", connection, child[0] ? "/" : "", child);
}

/* A child is not said without its connection; but people do. */
void near_view(void *ctx, const struct ike_view *v)
{
	struct near *n = ctx;
	const unsigned int slips = word_distance(n->connection, v->conf->name);
	const unsigned int most = word_slips(n->connection);

	if (!n->child[0] && slips <= most)
		near_take(n, slips, v->conf->name, "");
	for (size_t i = 0; i < v->n_children; i++) {
		const char *child = v->children[i].conf->name;
		const unsigned int more = word_distance(n->child, child);

		if (n->child[0] && slips <= most && more <= word_slips(n->child))
			near_take(n, slips + more, v->conf->name, child);
		else if (!n->child[0] && strcmp(n->connection, child) == 0)
			near_take(n, most, v->conf->name, child);
	}
}

const char *near_text(const struct near *n, char text[static NEAR_TEXT_MAX])
{
	int len = snprintf(text, NEAR_TEXT_MAX, "no %s of that name in the configuration",
			   n->child[0] ? "child" : "connection");

	if (n->name[0] != '\0' && len > 0)
		snprintf(text + len, NEAR_TEXT_MAX - (size_t)len, ": did you mean `%s`?", n->name);
	return text;
}
