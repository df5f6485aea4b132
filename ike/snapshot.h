/* SPDX-License-Identifier: Apache-2.0 */
/* An IKE SA written down, so that another engine goes on with it as if nothing had happened: keys
 * and IV counter, both message IDs with the answer that is kept and the requests that are out,
 * children, and the CREATE_CHILD_SA of ours that the peer may have heard of, with its heir.
 *
 * Not written is what the other engine can do without. An exchange of the peer's that is not
 * answered: the peer sends its request again, and it begins anew. One of ours that has not left.
 * Fragments of a message that is not whole. An SA whose peer has not proved itself, unless our
 * IKE_AUTH request has left: its handshake begins anew. What a data plane was asked: it is asked
 * again.
 *
 * Times are those of the clock that goes on without us, so what is written ages while nobody
 * looks. Reading trusts nobody: a snapshot that is not exactly one is refused whole.
 */
#ifndef IKE_SNAPSHOT_H
#define IKE_SNAPSHOT_H

#include "ike/engine.h"
#include "ike/sa.h"

enum { SNAPSHOT_VERSION = IKE_KEPT_FORMAT, SNAPSHOT_MAX = 1024 * 1024 };

/* What is read: objects that are in no table and no list. Restoring puts them there (restore.h). */
struct snapshot {
	/* Its connection is the one of its name, its children those of the configuration. A ticket
	 * with a number says that an answer was waited for. */
	struct ike_sa *sa;
	struct ike_sa *heir; /* of sa->mine; NULL: none */
	struct ike_sa *rival;
	uint64_t listed_at;		    /* (keep.h) */
	char connection[CONF_NAME_MAX + 1]; /* its name; "": it has none any more */
	/* Its connection is configured otherwise now, or not at all: sa->conn is NULL. Children of
	 * which that is so have one of these for their configuration, with no more than a name. */
	bool retires;
	struct former *formers;
};

struct former {
	struct former *next;
	struct conf_child conf;
};

/* Is it one that is written down? */
bool snapshot_has(const struct ike_sa *sa);
void snapshot_put(struct wr *w, const struct ike_sa *sa);
/* ERR_SYNTAX: it is no snapshot, or of another version; ERR_NOT_FOUND: a handshake of what is not
 * configured any more; ERR_NOMEM. */
MUST_USE enum err snapshot_get(struct ike_engine *e, struct span bytes, struct snapshot *s);
void snapshot_free(struct snapshot *s);
/* Those of children that are not of the configuration any more; none of them may have one. */
void snapshot_free_formers(struct snapshot *s);
bool snapshot_is_former(const struct snapshot *s, const struct conf_child *conf);

/* What is wanted of a connection, and what an operator did to it. */
void snapshot_put_conn(struct wr *w, const struct conn *c);
/* Into the connection that it is of, by name and digest: else ERR_NOT_FOUND. Children that are not
 * in it, or were configured otherwise, begin anew. On failure it is as it was. */
MUST_USE enum err snapshot_get_conn(struct ike_engine *e, struct span s);

#endif
