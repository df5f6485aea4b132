/* SPDX-License-Identifier: Apache-2.0 */
/* The ESP packet as bytes: laid out for sealing, cut into parts for opening, and its trailer taken
 * off.
 *
 * Everything here works on lengths that a peer chose. The cuts are made by the reader of
 * base/bytes; the trailer is read only after the ICV was found good, but a peer with good keys is
 * still a stranger: a pad length over the payload is refused.
 */
#include "esp/packet.h"

/* RFC 4303 2.4: the trailer ends on a 4-byte boundary, also with stream modes. */
enum { ALIGN_MIN = 4 };

enum err shape_from_desc(const struct sa_desc *d, struct shape *s)
{
	const struct encr *encr = encr_find(d->encr_id, d->encr_key_bits);
	const struct integ *integ = d->integ_id != INTEG_NONE ? integ_find(d->integ_id) : NULL;

	/* Exactly one thing protects integrity: the AEAD, or the MAC. Never none (RFC 4301: no ESP
	 * without integrity here). */
	if (!encr || encr->aead != (integ == NULL) || (encr->aead && d->integ_id != INTEG_NONE))
		return ERR_UNSUPPORTED;
	*s = (struct shape){
		.encr = encr,
		.integ = integ,
		.iv_len = encr->iv_len,
		.icv_len = integ ? integ->icv_len : encr->icv_len,
		.align = encr->block_len > ALIGN_MIN ? encr->block_len : ALIGN_MIN,
		.esn = d->esn,
	};
	return OK;
}

static size_t padding_len(const struct shape *s, size_t payload_len)
{
	size_t over = (payload_len + ESP_TRAILER_LEN) % s->align;

	return over ? s->align - over : 0;
}

size_t shape_sealed_len(const struct shape *s, size_t payload_len)
{
	return ESP_HEAD_LEN + s->iv_len + payload_len + padding_len(s, payload_len) +
	       ESP_TRAILER_LEN + s->icv_len;
}

size_t shape_payload_max(const struct shape *s, size_t esp_len)
{
	size_t fixed = ESP_HEAD_LEN + (size_t)s->iv_len + s->icv_len;
	size_t text = esp_len > fixed ? esp_len - fixed : 0;

	text -= text % s->align;
	return text > ESP_TRAILER_LEN ? text - ESP_TRAILER_LEN : 0;
}

enum err esp_lay(struct wr *w, const struct shape *s, struct esp_parts *p, struct span payload,
		 uint8_t next)
{
	size_t pad = padding_len(s, payload.len);
	struct wr text;

	wr_u32(w, p->spi);
	wr_u32(w, p->seq);
	p->iv = wr_take(w, s->iv_len);
	p->text_len = payload.len + pad + ESP_TRAILER_LEN;
	p->text = wr_take(w, p->text_len);
	p->icv = wr_take(w, s->icv_len);
	if (!wr_ok(w))
		return ERR_SPACE;

	text = wr_into(p->text, p->text_len);
	wr_span(&text, payload);
	for (size_t i = 1; i <= pad; i++)
		wr_u8(&text, (uint8_t)i);
	wr_u8(&text, (uint8_t)pad);
	wr_u8(&text, next);
	return wr_ok(&text) ? OK : ERR_SPACE;
}

enum err esp_split(uint8_t *d, size_t len, const struct shape *s, struct esp_parts *p)
{
	/* A writer over the datagram, because the parts are to be worked on in place. */
	struct wr w = wr_into(d, len);
	struct rd r = rd_from(span_of(d, len));

	p->spi = rd_u32(&r);
	p->seq = rd_u32(&r);
	rd_skip(&r, (size_t)s->iv_len + s->icv_len);
	p->text_len = rd_left(&r);
	if (!rd_ok(&r) || p->text_len < ESP_TRAILER_LEN || p->text_len % s->align != 0)
		return ERR_SYNTAX;

	(void)wr_take(&w, ESP_HEAD_LEN);
	p->iv = wr_take(&w, s->iv_len);
	p->text = wr_take(&w, p->text_len);
	p->icv = wr_take(&w, s->icv_len);
	return wr_ok(&w) ? OK : ERR_SYNTAX;
}

bool esp_trailer(struct span text, struct span *payload, uint8_t *next)
{
	struct rd r = rd_from(text);
	struct span body, pad;
	struct rd trailer;
	uint8_t pad_len;

	body = rd_take(&r, rd_left(&r) < ESP_TRAILER_LEN ? 0 : rd_left(&r) - ESP_TRAILER_LEN);
	pad_len = rd_u8(&r);
	*next = rd_u8(&r);
	if (!rd_end(&r))
		return false;

	trailer = rd_from(body);
	*payload = rd_take(&trailer, body.len < pad_len ? 0 : body.len - pad_len);
	pad = rd_take(&trailer, pad_len);
	if (!rd_end(&trailer))
		return false;
	for (size_t i = 0; i < pad.len; i++)
		if (pad.p[i] != i + 1)
			return false;
	return true;
}

void esp_cover(struct esp_cover *c, const struct shape *s, uint32_t spi, uint64_t seq)
{
	struct wr aad = wr_into(c->aad, sizeof(c->aad));
	struct wr high = wr_into(c->high, sizeof(c->high));

	wr_u32(&aad, spi);
	if (s->encr->aead && s->esn)
		wr_u64(&aad, seq);
	else
		wr_u32(&aad, (uint32_t)seq);
	if (!s->encr->aead && s->esn)
		wr_u32(&high, (uint32_t)(seq >> 32));
	c->aad_span = wr_done(&aad);
	c->suffix = wr_done(&high);
}
