/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine keeps for the one that follows it (ike/keep.h), in the vault that the monitor
 * holds; and what it finds there.
 *
 * Each record says of which configuration its connection and its children are (ike/snapshot.h): a
 * reload may come between two engines.
 */
#ifndef DAEMON_RESTORER_H
#define DAEMON_RESTORER_H

#include "base/vault.h"
#include "ike/engine.h"

struct restorer {
	struct vault vault;
	void *mem; /* NULL: there is no vault, and nothing is kept */
	size_t size;
	bool told; /* that something found no room */
};

/* Takes the descriptor. ERR_EXISTS: there is one already; ERR_SYNTAX, ERR_SYSTEM, ERR_NOMEM. */
MUST_USE enum err restorer_open(struct restorer *r, int fd);
void restorer_close(struct restorer *r);
bool restorer_is_open(const struct restorer *r);

/* Into an engine with `restores`, which then goes on, also when there is nothing to give: planes
 * may have SAs of one that could keep nothing. */
void restorer_give(struct restorer *r, struct ike_engine *e, mono_ns now);
/* IKE_ACT_KEEP, IKE_ACT_COMMIT. */
void restorer_keep(struct restorer *r, const struct ike_action *a);
/* How many IKE SAs and connections found no room; under 0: nothing is kept. */
int64_t restorer_not_kept(const struct restorer *r, const struct ike_engine *e);

#endif
