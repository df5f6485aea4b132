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
	bool down;	     /* by an operator: the peer does not get it either */
	bool due;	     /* shall be up: by `always`, a command, or a packet */
	bool missed;	     /* was due, failed or was lost, and is not tried again by itself */
	uint32_t tries;	     /* that failed since it was last up */
	mono_ns not_before;  /* the next one; NEVER: not over this IKE SA */
	uint64_t refused_by; /* our SPI of the IKE SA that the last one failed on; 0: none */
	bool pairs;	     /* the peer takes it for one pair of addresses at a time */
	uint64_t digest;     /* of the configuration's (conf_child_digest) */
	struct acquire acquire;
};

struct conn {
	struct timer timer;
	struct ike_engine *e;
	const struct conf_connection *conf;
	struct ike_sa *sas;
	bool begun;  /* conn_begin was called */
	bool wanted; /* one of its children is due */
	bool down;   /* by an operator: the peer is refused, too */
	bool rekeys; /* the peer has answered for keys that do not come from the IKE SA's */
	bool resolving;
	struct path paths[CONF_ADDRS_MAX]; /* the last answer about where the peer is */
	size_t n_paths;
	size_t path_at; /* the one that is being tried */
	/* RFC 5685 (ike/redirect.h): where an answer in clear sends us; who sent us to `paths`; how
	 * often since when. AF_UNSPEC: nowhere, nobody. */
	struct addr redirect_to, redirected_from;
	uint32_t n_redirects;
	mono_ns redirects_since;
	bool another_path;  /* the next try is that one, without resolving anew */
	mono_ns next_try;   /* NEVER: none */
	mono_ns not_before; /* traffic begins no attempt sooner */
	mono_ns heard;	    /* when it last was believed to be there again */
	uint64_t renews; /* our SPI of the IKE SA that a new one is to replace; 0 (ike/renew.h) */
	mono_ns busy_since; /* the peer has refused new keys since then; 0: it has not */
	mono_ns stops;	    /* what its moves may stop of others is spent until then (ike/move.h) */
	mono_ns look_at;    /* something happened to its children; NEVER: nothing */
	mono_ns since;	    /* the present state was entered */
	uint32_t tries;	    /* that failed since the last success */
	struct ike_note *failure; /* the last one; NULL: none */
	mono_ns failure_at;
	struct conn_child *children; /* as many as conf->children */
	uint64_t digest;	     /* of the configuration's, but for them */
	struct keep *keep;	     /* NULL: it is not written down */
};

MUST_USE enum err conn_new(struct ike_engine *e, const struct conf_connection *conf,
			   struct conn **out);
void conn_free(struct conn *c); /* its SAs too, without a message */
/* It is configured otherwise (`now`, under the same name) or no longer (NULL): its SAs say goodbye
 * and live on without it. Who comes in its place begins guarded, so what an operator had lifted is
 * guarded again; the guards of what is configured no longer go with the configuration. Frees it. */
void conn_retire(struct conn *c, const struct conf_connection *now);
/* It is in the new configuration, the same but for its children: those that are unchanged stay as
 * they are, the others go and come. ERR_NOMEM leaves it as it was. */
MUST_USE enum err conn_repoint(struct conn *c, const struct conf_connection *conf);
/* A child that nothing has happened to; with `always` it is due if the connection has begun. */
struct conn_child conn_child_fresh(const struct conn *c, const struct conf_child *conf);
/* By what it is written down: the digest of its configuration. */
uint64_t conn_child_digest(const struct conn *c, const struct conf_child *conf);
/* The configured child that had this name and digest; NULL: there is none. */
const struct conf_child *conn_child_twin(const struct conn *c, const char *name, uint64_t digest);
struct conn *conn_find(const struct ike_engine *e, const char *name);

/* What the configuration wants at the start. */
void conn_begin(struct conn *c);
/* Commands. `child` NULL: all of them. */
void conn_up(struct conn *c, const char *child);
void conn_down(struct conn *c, const char *child);
void conn_rekey(struct conn *c, const char *child, enum ike_rekey what);
/* Whichever it is of IKE_EV_UP, DOWN and REKEY. */
void conn_command(struct conn *c, const struct ike_event *ev);
/* Traffic that wants this child. */
void conn_acquire(struct conn *c, struct conn_child *child, const struct plane_event *ev);
/* ... or whichever it is of this plane. False: none. */
bool conn_acquire_any(struct ike_engine *e, enum sa_plane from, const struct plane_event *ev);
void conn_resolved(struct conn *c, const struct ike_resolved *r);
/* The address that was missing has come: it is tried at once. */
void conn_on_addresses(struct conn *c, const struct ike_addresses *own);
void conn_tick(struct conn *c);
/* An attempt, unless there is nothing to attempt. */
void conn_try(struct conn *c);
/* What is due begins now: over the IKE SA that is up, or by an attempt. */
void conn_push(struct conn *c);
/* ... soon, when whoever says so is done; only over an IKE SA that is up. */
void conn_look(struct conn *c);
/* The next attempt; NEVER: none. */
void conn_plan_try(struct conn *c, mono_ns at);
/* How long to wait after so many that failed. */
mono_ns conn_backoff(const struct conn *c, uint32_t tries);
/* Somebody at this address speaks IKE. When the peer is there, and an attempt waits for its time,
 * or for an answer, it goes on now. Anybody can say so: once in ten seconds it is believed. */
