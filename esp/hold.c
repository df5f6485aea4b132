/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/hold.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

static void drop_first(struct hold *h)
{
	secret_free(h->v[0].p, h->v[0].len);
	h->bytes -= h->v[0].len;
	h->n--;
	memmove(&h->v[0], &h->v[1], h->n * sizeof(h->v[0]));
}

void hold_free(struct hold *h)
{
	while (h->n > 0)
		drop_first(h);
}

size_t hold_put(struct hold *h, struct span p, uint32_t from, mono_ns since)
{
	uint8_t *copy = p.len > 0 && p.len <= HOLD_BYTES ? malloc(p.len) : NULL;
	size_t lost = 0;

	if (!copy)
		return 1;
	for (; h->n == HOLD_PACKETS || h->bytes + p.len > HOLD_BYTES; lost++)
		drop_first(h);
	memcpy(copy, p.p, p.len);
	h->v[h->n].p = copy;
	h->v[h->n].len = p.len;
	h->v[h->n].from = from;
	h->v[h->n].since = since;
	h->n++;
	h->bytes += p.len;
	return lost;
}

size_t hold_expire(struct hold *h, mono_ns now)
{
	size_t n = 0;

	for (; h->n > 0 && now > h->v[0].since + HOLD_SECONDS * NS_PER_S; n++)
		drop_first(h);
	return n;
}
