/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds on what strangers cost: see limits.h. */
#include "ike/limits.h"

enum { DROP_NOTES_PER_S = 20, NET_BYTES_V4 = 3, HOST_BYTES_V4 = 4, NET_BYTES_V6 = 8 };

static size_t bucket(const struct limits *l, const struct addr *source)
{
	size_t len = source->family == AF_INET ? NET_BYTES_V4 : NET_BYTES_V6;

	return siphash(l->seed, span_of(source->b, len)) % SOURCE_BUCKETS;
}

/* A subscriber has one IPv4 address but a whole /64 of IPv6. */
static size_t host_bucket(const struct limits *l, const struct addr *source)
{
	size_t len = source->family == AF_INET ? HOST_BYTES_V4 : NET_BYTES_V6;

	return siphash(l->seed, span_of(source->b, len)) % SOURCE_BUCKETS;
}

bool limits_want_cookie(const struct limits *l, const struct addr *source, size_t len)
{
	return l->half_open >= HALF_OPEN_COOKIE || l->source[bucket(l, source)] >= SOURCE_COOKIE ||
	       len > INIT_LEN_FREE;
}

bool limits_full(const struct limits *l, const struct addr *source)
{
	return l->half_open >= HALF_OPEN_MAX ||
	       (l->source[bucket(l, source)] >= SOURCE_MAX &&
		l->host[host_bucket(l, source)] >= HOST_FREE);
}

void limits_opened(struct limits *l, const struct addr *source)
{
	l->half_open++;
	l->source[bucket(l, source)]++;
	l->host[host_bucket(l, source)]++;
}

void limits_closed(struct limits *l, const struct addr *source)
{
	size_t b = bucket(l, source), h = host_bucket(l, source);

	if (l->half_open > 0)
		l->half_open--;
	if (l->source[b] > 0)
		l->source[b]--;
	if (l->host[h] > 0)
		l->host[h]--;
}

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
