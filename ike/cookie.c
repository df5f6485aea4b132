/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/cookie.h"

#include <string.h>

#include "base/secret.h"
#include "ike/wire.h"

enum { NONCE_LONGEST = 256, CLAIM_MAX = IKE_SPI_LEN + 2 + 16 + NONCE_LONGEST };

_Static_assert((int)COOKIE_LEN <= (int)COOKIE_MAX, "RFC 7296 3.10.1: a cookie has 1 to 64 bytes");
_Static_assert((int)COOKIE_SECRET_LEN == 2 * (int)SIPHASH_KEY_LEN, "two keys, two halves");

bool cookie_stale(const struct cookie_jar *j, mono_ns now)
{
	return j->live == 0 || now - j->since >= COOKIE_PERIOD;
}

void cookie_rotate(struct cookie_jar *j, const uint8_t fresh[static COOKIE_SECRET_LEN], mono_ns now)
{
	/* After two idle periods nothing that the old secret made is to be taken any more. */
	bool keep = j->live > 0 && now - j->since < 2 * COOKIE_PERIOD;

	memcpy(j->secret[1], j->secret[0], COOKIE_SECRET_LEN);
	memcpy(j->secret[0], fresh, COOKIE_SECRET_LEN);
	j->live = keep ? 2 : 1;
	j->version++;
	j->since = now;
}

/* Of fixed length but for the nonce, which is last: no two claims are the same bytes. */
static enum err cookie_fill(const uint8_t *secret, uint8_t version, const struct cookie_claim *c,
			    uint8_t out[static COOKIE_LEN])
{
	uint8_t text[CLAIM_MAX];
	struct wr w = wr_into(text, sizeof(text));
	struct wr cookie = wr_into(out, COOKIE_LEN);

	wr_u64(&w, c->spi_i);
	wr_u16(&w, (uint16_t)c->source.family);
	wr_span(&w, span_of(c->source.b, sizeof(c->source.b)));
	wr_span(&w, c->ni);
	if (!wr_ok(&w))
		return ERR_SPACE;
	wr_u8(&cookie, version);
	wr_u64(&cookie, siphash(secret, wr_done(&w)));
	wr_u64(&cookie, siphash(secret + SIPHASH_KEY_LEN, wr_done(&w)));
	return wr_ok(&cookie) && wr_left(&cookie) == 0 ? OK : ERR_CRYPTO;
}

enum err cookie_make(const struct cookie_jar *j, const struct cookie_claim *c,
		     uint8_t out[static COOKIE_LEN])
{
	if (j->live == 0)
		return ERR_UNEXPECTED;
	return cookie_fill(j->secret[0], j->version, c, out);
}

/* The secret that a cookie's version names, if it may still be checked at `now`. */
static const uint8_t *cookie_secret(const struct cookie_jar *j, uint8_t version, mono_ns now)
{
	mono_ns age = now - j->since;

	if (j->live > 0 && version == j->version && age < 2 * COOKIE_PERIOD)
		return j->secret[0];
	if (j->live > 1 && version == (uint8_t)(j->version - 1) && age < COOKIE_PERIOD)
		return j->secret[1];
	return NULL;
}

bool cookie_check(const struct cookie_jar *j, const struct cookie_claim *c, struct span cookie,
		  mono_ns now)
{
	uint8_t want[COOKIE_LEN];
	const uint8_t *secret;

	if (cookie.len != COOKIE_LEN)
		return false;
	secret = cookie_secret(j, cookie.p[0], now);
	if (secret == NULL || cookie_fill(secret, cookie.p[0], c, want) != OK)
		return false;
	return secret_eq(span_of(want, sizeof(want)), cookie);
}
