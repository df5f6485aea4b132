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
 * it can answer all the time. (A rekey proves it: its keys need our nonce.) So never to places
 * where no peer can be, and a little later it is asked there once more: if it does not answer,
 * everything goes back to where it was, and what goes to a stranger is bounded by that.
 *
 * With MOBIKE (ike/mobike.h) a peer says where it is, and only ESP gives hints: an IKE message from
 * elsewhere may be a test of the way (RFC 4555 3.8). We go there at once and ask there at once, by
 * a request with a COOKIE2 that only who sees it can answer. When that is not answered we go back;
 * it may have been lost, so what the peer says from there later is a hint again. But for a while
 * children wait for answers then, or a peer could point its tunnel at others over and over.
 *
 * Children of several peers for the same networks (ike/standby.h) share policies of the kernel,
 * which let nothing in while one of them moves. So that no peer can stop the others by moving all
 * the time, children of such a connection follow at a pace. Back they go without.
 */
#ifndef IKE_MOVE_H
#define IKE_MOVE_H

#include "base/addr.h"
#include "base/clock.h"

struct ike_sa;

/* Where an SA is, and what is between its ends. */
struct place {
	struct path path;
	bool nat_here, nat_there;
	bool encap; /* Child SAs go in UDP */
};

struct move {
	struct endpoint to;    /* where the peer seems to be; AF_UNSPEC: where it was */
	struct place was;      /* where everything goes if the move is not proved */
	struct place left;     /* MOBIKE: it went back from there; port 0: from nowhere */
	mono_ns checked_until; /* ... and until then children follow nowhere without an answer */
	bool alone;	       /* the request that is out went there and nowhere else */
	uint8_t sent;	       /* datagrams that went there, retransmissions included */
	bool tried;	       /* a hint was followed (`at`) */
	/* With mobike_check = before children come after, once the peer has answered there. */
	bool children_wait;
	bool paced;		  /* ... for nothing but their pace */
	struct place children_at; /* where they are meanwhile */
	/* After a move, until a request that left later is answered from there: */
	bool unproved;
	bool asks;	/* the request that is out is such a one */
	uint8_t asked;	/* ... and left so often */
	mono_ns at;	/* the last hint was followed */
	mono_ns ask_at; /* the request that proves a move shall leave; NEVER: it has */
};

/* Something authenticated and new came from here. The caller settles the SA. */
void move_hint(struct ike_sa *sa, const struct endpoint *from);
/* ... a request of IKE. */
void move_heard(struct ike_sa *sa, const struct endpoint *from);

struct place move_place(const struct ike_sa *sa);
bool move_same_place(const struct place *a, const struct place *b);
/* Where ESP goes, of a child made just now, too: not where IKE goes, as long as children wait. */
struct place move_children_place(const struct ike_sa *sa);
/* The children go where the SA is, if they are not there: at once, or at a pace where the kernel
 * stops for a moment what others send. */
void move_bring_children(struct ike_sa *sa);
/* The SA and its children go there. */
void move_to(struct ike_sa *sa, const struct place *to, const char *why);
/* ... or the SA alone, if that place is to be checked first. */
void move_ahead(struct ike_sa *sa, const struct place *to, const char *why);
/* ... because the peer says so, who is asked there as soon as the window is free. */
void move_follow(struct ike_sa *sa, const struct place *to, const char *why);
/* A host elsewhere, as far as the engine has seen addresses of its own. */
bool move_is_peers(const struct ike_sa *sa, const struct endpoint *to);
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
