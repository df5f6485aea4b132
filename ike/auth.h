/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_AUTH while it is under way (RFC 7296 1.2, 2.15): the peer's message, kept while jobs are out,
 * and what has been found so far. Both roles go through the same stations, each in its own order:
 *
 *	initiator: own AUTH -> request -> response -> peer's AUTH -> child
 *	responder: request -> connection -> peer's AUTH -> own AUTH -> child -> inbound half in
 *	           -> response
 *
 * Nothing that the peer says about itself counts before its AUTH is found good.
 */
#ifndef IKE_AUTH_H
#define IKE_AUTH_H

#include "base/jobs.h"
#include "ike/core.h"
#include "ike/deal.h"
#include "ike/note.h"
#include "ike/step.h"

struct auth {
	struct packets kept;	  /* the inner chain of the peer's message */
	struct message m;	  /* views into it */
	struct identity claimed;  /* the peer's, from its ID payload */
	struct pl_auth peer_auth; /* points into `kept` */
	struct span peer_id_body; /* the same */
	struct packets
		chain; /* the peer's certificates, a two-byte length before each, leaf first */
	uint8_t own_id[4 + IDENTITY_MAX]; /* body of our ID payload */
	uint16_t own_id_len;
	uint8_t own_method;
	struct packets own_auth; /* AUTH body behind its header */
	enum err refused;	 /* responder: whatever the verdict, for this reason; OK: not yet */
	bool alone;		 /* initiator: no child is made along (RFC 6023) */
	bool written;		 /* initiator: the request that is out is written down (keep.h) */
	struct deal deal;	 /* about the child that is made along */
};

/* Begins: our ID payload is written down. */
MUST_USE enum err auth_new(struct ike_sa *sa);
void auth_free(struct auth *a);

/* Keeps the peer's message and reads what it says of its sender: ID (payload `id_type`), AUTH,
 * certificates. ERR_SYNTAX as a whole; certificates of other encodings are passed over (A: PKCS#7,
 * hash and URL: never parsed). */
MUST_USE enum err auth_keep(struct ike_sa *sa, const struct turn *t, uint8_t id_type);
/* The body of our ID payload, our CERTs and AUTH, to a message. */
void auth_put_identity(struct ike_sa *sa, struct builder *b);
void auth_put_certificates(struct ike_sa *sa, struct builder *b);
void auth_put_auth(struct ike_sa *sa, struct builder *b);
void auth_put_certreq(struct ike_sa *sa, struct builder *b);

/* Does the peer prove itself in the way that the connection wants? Else ERR_AUTH_METHOD, and *n
 * says so. */
MUST_USE enum err auth_judge_method(const struct ike_sa *sa, struct ike_note *n);
/* The jobs; the SA waits for the answer. The peer is judged by what `cn` wants of it. */
MUST_USE enum err auth_ask_own(struct ike_sa *sa);
MUST_USE enum err auth_ask_peer(struct ike_sa *sa, const struct conf_connection *cn);
/* The answers. On OK our AUTH is there; or the peer is who it claims (sa->peer, sa->scheme are set,
 * and told). Else *n explains. */
MUST_USE enum err auth_take_own(struct ike_sa *sa, const struct job_result *r, struct ike_note *n);
MUST_USE enum err auth_take_peer(struct ike_sa *sa, const struct job_result *r, struct ike_note *n);

/* ---- the child that is made along (ike/auth_child.c) ---- */

/* Initiator: takes a child of the configuration and an SPI (ERR_UNSUPPORTED: none can be carried,
 * *n says why), unless all of them are to be made afterwards (a->alone); at the answer checks what
 * was agreed on and commands the inbound half. */
MUST_USE enum err auth_child_begin(struct ike_sa *sa, struct ike_note *n);
/* Does the answer have a child, or a word about it, where one was asked for, and else none? */
bool auth_child_fits(const struct auth *a);
void auth_child_answered(struct ike_sa *sa);
/* Responder: does the peer want one along (RFC 6023: it need not)? */
bool auth_child_is_asked(const struct ike_sa *sa);
/* Responder: chooses, narrows, commands the inbound half. OK: wait for the plane; else it was told
 * why not. */
MUST_USE enum err auth_child_respond(struct ike_sa *sa);
void auth_child_put_response(struct ike_sa *sa, struct builder *b);

/* ---- who is it (ike/auth_choose.c) ---- */

/* Responder: the connection that this peer, at this address, with these identities, is meant for.
 * NULL: none, and *n says what would be accepted. */
struct conn *auth_choose(struct ike_sa *sa, const struct identity *asked, struct ike_note *n);
/* For a peer that is refused already: one that its proof is judged against all the same, so that it
 * learns from the time of the answer no more than from the answer. NULL: none of ours takes a proof
 * of its kind, whoever it says it is. */
const struct conf_connection *auth_decoy(const struct ike_sa *sa);
/* May this suite be used under the connection's policy? The floor of the connection that was chosen
 * holds. */
bool auth_floor_holds(const struct suite_policy *p, const struct suite *s);

#endif
