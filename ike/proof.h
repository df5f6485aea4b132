/* SPDX-License-Identifier: Apache-2.0 */
/* How long a proof of who the peer is is good (RFC 7296 2.8.3, RFC 4478): `reauthenticate` of the
 * configuration says so, and no longer than the certificates of its chain hold. The peer is told by
 * AUTH_LIFETIME (of certificates only when they end within a day: until then there may be others);
 * it tells us how long it takes ours.
 * New keys of the IKE SA are no new proof.
 *
 * Some time before, both ends prove themselves anew in another IKE SA (renew.h); without that the
 * old one ends when it is over.
 */
#ifndef IKE_PROOF_H
#define IKE_PROOF_H

#include "ike/message.h"
#include "ike/sa.h"

/* The peer has proved itself, by certificates that hold for so many seconds; 0: that is not known,
 * or it was by a secret. */
void proof_taken(struct ike_sa *sa, uint64_t good_s);
/* `sa` is just up: until when it is proved, and when the next proof is to be begun. */
void proof_plan(struct ike_sa *sa);
/* `heir` takes the place of `old`, and has its proof. */
void proof_pass_on(struct ike_sa *heir, const struct ike_sa *old);
/* A new configuration: a proof that is good for less now ends sooner, and the peer is told. */
void proof_follow(struct ike_sa *sa);
/* The wall clock has gained so much on ours, and certificates end by that. Who proved itself by
 * some that have ended has two minutes to show others. */
void proof_on_clock(struct ike_sa *sa, mono_ns ahead);
/* Somebody wants a new one now. */
void proof_want(struct ike_sa *sa);
/* The IKE_AUTH answer: for how long; nothing where there is no end. */
void proof_put_lifetime(const struct ike_sa *sa, struct builder *b);
/* An INFORMATIONAL, if the peer is to be told of a change. */
bool proof_put_change(struct ike_sa *sa, struct builder *b);
/* The peer says how long ours is good, in IKE_AUTH or at any time. What it said before counts no
 * more. Not sooner than a minute after the last proof (RFC 4478 5). */
void proof_on_lifetime(struct ike_sa *sa, const struct message *m);

#endif
