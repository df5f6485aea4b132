/* SPDX-License-Identifier: Apache-2.0 */
/* What the two messages of IKE_SA_INIT have in common: the payloads that both carry, reading them,
 * and the keys that follow. */
#ifndef IKE_INIT_MESSAGE_H
#define IKE_INIT_MESSAGE_H

#include "ike/core.h"
#include "ike/proposal.h"

struct init_views {
	struct span sa;
	struct pl_ke ke;
	struct span nonce;
};

MUST_USE enum err init_views_decode(const struct message *m, struct init_views *v);
/* SIGNATURE_HASH_ALGORITHMS, IKEV2_FRAGMENTATION_SUPPORTED and the announcement of the full
 * transcript: sent by both, always (the draft: the responder announces it whether or not the
 * initiator did). */
void init_put_abilities(struct builder *b);
/* What the peer announced, to the SA. */
void init_take_abilities(struct ike_sa *sa, const struct message *m);
/* Draws a private value that is valid for the group. */
MUST_USE enum err init_draw(struct ike_engine *e, const struct ke_group *g,
			    uint8_t priv[static KE_PRIVATE_MAX], uint8_t pub[static KE_PUBLIC_MAX]);
/* What we take as responder; what we propose, and take as an answer. */
struct proposal_want init_want(const struct conf_connection *cn);
struct proposal_want init_offer(const struct conf_connection *cn);
/* Initiator: would this answer to our request be taken? */
MUST_USE enum err init_fits(struct ike_sa *sa, const struct message *m);
/* Asks a worker for a slow group's public value (`peer` empty) or shared secret. */
MUST_USE enum err init_ask_worker(struct ike_sa *sa, struct span peer);
/* Each role, when a worker has computed its public value (or, responder: both values). */
void init_on_public(struct ike_sa *sa, struct span pub);
void init_on_public_responder(struct ike_sa *sa, struct span pub);
void init_go_on(struct ike_sa *sa);
void init_answer(struct ike_sa *sa);

#endif
