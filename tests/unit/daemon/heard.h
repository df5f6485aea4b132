/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of the control socket heard, line by line. */
#ifndef TESTS_UNIT_DAEMON_HEARD_H
#define TESTS_UNIT_DAEMON_HEARD_H

#include <stdbool.h>
#include <stddef.h>

enum { HEARD_MAX = 64 * 1024 };

struct heard {
	char text[HEARD_MAX];
	size_t len;
	bool over; /* its connection has ended */
};

/* The same lines as in `whole`; or the first of them, and then no more. False: not all. `nth`: the
 * allocation that failed, for the words. */
bool heard_judge(const struct heard *whole, const struct heard *h, size_t nth);
/* The answer of a client that was let go ends with its end. */
void heard_judge_end(const struct heard *whole);

#endif
