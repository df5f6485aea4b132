/* SPDX-License-Identifier: Apache-2.0 */
/* The anti-replay window (RFC 4303 3.4.3, RFC 6479) and extended sequence numbers (RFC 4303
 * appendix A). */
#ifndef ESP_REPLAY_H
#define ESP_REPLAY_H

#include "base/bytes.h"

enum { REPLAY_WINDOW_DEFAULT = 1024, REPLAY_WINDOW_MAX = 4096, REPLAY_WORDS = 128 };

/* Owned by one thread at a time. */
struct replay {
	uint64_t top;	 /* T: highest sequence number authenticated so far; 0: none yet */
	uint32_t window; /* W: 1 to REPLAY_WINDOW_MAX */
	bool esn;
	uint64_t bits[REPLAY_WORDS];
};

/* A window of 0 becomes the default, one over the maximum the maximum. */
void replay_init(struct replay *r, uint32_t window, bool esn);
/* The same for one that goes on: what was taken stays so. */
void replay_shape(struct replay *r, uint32_t window, bool esn);
/* The whole sequence number that `low` on the wire stands for. 0, which is never fresh, for one
 * from before the first. */
uint64_t replay_infer(const struct replay *r, uint32_t low);
/* Asked before the ICV costs time: may a packet of this number still come? Changes nothing. */
bool replay_fresh(const struct replay *r, uint64_t seq);
/* After the ICV was found good: the number is taken. False when it is not fresh. */
MUST_USE bool replay_accept(struct replay *r, uint64_t seq);

#endif
