/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/nonce.h"

void nonce_lose(uint8_t own[OWN_NONCE_LEN])
{
	own[0] = own[1] = 0;
}

struct low_nonce nonce_lower(struct span a, struct span b)
{
	struct low_nonce low = { .len = 0 };
	struct wr w = wr_into(low.b, sizeof(low.b));

	wr_span(&w, span_head(span_order_bytes(a, b) < 0 ? a : b, sizeof(low.b)));
	low.len = (uint8_t)wr_done(&w).len;
	return low;
}

int nonce_order(const struct low_nonce *a, const struct low_nonce *b)
{
	return span_order_bytes(span_of(a->b, a->len), span_of(b->b, b->len));
}
