/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/await.h"

#include <string.h>

static unsigned find(const struct await_spis *a, uint32_t spi)
{
	unsigned i = 0;

	while (i < AWAIT_SPIS &&
	       atomic_load_explicit(&a->v[i].spi, memory_order_acquire) != spi)
		i++;
	return i;
}

void await_expect(struct await_spis *a, uint32_t spi, mono_ns now)
{
	unsigned i = find(a, spi);

	if (i == AWAIT_SPIS)
		i = find(a, 0);
	if (i == AWAIT_SPIS) {
		i = a->next;
		a->next = (a->next + 1) % AWAIT_SPIS;
	}
	atomic_store_explicit(&a->v[i].until, now + AWAIT_SECONDS * NS_PER_S,
			      memory_order_relaxed);
	atomic_store_explicit(&a->v[i].spi, spi, memory_order_release);
}

void await_forget(struct await_spis *a, uint32_t spi)
{
	unsigned i = find(a, spi);

	if (i < AWAIT_SPIS)
		atomic_store_explicit(&a->v[i].spi, 0, memory_order_release);
}

bool await_expects(const struct await_spis *a, uint32_t spi, mono_ns now)
{
	unsigned i = spi == 0 ? AWAIT_SPIS : find(a, spi);

	return i < AWAIT_SPIS &&
	       now < atomic_load_explicit(&a->v[i].until, memory_order_relaxed);
}

static size_t count_same(const struct await *a, const struct esp_datagram *d)
{
	size_t n = 0;

	for (const struct handed *h = a->first; h; h = h->next)
		n += memcmp(h->d.p, d->p, sizeof(uint32_t)) == 0;
	return n;
}

bool await_put(struct await *a, const struct esp_datagram *d)
{
	struct handed *h = NULL;

	if (a->n < AWAIT_PACKETS && a->bytes + d->len <= AWAIT_BYTES &&
	    count_same(a, d) < AWAIT_EACH)
		h = handed_copy(d);
	if (!h)
		return false;
	if (!a->first)
		a->last = &a->first;
	*a->last = h;
	a->last = &h->next;
	a->n++;
	a->bytes += d->len;
	return true;
}

struct handed *await_take(struct await *a)
{
	struct handed *all = a->first;

	*a = (struct await){ .n = 0 };
	return all;
}