void conn_hear(struct conn *c, const struct addr *remote);
/* Sets the one timer to what is due first. */
void conn_schedule(struct conn *c);

void conn_add_sa(struct conn *c, struct ike_sa *sa);
void conn_remove_sa(struct conn *c, struct ike_sa *sa);
/* The SA that counts: the established one, else the one that is on its way; NULL: none. */
struct ike_sa *conn_sa(const struct conn *c);
bool conn_is_up(const struct conn *c);

/* An attempt of ours failed, for the reason in *n: decides on the next one and tells both. */
void conn_failed(struct conn *c, struct ike_note *n);

/* ---- children (ike/connection_child.c) ---- */

/* It shall be up, unless it is down; it shall not, and nobody waits for it any
 * more; none shall. */
void conn_child_want(struct conn *c, struct conn_child *child);
void conn_child_unwant(struct conn *c, const struct conf_child *conf);
void conn_want_nothing(struct conn *c);
/* ... for now, by itself: what was due is missed until it is up, or taken down. */
void conn_give_up(struct conn *c);
/* With `start = traffic`, when what was up is gone: the next packet wants it again. What the peer
 * has closed in order nobody misses. */
void conn_child_rest(struct conn *c, struct conn_child *child, enum err why);
/* Is any? */
void conn_count_due(struct conn *c);
/* There is one, or one is being made. */
bool conn_child_made(const struct conn *c, const struct conf_child *conf);
/* The IKE SA that is up and that children are made over; NULL: none. */
struct ike_sa *conn_carrier(const struct conn *c);
bool conn_is_of_no_use(const struct conn *c, const struct ike_sa *sa);
/* The next one to be made over this SA; NULL: none now. */
const struct conf_child *conn_child_next(const struct ike_sa *sa);
/* When the next one that was put off is due; NEVER: none. */
mono_ns conn_children_deadline(const struct conn *c);

/* It is up. */
void conn_child_up(struct conn *c, const struct conf_child *conf);
/* It could not be made over this SA: with `start = always` it is tried again later, and some times
 * when the peer was only busy. */
void conn_child_failed(struct ike_sa *sa, const struct conf_child *conf, enum err err);
/* How long until it is tried again; 0: it is not, or now. */
uint32_t conn_child_wait_ms(const struct conn *c, const struct conf_child *conf);
/* It could not be made for what no later try changes, as long as the IKE SA is the same. */
void conn_child_bar(struct conn *c, const struct conf_child *conf);
/* The peer takes it for one pair of addresses at a time (SINGLE_PAIR_REQUIRED, RFC 7296 2.9): from
 * now on each packet that none of its SAs carries is asked for by its own pair. */
void conn_child_split(struct conn *c, const struct conf_child *conf);
bool conn_child_is_split(const struct conn *c, const struct conf_child *conf);
/* Somebody else may be about to make it. */
void conn_child_put_off(struct conn *c, const struct conf_child *conf);
/* One that was up is gone, for this reason; its IKE SA is not, or goes next. */
void conn_child_gone(struct conn *c, const struct conf_child *conf, enum err why);
/* The peer had lost one that was up: it is made anew at once. */
void conn_child_renew(struct conn *c, const struct conf_child *conf);
/* Another IKE SA is up: all tries begin anew. */
void conn_children_begin(struct conn *c);

/* ---- the IKE SA ---- */

/* An IKE SA is established: the attempts are over. */
void conn_succeeded(struct conn *c);
/* An established IKE SA is gone; n->err says why, and so how soon we come back. */
void conn_lost(struct conn *c, const struct ike_note *n);
/* Remembers for `status`. */
void conn_remember(struct conn *c, const struct ike_note *n);
/* May the peer at this address be this connection's? */
bool conn_is_at(const struct conn *c, const struct addr *remote);

#endif
