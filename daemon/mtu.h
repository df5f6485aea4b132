/* SPDX-License-Identifier: Apache-2.0 */
/* How large an inner packet of each child may be: from the MTU of the path to the peer and the true
 * overhead of its SA. Kept for every child whose outbound SA is installed, and told to the monitor
 * whenever it changes.
 */
#ifndef DAEMON_MTU_H
#define DAEMON_MTU_H

#include "base/sadesc.h"
#include "conf/model.h"
#include "daemon/route.h"

struct mtu_book;

/* One child: the MTU of the path to `remote`, and what of it is left for an inner packet. */
struct mtu_fact {
	const char *connection;
	const char *child;
	enum sa_plane plane;
	struct addr remote;
	uint16_t path;
	uint16_t inner;
	uint64_t ticket; /* of the command that it came with; 0: it came later */
};

typedef void mtu_fn(void *ctx, const struct mtu_fact *f);

MUST_USE enum err mtu_new(const struct route *r, mtu_fn *changed, void *ctx, struct mtu_book **b);
void mtu_free(struct mtu_book *b); /* takes NULL */

/* Every command for a data plane passes here; only outbound SAs matter. */
void mtu_sa(struct mtu_book *b, const struct sa_cmd *cmd);
/* Every SA of that plane is gone: its process died. */
void mtu_clear(struct mtu_book *b, enum sa_plane plane);
/* The path to `remote` carries less, says a router by the data plane, whose SAs alone believe it.
 */
void mtu_path(struct mtu_book *b, enum sa_plane plane, const struct addr *remote,
	      uint16_t path_mtu);
/* Asks the routing again: from time to time, as what it learned wears off. */
void mtu_refresh(struct mtu_book *b);
/* False: not known. The names are those of the caller. */
MUST_USE bool mtu_of(const struct mtu_book *b, const char *connection, const char *child,
		     struct mtu_fact *f);

#endif
