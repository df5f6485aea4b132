/* SPDX-License-Identifier: Apache-2.0 */
/* NAT detection (RFC 7296 2.23): each side sends hashes of the addresses as it sees them; what
 * does not fit what arrived was changed on the way. */
#ifndef IKE_NATD_H
#define IKE_NATD_H

#include "base/addr.h"
#include "ike/message.h"

enum { NATD_LEN = 20 };

struct natd {
	/* both kinds of notify were there; else there is no NAT traversal */
	bool known;
	bool nat_here;	/* our address is translated on the way */
	bool nat_there; /* the peer's is */
};

/* SHA-1(SPIi | SPIr | address | port). */
MUST_USE enum err natd_hash(const struct ike_header *h, const struct endpoint *e,
			    uint8_t out[static NATD_LEN]);
/* Adds both notifies, for a message with header h that leaves along `p`. `pretend`: claim a NAT
 * before us (encap = always), by a source hash that fits no address. */
MUST_USE enum err natd_add(struct builder *b, const struct ike_header *h, const struct path *p,
			   bool pretend);
/* Judges a message that came along `p`: source hashes (there may be several, one must fit)
 * against p->remote, the destination hash against p->local. */
MUST_USE enum err natd_judge(const struct message *m, const struct path *p, struct natd *n);

#endif
