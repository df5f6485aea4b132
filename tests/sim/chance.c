/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator's only source of chance. */
#include "tests/sim/world.h"

uint64_t chance_u64(struct chance *c)
{
	uint64_t z = (c->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t chance_between(struct chance *c, uint32_t lo, uint32_t hi)
{
	return hi > lo ? lo + (uint32_t)(chance_u64(c) % (hi - lo + 1u)) : lo;
}

uint32_t chance_index(struct chance *c, size_t n)
{
	return n > 0 ? chance_between(c, 0, (uint32_t)n - 1) : 0;
}

bool chance_percent(struct chance *c, uint32_t percent)
{
	return percent > 0 && chance_between(c, 0, 99) < percent;
}
