/* SPDX-License-Identifier: Apache-2.0 */
/* A Child SA: two ESP SAs, one each way, and the order in which they are put into a data plane.
 *
 * The responder's inbound half is in before its reply leaves, because the initiator sends as soon
 * as it has the reply; then comes its outbound half. The initiator, who has both keys at once, puts
 * in the inbound half first. A half that a plane refuses takes the other one with it: nothing stays
 * half installed.
 */
#ifndef IKE_CHILD_H
#define IKE_CHILD_H

#include "ike/core.h"
#include "ike/narrow.h"
#include "ike/proposal.h"
#include "ike/transport.h"

enum {
	SA_CHILDREN_MAX = CONF_CHILDREN_MAX, /* of an IKE SA; the peer may have as many as we */
	SA_PAIRS_MAX = 2 * SA_CHILDREN_MAX,  /* ... and as many that are to replace them */
	/* Of all its children, both sides. Whether one carries what another does takes as many
	 * comparisons as one has times what all have, so a peer must not have 64 times 510. */
	SA_SELECTORS_MAX = 64 * SA_CHILDREN_MAX,
};

enum child_stage {
	CHILD_ASKED,	/* we have an inbound SPI, nothing is agreed */
	CHILD_INBOUND,	/* the inbound half is being put in */
	CHILD_READY,	/* responder: inbound half is in, the reply has not left */
	CHILD_HELD,	/* responder, beside an old one: ... has left; that one still sends */
	CHILD_OUTBOUND, /* the outbound half is being put in */
	CHILD_UP,
};

/* Its part in rekeying (ike/rekey.h). */
struct child_rekey {
	mono_ns soft;	    /* time for a new one; NEVER */
	mono_ns early;	    /* ... to see whether there can be one; NEVER */
	mono_ns hard;	    /* it ends; NEVER */
	mono_ns not_before; /* after a try that failed */
	uint32_t tries;	    /* that failed */
	mono_ns held_since; /* HELD */
	mono_ns held;	    /* ... until then at most, or until it is looked at again */
	mono_ns ask;	    /* HELD: the plane is asked whether the peer uses it; UP: whether it was
			       used at all; NEVER */
	bool idle_asked;    /* ... and has not answered */
	mono_ns lingers;    /* deleted, and its inbound half stays until then; 0: it is not */
	uint32_t cover;	    /* the id of one that was seen to carry all that it does; 0: none */
	struct low_nonce low; /* of the exchange that made it */
};

struct child_sa {
	struct child_sa *next;
	struct ike_sa *sa;
	const struct conf_child *conf; /* NULL: it is buried */
	uint32_t id;
	uint32_t replaces; /* the id of the one that it is made for by a rekey; 0: none */
	struct child_rekey rekey;
	uint32_t spi_in, spi_out;
	enum child_stage stage;
	enum sa_plane plane;
	enum sa_mode mode;
	struct transport_nat nat; /* of transport mode */
	enum sa_offload offload;  /* as the plane gave it, once a half is in */
	bool in_there, out_there; /* commanded and not refused: to be removed */
	bool delete_wanted;	  /* a Delete for it is due */
	bool delete_sent;	  /* ... and waits for its answer */
	enum err why;		  /* ... for this reason */
	bool surplus;		  /* ... when it is up, if the peer has made it, too */
	bool made_by_us;	  /* we are the initiator of its exchange: which keys are whose */
	struct suite suite;
	struct child_keys keys; /* wiped once both halves are in */
	struct ts_pair ts;	/* negotiated; i and r as in the exchange */
	struct ticket ticket;	/* of the install that is under way */
	uint64_t install;	/* its number; the ticket's, at first */
	struct ticket query_in, query_out;
	struct ticket move_in, move_out;
	uint64_t heard_packets; /* that had come when it was last looked */
	mono_ns looked;		/* the plane has last said what had come; 0: not yet */
	mono_ns came; /* ... and before what came last; 0: nothing has come since the first time */
	struct sa_counters in, out;
	mono_ns asked; /* the plane, at: */
	mono_ns since;
	uint16_t mtu;
	bool restored; /* the plane has not said yet that it has it (ike/restore.h) */
};

/* All that the SA has, in whatever stage. */
size_t child_count(const struct ike_sa *sa);
/* May it have `more` selectors, for a child that replaces one or that does not? While the old one
 * and its replacements are there it may have twice as many. ERR_NO_ADDITIONAL_SAS. */
MUST_USE enum err child_judge_room(const struct ike_sa *sa, size_t more, bool replaces);
/* A new one with an inbound SPI, in the SA's list. ERR_LIMIT: it has SA_PAIRS_MAX. */
MUST_USE enum err child_new(struct ike_sa *sa, const struct conf_child *conf, bool made_by_us,
			    struct child_sa **out);
/* Removes what a plane holds of it, frees it. No note. */
void child_free(struct child_sa *c);
/* ... and tells: CHILD_DOWN when it was up. */
void child_end(struct child_sa *c, enum err why);
/* A new configuration does not have it any more: out of the planes and told at once; what is left
 * has no `conf`, waits for the answer to its Delete, and then goes without a word. */
void child_bury(struct child_sa *c);
/* Asks the peer to delete it; it ends when that is answered. */
void child_delete(struct child_sa *c, enum err why);
/* ... when the caller settles the SA. */
void child_delete_later(struct child_sa *c, enum err why);
/* No Delete of it is due or under way. */
bool child_stays(const struct child_sa *c);
/* Suite and SPI of the peer are known: derives the keys and commands the inbound half. `seed`: the
 * nonces, and the shared secret of a group of its own. */
MUST_USE enum err child_install_inbound(struct child_sa *c, const struct proposal_chosen *chosen,
					const struct keymat_seed *seed);
/* The inbound half is in and the peer knows: on with the outbound half. The caller settles the SA,
 * which a failure leaves with a Delete to send. */
void child_go_on(struct child_sa *c);
/* The plane that holds it died: it is deleted at the peer, and made anew later. */
void child_plane_gone(struct child_sa *c, enum sa_plane plane);
/* A limit of one of its halves was reached; after a hard one that half is not there any more. */
void child_expired(struct child_sa *c, bool soft);
/* When the answer of a plane is overdue; NEVER: nothing is asked. child_tick then gives it up. */
mono_ns child_deadline(const struct child_sa *c);
void child_tick(struct child_sa *c);
/* Why the plane refused the half that is being put in, for a note. */
void child_explain_plane(const struct child_sa *c, enum err err, const char *why,
			 struct ike_note *n);
/* The plane's answer to either, or to a query. */
void child_on_plane(struct child_sa *c, const struct ticket *t, const struct sa_done *done);
struct child_sa *child_find_out(const struct ike_sa *sa, uint32_t spi_out);
const struct ts_list *child_local(const struct child_sa *c);
const struct ts_list *child_remote(const struct child_sa *c);
/* The peer is elsewhere (the SA's path has changed): what a plane holds follows. With transport
 * mode it cannot follow to another address, which its selectors have: then it is made anew. */
void child_move(struct child_sa *c, const struct path *was);
/* Asks for the counters of both halves. */
void child_query(struct child_sa *c);
/* The path carries `path_mtu` bytes: tells the inner MTU when that changes. */
void child_path_mtu(struct child_sa *c, uint16_t path_mtu);
/* PLANE_MTU: that of the children that it is about, in the plane whose word it is. */
void children_on_mtu(struct ike_engine *e, const struct ike_event *ev);
/* Inner MTU for an outer path that carries `path_mtu` bytes. */
uint16_t child_mtu(const struct child_sa *c, uint16_t path_mtu);

#endif
