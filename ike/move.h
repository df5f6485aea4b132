/* SPDX-License-Identifier: Apache-2.0 */
/* A NAT before the peer may give it another address or port at any time. What comes from there is
 * authenticated but may have been taken up and sent by anybody, so it is a hint: a request of ours
 * goes to the new place, and to no other, and when it is answered from there the SA and its
 * children move (the dynamic update of RFC 7296 2.23, with the routability check of RFC 4555 3.7).
 * A hint that is false costs a few datagrams. Behind a NAT of our own we never move, because then
 * one packet of an attacker would do (2.23).
 */
#ifndef IKE_MOVE_H
#define IKE_MOVE_H

#include "base/addr.h"
#include "base/clock.h"

struct ike_sa;

struct move {
	struct endpoint to; /* where the peer seems to be; AF_UNSPEC: where it was */
	bool alone;	    /* the request that is out went there and nowhere else */
	uint8_t sent;	    /* datagrams that went there, retransmissions included */
	bool tried;	    /* at: */
	mono_ns at;	    /* the last hint was followed */
};

/* Something authenticated and new came from here. The caller settles the SA. */
void move_hint(struct ike_sa *sa, const struct endpoint *from);
/* Where a request that leaves for the first time goes. */
struct path move_path(struct ike_sa *sa);
/* Sends the request that is out once more, to where it has to go. */
void move_send_again(struct ike_sa *sa);
/* Our request was answered from here. */
void move_answered(struct ike_sa *sa, const struct endpoint *from);

#endif
