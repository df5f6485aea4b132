/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests have in common that send thousands of packets to be rejected, and look what is
 * left of them. */
#ifndef TESTS_UNIT_REJECTED_H
#define TESTS_UNIT_REJECTED_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that what was allocated may grow by: what the allocator keeps at hand. */
enum { REJECTED_NOISE = 16384 };

/* Bytes that are allocated, by what the allocator says. */
size_t rejected_in_use(void);
/* How many of each kind to send: as POSTERN_REJECTED in the environment says, else so many. */
uint32_t rejected_count(uint32_t few);
/* Seconds that they may take. */
double rejected_timeout(void);

#endif
