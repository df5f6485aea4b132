/* SPDX-License-Identifier: Apache-2.0 */
/* The anti-replay window: a ring of bits over the sequence numbers, after RFC 6479.
 *
 * The ring has at least one word more than the window needs, so that moving the window clears whole
 * words and never shifts. Each step leaves a window that takes nothing twice, for the process may
 * be killed behind it, and the next one goes on with what it finds. The attacker replays, delays
 * and invents packets: nothing of this state changes before replay_accept, which only callers with
 * a good ICV may call.
 */
#include "esp/replay.h"

#include <stdatomic.h>
#include <string.h>

enum { WORD_BITS = 64 };

_Static_assert(REPLAY_WORDS *WORD_BITS >= REPLAY_WINDOW_MAX + WORD_BITS,
	       "RFC 6479 needs a spare word");
_Static_assert((REPLAY_WORDS & (REPLAY_WORDS - 1)) == 0, "the ring is indexed by a mask");

void replay_shape(struct replay *r, uint32_t window, bool esn)
{
	r->esn = esn;
	r->window = window;
	if (window == 0)
		r->window = REPLAY_WINDOW_DEFAULT;
	if (window > REPLAY_WINDOW_MAX)
		r->window = REPLAY_WINDOW_MAX;
}

void replay_init(struct replay *r, uint32_t window, bool esn)
{
	*r = (struct replay){ .top = 0 };
	replay_shape(r, window, esn);
}

/* RFC 4303 A2.2, in its own letters. Arithmetic of the low halves is modulo 2^32. */
uint64_t replay_infer(const struct replay *r, uint32_t low)
{
	uint32_t tl = (uint32_t)r->top, th = (uint32_t)(r->top >> 32);
	uint32_t bl = tl - r->window + 1;
	bool case_a = tl >= r->window - 1;

	if (!r->esn)
		return low;
	if (case_a)
		return (uint64_t)(low >= bl ? th : th + 1) << 32 | low;
	if (low < bl)
		return (uint64_t)th << 32 | low;
	/* The window reaches back into the subspace before; the first subspace has none before it.
	 */
	return th > 0 ? (uint64_t)(th - 1) << 32 | low : 0;
}

static uint64_t *word_of(struct replay *r, uint64_t seq)
{
	return &r->bits[seq / WORD_BITS % REPLAY_WORDS];
}

static uint64_t bit_of(uint64_t seq)
{
	return (uint64_t)1 << (seq % WORD_BITS);
}

bool replay_fresh(const struct replay *r, uint64_t seq)
{
	if (seq == 0)
		return false; /* senders start at 1 (RFC 4303 2.2) */
	if (seq > r->top)
		return true;
	if (r->top - seq >= r->window)
		return false;
	return (r->bits[seq / WORD_BITS % REPLAY_WORDS] & bit_of(seq)) == 0;
}

/* The stores before come before those behind, as far as this thread, or its death, is concerned. */
static void in_order(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

/* The top first: the other way round words of the window that still counts would be cleared by a
 * jump over more than half of the ring. What is not cleared yet says of numbers that they were
 * taken, which loses packets and no more. */
static void slide(struct replay *r, uint64_t seq)
{
	uint64_t was = r->top, steps = seq / WORD_BITS - was / WORD_BITS;

	r->top = seq;
	in_order();
	if (steps >= REPLAY_WORDS)
		memset(r->bits, 0, sizeof(r->bits));
	else
		for (uint64_t i = 1; i <= steps; i++)
			*word_of(r, was + i * WORD_BITS) = 0;
	in_order();
}

bool replay_accept(struct replay *r, uint64_t seq)
{
	if (!replay_fresh(r, seq))
		return false;
	if (seq > r->top)
		slide(r, seq);
	*word_of(r, seq) |= bit_of(seq);
	in_order(); /* before the packet is handed on */
	return true;
}
