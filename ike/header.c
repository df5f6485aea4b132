/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/header.h"

enum err header_decode(struct span datagram, struct ike_header *h)
{
	struct rd r = rd_from(datagram);

	h->spi_i = rd_u64(&r);
	h->spi_r = rd_u64(&r);
	h->next = rd_u8(&r);
	h->version = rd_u8(&r);
	h->exchange = rd_u8(&r);
	h->flags = rd_u8(&r);
	h->message_id = rd_u32(&r);
	h->length = rd_u32(&r);
	/* No message of ours or a peer's has SPIi zero (3.1); full-transcript octets rely on it. */
	if (!rd_ok(&r) || h->length != datagram.len || h->spi_i == 0)
		return ERR_SYNTAX;
	return h->version >> 4 == IKE_MAJOR ? OK : ERR_VERSION;
}

void header_encode(struct wr *w, const struct ike_header *h)
{
	wr_u64(w, h->spi_i);
	wr_u64(w, h->spi_r);
	wr_u8(w, h->next);
	wr_u8(w, h->version);
	wr_u8(w, h->exchange);
	wr_u8(w, h->flags);
	wr_u32(w, h->message_id);
	wr_u32(w, h->length);
}

bool header_is_response(const struct ike_header *h)
{
	return (h->flags & FLAG_RESPONSE) != 0;
}

bool header_from_initiator(const struct ike_header *h)
{
	return (h->flags & FLAG_INITIATOR) != 0;
}

bool header_split(struct rd *r, struct span *datagram)
{
	struct rd at = *r;
	uint32_t length;

	*datagram = SPAN_EMPTY;
	rd_skip(&at, IKE_HEADER_LEN - sizeof(length));
	length = rd_u32(&at);
	if (!rd_ok(&at) || length < IKE_HEADER_LEN)
		return false;
	*datagram = rd_take(r, length);
	return rd_ok(r);
}
