/* SPDX-License-Identifier: Apache-2.0 */
/* Room for one more in a list that grows by doubling: policies, rules, routes, pairs, addresses. */
#ifndef XFRM_GROW_H
#define XFRM_GROW_H

#include <stddef.h>

/* `v` holds `n` of `*size` elements of `each` bytes. Gives back `v`, moved if it was full, with
 * room for element n; NULL without memory, and then nothing has changed. */
void *grow(void *v, size_t n, size_t *size, size_t each);

#endif
