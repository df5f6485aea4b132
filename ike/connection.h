/* SPDX-License-Identifier: Apache-2.0 */
/* A configured connection: what is wanted of it, and what becomes of that. It holds its IKE SAs in
 * a list (one, as a rule; two while both ends begin at once; many with `address = any`), and one
 * timer: the next try.
 *
 * `start = always` is tried for ever, with backoff and jitter, each time from the peer's name on;
 * `up` makes any connection wanted, `down` unwanted, and only `down` lifts the guards (fail
 * closed).
 */
#ifndef IKE_CONNECTION_H
#define IKE_CONNECTION_H

#include "ike/acquire.h"
#include "ike/engine.h"
#include "ike/sa.h"

struct conn_child {
	const struct conf_child *conf;
	bool guarded;
	bool wanted; /* not taken down by itself */
	struct acquire acquire;
};

struct conn {
	struct timer timer;
	struct ike_engine *e;
	const struct conf_connection *conf;
	struct ike_sa *sas;
	bool begun; /* conn_begin was called */
	bool wanted;
	bool down; /* by an operator: the peer is refused, too */
	bool resolving;
	struct path paths[CONF_ADDRS_MAX]; /* the last answer about where the peer is */
	size_t n_paths;
	size_t path_at;		  /* the one that is being tried */
	bool another_path;	  /* the next try is that one, without resolving anew */
	mono_ns next_try;	  /* NEVER: none */
	mono_ns not_before;	  /* traffic begins no attempt sooner */
	mono_ns since;		  /* the present state was entered */
	uint32_t tries;		  /* that failed since the last success */
	struct ike_note *failure; /* the last one; NULL: none */
	mono_ns failure_at;
	struct conn_child *children; /* as many as conf->children */
};

MUST_USE enum err conn_new(struct ike_engine *e, const struct conf_connection *conf,
			   struct conn **out);
void conn_free(struct conn *c); /* its SAs too, without a message */
/* It is configured otherwise (`now`, under the same name) or no longer (NULL): its SAs say goodbye
 * and live on without it. Who comes in its place begins guarded, so what an operator had lifted is
 * guarded again; the guards of what is configured no longer go with the configuration. Frees it. */
void conn_retire(struct conn *c, const struct conf_connection *now);
/* An unchanged connection in a new configuration. */
void conn_repoint(struct conn *c, const struct conf_connection *conf);
struct conn *conn_find(const struct ike_engine *e, const char *name);

/* What the configuration wants at the start. */
void conn_begin(struct conn *c);
/* Commands. `child` NULL: all of them. */
void conn_up(struct conn *c, const char *child);
void conn_down(struct conn *c, const char *child);
/* Traffic that wants this child. */
void conn_acquire(struct conn *c, struct conn_child *child, const struct plane_event *ev);
void conn_resolved(struct conn *c, const struct ike_resolved *r);
void conn_tick(struct conn *c);
/* An attempt, unless there is nothing to attempt. */
void conn_try(struct conn *c);
/* Sets the one timer to what is due first. */
void conn_schedule(struct conn *c);

void conn_add_sa(struct conn *c, struct ike_sa *sa);
void conn_remove_sa(struct conn *c, struct ike_sa *sa);
/* The SA that counts: the established one, else the one that is on its way; NULL: none. */
struct ike_sa *conn_sa(const struct conn *c);
bool conn_is_up(const struct conn *c);

/* An attempt of ours failed, for the reason in *n: decides on the next one and tells both. */
void conn_failed(struct conn *c, struct ike_note *n);
/* The first Child SA is up, or could not be made: with `start = always` it is tried again later. */
void conn_child_up(struct conn *c, const struct conf_child *up);
void conn_child_failed(struct conn *c);
/* One that was up is gone, though the IKE SA is not. */
void conn_child_gone(struct conn *c);
/* An IKE SA is established: the attempts are over. */
void conn_succeeded(struct conn *c);
/* An established IKE SA is gone; n->err says why, and so how soon we come back. */
void conn_lost(struct conn *c, const struct ike_note *n);
/* Remembers for `status`. */
void conn_remember(struct conn *c, const struct ike_note *n);
/* May the peer at this address be this connection's? */
bool conn_is_at(const struct conn *c, const struct addr *remote);

#endif
