/* SPDX-License-Identifier: Apache-2.0 */
/* Two IKE SAs between the same two identities: which one stays. Three cases, and no others:
 *
 * Both ends began at once, so that each made one while the other's was on its way. Both ends know
 * both SAs, so both apply one rule: the SA stays that the end with the lower identity began, the
 * other is deleted once both are up and the first has its children (renew_settle). One that has
 * taken the place of another by a rekey stands for that. An SA that began after the other was up is
 * no such case: it may be the peer's way of replacing it (make before break), and then the peer
 * deletes the old one. What crosses both of these is not to win over the one and lose against the
 * other, or none would stay: so it is not the SPI that decides, but where both have one identity.
 *
 * The peer says INITIAL_CONTACT: it knows of no other SA (RFC 7296 2.4). Then what was up before
 * its handshake began is gone at its end, and we drop it without a word. What came up later is not
 * meant: the peer could not know of it. With `duplicates = keep` this is neither believed nor said,
 * for one identity may be several machines (2.4). We say it where no IKE SA is up with the same two
 * identities, be it another connection's.
 *
 * The peer's IKE_SA_INIT request came twice, the second time when the first IKE SA was up, and was
 * answered twice. Both are up here, and the peer has given up the first one, since no answer to its
 * IKE_AUTH arrived. What is sent by that is lost, so it goes at once.
 *
 * Beyond that a peer may have several, but not without end: each costs memory, an SPI of 65 536,
 * and a line of the status. The oldest makes place.
 */
#ifndef IKE_DUPLICATE_H
#define IKE_DUPLICATE_H

#include "ike/sa.h"

enum { SAME_PEER_MAX = 8 }; /* IKE SAs of one connection with one identity */

/* `sa` is just up: of two the lower one stays. */
uint64_t duplicate_rank(const struct ike_sa *sa);
/* ... and has its rank. */
void duplicate_settle(struct ike_sa *sa);
/* `sa` is just up: of two that answered the same IKE_SA_INIT request the earlier one is deleted, or
 * `sa` if the peer has used that one. */
void duplicate_drop(struct ike_sa *sa);
/* `sa` is just up: if its peer has too many now, its oldest is deleted. */
void duplicate_bound(struct ike_sa *sa);
/* The peer of `sa`, authenticated, says INITIAL_CONTACT. */
void duplicate_forget(struct ike_sa *sa);
/* May we say it: is there no SA up with the peer of this connection? */
bool duplicate_none(const struct ike_sa *sa);

#endif
