/* SPDX-License-Identifier: Apache-2.0 */
/* SK and SKF differ in four bytes (fragment number and total) that stand before the IV, so both
 * are one path: everything from the first byte of the header to the IV is covered but not
 * encrypted, what follows the IV is chain, padding and pad length, then the ICV (RFC 7296 3.14,
 * RFC 5282 5.1, RFC 7383 2.5).
 */
#include "ike/protect.h"

#include <string.h>

#include "crypto/seal.h"

enum {
	ICV_MAX = 64,
	SKF_FIELDS_LEN = 4,
	UDP_HEADER_LEN = 8,
	MARKER_LEN = 4,
	IPV4_HEADER_LEN = 20,
	IPV6_HEADER_LEN = 40,
};

/* What one datagram carries; total 0: an SK payload, else an SKF. */
struct sheet {
	uint8_t first;
	uint16_t number;
	uint16_t total;
	struct span chunk;
};

static size_t icv_len(const struct sk_keys *k)
{
	return seal_icv_len(k->encr, k->integ);
}

/* Padding so that chunk, padding and pad length fill whole blocks. */
static size_t pad_len(const struct sk_keys *k, size_t chunk_len)
{
	size_t over = (chunk_len + 1) % k->encr->block_len;

	return over == 0 ? 0 : k->encr->block_len - over;
}

size_t protect_len(const struct sk_keys *k, size_t chain_len)
{
	return IKE_HEADER_LEN + PAYLOAD_HEADER_LEN + k->encr->iv_len + chain_len +
	       pad_len(k, chain_len) + 1 + icv_len(k);
}

/* Header, generic header and, of a fragment, its fields: what is covered in clear. */
static struct span write_covered(struct wr *w, const struct ike_header *h,
				 const struct sheet *sheet, size_t len)
{
	size_t from = wr_len(w);
	struct ike_header head = *h;

	head.next = sheet->total > 0 ? PL_SKF : PL_SK;
	head.length = (uint32_t)len;
	header_encode(w, &head);
	wr_u8(w, sheet->first);
	wr_u8(w, 0);
	wr_u16(w, (uint16_t)(len - IKE_HEADER_LEN));
	if (sheet->total > 0) {
		wr_u16(w, sheet->number);
		wr_u16(w, sheet->total);
	}
	return span_tail(wr_done(w), from);
}

static void write_text(uint8_t *text, size_t len, struct span chunk, size_t pad)
{
	struct wr w = wr_into(text, len);

	wr_span(&w, chunk);
	wr_zero(&w, pad);
	wr_u8(&w, (uint8_t)pad);
}

static enum err seal_sheet(struct sk_keys *k, struct sealer *s, const struct ike_header *h,
			   const struct sheet *sheet, struct wr *w)
{
	size_t len = protect_len(k, sheet->chunk.len) + (sheet->total > 0 ? SKF_FIELDS_LEN : 0);
	size_t pad = pad_len(k, sheet->chunk.len);
	struct seal_text t = { .text_len = sheet->chunk.len + pad + 1 };
	uint8_t *iv;
	enum err err;

	if (len > IKE_MESSAGE_MAX)
		return ERR_SPACE;
	if (k->next_iv == UINT64_MAX)
		return ERR_LIMIT;
	t.aad = write_covered(w, h, sheet, len);
	t.iv = iv = wr_take(w, k->encr->iv_len);
	t.text = wr_take(w, t.text_len);
	t.icv = wr_take(w, icv_len(k));
	if (!wr_ok(w))
		return ERR_SPACE;
	write_text(t.text, t.text_len, sheet->chunk, pad);
	/* Counted before it is used, so that no failure behind it makes an IV come twice. */
	err = sealer_iv(s, k->next_iv++, iv);
	return err == OK ? seal(s, &t) : err;
}

static enum err sealer_for(const struct sk_keys *k, struct sealer **s)
{
	return sealer_new(k->encr, k->integ, key_span(&k->encr_key), key_span(&k->integ_key), s);
}

enum err protect_seal(struct sk_keys *k, const struct ike_header *h, const struct inner *in,
		      struct wr *w)
{
	const struct sheet sheet = { .first = in->first, .chunk = in->chain };
	struct wr at = *w;
	struct sealer *s;
	enum err err = sealer_for(k, &s);

	if (err == OK)
		err = seal_sheet(k, s, h, &sheet, &at);
	if (err == OK)
		*w = at;
	sealer_free(s);
	return err;
}

/* The most bytes of a chain that a fragment of `max` bytes carries; 0: none. */
static size_t chunk_max(const struct sk_keys *k, size_t max)
{
	size_t around = IKE_HEADER_LEN + SKF_HEADER_LEN + k->encr->iv_len + icv_len(k);
	size_t text;

	if (max <= around)
		return 0;
	text = (max - around) / k->encr->block_len * k->encr->block_len;
	return text > 0 ? text - 1 : 0;
}

