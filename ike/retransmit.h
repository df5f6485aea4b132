/* SPDX-License-Identifier: Apache-2.0 */
/* When our request is sent again (RFC 7296 2.1, 2.4): first after 625 to 875 ms, then half as long
 * again with jitter up to a bound, a bounded number of times; about 30 s in all. So many times,
 * because at 30 % loss each way only every second try comes back, and one handshake in a thousand
 * at most shall fail for it. Only requests: a responder never sends of itself.
 */
#ifndef IKE_RETRANSMIT_H
#define IKE_RETRANSMIT_H

#include "base/clock.h"
#include "crypto/random.h"

enum { RETRANSMIT_TRIES = 13 };

struct retransmit {
	mono_ns at;    /* NEVER: nothing is outstanding */
	uint32_t wait; /* ns before the next one, without jitter */
	uint8_t sent;  /* how often the request has left */
};

void retransmit_idle(struct retransmit *r);
/* The request has left for the first time. */
void retransmit_start(struct retransmit *r, const struct random *random, mono_ns now);
/* It is due: true when it shall leave once more, false when all tries are spent. */
bool retransmit_again(struct retransmit *r, const struct random *random, mono_ns now);
/* `base` less up to a quarter of it, at random: for everything that must not happen in step. */
mono_ns jitter(const struct random *random, mono_ns base);

#endif
