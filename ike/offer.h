/* SPDX-License-Identifier: Apache-2.0 */
/* Walking an SA payload (RFC 7296 3.3): proposals, their transforms, their attributes.
 *
 * There is one walker, and it checks every length while it walks; a walk that ended with
 * offer_ok is the only proof that a payload is well-formed, and offer_check makes it. Each step
 * takes at least a header's bytes, so a walk is bounded by the payload's length.
 */
#ifndef IKE_OFFER_H
#define IKE_OFFER_H

#include "base/bytes.h"
#include "base/err.h"
#include "ike/wire.h"

struct offer_proposal {
	uint8_t number;
	uint8_t protocol; /* PROTO_* */
	uint8_t n_transforms;
	struct span spi;
	struct span transforms;
};

struct offer_transform {
	uint8_t type; /* enum transform_type, or a stranger's */
	uint16_t id;
	uint16_t key_bits; /* of the Key Length attribute; 0: absent */
	/* has an attribute that we do not know, or Key Length twice or 0: cannot be chosen */
	bool strange;
};

/* A walk over the bytes of proposals or of transforms. */
struct offer_walk {
	struct rd r;
	bool more; /* the last substructure said that another follows */
	bool bad;
};

struct offer_walk offer_proposals(struct span sa_body);
bool offer_next_proposal(struct offer_walk *w, struct offer_proposal *p);
struct offer_walk offer_transforms(const struct offer_proposal *p);
bool offer_next_transform(struct offer_walk *w, struct offer_transform *t);
/* The walk came to the end without an error, and nothing is left over. */
bool offer_ok(const struct offer_walk *w);

/* Walks everything: at least one proposal, transform counts that are right, nothing left over;
 * else ERR_SYNTAX. */
MUST_USE enum err offer_check(struct span sa_body);

/* Writing. offer_begin_proposal ... transforms ... offer_end_proposal; `last` proposal says so. */
struct offer_pen {
	struct wr *w;
	size_t begun_at;
	size_t count_at;
	size_t last_at; /* where the last transform's "more" byte is */
	uint8_t n;
};
struct offer_pen offer_begin_proposal(struct wr *w, const struct offer_proposal *p, bool last);
void offer_add_transform(struct offer_pen *pen, uint8_t type, uint16_t id, uint16_t key_bits);
void offer_end_proposal(struct offer_pen *pen);

#endif
