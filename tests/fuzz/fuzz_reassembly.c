/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments (RFC 7383) of a peer that has the keys: pieces of any length in any order, some twice,
 * some damaged, with any number, total, ID and type. A model beside it knows which of them count;
 * both have to agree after each one, and on the bytes of what is whole.
 *
 * First byte: the cipher. Then eight bytes for each fragment: number, total, ID, first, length (2),
 * fill, how.
 */
#include <string.h>

#include "crypto/seal.h"
#include "ike/fragment.h"
#include "tests/fuzz/fuzz.h"

enum { ROOM = 96 * 1024, STEPS_MAX = 160, TEXT_MAX = 20000, HOW_DAMAGED = 1, HOW_OTHER_KEY = 2 };

static uint8_t sealed[ROOM], joined[ROOM], text[ROOM];

struct fragment {
	uint8_t number;
	uint8_t total;
	uint8_t id;
	uint8_t first;
	uint16_t len;
	uint8_t fill;
	uint8_t how;
};

struct model {
	bool begun;
	uint8_t id;
	uint8_t total;
	uint8_t first;
	uint8_t n;
	size_t bytes;
	bool here[FRAGMENTS_MAX + 1];
	struct fragment of[FRAGMENTS_MAX + 1]; /* by number */
};

static struct sk_keys keys_of(uint8_t which)
{
	struct sk_keys k = { .encr = encr_find(ENCR_AES_GCM_16, 128) };

	if (which & 1) {
		k.encr = encr_find(ENCR_AES_CBC, 256);
		k.integ = integ_find(INTEG_HMAC_SHA2_256_128);
		k.integ_key.len = k.integ->key_len;
	}
	k.encr_key.len = k.encr->key_len + k.encr->salt_len;
	return k;
}

/* ---- sealing, by hand: our own sealer makes no such fragments ---- */

static size_t put_clear(struct wr *w, const struct fragment *f, size_t behind)
{
	size_t len = IKE_HEADER_LEN + SKF_HEADER_LEN + behind;
	const struct ike_header h = { .spi_i = 1,
				      .spi_r = 2,
				      .next = PL_SKF,
				      .version = IKE_VERSION,
				      .exchange = X_IKE_AUTH,
				      .flags = FLAG_INITIATOR,
				      .message_id = f->id,
				      .length = (uint32_t)len };

	header_encode(w, &h);
	wr_u8(w, f->first);
	wr_u8(w, 0);
	wr_u16(w, (uint16_t)(len - IKE_HEADER_LEN));
	wr_u16(w, f->number);
	wr_u16(w, f->total);
	return wr_len(w);
}

/* There are two keys of two ciphers: each is set up once. */
static struct sealer *sealer_of(const struct sk_keys *k)
{
	static struct sealer *made[2][2];
	struct sealer **s = &made[k->integ != NULL][k->encr_key.b[0] & 1];

	if (!*s)
		FUZZ_HOLDS(sealer_new(k->encr, k->integ, key_span(&k->encr_key),
				      key_span(&k->integ_key), s) == OK);
	return *s;
}

static struct span seal_by_hand(const struct sk_keys *k, const struct fragment *f, uint64_t number)
{
	size_t block = k->encr->block_len, pad = (block - (f->len + 1u) % block) % block;
	size_t icv_len = seal_icv_len(k->encr, k->integ);
	struct seal_text t = { .text_len = f->len + pad + 1 };
	struct wr w = wr_into(sealed, sizeof(sealed));
	struct sealer *s = sealer_of(k);
	uint8_t *iv;

	t.aad = span_of(sealed, put_clear(&w, f, k->encr->iv_len + t.text_len + icv_len));
	t.iv = iv = wr_take(&w, k->encr->iv_len);
	t.text = wr_take(&w, t.text_len);
	t.icv = wr_take(&w, icv_len);
	FUZZ_HOLDS(wr_ok(&w));
	memset(t.text, f->fill, f->len);
	memset(t.text + f->len, 0, pad);
	t.text[f->len + pad] = (uint8_t)pad;
	FUZZ_HOLDS(sealer_iv(s, number, iv) == OK && seal(s, &t) == OK);
	return wr_done(&w);
}

