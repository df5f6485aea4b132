/* SPDX-License-Identifier: Apache-2.0 */
/* A message as a bounded table of its payloads, and the builder that writes one.
 *
 * Decoding copies nothing and allocates nothing: a message of 64 KiB that is all payload headers
 * costs one walk and ends with ERR_LIMIT. Payloads outside of an SK payload are not to be
 * believed: once SK is open, the inner chain is decoded into a message of its own and only that
 * one is looked at.
 */
#ifndef IKE_MESSAGE_H
#define IKE_MESSAGE_H

#include "ike/header.h"
#include "ike/payload.h"

enum { MESSAGE_PAYLOADS_MAX = 64 };

/* Presence bits of the payload types that we know (33 to 63). */
#define PL_BIT(type) (1u << ((type)-32))

struct payload {
	uint8_t type;
	bool critical;
	struct span body; /* without the generic header */
};

struct message {
	struct ike_header h;
	struct span raw;  /* the whole datagram; empty in an inner message */
	uint32_t present; /* PL_BIT()s */
	uint8_t n;
	/* Next Payload field of SK or SKF: type of the first payload inside */
	uint8_t inner_first;
	uint8_t critical_type; /* with ERR_CRITICAL: the payload type to report */
	struct payload v[MESSAGE_PAYLOADS_MAX];
};

/* An inner chain: what SK protects. */
struct inner {
	uint8_t first; /* payload type of its first payload; PL_NONE: the chain is empty */
	struct span chain;
};

/* Header and outer chain of a datagram. Errors: as header_decode; ERR_SYNTAX for a chain that
 * does not end exactly at the end, a payload that may occur once and occurs twice, a malformed
 * Notify, SK or SKF that is not the last or stands beside the other; ERR_CRITICAL for an unknown
 * payload with the critical bit (critical_type); ERR_LIMIT for more than 64 known payloads.
 * Unknown payloads without the bit are skipped, the critical bit of known ones is ignored (RFC
 * 7296 2.5). m->h is valid whenever header_decode succeeded. */
MUST_USE enum err message_decode(struct span datagram, struct message *m);
/* The same for a decrypted chain; SK and SKF inside are ERR_SYNTAX. `h` is copied from the outer
 * message. */
MUST_USE enum err message_decode_inner(const struct ike_header *h, const struct inner *in,
				       struct message *m);

static inline bool message_has(const struct message *m, uint8_t type)
{
	return type > 32 && type < 64 && (m->present & PL_BIT(type));
}

/* First payload of this type, or NULL. */
const struct payload *message_find(const struct message *m, uint8_t type);
/* The one behind `p` of the same type, or NULL: for CERT, CERTREQ, NOTIFY, DELETE, VENDOR. */
const struct payload *message_next(const struct message *m, const struct payload *p);
/* Body of the first payload of this type; empty when there is none. */
struct span message_body(const struct message *m, uint8_t type);
/* First Notify of this type into *n (when not NULL); false when there is none. */
bool message_notify(const struct message *m, uint16_t type, struct pl_notify *n);
/* First Notify with an error type (below 16384); false when there is none. */
bool message_error(const struct message *m, struct pl_notify *n);

/* ---- writing ---- */

/* Fills a caller's buffer; the first thing that does not fit breaks it, and builder_finish says
 * so. */
struct builder {
	struct wr w;
	/* where the type of the payload to come is written; NO_HOLE: in `first` */
	size_t next_at;
	size_t begun_at; /* offset of the open payload's header */
	uint8_t first;	 /* inner chain: type of its first payload */
	bool inner;
};

/* A message in clear; h->next and h->length are filled in as it grows. */
struct builder builder_message(void *buf, size_t size, const struct ike_header *h);
/* An inner chain, to be sealed. */
struct builder builder_inner(void *buf, size_t size);

/* Starts a payload; its body is written to the writer that comes back (never NULL); end it
 * before the next. */
struct wr *builder_begin(struct builder *b, uint8_t type);
void builder_end(struct builder *b);
/* A payload whose body stands ready. */
void builder_add(struct builder *b, uint8_t type, struct span body);
/* A Notify without protocol and SPI. */
void builder_notify(struct builder *b, uint16_t type, struct span data);
void builder_notify_full(struct builder *b, const struct pl_notify *n);

/* ERR_SPACE when something did not fit (or a payload grew over 65535 bytes). The result points
 * into the buffer. */
MUST_USE enum err builder_finish(struct builder *b, struct span *datagram);
MUST_USE enum err builder_finish_inner(struct builder *b, struct inner *in);

#endif
