/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine wants done, in order. The queue owns every byte in it: callers may forget what
 * they put in.
 *
 * A datagram or a note that finds no memory is lost, as the network might have lost it; a job and a
 * command for a data plane must not get lost unseen, so those two report it and the exchange fails.
 * The removal of an SA and a guard have nobody to report to: for them the items of SAs that were
 * put in are kept in reserve.
 */
#ifndef IKE_ACTIONS_H
#define IKE_ACTIONS_H

#include "ike/engine.h"

struct action_item;

struct actions {
	struct action_item *head;
	struct action_item *tail;
	struct action_item *spent; /* handed out last: its memory lives until the next call */
	struct action_item *reserve;
	size_t n_reserve;
};

/* The non-ESP marker goes before whatever leaves from a port other than 500 (RFC 7296 2.23, RFC
 * 3948 2.2). */
void actions_send(struct actions *q, const struct path *p, struct span bytes);
void actions_keepalive(struct actions *q, const struct path *p);
MUST_USE enum err actions_sa(struct actions *q, const struct sa_cmd *cmd);
MUST_USE enum err actions_job(struct actions *q, const struct job *job);
void actions_resolve(struct actions *q, const struct conf_connection *cn);
void actions_route(struct actions *q, const struct ike_route_question *question);
void actions_guard(struct actions *q, const char *connection, const char *child, bool guarded);
void actions_mtu(struct actions *q, const char *connection, const char *child, uint16_t mtu);
void actions_note(struct actions *q, const struct ike_note *note);

/* Takes the next one out; false when there is none. Frees what the last call gave. */
bool actions_next(struct actions *q, struct ike_action *a);
/* Requests to resolve point into a configuration: those that have not been taken are dropped with
 * it. */
void actions_drop_resolves(struct actions *q);
void actions_free(struct actions *q); /* everything that was never taken, wiped */

#endif
