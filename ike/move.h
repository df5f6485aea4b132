/* SPDX-License-Identifier: Apache-2.0 */
/* A NAT before the peer may give it another address or port at any time. What comes from there is
 * authenticated but may have been taken up and sent by anybody, so it is a hint: a request of ours
 * goes to the new place, and to no other, and when it is answered from there the SA and its
 * children move (the dynamic update of RFC 7296 2.23, with the routability check of RFC 4555 3.7).
 * A hint that is false costs a few datagrams. Behind a NAT of our own we never move, because then
 * one packet of an attacker would do (2.23).
 *
 * The peer itself has the keys and knows our next message ID, so it can answer what it never saw,
 * with any source that its network lets out, and point its own tunnel at somebody else. Nothing
 * that an ordinary peer echoes proves more; a second request at a moment of our choice neither, for
 * it can answer all the time. (MOBIKE has COOKIE2 for this, RFC 4555 4.2.5: it belongs here. A
 * rekey proves it, too: its keys need our nonce.) So never to places where no peer can be, and a
 * little later it is asked there once more: if it does not answer, everything goes back to where it
 * was, and what goes to a stranger is bounded by that.
 */
#ifndef IKE_MOVE_H
#define IKE_MOVE_H

#include "base/addr.h"
#include "base/clock.h"

struct ike_sa;

struct move {
	struct endpoint to;  /* where the peer seems to be; AF_UNSPEC: where it was */
	struct endpoint was; /* where everything goes if the move is not proved */
	bool alone;	     /* the request that is out went there and nowhere else */
	uint8_t sent;	     /* datagrams that went there, retransmissions included */
	bool tried;	     /* a hint was followed (`at`) */
	/* After a move, until a request that left later is answered from there: */
	bool unproved;
	bool asks;	/* the request that is out is such a one */
	uint8_t asked;	/* ... and left so often */
	mono_ns at;	/* the last hint was followed */
	mono_ns ask_at; /* the request that proves a move shall leave; NEVER: it has */
};

/* Something authenticated and new came from here. The caller settles the SA. */
void move_hint(struct ike_sa *sa, const struct endpoint *from);
/* Where a request that leaves for the first time goes. */
struct path move_path(struct ike_sa *sa);
/* Sends the request that is out once more, to where it has to go. */
void move_send_again(struct ike_sa *sa);
/* Our request was answered from here. */
void move_answered(struct ike_sa *sa, const struct endpoint *from);
/* It is asked whether the peer is elsewhere, or still there. */
bool move_is_asking(const struct ike_sa *sa);
/* When the peer is to be asked once more where it is now; NEVER: it is not. */
mono_ns move_deadline(const struct ike_sa *sa);
void move_tick(struct ike_sa *sa);
/* `heir` takes the place of `old`: where the peer is remains to be proved as it was. */
void move_pass_on(struct ike_sa *heir, const struct ike_sa *old);

#endif
