/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests: each file of tests is one suite that registers itself, one program per folder runs
 * them all.
 *
 * A test file includes this header, has its START_TEST functions, and ends with
 *
 *	UNIT("base/bytes")
 *	{
 *		tcase_add_test(tc, reader_stops_at_the_end);
 *	}
 *
 * Then it is named in the folder's section of Makefile.am. A test that is written but not added is
 * a compiler warning. `UNIT_ONLY=base/bytes` in the environment runs one suite.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* AddressSanitizer is there: munlock() does nothing, for one. */
extern const bool unit_has_asan;

void unit_register(const char *name, void (*fill)(TCase *tc));

#define UNIT(name)                                                        \
	static void unit_fill(TCase *tc);                                 \
	static void __attribute__((constructor)) unit_register_self(void) \
	{                                                                 \
		unit_register(name, unit_fill);                           \
	}                                                                 \
	static void unit_fill(TCase *tc)

#endif
