/* SPDX-License-Identifier: Apache-2.0 */
/* Time is an argument: nanoseconds of CLOCK_MONOTONIC in the daemon, virtual in the simulator. Only
 * loops and planes look at the clock themselves. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

typedef uint64_t mono_ns;

#define NS_PER_US ((mono_ns)1000)
#define NS_PER_MS ((mono_ns)1000000)
#define NS_PER_S  ((mono_ns)1000000000)
#define NEVER	  UINT64_MAX

mono_ns mono_now(void); /* CLOCK_MONOTONIC */
mono_ns boot_now(void); /* CLOCK_BOOTTIME: it goes on while the machine sleeps */

static inline mono_ns earlier(mono_ns a, mono_ns b)
{
	return a < b ? a : b;
}

#endif
