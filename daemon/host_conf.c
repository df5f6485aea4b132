/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/host_conf.h"

#include <stdio.h>

size_t host_conf_count(const struct conf *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_connections; i++)
		n += c->connections[i].n_children;
	return n;
}

struct host_child host_conf_child(const struct conf *c, const struct conf_connection *cn,
				  const struct conf_child *ch)
{
	struct host_child h = {
		.reqid = ch->reqid,
		.local = ch->local,
		.remote = ch->remote,
		.lockdown = c->lockdown,
	};

	snprintf(h.connection, sizeof h.connection, "%s", cn->name);
	snprintf(h.child, sizeof h.child, "%s", ch->name);
	return h;
}
