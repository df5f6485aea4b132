/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/find.h"

#include <string.h>

static void find_view(void *ctx, const struct ike_view *v)
{
	struct find *f = ctx;
	bool child_found = !f->child[0], all_up = v->state == IKE_STATE_UP;

	if (strcmp(f->connection, v->conf->name) != 0)
		return;
	for (size_t i = 0; i < v->n_children; i++) {
		if (f->child[0] && strcmp(f->child, v->children[i].conf->name) != 0)
			continue;
		child_found = true;
		all_up = all_up && v->children[i].up;
	}
	f->found = f->found || child_found;
	f->up = f->up || (child_found && all_up);
	f->ike = f->ike || v->state == IKE_STATE_UP;
	f->waits_for_peer = v->conf->any_address;
	f->gone = v->state == IKE_STATE_OFF || v->state == IKE_STATE_WAITING;
}

struct find find_do(const struct ike_engine *e, const char *connection, const char *child)
{
	struct find f = { .connection = connection, .child = child };

	ike_engine_views(e, find_view, &f);
	return f;
}