static enum err seal_sheets(struct sk_keys *k, const struct ike_header *h, const struct inner *in,
			    size_t chunk, struct wr *w)
{
	struct rd r = rd_from(in->chain);
	struct sheet sheet = { .first = in->first };
	struct sealer *s;
	enum err err = sealer_for(k, &s);

	sheet.total = (uint16_t)((in->chain.len + chunk - 1) / chunk);
	while (err == OK && sheet.number < sheet.total) {
		sheet.number++;
		sheet.chunk = rd_take(&r, rd_left(&r) < chunk ? rd_left(&r) : chunk);
		err = seal_sheet(k, s, h, &sheet, w);
		sheet.first = PL_NONE; /* only number 1 names it */
	}
	sealer_free(s);
	return err;
}

enum err protect_seal_fragments(struct sk_keys *k, const struct ike_header *h,
				const struct inner *in, size_t max, struct wr *w)
{
	size_t chunk = chunk_max(k, max);
	struct wr at = *w;
	enum err err;

	if (max == 0 || protect_len(k, in->chain.len) <= max)
		return protect_seal(k, h, in, w);
	if (chunk == 0 || in->chain.len > chunk * FRAGMENTS_MAX)
		return ERR_LIMIT;
	err = seal_sheets(k, h, in, chunk, &at);
	if (err == OK)
		*w = at;
	return err;
}

size_t protect_room(size_t packet, sa_family_t family, bool marker)
{
	size_t around = family == AF_INET6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN;

	around += marker ? UDP_HEADER_LEN + MARKER_LEN : UDP_HEADER_LEN;
	return packet > around ? packet - around : 0;
}

/* What an SK or SKF payload is made of. */
struct sealed {
	struct span covered;
	struct span iv;
	struct span text;
	uint8_t icv[ICV_MAX];
};

static bool sealed_decode(const struct sk_keys *k, const struct message *m, uint8_t type,
			  struct sealed *s)
{
	struct rd r = rd_from(message_body(m, type));

	rd_skip(&r, type == PL_SKF ? SKF_FIELDS_LEN : 0);
	s->iv = rd_take(&r, k->encr->iv_len);
	if (rd_left(&r) <= icv_len(k) || icv_len(k) > sizeof(s->icv))
		return false;
	s->text = rd_take(&r, rd_left(&r) - icv_len(k));
	rd_copy(&r, s->icv, icv_len(k));
	s->covered = span_head(m->raw, (size_t)(s->iv.p - m->raw.p));
	return rd_end(&r);
}

/* Cuts off the padding, whose content may be anything (3.14). */
static enum err unpad(struct span text, struct span *plain)
{
	struct rd r = rd_from(text);
	uint8_t pad;

	rd_skip(&r, text.len - 1);
	pad = rd_u8(&r);
	if (pad >= text.len)
		return ERR_SYNTAX;
	*plain = span_head(text, text.len - 1 - pad);
	return OK;
}

static enum err open_payload(const struct sk_keys *k, const struct message *m, uint8_t type,
			     struct wr *buf, struct span *plain)
{
	struct wr at = *buf;
	struct sealer *s = NULL;
	struct seal_text t;
	struct sealed sealed;
	enum err err;

	if (m->raw.len == 0 || !message_has(m, type))
		return ERR_UNEXPECTED;
	if (!sealed_decode(k, m, type, &sealed))
		return ERR_ICV;
	t = (struct seal_text){ .aad = sealed.covered, .iv = sealed.iv.p, .icv = sealed.icv };
	t.text_len = sealed.text.len;
	t.text = wr_take(&at, t.text_len);
	if (t.text == NULL)
		return ERR_SPACE;
	memcpy(t.text, sealed.text.p, t.text_len);
	err = sealer_for(k, &s);
	if (err == OK)
		err = unseal(s, &t);
	if (err == OK)
		err = unpad(span_of(t.text, t.text_len), plain);
	if (err == OK)
		*buf = at;
	else
		secret_wipe(t.text, t.text_len);
	sealer_free(s);
	return err;
}

enum err protect_open(const struct sk_keys *k, const struct message *m, struct wr *buf,
		      struct inner *in)
{
	*in = (struct inner){ .first = m->inner_first };
	return open_payload(k, m, PL_SK, buf, &in->chain);
}

enum err protect_fragment_peek(const struct message *m, struct pl_skf *f)
{
	struct rd r = rd_from(message_body(m, PL_SKF));

	f->number = rd_u16(&r);
	f->total = rd_u16(&r);
	f->first = m->inner_first;
	if (!rd_ok(&r) || f->number == 0 || f->number > f->total)
		return ERR_SYNTAX;
	return f->number > 1 && f->first != PL_NONE ? ERR_SYNTAX : OK;
}

enum err protect_open_fragment(const struct sk_keys *k, const struct message *m, struct wr *buf,
			       struct span *piece)
{
	*piece = SPAN_EMPTY;
	return open_payload(k, m, PL_SKF, buf, piece);
}

void sk_keys_wipe(struct sk_keys *k)
{
	secret_wipe(k, sizeof(*k));
}
