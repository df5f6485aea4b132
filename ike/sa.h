/* SPDX-License-Identifier: Apache-2.0 */
/* An IKE SA as plain data: everything in it can be written down and read back, but for the hooks by
 * which the engine finds it, which follow from the rest. What only the handshake needs is an object
 * of its own, which dies when the SA is up, so that an established SA is small and has no old
 * secrets.
 *
 * Owner: the engine's table of SPIs. An SA is freed in one place, sa_free, which first takes it out
 * of every table: a late answer to a ticket finds nothing (CVE-2009-0790, CVE-2011-4073).
 */
#ifndef IKE_SA_H
#define IKE_SA_H

#include "base/clock.h"
#include "base/heap.h"
#include "base/sadesc.h"
#include "base/table.h"
#include "conf/model.h"
#include "ike/fragment.h"
#include "ike/keymat.h"
#include "ike/message.h"
#include "ike/mobike.h"
#include "ike/move.h"
#include "ike/nonce.h"
#include "ike/proposal.h"
#include "ike/retransmit.h"
#include "ike/standby.h"
#include "ike/ticket.h"
#include "ike/window.h"

struct conn;
struct ike_engine;
struct child_sa;
struct create;

enum sa_state {
	S_NONE,	     /* no SA yet: only the first request of one fits here */
	S_INIT_SENT, /* initiator: IKE_SA_INIT is asked for */
	S_INIT_DONE, /* responder: IKE_SA_INIT is answered; IKE_AUTH may be worked on */
	S_AUTH_SENT, /* initiator: IKE_AUTH is asked for, or our AUTH is being made */
	S_UP,
	S_CLOSING, /* our Delete (or AUTHENTICATION_FAILED) waits for its answer, or we for the
		    * peer's, since another one has taken its place */
	N_SA_STATES
};

/* What a parked exchange waits for. */
enum sa_wait {
	WAIT_NONE,
	WAIT_KE_PUBLIC, /* our public value of a slow group */
	WAIT_KE_SECRET, /* the shared secret of a slow group */
	WAIT_OWN_AUTH,	/* our signature or MAC */
	WAIT_PEER_AUTH, /* the verdict on the peer's */
	WAIT_INSTALL,	/* responder: the inbound half of the first Child SA */
};

struct timer {
	struct heap_node node;
	bool of_sa; /* an IKE SA's; else a connection's */
};

/* One form of our IKE_SA_INIT message: a COOKIE or INVALID_KE_PAYLOAD makes another one. All are
 * kept until one is answered, because the answer to an earlier one may still come and count. The
 * responder has one. */
enum { INIT_TRIES_MAX = 6 };
struct init_try {
	const struct ke_group *group;
	uint8_t priv[KE_PRIVATE_MAX];
	struct packets request;
};

struct handshake {
	uint8_t nonce[OWN_NONCE_LEN];
	uint8_t n_tries;
	uint8_t cookie[COOKIE_MAX];
	uint8_t cookie_len;
	uint8_t next_cookie[COOKIE_MAX]; /* came, and will be sent back at: */
	uint8_t next_cookie_len;
	bool restored;	   /* which other answers were followed before is not known */
	mono_ns follow_at; /* NEVER: none came */

	struct packets request;	 /* RealMessage1: the IKE_SA_INIT request that counts */
	struct packets response; /* RealMessage2 */
	struct span ni, nr;	 /* point into those two */
	struct span peer_ke;	 /* the same */
	union {
		/* responder: whose policy took the offer; who it is comes later */
		const struct conf_connection *candidate;
		/* initiator: other answers to our request (ike/init_rival.h) */
		struct init_rivals *rivals;
	};
	struct proposal_chosen proposal;
	struct init_try *chosen; /* ours that the peer's KE goes with */
	bool answered;		 /* responder: the response has left */
	bool keyed;		 /* sa->keys are there (a cache: they follow from the above) */
	bool rfc7427;		 /* the peer sent SIGNATURE_HASH_ALGORITHMS */
	bool childless;		 /* the peer makes IKE SAs without a child (RFC 6023) */
	uint32_t hashes;	 /* SIGHASH_* that the peer takes */

	enum sa_wait wait;
	enum err hint;	 /* the last unauthenticated error */
	uint64_t hinted; /* all of them that were told already: 1 << enum err */
	struct ticket ticket;
	struct auth *auth; /* IKE_AUTH, once it has begun (ike/auth.h) */
	uint8_t max_tries; /* a responder has room for its one: half-open ones are to be small */
	struct init_try tries[];
};

enum { INIT_KEY_LEN = IKE_SPI_LEN + 2 + 2 + 16 }; /* SPI, family, port, address */

struct ike_sa {
	/* hooks */
	struct ike_engine *e;
	struct table_node by_spi;  /* by our own SPI */
	struct table_node by_init; /* responder: by the peer's SPI and address, while half-open */
	bool in_init;
	bool counted; /* in the limits, as half-open, for the source: */
	struct addr counted_for;
	enum sa_state state; /* here, for half-open ones are to be small */
	struct timer timer;
	struct conn *conn;	    /* NULL: a half-open one whose peer has not said who it is */
	struct ike_sa *next, *prev; /* of the same connection */
	struct keep *keep;	    /* from IKE_AUTH on; NULL: it is not written down */
	struct table_node by_peer;  /* of the first SA of a proved peer (ike/peer.h) */
	struct ike_sa *peer_next;   /* the peer's other SAs */
	bool peer_entered;
	uint8_t peer_key[16];

