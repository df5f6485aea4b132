/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/nonce.h"

#include <string.h>

static int compare(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

struct low_nonce nonce_lower(struct span a, struct span b)
{
	struct low_nonce low = { .len = 0 };
	struct wr w = wr_into(low.b, sizeof(low.b));

	wr_span(&w, span_head(compare(a, b) < 0 ? a : b, sizeof(low.b)));
	low.len = (uint8_t)wr_done(&w).len;
	return low;
}

int nonce_order(const struct low_nonce *a, const struct low_nonce *b)
{
	return compare(span_of(a->b, a->len), span_of(b->b, b->len));
}
