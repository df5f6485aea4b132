/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/rejected.h"

#include <malloc.h>
#include <stdlib.h>

/* Of the sanitizers, whose allocator the C library knows nothing of. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

size_t rejected_in_use(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
}

uint32_t rejected_count(uint32_t few)
{
	const char *said = getenv("POSTERN_REJECTED");

	return said ? (uint32_t)strtoul(said, NULL, 10) : few;
}

double rejected_timeout(void)
{
	return getenv("POSTERN_REJECTED") ? 3600 : 60;
}
