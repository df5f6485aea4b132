/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation of the calling thread finds no memory (--wrap): of our own objects, and of the
 * crypto library, which asks here, too. All of them are counted. */
#ifndef TESTS_UNIT_MEMORY_FAILING_H
#define TESTS_UNIT_MEMORY_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the `nth` one fails, once; 0: none does. */
void failing_arm(size_t nth);
/* No more. True when one has failed meanwhile. */
bool failing_disarm(void);
/* The test's own, until that is taken back, neither fail nor count: libcheck asserts with some. */
void failing_hold(bool hold);
/* What is allocated by now and not freed. Only the difference says something: what a library gave
 * us is not counted when it comes, and is when we free it. */
long failing_live(void);
/* Whether the crypto library asks here. */
bool failing_has_library(void);

#endif
