/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/cookie.h"

#include <string.h>

#include "base/secret.h"
#include "crypto/prf.h"
#include "ike/wire.h"

_Static_assert((int)COOKIE_LEN <= (int)COOKIE_MAX, "RFC 7296 3.10.1: a cookie has 1 to 64 bytes");

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

static enum err cookie_fill(const uint8_t *secret, uint8_t version, const struct cookie_claim *c,
			    uint8_t out[static COOKIE_LEN])
{
	uint8_t spi[IKE_SPI_LEN];
	struct wr w = wr_into(spi, sizeof(spi));
	const struct span parts[] = { c->ni, addr_span(&c->source), span_of(spi, sizeof(spi)) };
	struct wr cookie = wr_into(out, COOKIE_LEN);
	struct key mac;
	enum err err;

	wr_u64(&w, c->spi_i);
	err = prf_compute(prf_find(PRF_HMAC_SHA2_256), span_of(secret, COOKIE_SECRET_LEN), parts, 3,
			  &mac);
	wr_u8(&cookie, version);
	wr_span(&cookie, key_span(&mac));
	if (err == OK && (!wr_ok(&cookie) || wr_left(&cookie) > 0))
		err = ERR_CRYPTO;
	return err;
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
