/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/crypto/ke_kit.h"

#include <string.h>

#include "crypto/ke.h"
#include "tests/unit/unit.h"

const struct ke_vector *ke_vector_of(const struct ke_group *g)
{
	for (size_t i = 0; i < N_KE_VECTORS; i++)
		if (strcmp(ke_vectors[i].keyword, g->keyword) == 0)
			return &ke_vectors[i];
	ck_abort_msg("no vector of %s", g->keyword);
	return NULL;
}

void ke_expect_peer_refused(const struct ke_group *g, struct span peer)
{
	const struct hex i = hex(ke_vector_of(g)->i);
	static const uint8_t zero[KE_SECRET_MAX];
	uint8_t out[KE_SECRET_MAX];

	memset(out, 0xa5, sizeof(out));
	ck_assert_msg(ke_shared(g, hex_span(&i), peer, out) == ERR_KE_VALUE,
		      "%s took a value of %zu bytes, %02x %02x ... %02x", g->keyword, peer.len,
		      peer.len ? peer.p[0] : 0, peer.len ? peer.p[1] : 0,
		      peer.len ? peer.p[peer.len - 1] : 0);
	ck_assert_mem_eq(out, zero, g->secret_len);
}

static void number_add(struct hex *n, int add)
{
	for (size_t i = n->len; i-- > 0;) {
		add += n->b[i];
		n->b[i] = (uint8_t)add;
		add >>= 8;
	}
}

void number_reverse(struct hex *n)
{
	for (size_t i = 0; i < n->len / 2; i++) {
		const uint8_t b = n->b[i];

		n->b[i] = n->b[n->len - 1 - i];
		n->b[n->len - 1 - i] = b;
	}
}

struct hex number(struct span base, int add)
{
	struct hex n = { .len = base.len };

	memcpy(n.b, base.p, base.len);
	number_add(&n, add);
	return n;
}
