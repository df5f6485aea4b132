/* SPDX-License-Identifier: Apache-2.0 */
/* The main program of every unit test: runs the suites that registered themselves before main. */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT_MAX = 64, UNIT_SECONDS = 60 };

/* Under the address sanitizer everything runs in one process, so that its leak check at exit sees
 * all. */
#if defined(__SANITIZE_ADDRESS__)
#define UNIT_FORK CK_NOFORK
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNIT_FORK CK_NOFORK
#endif
#endif
#ifdef UNIT_FORK
const bool unit_has_asan = true;
#else
#define UNIT_FORK CK_FORK_GETENV
const bool unit_has_asan = false;
#endif

static struct {
	const char *name;
	void (*fill)(TCase *tc);
} units[UNIT_MAX];
static size_t n_units;

void unit_register(const char *name, void (*fill)(TCase *tc))
{
	if (n_units == UNIT_MAX) {
		fprintf(stderr, "unit: more than %d suites: raise UNIT_MAX\n", UNIT_MAX);
		exit(99);
	}
	units[n_units].name = name;
	units[n_units++].fill = fill;
}

static bool unit_wanted(const char *name)
{
	const char *only = getenv("UNIT_ONLY");

	return only == NULL || strcmp(only, name) == 0;
}

static Suite *unit_suite(size_t i)
{
	Suite *s = suite_create(units[i].name);
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, UNIT_SECONDS);
	units[i].fill(tc);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(NULL);
	int failed;

	for (size_t i = 0; i < n_units; i++) {
		if (unit_wanted(units[i].name))
			srunner_add_suite(sr, unit_suite(i));
	}
	srunner_set_fork_status(sr, UNIT_FORK);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	if (srunner_ntests_run(sr) == 0) {
		fprintf(stderr, "unit: no test ran\n");
		failed = 1;
	}
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
