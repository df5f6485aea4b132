/* SPDX-License-Identifier: Apache-2.0 */
/* Each payload's reader and writer stand side by side. RESERVED fields are sent as zero and not
 * looked at (RFC 7296 2.5).
 */
#include "ike/payload.h"

#include "base/jobs.h"

enum err pl_ke_decode(struct span body, struct pl_ke *ke)
{
	struct rd r = rd_from(body);

	ke->group = rd_u16(&r);
	rd_skip(&r, 2); /* RESERVED */
	ke->data = rd_rest(&r);
	return rd_end(&r) && ke->data.len > 0 ? OK : ERR_SYNTAX;
}

void pl_ke_encode(struct wr *w, const struct pl_ke *ke)
{
	wr_u16(w, ke->group);
	wr_u16(w, 0);
	wr_span(w, ke->data);
}

/* CVE-2013-6075, CVE-2025-9242: how long an identity may be is checked before anything looks at
 * it. */
enum err pl_id_decode(struct span body, struct pl_id *id)
{
	struct rd r = rd_from(body);

	id->type = rd_u8(&r);
	rd_skip(&r, 3); /* RESERVED */
	id->data = rd_rest(&r);
	return rd_end(&r) && id->data.len > 0 ? OK : ERR_SYNTAX;
}

void pl_id_encode(struct wr *w, const struct identity *id)
{
	wr_u8(w, id->type);
	wr_zero(w, 3);
	wr_span(w, identity_span(id));
}

enum err pl_identity_decode(struct span body, struct identity *id)
{
	struct pl_id view;
	enum err err = pl_id_decode(body, &view);

	return err == OK ? identity_from_wire(id, view.type, view.data) : err;
}

enum err pl_certreq_decode(struct span body, struct pl_cert *c)
{
	struct rd r = rd_from(body);

	c->encoding = rd_u8(&r);
	c->data = rd_rest(&r);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

enum err pl_cert_decode(struct span body, struct pl_cert *c)
{
	enum err err = pl_certreq_decode(body, c);

	return err == OK && c->data.len == 0 ? ERR_SYNTAX : err;
}

void pl_cert_encode(struct wr *w, const struct pl_cert *c)
{
	wr_u8(w, c->encoding);
	wr_span(w, c->data);
}

enum err pl_auth_decode(struct span body, struct pl_auth *a)
{
	struct rd r = rd_from(body);

	a->method = rd_u8(&r);
	rd_skip(&r, 3); /* RESERVED */
	a->data = rd_rest(&r);
	return rd_end(&r) && a->data.len > 0 ? OK : ERR_SYNTAX;
}

void pl_auth_encode(struct wr *w, const struct pl_auth *a)
{
	wr_u8(w, a->method);
	wr_zero(w, 3);
	wr_span(w, a->data);
}

enum err pl_nonce_decode(struct span body, struct span *nonce)
{
	*nonce = body;
	return body.len >= NONCE_MIN && body.len <= NONCE_MAX ? OK : ERR_SYNTAX;
}

enum err pl_notify_decode(struct span body, struct pl_notify *n)
{
	struct rd r = rd_from(body);
	uint8_t spi_len;

	n->protocol = rd_u8(&r);
	spi_len = rd_u8(&r);
	n->type = rd_u16(&r);
	n->spi = rd_take(&r, spi_len);
	n->data = rd_rest(&r);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

void pl_notify_encode(struct wr *w, const struct pl_notify *n)
{
	/* An SPI too long for its length byte breaks the writer; no assertion (CVE-2023-38710). */
	if (n->spi.len > UINT8_MAX)
		wr_fail(w);
	wr_u8(w, n->protocol);
	wr_u8(w, (uint8_t)n->spi.len);
	wr_u16(w, n->type);
	wr_span(w, n->spi);
	wr_span(w, n->data);
}

enum err pl_delete_decode(struct span body, struct pl_delete *d)
{
	struct rd r = rd_from(body);
	uint8_t spi_len;

	d->protocol = rd_u8(&r);
	spi_len = rd_u8(&r);
	d->n = rd_u16(&r);
	d->spis = rd_take(&r, (size_t)spi_len * d->n);
	if (!rd_end(&r))
		return ERR_SYNTAX;
	if (d->protocol == PROTO_IKE)
		return spi_len == 0 && d->n == 0 ? OK : ERR_SYNTAX;
	if (d->protocol != PROTO_AH && d->protocol != PROTO_ESP)
		return ERR_SYNTAX;
	return spi_len == ESP_SPI_LEN ? OK : ERR_SYNTAX;
}

uint32_t pl_delete_spi(const struct pl_delete *d, uint16_t i)
{
	struct rd r = rd_from(d->spis);

	rd_skip(&r, (size_t)i * ESP_SPI_LEN);
	return rd_u32(&r);
}

void pl_delete_encode(struct wr *w, uint8_t protocol, const uint32_t *spis, uint16_t n)
{
	bool ike = protocol == PROTO_IKE;

	wr_u8(w, protocol);
	wr_u8(w, ike ? 0 : ESP_SPI_LEN);
	wr_u16(w, ike ? 0 : n);
	for (uint16_t i = 0; !ike && i < n; i++)
		wr_u32(w, spis[i]);
}

enum { SIGHASH_NUMBERS = 32 }; /* as many as there are bits */

enum err sighash_decode(struct span notify_data, uint32_t *hashes)
{
	struct rd r = rd_from(notify_data);

	*hashes = 0;
	while (rd_left(&r) > 0) {
		uint16_t number = rd_u16(&r);

		if (rd_ok(&r) && number < SIGHASH_NUMBERS)
			*hashes |= UINT32_C(1) << number;
	}
	return rd_end(&r) && notify_data.len > 0 ? OK : ERR_SYNTAX;
}

void sighash_encode(struct wr *w, uint32_t hashes)
{
	for (uint16_t number = 0; number < SIGHASH_NUMBERS; number++) {
		if (hashes & UINT32_C(1) << number)
			wr_u16(w, number);
	}
}
