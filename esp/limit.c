/* SPDX-License-Identifier: Apache-2.0 */
/* Limits on what packets may cause beside themselves: ICMP answers, acquires. Memory is fixed. */
#include "esp/limit.h"

enum { ACQUIRES_BURST = 32 };

bool limit_allows(struct limit *l, mono_ns now)
{
	uint64_t earned = (now - l->since) / l->every;

	if (now > l->since && earned > 0) {
		l->used = earned < l->used ? l->used - (uint32_t)earned : 0;
		l->since += earned * l->every;
	}
	if (l->used >= l->burst)
		return false;
	l->used++;
	return true;
}

void acquire_limit_init(struct acquire_limit *a)
{
	*a = (struct acquire_limit){ .all = { .every = NS_PER_S / ACQUIRES_BURST,
					      .burst = ACQUIRES_BURST } };
}

/* FNV-1a. Who makes flows collide delays acquires by a second, no more. */
static uint32_t mix(uint32_t h, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ s.p[i]) * 16777619u;
	return h;
}

bool acquire_limit_allows(struct acquire_limit *a, const struct flow *f, mono_ns now)
{
	uint32_t h = mix(mix(mix(2166136261u, addr_span(&f->src)), addr_span(&f->dst)),
			 span_of(&f->proto, 1));
	size_t i = h % ACQUIRE_FLOWS;
	bool known = a->flows[i].at > 0 && addr_eq(&a->flows[i].src, &f->src) &&
		     addr_eq(&a->flows[i].dst, &f->dst) && a->flows[i].proto == f->proto;

	if (known && now - a->flows[i].at < NS_PER_S)
		return false;
	if (!limit_allows(&a->all, now))
		return false;
	a->flows[i].src = f->src;
	a->flows[i].dst = f->dst;
	a->flows[i].proto = f->proto;
	a->flows[i].at = now;
	return true;
}
