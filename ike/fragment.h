/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a fragmented message together again (RFC 7383 2.6), for one IKE SA and one message ID
 * at a time.
 *
 * A stranger must not be able to fill it: nothing is kept before its own ICV was found good, and
 * one message is at most 64 fragments and 64 KiB. Each fragment has its slot, so the cost of one
 * does not grow with the number of the others (CVE-2016-10396). How many reassemblies may exist,
 * and for how long, is the caller's to decide: reassembly.bytes says what one holds.
 */
#ifndef IKE_FRAGMENT_H
#define IKE_FRAGMENT_H

#include "base/clock.h"
#include "ike/protect.h"

enum {
	REASSEMBLY_BYTES_MAX = 65536,
	FRAGMENT_COST = 384, /* of memory beside the bytes kept: header, padding, the allocator */
};

struct piece {
	uint8_t *p; /* NULL: not yet here */
	uint16_t len;
};

/* Zeroed bytes are an empty one. Its memory is owned: reassembly_reset gives it back. */
struct reassembly {
	uint32_t message_id;
	uint16_t total; /* 0: nothing here */
	uint16_t n;	/* how many are here */
	uint8_t first;	/* type of the first inner payload, once number 1 is here */
	uint32_t bytes; /* held */
	mono_ns until;	/* the caller's; 0 in one that has just begun */
	struct piece piece[FRAGMENTS_MAX];
};

/* Takes one SKF datagram. *whole becomes true when all are here. Another message ID (the caller
 * has judged it by the window) or a larger total starts anew, a smaller total is ignored, so are
 * duplicates: all OK with *whole false. Errors leave the reassembly as it was: ERR_ICV,
 * ERR_SYNTAX, ERR_NOMEM, and ERR_LIMIT for more than 64 fragments or 64 KiB. */
MUST_USE enum err reassembly_add(struct reassembly *r, const struct sk_keys *k,
				 const struct message *m, bool *whole);
/* Writes the whole chain to `buf` (r->bytes), which in->chain points to; ERR_UNEXPECTED when it
 * is not whole. */
MUST_USE enum err reassembly_join(const struct reassembly *r, struct wr *buf, struct inner *in);
/* What it costs of memory, for whoever bounds that; 0: NULL. */
size_t reassembly_cost(const struct reassembly *r);
/* Wipes and frees what is held; ready for use again. */
void reassembly_reset(struct reassembly *r);

#endif
