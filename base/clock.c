/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

static mono_ns now_of(clockid_t id)
{
	struct timespec t = { .tv_sec = 0 };

	(void)clock_gettime(id, &t); /* fails for an unknown clock only */
	return (mono_ns)t.tv_sec * NS_PER_S + (mono_ns)t.tv_nsec;
}

mono_ns mono_now(void)
{
	return now_of(CLOCK_MONOTONIC);
}

mono_ns boot_now(void)
{
	return now_of(CLOCK_BOOTTIME);
}