	/* who and where */
	bool initiator;
	uint8_t own_spi[IKE_SPI_LEN]; /* as on the wire: the key of by_spi */
	uint8_t init_key[INIT_KEY_LEN];
	uint64_t spi_i, spi_r;
	struct path path;

	/* protection */
	struct suite suite;
	struct ike_keys keys;
	uint64_t next_iv;
	struct window window;
	struct retransmit rt;
	struct beside *beside; /* a second request of ours; NULL: the peer takes one at a time */
	struct move move;
	struct mobike mobike;
	struct reassembly *fragments; /* of the message that is coming in; NULL: none */

	/* what was agreed */
	bool nat_here, nat_there;
	bool encap; /* Child SAs go in UDP */
	bool fragmentation;
	bool transcript_full;
	uint8_t *qcd_hash;     /* of the token that the peer has given (ike/qcd.h); NULL: none */
	struct identity *peer; /* proved; NULL before */
	char scheme[32];

	/* life */
	mono_ns born;		 /* IKE_SA_INIT left or came */
	uint64_t born_at, up_at; /* the order of events, since times can be equal */
	uint64_t rank;		 /* of two from both ends the lower one stays (ike/duplicate.h) */
	mono_ns since;		 /* established since */
	mono_ns heard;		 /* last authenticated message, or ESP as the plane says */
	mono_ns sent;
	mono_ns hinted;	       /* last liveness check because of a hint */
	mono_ns looks_until;   /* the planes are asked whether anything came; 0: not */
	mono_ns unheard;       /* last one because packets went to it and none came; 0: none */
	struct standby standby;
	mono_ns expires;       /* NEVER: none */
	mono_ns rekey_at;      /* another one is to take its place (ike/rekey_ike.h); NEVER */
	mono_ns ends_at;       /* ... and after that it is closed; NEVER */
	mono_ns certified_until; /* the certificates that prove it end; NEVER: none do */
	mono_ns proved_until;  /* its proof is good until then (ike/proof.h); NEVER: always */
	mono_ns prove_at;      /* ... and a new one is begun; NEVER */
	uint64_t before;       /* our SPI of the one whose place it has taken; 0: of none */
	mono_ns again;	       /* a request that found no memory, or waits, is tried again; NEVER */
	enum err why;	       /* the reason of closing */
	bool established;      /* has been up */
	bool alive_wanted;     /* an empty INFORMATIONAL is due */
	bool close_wanted;     /* a Delete of the IKE SA is due */
	bool token_wanted;     /* our token for it is due (ike/qcd.h) */
	bool waits;	       /* CLOSING: the peer will delete it, for another one is there */
	bool full;	       /* no further child for the peer, until one goes or `up` */
	bool told_full;	       /* we take no further one */
	bool answered;	       /* the peer began the first one of which it is the heir */
	bool tell_proof;       /* AUTH_LIFETIME is due in an INFORMATIONAL */
	bool retired;	       /* others carry all that it has: it is to go (ike/renew.h) */
	bool redundant;	       /* the other one of two stays (ike/duplicate.h) */
	uint8_t unheard_asked; /* since `unheard`, so often, one after the other */
	uint16_t rekey_tries;  /* that failed */
	uint16_t close_notify; /* say this instead of Delete */

	struct child_sa *children;
	struct create *mine;   /* our CREATE_CHILD_SA under way (ike/create.h); NULL: none */
	struct create *theirs; /* the peer's, while a job or a data plane has to answer */
	mono_ns yield;	       /* until then the peer, who began, makes the children */
	struct handshake *hs;  /* NULL once up */
};

/* A new SA in no table but by_spi, with a fresh SPI of ours. ERR_NOMEM, ERR_CRYPTO without
 * randomness. */
MUST_USE enum err sa_new(struct ike_engine *e, bool initiator, const struct path *p,
			 struct ike_sa **out);
/* Out of every table, wiped, freed, children and tickets included; no message, no note. Takes NULL.
 */
void sa_free(struct ike_sa *sa);
struct ike_sa *sa_find(struct ike_engine *e, uint64_t own_spi);

/* Half-open SAs of peers, by what a retransmitted IKE_SA_INIT request has. */
struct ike_sa *sa_find_init(struct ike_engine *e, uint64_t spi_i, const struct endpoint *remote);
MUST_USE enum err sa_index_init(struct ike_sa *sa);
void sa_unindex_init(struct ike_sa *sa);

uint64_t sa_own_spi(const struct ike_sa *sa);
/* Keys of one direction, by value; wipe them with sk_keys_wipe. Their IV counter is the SA's. */
struct sk_keys sa_keys_out(const struct ike_sa *sa);
struct sk_keys sa_keys_in(const struct ike_sa *sa);
bool sa_parked(
	const struct ike_sa *sa); /* a job or plane has to answer before the exchange goes on */
void sa_drop_fragments(struct ike_sa *sa);
/* Who it is charged to while it is half-open; NULL: a peer, or an attempt of ours. */
const struct addr *sa_stranger(const struct ike_sa *sa);
/* It counts among the half-open ones of its source; it does so no longer. */
void sa_count(struct ike_sa *sa);
void sa_uncount(struct ike_sa *sa);
/* For the engine's tables. */
struct span sa_spi_key(const struct table_node *n);
struct span sa_init_key(const struct table_node *n);

/* With room for so many tries. NULL: no memory. */
struct handshake *handshake_new(uint8_t max_tries);
/* The handshake is over: wipes and frees it. */
void sa_forget_handshake(struct ike_sa *sa);

/* Sets the SA's one timer to what is due first. Called after everything that changes a deadline. */
void sa_schedule(struct ike_sa *sa);

#endif
