/* SPDX-License-Identifier: Apache-2.0 */
/* Rekeying of the IKE SA (RFC 7296 1.3.2, 2.8, 2.8.2, 2.18, 2.25.2): another IKE SA takes its place
 * and inherits its children, which do not notice. The exchange itself is CREATE_CHILD_SA
 * (exchange_create.h).
 *
 * The heir is an IKE SA from the moment on at which our SPI of it is drawn, but nobody can speak to
 * it: it has no state. It comes to life when it inherits: at who began as soon as the answer is
 * there, at the other one as soon as that has left. Who began deletes the old one; the other one
 * only waits for that, and answers what is sent again.
 *
 * When both begin at once there are two heirs. Each end knows both once its own request is
 * answered, and only then one of them inherits: the other one, which has the lowest of the four
 * nonces, is deleted by who made it.
 *
 * What the peer would miss meanwhile is not begun (2.25.2): nobody rekeys the IKE SA while a child
 * of it is made or deleted, nor makes a child while the IKE SA is rekeyed.
 */
#ifndef IKE_REKEY_IKE_H
#define IKE_REKEY_IKE_H

#include "ike/create.h"

/* It is up: when it is due. */
void rekey_ike_plan(struct ike_sa *sa);
/* It is due now. */
void rekey_ike_want(struct ike_sa *sa);
/* ... and may begin. */
bool rekey_ike_is_due(const struct ike_sa *sa);
/* By the clock, its end included; NEVER: nothing. */
mono_ns rekey_ike_deadline(const struct ike_sa *sa);
/* Shortly before its end it is renewed (renew.h); then it is closed. */
void rekey_ike_tick(struct ike_sa *sa);

/* Our request is out: the peer may have an heir already. */
bool rekey_ike_is_asked(const struct ike_sa *sa);
/* ... or the peer's is being answered: what would leave now might be lost with the old one. */
bool rekey_ike_is_under_way(const struct ike_sa *sa);
/* May the peer do it now? */
bool rekey_ike_may(const struct ike_sa *sa);

/* What is offered and taken. */
struct proposal_want rekey_ike_proposal(const struct ike_sa *sa);
/* An heir without keys, owned by the exchange. */
MUST_USE enum err rekey_ike_new(struct create *c);
/* Our token for the heir, for the answer; the peer's, out of its answer (RFC 6290 4.3). */
void rekey_ike_put_token(const struct create *c, struct builder *b);
void rekey_ike_take_token(const struct create *c, const struct message *m);
/* Our SPI of it, for the SA payload. */
uint64_t rekey_ike_spi(const struct create *c);
/* Its keys, once suite and SPIs are known; `drawn`: nonces and secret. */
MUST_USE enum err rekey_ike_derive(struct create *c, const struct keymat_seed *drawn);

/* Our exchange is done, and freed, once the peer's is, too. */
void rekey_ike_made(struct create *c);
/* The peer's has ended, well or not: ours may have waited for that. */
void rekey_ike_resume(struct ike_sa *sa);
/* The peer's exchange is done: our answer has left. The caller frees it. */
void rekey_ike_answered(struct create *c);
/* Ours came to nothing: told, and tried again later. `n` says why. */
void rekey_ike_failed(struct ike_sa *sa, struct ike_note *n);
/* The IKE SA ends, or the peer refuses ours: the peer's heir, if there is one, inherits. False:
 * there is none. */
bool rekey_ike_rescue(struct ike_sa *sa);
/* Ours cannot be made here, whatever the peer has of it: the peer's heir inherits if it is the one
 * that stays, else it is closed. False: it does not inherit. The caller frees ours. */
bool rekey_ike_unmade(struct ike_sa *sa);
/* The IKE SA is closed: the peer's heir, too. */
void rekey_ike_close(struct ike_sa *sa);

#endif
