/* SPDX-License-Identifier: Apache-2.0 */
/* Counting allocations, and letting them fail: see pair_memory.h. */
#include "tests/unit/ike/pair_memory.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/ike/pair.h"

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
static struct pair_asked asked;

long pair_memory_live(void)
{
	return live;
}

void pair_memory_fail(size_t nth)
{
	countdown = nth;
}

size_t pair_memory_until_failure(void)
{
	return countdown;
}

void pair_memory_starve(bool starve)
{
	starving = starve;
}

struct pair_asked pair_memory_asked(void)
{
	struct pair_asked so_far = asked;

	asked = (struct pair_asked){ .n = 0 };
	return so_far;
}

static bool fails(size_t bytes)
{
	if (pair_in_engine == 0)
		return false;
	asked.n++;
	asked.bytes += bytes;
	return starving || (countdown > 0 && --countdown == 0);
}

static void *counted(void *p)
{
	live += p != NULL;
	return p;
}

void *__wrap_malloc(size_t size)
{
	return fails(size) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails(n * size) ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	void *q = fails(size) ? NULL : __real_realloc(p, size);

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
	return fails(strlen(s) + 1) ? NULL : counted(__real_strdup(s));
}
