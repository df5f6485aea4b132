/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzz target is one function over bytes. With --enable-fuzzers libFuzzer calls it (fuzz-NAME);
 * in every build `make check` calls it with the corpus that is in the tree (replay-NAME).
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The name is libFuzzer's. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Ends the process when a property does not hold; the message names it. */
#define FUZZ_HOLDS(property) fuzz_holds((property), #property, __FILE__, __LINE__)

static inline void fuzz_holds(int holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	__builtin_trap();
}

#endif
