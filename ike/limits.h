/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may cost us before they have proved anything: half-open SAs in all and per source,
 * cookies when there are many (RFC 7296 2.6, RFC 8019), and a bounded rate of answers in clear.
 *
 * Nothing here grows with what a stranger sends: sources are counted in a fixed array of buckets,
 * by a keyed hash of their network (/24, /64). Two sources may share a bucket; then they share its
 * limit, no more. A network that is full still lets in an address that holds few itself: else one
 * neighbour of a peer, with 250 requests a minute, would keep it out.
 */
#ifndef IKE_LIMITS_H
#define IKE_LIMITS_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/table.h"
#include "ike/cookie.h"

enum {
	HALF_OPEN_COOKIE = 30, /* from here on a cookie is asked for */
	HALF_OPEN_MAX = 20000, /* and here we stop: at 4 KiB each that is 80 MiB */
	SOURCE_COOKIE = 8,     /* the same per source network */
	SOURCE_MAX = 250,
	HOST_FREE = 16, /* one IPv4 address, or /64, in a full network */
	SOURCE_BUCKETS = 4096,
	INIT_LEN_FREE = 1200,	  /* a longer IKE_SA_INIT request needs a cookie first: what is kept
				     of a stranger stays below 4 KiB */
	INIT_KE_FREE = 512,	  /* as if it were longer by what a public value has above this */
	FRAGMENT_POOL = 16 << 20, /* bytes of all reassemblies together */
	CLEAR_ANSWERS_PER_S = 100, /* errors in clear */
};

struct limits {
	uint8_t seed[SIPHASH_KEY_LEN];
	uint16_t source[SOURCE_BUCKETS]; /* half-open SAs */
	uint16_t host[SOURCE_BUCKETS];	 /* the same, by address */
	uint32_t half_open;
	bool cookies;		 /* are being asked for because of the total */
	uint32_t fragment_bytes; /* held in reassemblies */
	struct cookie_jar jar;
	uint32_t answers; /* in clear, in the second that began at: */
	mono_ns second;
	uint32_t dropped_notes; /* told in that second, too */
};

/* Must this request bring a cookie? `len` bytes of IKE_SA_INIT, as INIT_KE_FREE says. */
bool limits_want_cookie(const struct limits *l, const struct addr *source, size_t len);
/* No room for another half-open SA, cookie or not. */
bool limits_full(const struct limits *l, const struct addr *source);
void limits_opened(struct limits *l, const struct addr *source);
void limits_closed(struct limits *l, const struct addr *source);
/* May one more answer in clear leave now? Counts it. */
bool limits_answer(struct limits *l, mono_ns now);
/* May one more drop be told now? Counts it. */
bool limits_tell_drop(struct limits *l, mono_ns now);

#endif
