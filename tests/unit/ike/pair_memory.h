/* SPDX-License-Identifier: Apache-2.0 */
/* What our own objects allocate, and allocations that fail. The linker puts these in the place of
 * the allocator's functions (--wrap). What the test itself allocates, or libcheck, never fails. */
#ifndef TESTS_UNIT_IKE_PAIR_MEMORY_H
#define TESTS_UNIT_IKE_PAIR_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Blocks that are there, of anybody. */
long pair_memory_live(void);
/* The nth allocation of the engines finds no memory; 0: none. */
void pair_memory_fail(size_t nth);
size_t pair_memory_until_failure(void);
/* No allocation of the engines finds memory. */
void pair_memory_starve(bool starve);
/* How often the engines have asked for memory, and for how much of it; counts anew from then on. */
struct pair_asked {
	size_t n, bytes;
};
struct pair_asked pair_memory_asked(void);

#endif
