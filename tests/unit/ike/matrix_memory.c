/* SPDX-License-Identifier: Apache-2.0 */
/* How many blocks our own objects have allocated (--wrap), and one allocation of an engine that
 * fails. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ike/matrix.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
char *__wrap_strdup(const char *s);

static long live;
static size_t countdown;
static bool starving;

long matrix_live(void)
{
	return live;
}

void matrix_fail(size_t nth)
{
	countdown = nth;
}

size_t matrix_until_failure(void)
{
	return countdown;
}

void matrix_starve(bool starve)
{
	starving = starve;
}

static bool fails(void)
{
	if (pair_in_engine > 0 && starving)
		return true;
	return pair_in_engine > 0 && countdown > 0 && --countdown == 0;
}

static void *counted(void *p)
{
	live += p != NULL;
	return p;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	void *q = fails() ? NULL : __real_realloc(p, size);

	live += q && !p;
	return q;
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : counted(__real_strdup(s));
}
