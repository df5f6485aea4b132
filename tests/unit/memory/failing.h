/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation of the calling thread finds no memory (--wrap): of our own objects, and of the
 * crypto library, which asks here, too. */
#ifndef TESTS_UNIT_MEMORY_FAILING_H
#define TESTS_UNIT_MEMORY_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the `nth` one fails, once; 0: none does. */
void failing_arm(size_t nth);
/* No more. True when one has failed meanwhile. */
bool failing_disarm(void);
/* Whether the crypto library asks here. */
bool failing_has_library(void);

#endif
