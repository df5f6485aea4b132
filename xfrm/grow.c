/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/grow.h"

#include <stdlib.h>

enum { GROW_FIRST = 32 };

void *grow(void *v, size_t n, size_t *size, size_t each)
{
	size_t more = *size == 0 ? GROW_FIRST : *size * 2;

	if (n < *size)
		return v;
	v = reallocarray(v, more, each);
	if (v != NULL)
		*size = more;
	return v;
}
