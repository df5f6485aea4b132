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
				  const struct conf_child *ch, const struct plane_caps *kernel)
{
	char why[CONF_PLANE_WHY_MAX];
	struct host_child h = {
		.reqid = ch->reqid,
		.local = ch->local,
		.remote = ch->remote,
		.lockdown = c->lockdown,
		.plane = conf_child_plane(cn, ch, kernel, why),
		/* Preferred is as good as agreed here: the selectors are hosts, not networks. */
		.mode = ch->mode == CONF_MODE_TUNNEL ? SA_TUNNEL : SA_TRANSPORT,
		.addresses = ch->addresses,
		.n_addresses = ch->n_addresses,
	};

	snprintf(h.interface, sizeof h.interface, "%s", ch->interface);
	snprintf(h.connection, sizeof h.connection, "%s", cn->name);
	snprintf(h.child, sizeof h.child, "%s", ch->name);
	return h;
}
