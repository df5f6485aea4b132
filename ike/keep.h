/* SPDX-License-Identifier: Apache-2.0 */
/* Writing ahead: whatever an input has touched is written down (snapshot.h) before any action of it
 * is given out. So no message leaves whose ID, IV and bytes are not kept, and an engine that dies
 * at any moment is followed by one that knows at least as much as the world has seen of it.
 *
 * What is written, each under a key of its own, as a whole: connections, IKE SAs that are up or
 * closing, and those of ours whose IKE_AUTH request leaves (once, and not again before they are
 * up). What one input touches counts together, from IKE_ACT_COMMIT on.
 */
#ifndef IKE_KEEP_H
#define IKE_KEEP_H

#include "ike/engine.h"

/* The first byte of a key. */
enum { KEEP_SA = 1, KEEP_CONN };

struct ike_sa;
struct conn;

/* The mark of one object of which a record is kept: is there a record, under which key, and is it
 * to be written anew. When the object goes its mark stays until it was said that the record goes,
 * too. */
struct keep {
	struct keep *next; /* of those that are touched, and not written since */
	struct keep *prev;
	struct ike_sa *sa; /* the object is one of the two; NULL both: it is gone */
	struct conn *conn;
	uint64_t listed_at; /* the order in which SAs came to their connections */
	mono_ns wake_at;    /* it was restored (restore.h), and goes on then; NEVER */
	bool claims_again;  /* a plane could not be asked for all of its halves */
	bool queued;	    /* it is among the touched */
	bool written;	    /* there is a record */
	uint8_t key_len;
	uint8_t key[KEEP_KEY_MAX];
};

/* One for each that may be written, from the moment on that it may; ERR_NOMEM. With an engine that
 * keeps nothing there is none. */
MUST_USE enum err keep_new_sa(struct ike_sa *sa);
MUST_USE enum err keep_new_conn(struct conn *c);
/* It has come to a connection. */
void keep_listed(struct ike_sa *sa);
/* It is what another engine has written. */
void keep_restored(struct ike_sa *sa, uint64_t listed_at);
mono_ns keep_wake_at(const struct ike_sa *sa);
/* Something of it has changed, or may have. Takes NULL. */
void keep_touch_sa(struct ike_sa *sa);
void keep_touch_conn(struct conn *c);
/* It goes: what is written of it is to be forgotten. Takes NULL. */
void keep_gone(struct ike_engine *e, struct keep *k);
/* The next to be written, forgotten, or counted. False: all is. */
bool keep_next(struct ike_engine *e, struct ike_action *a);
void keep_free_all(struct ike_engine *e);

#endif
