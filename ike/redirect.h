/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway sends us to another one (RFC 5685), which we follow with `redirect = follow` alone, and
 * only until the IKE SA is up: in answer to IKE_SA_INIT, and in IKE_AUTH, where the gateway has
 * proved who it is. Whom we come to has to prove the identity that is configured, as ever: a
 * redirect says where, and not who.
 *
 * An answer to IKE_SA_INIT proves nothing. Who saw our request can write one with our nonce in it,
 * and would lead us astray, or many of us to a victim. So it is followed only when the gateway
 * itself has not answered otherwise for a moment; five times in five minutes at most; to an address
 * of one machine that is not ours, of the family that we are on the way by; and when nobody answers
 * there, or somebody else than configured, the next attempt begins at the configured address.
 * Names are not followed.
 */
#ifndef IKE_REDIRECT_H
#define IKE_REDIRECT_H

#include "ike/step.h"

/* IKE_SA_INIT request: that we follow, and from where we were sent. */
void redirect_put(const struct ike_sa *sa, struct builder *b);
/* REDIRECT came in clear, in answer to our IKE_SA_INIT. */
struct step redirect_on_answer(struct ike_sa *sa, const struct pl_notify *n);
/* It is time to follow what came in clear; false: nothing did. The SA is gone then. */
bool redirect_follow(struct ike_sa *sa);
/* Is there a REDIRECT for us in IKE_AUTH? Its sender has proved itself; then the SA is closed, and
 * the next attempt goes there. */
bool redirect_on_auth(struct ike_sa *sa, const struct message *m);

#endif
