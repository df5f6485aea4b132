/* SPDX-License-Identifier: Apache-2.0 */
/* A chain of payloads, changed as somebody would who knows the format: payloads are left out,
 * doubled, exchanged, called something else, given other bytes, and lengths are brought in order
 * behind that, but for those that are wrong on purpose. What was no chain to begin with is taken
 * as it is.
 */
#ifndef TESTS_FUZZ_CHAIN_H
#define TESTS_FUZZ_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "tests/sim/world.h"

enum { CHAIN_ROOM = 8192 };

struct chain {
	uint8_t first; /* type of the first payload */
	size_t len;
	uint8_t bytes[CHAIN_ROOM];
};

/* Changes bytes in place; returns the new length, at most `max`. libFuzzer has one (and knows what
 * it compared with what); NULL stands for a simple one. */
typedef size_t chain_bytes_fn(uint8_t *p, size_t len, size_t max);

/* What does not fit is cut off. */
void chain_set(struct chain *c, uint8_t first, struct span bytes);
/* One change. */
void chain_mutate(struct chain *c, struct chance *dice, chain_bytes_fn *bytes);

#endif
