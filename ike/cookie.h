/* SPDX-License-Identifier: Apache-2.0 */
/* Stateless cookies (RFC 7296 2.6): version | SipHash(key 1, SPIi | IPi | Ni) | SipHash(key 2, the
 * same).
 *
 * SipHash is a MAC for short messages, and a cookie is checked for two minutes at most: what a
 * stranger can do is guess, by one packet a guess, at 128 bits. It takes a tenth of an HMAC's time
 * and, unlike the library's, no memory: a cookie is what we make when there is no time.
 *
 * Who sends one back can receive at its address, and that is all it says; we keep nothing per
 * stranger. Two secrets are live: the present one and the one before it, each good for making
 * cookies during one period and for checking them during the next. The version byte says which
 * one, so a check is one MAC.
 */
#ifndef IKE_COOKIE_H
#define IKE_COOKIE_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/table.h"

enum { COOKIE_SECRET_LEN = 2 * SIPHASH_KEY_LEN, COOKIE_LEN = 17 };
#define COOKIE_PERIOD (60 * NS_PER_S)

/* Plain data. Zeroed bytes are a jar without a secret: nothing checks. */
struct cookie_jar {
	uint8_t version; /* of secret[0]; secret[1] has the one before */
	uint8_t live;	 /* how many secrets are set */
	uint8_t secret[2][COOKIE_SECRET_LEN];
	mono_ns since; /* secret[0] is in use since then */
};

/* What a cookie is bound to. */
struct cookie_claim {
	struct span ni; /* nonce */
	struct addr source;
	uint64_t spi_i;
};

/* No secret yet, or the present one has served its period: the caller draws 32 random bytes and
 * rotates. */
bool cookie_stale(const struct cookie_jar *j, mono_ns now);
void cookie_rotate(struct cookie_jar *j, const uint8_t fresh[static COOKIE_SECRET_LEN],
		   mono_ns now);
/* ERR_UNEXPECTED: the jar has no secret; ERR_SPACE: no nonce is so long. */
MUST_USE enum err cookie_make(const struct cookie_jar *j, const struct cookie_claim *c,
			      uint8_t out[static COOKIE_LEN]);
/* In constant time; false also when its secret is too old by `now`, however late the rotation. */
bool cookie_check(const struct cookie_jar *j, const struct cookie_claim *c, struct span cookie,
		  mono_ns now);

#endif