/* ---- the model ---- */

static bool begins(const struct model *m, const struct fragment *f)
{
	return !m->begun || m->id != f->id || f->total > m->total;
}

static enum err model_add(struct model *m, const struct fragment *f)
{
	const bool anew = begins(m, f);

	if (f->number == 0 || f->number > f->total || (f->number > 1 && f->first != PL_NONE))
		return ERR_SYNTAX;
	if (f->total > FRAGMENTS_MAX)
		return ERR_LIMIT;
	if (!anew && (f->total < m->total || m->here[f->number]))
		return OK;
	if (f->how & (HOW_DAMAGED | HOW_OTHER_KEY))
		return ERR_ICV;
	if ((anew ? 0 : m->bytes) + f->len > REASSEMBLY_BYTES_MAX)
		return ERR_LIMIT;
	if (anew)
		*m = (struct model){ .begun = true, .id = f->id, .total = f->total };
	if (f->number == 1)
		m->first = f->first;
	m->here[f->number] = true;
	m->of[f->number] = *f;
	m->bytes += f->len;
	m->n++;
	return OK;
}

static size_t model_join(const struct model *m)
{
	struct wr w = wr_into(text, sizeof(text));

	for (uint8_t i = 1; i <= m->total; i++) {
		uint8_t *p = wr_take(&w, m->of[i].len);

		FUZZ_HOLDS(p != NULL || m->of[i].len == 0);
		if (p != NULL)
			memset(p, m->of[i].fill, m->of[i].len);
	}
	return wr_len(&w);
}

/* ---- both ---- */

static void compare(const struct reassembly *r, const struct model *m, bool whole)
{
	struct wr w = wr_into(joined, sizeof(joined));
	struct inner in;
	enum err err = reassembly_join(r, &w, &in);

	FUZZ_HOLDS(r->total == m->total && r->n == m->n && r->bytes == m->bytes);
	FUZZ_HOLDS(m->begun ? r->message_id == m->id : r->total == 0);
	FUZZ_HOLDS((err == OK) == (m->begun && m->n == m->total));
	FUZZ_HOLDS(!whole || err == OK);
	if (err != OK)
		return;
	FUZZ_HOLDS(in.first == m->first);
	FUZZ_HOLDS(span_eq(in.chain, span_of(text, model_join(m))));
}

static struct fragment fragment_read(struct rd *r)
{
	struct fragment f = { .number = rd_u8(r), .total = rd_u8(r) };

	f.id = rd_u8(r) % 4;
	f.first = rd_u8(r);
	f.len = rd_u16(r) % TEXT_MAX;
	f.fill = rd_u8(r);
	f.how = rd_u8(r);
	return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd script = rd_from(span_of(bytes, len));
	struct sk_keys k = keys_of(rd_u8(&script)), other = k;
	struct reassembly r = { .total = 0 };
	struct model model = { .begun = false };

	/* With another cipher key alone an HMAC would be good. */
	other.encr_key.b[0] ^= 1;
	other.integ_key.b[0] ^= 1;
	for (uint64_t i = 1; i <= STEPS_MAX && rd_left(&script) >= 8; i++) {
		struct fragment f = fragment_read(&script);
		struct span d = seal_by_hand(f.how & HOW_OTHER_KEY ? &other : &k, &f, i);
		struct message m;
		bool whole;

		if (f.how & HOW_DAMAGED && !(f.how & HOW_OTHER_KEY))
			sealed[d.len - 1 - f.fill % 8] ^= 1;
		FUZZ_HOLDS(message_decode(d, &m) == OK);
		FUZZ_HOLDS(reassembly_add(&r, &k, &m, &whole) == model_add(&model, &f));
		compare(&r, &model, whole);
	}
	reassembly_reset(&r);
	return 0;
}
