/* SPDX-License-Identifier: Apache-2.0 */
/* A Child SA that is being agreed on, whichever exchange it is made by: IKE_AUTH (the first one) or
 * CREATE_CHILD_SA (all others). Both carry the same: a suite, a mode, and the selectors of both
 * sides (RFC 7296 1.2, 1.3.1, 2.9). If it cannot be, the IKE SA and its other children stay, and
 * both ends are told why (2.21.2).
 *
 * Who owns the child: the IKE SA, in whose list it is from the start. Until it is on its own the
 * deal points to it, too, and takes it along when it comes to nothing (deal_failed, create_free);
 * one of IKE_AUTH goes with the IKE SA that has failed. It is on its own, and deal.child NULL, at
 * who proposes, when its inbound half is being put in; at the other end, when the answer has left.
 * Whoever ends it before that (a reload, a Delete that came first) does so by child_free, which
 * makes the pointer of CREATE_CHILD_SA NULL (create_forget_child); in IKE_AUTH nobody does.
 */
#ifndef IKE_DEAL_H
#define IKE_DEAL_H

#include "ike/child_offer.h"
#include "ike/core.h"
#include "ike/note.h"
#include "ike/proposal.h"

struct deal {
	bool ours;		  /* we propose it */
	bool with_ke;		  /* the exchange can agree on a group of its own (2.17) */
	bool fresh;		  /* CREATE_CHILD_SA: more errors can be said than in IKE_AUTH */
	uint32_t replaces;	  /* the id of the child that is rekeyed; 0: none */
	struct child_offer offer; /* initiator: what we proposed */
	struct child_sa *child;	  /* NULL: it failed, or it is on its own */
	struct proposal_chosen chosen;
	uint16_t notify; /* responder: it failed, and says so */
};

/* Its offer goes; its child does not. */
void deal_free(struct deal *d);
/* What is offered and taken; the result points into *room. */
struct proposal_want deal_want(const struct ike_sa *sa, const struct deal *d,
			       const struct conf_child *conf, struct suite_policy *room);
/* An outbound SPI must be a real one, and not one that this peer's other child has (A27). */
MUST_USE enum err deal_judge_spi(const struct ike_sa *sa, uint64_t spi);
/* What the peer is told. Of IKE_AUTH only errors of which RFC 7296 1.2 says that they leave the
 * IKE SA up: there are peers who let go of it for any other. */
uint16_t deal_notify(const struct deal *d, enum err err);
/* A note about a child that fails; `conf` NULL: which one is not known. */
struct ike_note deal_note(const struct ike_sa *sa, const struct conf_child *conf);
/* It is not to be: its child goes, and the reason n->err is told (n->initiator: it was ours) and
 * kept. */
void deal_failed(struct ike_sa *sa, struct deal *d, struct ike_note *n);
/* What we asked for is not to be: the child, or the one that it was to replace, is put off. */
void deal_put_off(struct ike_sa *sa, const struct deal *d, const struct conf_child *conf,
		  enum err err);
/* TSi and TSr: of what we offer, or of the child that the peer gets. */
void deal_put_selectors(const struct ts_pair *ts, struct builder *b);

/* Responder: the plane refused the inbound half. */
void deal_not_installed(struct ike_sa *sa, struct deal *d, const struct sa_done *done);

/* ---- initiator (ike/deal_ask.c) ---- */

/* Selectors and an inbound SPI for a child of the configuration; else *n says why not. */
MUST_USE enum err deal_begin(struct ike_sa *sa, struct deal *d, const struct conf_child *conf,
			     struct ike_note *n);
/* ... for one that is to be replaced: what is in use stands first (2.9.2). */
MUST_USE enum err deal_begin_rekey(struct ike_sa *sa, struct deal *d, const struct child_sa *old,
				   struct ike_note *n);
/* USE_TRANSPORT_MODE and SA; then come the exchange's own payloads, and deal_put_selectors. */
void deal_put_offer(const struct ike_sa *sa, const struct deal *d, struct builder *b);
/* Does the answer lie in the offer? Fills the deal and its child. */
MUST_USE enum err deal_take_answer(struct ike_sa *sa, struct deal *d, const struct message *m);
/* It does not: told. The peer has the child and must hear that we do not: it is deleted there. */
void deal_unfit(struct ike_sa *sa, struct deal *d, enum err err);
/* What a peer's refusal means. */
enum err deal_refusal(uint16_t notify);
/* The peer refuses: told, with what we offered and which setting it is. */
void deal_refused(struct ike_sa *sa, struct deal *d, uint16_t notify);

/* ---- responder (ike/deal_answer.c) ---- */

/* Which child the peer means, its mode, selectors and suite. Else it has failed, and was told. */
MUST_USE enum err deal_choose(struct ike_sa *sa, struct deal *d, const struct message *m);
/* Likewise. */
void deal_put_answer(const struct ike_sa *sa, const struct deal *d, struct builder *b);

#endif
