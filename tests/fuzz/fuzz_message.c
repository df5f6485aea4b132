/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: what a stranger sends, what a peer with the keys has sealed, fragments, and rows of
 * datagrams. The first byte chooses. What is taken is written again and has to be read as the same;
 * what is forged is never opened.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "ike/fragment.h"
#include "ike/message.h"

enum { ROOM = 160 * 1024 };

static uint8_t scratch[3][ROOM];

static const struct ike_header head = {
	.spi_i = 1,
	.spi_r = 2,
	.version = IKE_VERSION,
	.exchange = X_INFORMATIONAL,
	.flags = FLAG_INITIATOR,
	.message_id = 3,
};

static struct sk_keys keys_of(uint8_t which)
{
	bool aead = which % 2 == 0;
	struct sk_keys k = { .encr = encr_by_keyword(aead ? "aes128gcm16" : "aes128"),
			     .integ = aead ? NULL : integ_by_keyword("sha256") };

	k.encr_key.len = (uint8_t)(k.encr->key_len + k.encr->salt_len);
	k.integ_key.len = aead ? 0 : k.integ->key_len;
	return k;
}

static void same_payloads(const struct message *a, const struct message *b)
{
	FUZZ_HOLDS(a->n == b->n && a->present == b->present);
	for (size_t i = 0; i < a->n; i++) {
		FUZZ_HOLDS(a->v[i].type == b->v[i].type);
		FUZZ_HOLDS(span_eq(a->v[i].body, b->v[i].body));
	}
}

/* Every payload is found by its type, and none that is not there. */
static void look_around(const struct message *m)
{
	struct pl_notify n;
	size_t found = 0;

	for (unsigned int type = 0; type <= UINT8_MAX; type++) {
		const struct payload *p = message_find(m, (uint8_t)type);

		FUZZ_HOLDS((p != NULL) == message_has(m, (uint8_t)type));
		for (; p != NULL; p = message_next(m, p))
			found++;
	}
	FUZZ_HOLDS(found == m->n);
	if (message_error(m, &n))
		FUZZ_HOLDS(message_notify(m, n.type, NULL));
}

static void fuzz_inner(uint8_t first, struct span chain)
{
	struct inner in = { .first = first, .chain = chain }, again_in;
	struct builder b = builder_inner(scratch[0], ROOM);
	struct message m, again;

	if (message_decode_inner(&head, &in, &m) != OK)
		return;
	look_around(&m);
	for (size_t i = 0; i < m.n; i++)
		builder_add(&b, m.v[i].type, m.v[i].body);
	FUZZ_HOLDS(builder_finish_inner(&b, &again_in) == OK);
	FUZZ_HOLDS(message_decode_inner(&head, &again_in, &again) == OK);
	same_payloads(&m, &again);
}

/* Nobody without the keys gets past the ICV. */
static void fuzz_outer(struct span d)
{
	struct wr w = wr_into(scratch[0], ROOM);
	struct sk_keys k = keys_of(0);
	struct reassembly r = { .total = 0 };
	struct message m;
	struct span piece;
	struct inner in;
	bool whole;

	if (message_decode(d, &m) != OK)
		return;
	look_around(&m);
	FUZZ_HOLDS(protect_open(&k, &m, &w, &in) != OK);
	FUZZ_HOLDS(protect_open_fragment(&k, &m, &w, &piece) != OK);
	FUZZ_HOLDS(reassembly_add(&r, &k, &m, &whole) != OK);
	FUZZ_HOLDS(r.bytes == 0 && wr_len(&w) == 0);
}

/* Any chain that a peer seals comes back, in one piece or in several. */
static void fuzz_sealed(uint8_t which, uint8_t size, struct span chain)
{
	struct sk_keys k = keys_of(which);
	struct inner in = { .first = PL_NOTIFY, .chain = chain }, out;
	struct wr sealed = wr_into(scratch[0], ROOM), plain = wr_into(scratch[1], ROOM);
	struct reassembly r = { .total = 0 };
	bool whole = false;
	struct message m;
	struct span d;
	struct rd rest;

	if (protect_seal_fragments(&k, &head, &in, size * 8u, &sealed) != OK)
		return;
	rest = rd_from(wr_done(&sealed));
	while (header_split(&rest, &d)) {
		FUZZ_HOLDS(size == 0 || d.len <= size * 8u);
		FUZZ_HOLDS(message_decode(d, &m) == OK);
		if (message_has(&m, PL_SK))
			FUZZ_HOLDS(protect_open(&k, &m, &plain, &out) == OK);
		else
			FUZZ_HOLDS(reassembly_add(&r, &k, &m, &whole) == OK);
	}
	FUZZ_HOLDS(rd_end(&rest));
	if (r.total > 0)
		FUZZ_HOLDS(whole && reassembly_join(&r, &plain, &out) == OK);
	FUZZ_HOLDS(out.first == in.first && span_eq(out.chain, in.chain));
	reassembly_reset(&r);
}

/* Fragments by a peer with the keys that says anything: bytes are number, total, message ID. */
static void fuzz_fragments(struct span script)
{
	struct sk_keys k = keys_of(0);
	struct reassembly r = { .total = 0 };
	struct rd s = rd_from(script);
	bool whole;

	while (rd_left(&s) >= 3) {
		struct ike_header h = head;
		struct builder b;
		struct message m;
		struct span d;
		struct wr *w;

		h.message_id = rd_u8(&s) % 4;
		b = builder_message(scratch[0], ROOM, &h);
		w = builder_begin(&b, PL_SKF);
		wr_u16(w, rd_u8(&s));
		wr_u16(w, rd_u8(&s));
		wr_span(w, rd_take(&s, rd_left(&s) < 40 ? rd_left(&s) : 40));
		builder_end(&b);
		FUZZ_HOLDS(builder_finish(&b, &d) == OK);
		if (message_decode(d, &m) == OK)
			FUZZ_HOLDS(reassembly_add(&r, &k, &m, &whole) != OK);
	}
	reassembly_reset(&r);
}

static void fuzz_row(struct span row)
{
	struct rd r = rd_from(row);
	size_t bytes = 0;
	struct span d;

	while (header_split(&r, &d)) {
		FUZZ_HOLDS(d.len >= IKE_HEADER_LEN);
		bytes += d.len;
	}
	FUZZ_HOLDS(bytes <= row.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_from(span_of(bytes, len));
	uint8_t which = rd_u8(&r), first, size;

	if (!rd_ok(&r))
		return 0;
	switch (which % 5) {
	case 0:
		fuzz_outer(rd_rest(&r));
		break;
	case 1:
		first = rd_u8(&r);
		fuzz_inner(first, rd_rest(&r));
		break;
	case 2:
		size = rd_u8(&r);
		fuzz_sealed(which / 5, size, rd_rest(&r));
		break;
	case 3:
		fuzz_fragments(rd_rest(&r));
		break;
	case 4:
		fuzz_row(rd_rest(&r));
		break;
	}
	return 0;
}
