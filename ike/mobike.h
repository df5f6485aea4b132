/* SPDX-License-Identifier: Apache-2.0 */
/* MOBIKE (RFC 4555): a tunnel lives on when an address of either end changes. Who began the first
 * IKE SA decides which addresses are used. When its own change, or when the peer is silent, it asks
 * for its routes to all addresses that the peer may have (IKE_ACT_ROUTE), takes one, sends
 * everything that way at once, and says so (UPDATE_SA_ADDRESSES). The other end follows at once and
 * asks there, by a COOKIE2 that only who sees the request can answer; what is not answered goes
 * back (ike/move.h). That end itself only says which addresses it has, and where one that is in use
 * is gone takes another.
 *
 * What a NAT does is seen anew at each of these (3.8): ESP goes in UDP from then on, or no longer.
 */
#ifndef IKE_MOBIKE_H
#define IKE_MOBIKE_H

#include "base/addr.h"
#include "ike/natd.h"
#include "ike/step.h"

struct ike_addresses;
struct ike_engine;
struct ike_routes;

/* Refusals, by a NAT or the peer's policy, one after the other, until no more is tried. */
enum { MOBIKE_ADDRS_MAX = 8, COOKIE2_LEN = 16, MOBIKE_REFUSALS_MAX = 5 };

struct mobike {
	bool on;      /* both ends speak it */
	bool decides; /* we began the first IKE SA */
	bool natt;    /* both find NATs; else none is allowed (3.9) */
	/* What is to be said, and what the INFORMATIONAL request that is out says. */
	bool update_due, update_out;
	bool list_due, list_out;
	bool stale; /* ... and it is no longer so, for we are elsewhere since */
	bool cookie_out;
	bool left;	  /* the peer says that it is there no longer */
	bool silent;	  /* nobody answers where we are: the next route is to be another */
	bool stays;	  /* ... where it was good, for the peer refuses where our routes lead */
	uint8_t refusals; /* one after the other, since our addresses are these */
	uint8_t barred;	  /* ways that were refused since it was last answered where it was good */
	struct path good; /* where the last update was answered */
	uint8_t cookie[COOKIE2_LEN];
	/* What the peer last saw as our address, hashed as it sends it (3.8). */
	bool seen_known;
	uint8_t seen[NATD_LEN];
	uint8_t n_addrs; /* that the peer has, as it says */
	struct addr addrs[MOBIKE_ADDRS_MAX];
};

/* IKE_SA_INIT: whether both find NATs. */
void mobike_begin(struct ike_sa *sa, bool natt);
/* IKE_AUTH: that we speak it, and our other addresses; the peer's, once it is proved. */
void mobike_put(struct ike_sa *sa, struct builder *b);
void mobike_take(struct ike_sa *sa, const struct message *m, const struct path *p);
/* A request that says there is no NAT came over one (3.9). */
bool mobike_hits_nat(const struct message *m, const struct path *p);
/* We are elsewhere. */
void mobike_moved(struct ike_sa *sa);
/* Does it have this address, as it says? */
bool mobike_peer_has(const struct ike_sa *sa, const struct addr *a);
/* Another IKE SA takes the place of one. */
void mobike_inherit(struct ike_sa *heir, const struct ike_sa *old);
/* Its connection is taken out: nobody can say its ways any more, and it stays where it is. */
void mobike_end(struct ike_sa *sa);

/* INFORMATIONAL requests: is something to be said; says it; adds to one that asks whether the peer
 * lives what is to be known besides; it has not left, for want of memory. */
bool mobike_is_due(const struct ike_sa *sa);
bool mobike_ask(struct ike_sa *sa, struct builder *b);
void mobike_add(struct ike_sa *sa, struct builder *b);
void mobike_put_back(struct ike_sa *sa);
/* The peer's request, and what is to be answered; the peer's answer. */
void mobike_on_request(struct turn *t);
struct step mobike_on_response(struct turn *t);

/* Events of the engine: addresses or routes of this machine have changed; what routes it has. */
void mobike_on_addresses(struct ike_engine *e, const struct ike_addresses *a);
void mobike_on_routes(struct ike_engine *e, const struct ike_routes *r);
/* It is to be looked whether there is another way. */
void mobike_look(struct ike_sa *sa);
/* The peer does not want to send to where we have gone. */
void mobike_refused(struct ike_sa *sa);
/* Our request was answered from there. */
void mobike_answered(struct ike_sa *sa, const struct path *p);
/* The request that is out was sent so often in vain. */
void mobike_silence(struct ike_sa *sa, unsigned sent);
/* Where an answer goes that is to go there: from an address of ours, if that one has gone. */
const struct path *mobike_answer_path(const struct ike_sa *sa, const struct path *p);

#endif
