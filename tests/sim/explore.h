/* SPDX-License-Identifier: Apache-2.0 */
/* Every way through a story, one after the other. The story asks at each fork which way to go, is
 * told one, and is told from its beginning again until there is no way left: none is left out and
 * none is gone twice. That a story always forks alike for the same answers is all that is needed.
 *
 * A way is written as the forks at which it was not the first of the roads: "b12 l3 l7".
 */
#ifndef TESTS_SIM_EXPLORE_H
#define TESTS_SIM_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPLORE_FORKS = 4096, EXPLORE_ROADS = 4, EXPLORE_TEXT_MAX = 256 };

struct explore_fork {
	uint32_t at;
	uint8_t taken;
	char roads[EXPLORE_ROADS]; /* a letter for each, 0 behind the last */
};

struct explore {
	struct explore_fork v[EXPLORE_FORKS];
	size_t n;	  /* that the story has come to */
	size_t n_given;	  /* ... whose road is given */
	const char *only; /* the one way that is gone; NULL: all */
	bool lost;	  /* more forks than there is room for: that must not be */
};

void explore_begin(struct explore *x, const char *only);
/* The road to take at the fork number `at` of its kind: a letter of `roads`, whose first is the
 * usual one. */
char explore_road(struct explore *x, uint32_t at, const char *roads);
/* False: every way was gone. */
bool explore_next(struct explore *x);
/* The way that was gone last. */
const char *explore_text(const struct explore *x, char text[static EXPLORE_TEXT_MAX]);

#endif
