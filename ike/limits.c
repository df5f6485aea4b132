/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds on what strangers cost: see limits.h. */
#include "ike/limits.h"

#include <string.h>

#include "base/secret.h"

enum { DROP_NOTES_PER_S = 20, PATIENCE_S = 60, PATIENCE_LEAST_S = 10 };

static const mono_ns host_forgives = NS_PER_S;
static const mono_ns net_forgives = NS_PER_S / 4;

/* ---- sources ---- */

/* Bytes of the address. A subscriber has one IPv4 address but a whole /64 of IPv6. */
static const uint8_t bytes_v4[N_SOURCE_SCOPES] = { 4, 3, 2 };
static const uint8_t bytes_v6[N_SOURCE_SCOPES] = { 8, 6, 4 };

static uint64_t source_hash(const struct limits *l, const struct addr *source,
			    enum source_scope scope)
{
	const uint8_t *len = source->family == AF_INET ? bytes_v4 : bytes_v6;

	return siphash(l->seed, span_of(source->b, len[scope]));
}

static size_t budget_bucket(const struct limits *l, const struct addr *source,
			    enum source_scope scope)
{
	return source_hash(l, source, scope) % BUDGET_BUCKETS;
}

/* Where the buckets of each scope are, in every row. */
static const struct {
	size_t at, n;
} buckets[N_SOURCE_SCOPES] = {
	[SOURCE_HOST] = { 0, HOST_BUCKETS },
	[SOURCE_NET] = { HOST_BUCKETS, NET_BUCKETS },
	[SOURCE_WIDE] = { HOST_BUCKETS + NET_BUCKETS, NET_BUCKETS },
};

/* The places of a source in the rows. */
struct places {
	size_t at[HALF_OPEN_ROWS];
};

static struct places places_of(const struct limits *l, const struct addr *source,
			       enum source_scope scope)
{
	uint64_t h = source_hash(l, source, scope);
	struct places p;

	for (size_t i = 0; i < HALF_OPEN_ROWS; i++)
		p.at[i] = buckets[scope].at + (h >> (i * 16)) % buckets[scope].n;
	return p;
}

void limits_init(struct limits *l)
{
	memset(l, 0, sizeof(*l));
}

void limits_end(struct limits *l)
{
	secret_wipe(l->seed, sizeof(l->seed));
	secret_wipe(&l->jar, sizeof(l->jar));
}

/* ---- half-open SAs ---- */

static uint32_t held(const struct limits *l, const struct addr *source, enum source_scope scope)
{
	struct places p = places_of(l, source, scope);
	uint16_t least = UINT16_MAX;

	for (size_t i = 0; i < HALF_OPEN_ROWS; i++) {
		uint16_t n = l->open[i][p.at[i]];

		least = n < least ? n : least;
	}
	return least;
}

/* What is left of a share: all of it at first, then by the square of what is free. So the shares
 * are down to one while there is still room for a thousand. */
static uint32_t share(const struct limits *l, uint32_t most)
{
	const uint64_t range = HALF_OPEN_MAX - HALF_OPEN_FREE;
	uint64_t left;

	if (l->half_open <= HALF_OPEN_FREE)
		return most;
	left = l->half_open < HALF_OPEN_MAX ? HALF_OPEN_MAX - l->half_open : 0;
	left = most * left / range * left / range;
	return left > 1 ? (uint32_t)left : 1;
}

bool limits_full(const struct limits *l, const struct addr *source)
{
	uint32_t host = held(l, source, SOURCE_HOST), net = held(l, source, SOURCE_NET), wide;

	if (l->half_open >= HALF_OPEN_MAX)
		return true;
	if (net >= share(l, NET_MAX) && host >= share(l, HOST_FREE))
		return true;
	wide = held(l, source, SOURCE_WIDE);
	return wide >= WIDE_ALL || (wide >= share(l, WIDE_MAX) && net >= share(l, NET_FREE));
}

static void count(struct limits *l, const struct addr *source, int step)
{
	for (enum source_scope scope = SOURCE_HOST; scope < N_SOURCE_SCOPES; scope++) {
		struct places p = places_of(l, source, scope);

		for (size_t i = 0; i < HALF_OPEN_ROWS; i++) {
			uint16_t *n = &l->open[i][p.at[i]];

			if (step > 0 || *n > 0)
				*n = (uint16_t)(*n + step);
		}
	}
}

/* Cookies go on for a while, or each handshake that ends would let the next forged one in. */
static void judge_load(struct limits *l)
{
	if (l->half_open >= HALF_OPEN_COOKIE)
		l->cookies = true;
	else if (l->half_open < HALF_OPEN_CALM)
		l->cookies = false;
}

