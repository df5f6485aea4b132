/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

mono_ns mono_now(void)
{
	struct timespec t = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* fails for an unknown clock only */
	return (mono_ns)t.tv_sec * NS_PER_S + (mono_ns)t.tv_nsec;
}
