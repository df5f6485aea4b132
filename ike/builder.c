/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a message: each payload's type is written into the one before it, lengths when they
 * are known. The writer fails stickily, so only builder_finish has to be asked.
 */
#include "ike/message.h"

enum { NEXT_AT = 16, LENGTH_AT = 24 }; /* offsets in the IKE header */

struct builder builder_message(void *buf, size_t size, const struct ike_header *h)
{
	struct builder b = { .w = wr_into(buf, size), .next_at = NEXT_AT };
	struct ike_header empty = *h;

	empty.next = PL_NONE;
	empty.length = 0;
	header_encode(&b.w, &empty);
	return b;
}

struct builder builder_inner(void *buf, size_t size)
{
	return (struct builder){ .w = wr_into(buf, size), .first = PL_NONE, .inner = true };
}

/* An inner chain has no header to hold the type of its first payload: SK's header will. */
static void name_next(struct builder *b, uint8_t type)
{
	if (b->inner && wr_len(&b->w) == 0)
		b->first = type;
	else
		wr_fill_u8(&b->w, b->next_at, type);
}

struct wr *builder_begin(struct builder *b, uint8_t type)
{
	name_next(b, type);
	b->begun_at = wr_len(&b->w);
	b->next_at = b->begun_at;
	wr_u8(&b->w, PL_NONE);
	wr_u8(&b->w, 0);
	wr_u16(&b->w, 0);
	return &b->w;
}

void builder_end(struct builder *b)
{
	wr_fill_len16(&b->w, b->begun_at + 2, b->begun_at);
}

void builder_add(struct builder *b, uint8_t type, struct span body)
{
	wr_span(builder_begin(b, type), body);
	builder_end(b);
}

void builder_notify(struct builder *b, uint16_t type, struct span data)
{
	builder_notify_full(b, &(struct pl_notify){ .type = type, .data = data });
}

void builder_notify_full(struct builder *b, const struct pl_notify *n)
{
	pl_notify_encode(builder_begin(b, PL_NOTIFY), n);
	builder_end(b);
}

enum err builder_finish(struct builder *b, struct span *datagram)
{
	/* No datagram of UDP carries more, whatever the Length field could say. */
	if (wr_len(&b->w) > IKE_MESSAGE_MAX)
		wr_fail(&b->w);
	wr_fill_u32(&b->w, LENGTH_AT, (uint32_t)wr_len(&b->w));
	*datagram = wr_done(&b->w);
	return wr_ok(&b->w) ? OK : ERR_SPACE;
}

enum err builder_finish_inner(struct builder *b, struct inner *in)
{
	*in = (struct inner){ .first = b->first, .chain = wr_done(&b->w) };
	return wr_ok(&b->w) ? OK : ERR_SPACE;
}
