/* SPDX-License-Identifier: Apache-2.0 */
/* Diffie-Hellman is computed once. The linker puts these in the place of crypto/ke.h's functions
 * (--wrap): half of all time were the same few values, since each scenario begins with the same
 * seeds, and both ends compute one secret. What comes out is what would have come out; that both
 * ends would compute the same is what scenarios_suites.c is for, where nothing is remembered.
 */
#include <string.h>

#include "crypto/ke.h"
#include "crypto/prf.h"
#include "tests/sim/world.h"

enum { PUBLIC_MAX = 132, PRIVATE_MAX = 66, PLACES = 1 << 16 };

struct made {
	const struct ke_group *g; /* NULL: nothing was made */
	uint8_t priv[PRIVATE_MAX];
	uint8_t pub[PUBLIC_MAX];
};

/* The smaller public value first: it is one secret for both. */
struct agreed {
	const struct ke_group *g;
	uint8_t pub[2][PUBLIC_MAX];
	uint8_t secret[PRIVATE_MAX];
};

static struct made made[PLACES];
static struct agreed agreed[PLACES];
static bool remembers = true;
static bool pretends;

enum err __real_ke_public(const struct ke_group *g, struct span priv, uint8_t *pub);
enum err __real_ke_shared(const struct ke_group *g, struct span priv, struct span peer_pub,
			  uint8_t *secret);
enum err __wrap_ke_public(const struct ke_group *g, struct span priv, uint8_t *pub);
enum err __wrap_ke_shared(const struct ke_group *g, struct span priv, struct span peer_pub,
			  uint8_t *secret);

void ke_remember(bool on)
{
	remembers = on;
}

void ke_pretend(bool on)
{
	pretends = on;
}

/* The public value is the private one, the secret a hash of both. */
static enum err pretend_public(const struct ke_group *g, struct span priv, uint8_t *pub)
{
	memset(pub, 0, g->public_len);
	memcpy(pub, priv.p, priv.len < g->public_len ? priv.len : g->public_len);
	return OK;
}

static enum err pretend_shared(const struct ke_group *g, struct span priv, struct span peer_pub,
			       uint8_t *secret)
{
	uint8_t pub[PUBLIC_MAX] = { 0 }, hash[32];
	struct span own = span_of(pub, g->public_len);
	bool first;

	if (pretend_public(g, priv, pub) != OK)
		return ERR_CRYPTO;
	first = span_order_bytes(own, peer_pub) < 0;
	if (hash_sha256((struct span[]){ first ? own : peer_pub, first ? peer_pub : own }, 2,
			hash) != OK)
		return ERR_CRYPTO;
	memset(secret, 0, g->secret_len);
	memcpy(secret, hash, g->secret_len < sizeof(hash) ? g->secret_len : sizeof(hash));
	return OK;
}

/* The values are random enough to be their own hash. */
static size_t place_of(const uint8_t *value)
{
	uint32_t n;

	memcpy(&n, value, sizeof(n));
	return n % PLACES;
}

static bool fits(const struct ke_group *g, struct span priv)
{
	return remembers && g && g->public_len <= PUBLIC_MAX && g->secret_len <= PRIVATE_MAX &&
	       priv.len == g->private_len && priv.len <= PRIVATE_MAX;
}

static bool made_of(const struct made *m, const struct ke_group *g, struct span priv)
{
	return m->g == g && memcmp(m->priv, priv.p, priv.len) == 0;
}

enum err __wrap_ke_public(const struct ke_group *g, struct span priv, uint8_t *pub)
{
	struct made *m;
	enum err e;

	if (pretends && g)
		return pretend_public(g, priv, pub);
	if (!fits(g, priv))
		return __real_ke_public(g, priv, pub);
	m = &made[place_of(priv.p)];
	if (made_of(m, g, priv)) {
		memcpy(pub, m->pub, g->public_len);
		return OK;
	}
	e = __real_ke_public(g, priv, pub);
	if (e != OK)
		return e;
	m->g = g;
	memcpy(m->priv, priv.p, priv.len);
	memcpy(m->pub, pub, g->public_len);
	return OK;
}

enum err __wrap_ke_shared(const struct ke_group *g, struct span priv, struct span peer_pub,
			  uint8_t *secret)
{
	const struct made *m = fits(g, priv) ? &made[place_of(priv.p)] : NULL;
	const uint8_t *low, *high;
	struct agreed *a;
	enum err e;

	if (pretends && g)
		return pretend_shared(g, priv, peer_pub, secret);
	if (!m || !made_of(m, g, priv) || peer_pub.len != g->public_len)
		return __real_ke_shared(g, priv, peer_pub, secret);
	low = memcmp(m->pub, peer_pub.p, peer_pub.len) < 0 ? m->pub : peer_pub.p;
	high = low == m->pub ? peer_pub.p : m->pub;
	a = &agreed[place_of(low)];
	if (a->g == g && memcmp(a->pub[0], low, g->public_len) == 0 &&
	    memcmp(a->pub[1], high, g->public_len) == 0) {
		memcpy(secret, a->secret, g->secret_len);
		return OK;
	}
	e = __real_ke_shared(g, priv, peer_pub, secret);
	if (e != OK)
		return e;
	a->g = g;
	memcpy(a->pub[0], low, g->public_len);
	memcpy(a->pub[1], high, g->public_len);
	memcpy(a->secret, secret, g->secret_len);
	return OK;
}