void limits_opened(struct limits *l, const struct addr *source)
{
	l->half_open++;
	count(l, source, 1);
	judge_load(l);
}

void limits_closed(struct limits *l, const struct addr *source)
{
	if (l->half_open > 0)
		l->half_open--;
	count(l, source, -1);
	judge_load(l);
}

mono_ns limits_patience(const struct limits *l)
{
	mono_ns s = share(l, PATIENCE_S);

	return (s > PATIENCE_LEAST_S ? s : PATIENCE_LEAST_S) * NS_PER_S;
}

/* ---- failures ---- */

/* One more failure: what is owed is forgiven one `each` later. */
static void charge(mono_ns *forgiven, mono_ns each, mono_ns now)
{
	*forgiven = (*forgiven > now ? *forgiven : now) + each;
}

static bool owes(mono_ns forgiven, mono_ns each, uint32_t failures, mono_ns now)
{
	return forgiven > now && forgiven - now > (failures - 1) * each;
}

void limits_failed(struct limits *l, const struct addr *source, mono_ns now)
{
	charge(&l->host[budget_bucket(l, source, SOURCE_HOST)].forgiven, host_forgives, now);
	charge(&l->net_forgiven[budget_bucket(l, source, SOURCE_NET)], net_forgives, now);
}

static bool host_owes(const struct limits *l, const struct addr *source, uint32_t failures,
		      mono_ns now)
{
	const struct host_budget *h = &l->host[budget_bucket(l, source, SOURCE_HOST)];

	return owes(h->forgiven, host_forgives, failures, now);
}

bool limits_distrust(const struct limits *l, const struct addr *source, mono_ns now)
{
	return host_owes(l, source, FAILURES_HOST, now) ||
	       owes(l->net_forgiven[budget_bucket(l, source, SOURCE_NET)], net_forgives,
		    FAILURES_NET, now);
}

bool limits_may_open(const struct limits *l, const struct addr *source, mono_ns now)
{
	const struct host_budget *h = &l->host[budget_bucket(l, source, SOURCE_HOST)];

	return now - h->second >= NS_PER_S || h->bad_opens < BAD_OPENS_PER_S;
}

void limits_opened_badly(struct limits *l, const struct addr *source, mono_ns now)
{
	struct host_budget *h = &l->host[budget_bucket(l, source, SOURCE_HOST)];

	if (now - h->second >= NS_PER_S) {
		h->second = now;
		h->bad_opens = 0;
	}
	h->bad_opens++;
}

bool limits_want_cookie(const struct limits *l, const struct addr *source, size_t len, mono_ns now)
{
	return l->cookies || len > INIT_LEN_FREE || held(l, source, SOURCE_NET) >= SOURCE_COOKIE ||
	       host_owes(l, source, FAILURES_COOKIE, now);
}

/* ---- fragments ---- */

bool limits_room(const struct limits *l, const struct addr *stranger, size_t len)
{
	if (l->fragment_bytes + len > FRAGMENT_POOL)
		return false;
	if (!stranger)
		return true;
	return l->fragment_strange + len <= FRAGMENT_STRANGERS &&
	       l->host[budget_bucket(l, stranger, SOURCE_HOST)].fragment_bytes + len <=
		       FRAGMENT_HOST;
}

void limits_keep(struct limits *l, const struct addr *stranger, size_t len)
{
	l->fragment_bytes += (uint32_t)len;
	if (!stranger)
		return;
	l->fragment_strange += (uint32_t)len;
	l->host[budget_bucket(l, stranger, SOURCE_HOST)].fragment_bytes += (uint32_t)len;
}

void limits_drop(struct limits *l, const struct addr *stranger, size_t len)
{
	l->fragment_bytes -= (uint32_t)len;
	if (!stranger)
		return;
	l->fragment_strange -= (uint32_t)len;
	l->host[budget_bucket(l, stranger, SOURCE_HOST)].fragment_bytes -= (uint32_t)len;
}

/* ---- rates ---- */

static void new_second(struct limits *l, mono_ns now)
{
	if (now - l->second < NS_PER_S)
		return;
	l->second = now;
	l->answers = 0;
	l->dropped_notes = 0;
}

bool limits_answer(struct limits *l, mono_ns now)
{
	new_second(l, now);
	return l->answers++ < CLEAR_ANSWERS_PER_S;
}

bool limits_tell_drop(struct limits *l, mono_ns now)
{
	new_second(l, now);
	return l->dropped_notes++ < DROP_NOTES_PER_S;
}
