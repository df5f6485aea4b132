/* SPDX-License-Identifier: Apache-2.0 */
/* Backoff of requests: see retransmit.h. */
#include "ike/retransmit.h"

static const uint32_t first_wait = NS_PER_S;
static const uint32_t longest_wait = 3 * (uint32_t)NS_PER_S;

mono_ns jitter(const struct random *random, mono_ns base)
{
	uint32_t draw;

	/* Without randomness there is none; that costs politeness, not safety. */
	if (!random_fill(random, &draw, sizeof(draw)))
		return base;
	return base - (base / 4) * (draw % 1024) / 1024;
}

void retransmit_idle(struct retransmit *r)
{
	*r = (struct retransmit){ .at = NEVER };
}

void retransmit_start(struct retransmit *r, const struct random *random, mono_ns now)
{
	/* 625 to 875 ms: most lost packets on the Internet are then asked for again before anybody
	 * notices. */
	mono_ns wait = jitter(random, first_wait) - first_wait / 8;

	*r = (struct retransmit){ .at = now + wait, .wait = first_wait, .sent = 1 };
}

bool retransmit_again(struct retransmit *r, const struct random *random, mono_ns now)
{
	if (r->sent >= RETRANSMIT_TRIES) {
		retransmit_idle(r);
		return false;
	}
	r->sent++;
	r->wait = r->wait < longest_wait / 3 * 2 ? r->wait + r->wait / 2 : longest_wait;
	r->at = now + jitter(random, r->wait);
	return true;
}
