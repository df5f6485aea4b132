/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may cost us before they have proved anything: half-open SAs in all and per source,
 * cookies when there are many (RFC 7296 2.6, RFC 8019), work for those whose proofs fail,
 * fragments, and a bounded rate of answers in clear.
 *
 * Nothing here grows with what a stranger sends: sources are counted in fixed arrays, by a keyed
 * hash of their host (an IPv4 address, a /64), their network (/24, /48) and what that lies in (/16,
 * /32), since who has an IPv6 network has as many /64 as he likes. Sources that share a bucket
 * share its limit; half-open SAs are counted in several arrays by as many hashes, and the smallest
 * count holds, so that this is rare even when thousands attack.
 *
 * The limits adapt. While little is taken a source may have much of it (a whole office comes back
 * behind one NAT). The less is left, the smaller every share, and at last what is left is kept for
 * sources that have nothing: those who take what they can get leave room for a peer who comes now.
 * A network that is full still lets in a host that holds little itself, and likewise one level up:
 * else one neighbour would keep a peer out.
 *
 * Who is charged is who can receive at the address, not whose address was forged: half-open SAs in
 * number need a cookie, and a failed proof needs our answer. Established SAs are never charged.
 */
#ifndef IKE_LIMITS_H
#define IKE_LIMITS_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/table.h"
#include "ike/cookie.h"

enum {
	HALF_OPEN_COOKIE = 30,	      /* from here on a cookie is asked for ... */
	HALF_OPEN_CALM = 15,	      /* ... until there are fewer than that */
	HALF_OPEN_FREE = 5000,	      /* up to here every share is whole */
	HALF_OPEN_MAX = 20000,	      /* and here we stop: at 4 KiB each that is 80 MiB */
	SOURCE_COOKIE = 8,	      /* half-open SAs of one network */
	NET_MAX = 250,		      /* shares: of one network, but for hosts with fewer than: */
	HOST_FREE = 16,		      /* */
	WIDE_MAX = 4000,	      /* ... of a wide one, but for networks with fewer than: */
	NET_FREE = 64,		      /* */
	WIDE_ALL = HALF_OPEN_MAX / 2, /* ... and for all */
	HALF_OPEN_ROWS = 4,
	HOST_BUCKETS = 32768, /* of each: hosts */
	NET_BUCKETS = 8192,   /* ... and networks, of which there are fewer */
	HALF_OPEN_BUCKETS = HOST_BUCKETS + 2 * NET_BUCKETS,
	FAILURES_COOKIE = 8,   /* failures of a host: a cookie is asked for */
	FAILURES_HOST = 30,    /* ... and no more work done; one is forgiven each second */
	FAILURES_NET = 120,    /* ... of a network; four each second */
	BAD_OPENS_PER_S = 500, /* failed decryptions for half-open SAs, by where they came from */
	BUDGET_BUCKETS = 4096,
	INIT_LEN_FREE = 1200,	  /* a longer IKE_SA_INIT request needs a cookie first: what is kept
				     of a stranger stays below 4 KiB */
	INIT_KE_FREE = 512,	  /* as if it were longer by what a public value has above this */
	FRAGMENT_POOL = 16 << 20, /* bytes of all reassemblies together */
	FRAGMENT_STRANGERS = 8 << 20, /* of those that have not proved themselves; the rest is for
					 peers */
	FRAGMENT_HOST = 1 << 20,      /* of strangers at one host */
	CLEAR_ANSWERS_PER_S = 100,    /* errors in clear */
};

enum source_scope { SOURCE_HOST, SOURCE_NET, SOURCE_WIDE, N_SOURCE_SCOPES };

/* What one bucket of hosts still has. */
struct host_budget {
	mono_ns second; /* of: */
	uint32_t bad_opens;
	uint32_t fragment_bytes; /* in reassemblies of strangers */
	mono_ns forgiven;	 /* when all failures will be */
};

struct limits {
	uint8_t seed[SIPHASH_KEY_LEN];
	uint16_t open[HALF_OPEN_ROWS][HALF_OPEN_BUCKETS]; /* half-open SAs */
	struct host_budget host[BUDGET_BUCKETS];
	mono_ns net_forgiven[BUDGET_BUCKETS];
	uint32_t half_open;
	bool cookies;		   /* are being asked for because of the total */
	bool told_cookies;	   /* ... and that was told */
	uint32_t fragment_bytes;   /* held in reassemblies */
	uint32_t fragment_strange; /* of them by strangers */
	struct cookie_jar jar;
	uint32_t answers; /* in clear, in the second that began at: */
	mono_ns second;
	uint32_t dropped_notes; /* told in that second, too */
};

/* Writes every byte of the arrays, so that no flood makes the process larger by touching them. The
 * seed is the caller's to draw afterwards. */
void limits_init(struct limits *l);
/* Wipes what is secret; counts are not. */
void limits_end(struct limits *l);

/* Must this request bring a cookie? `len` bytes of IKE_SA_INIT, as INIT_LEN_FREE says. */
bool limits_want_cookie(const struct limits *l, const struct addr *source, size_t len, mono_ns now);
/* No room for another half-open SA of this source, cookie or not. */
bool limits_full(const struct limits *l, const struct addr *source);
void limits_opened(struct limits *l, const struct addr *source);
void limits_closed(struct limits *l, const struct addr *source);
/* How long a new half-open SA may take: the shorter, the more there are. */
mono_ns limits_patience(const struct limits *l);

/* A handshake of this source came so far that it cost us something, and its proof was wrong. */
void limits_failed(struct limits *l, const struct addr *source, mono_ns now);
/* Too many have: no new handshake for now. */
bool limits_distrust(const struct limits *l, const struct addr *source, mono_ns now);
/* May something that came from there for a half-open SA be opened? Failures are told after. */
bool limits_may_open(const struct limits *l, const struct addr *source, mono_ns now);
void limits_opened_badly(struct limits *l, const struct addr *source, mono_ns now);

/* May `len` bytes more of fragments be kept? `stranger`: who sends them; NULL: a proved peer. */
bool limits_room(const struct limits *l, const struct addr *stranger, size_t len);
void limits_keep(struct limits *l, const struct addr *stranger, size_t len);
void limits_drop(struct limits *l, const struct addr *stranger, size_t len);

/* May one more answer in clear leave now? Counts it. */
bool limits_answer(struct limits *l, mono_ns now);
/* May one more drop be told now? Counts it. */
bool limits_tell_drop(struct limits *l, mono_ns now);

#endif
