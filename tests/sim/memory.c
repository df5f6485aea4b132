/* SPDX-License-Identifier: Apache-2.0 */
/* Counting what is allocated. The linker puts these in the place of the allocator's functions for
 * our own objects (--wrap), so that what the libraries keep for themselves is not in the sum. A
 * draw of the scenario decides which allocation finds no memory.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

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

static size_t live;
static size_t until_failure;

size_t memory_live(void)
{
	return live;
}

void memory_fail(size_t nth)
{
	until_failure = nth;
}

size_t memory_until_failure(void)
{
	return until_failure;
}

static bool fails(void)
{
	return until_failure > 0 && --until_failure == 0;
}

static void *counted(void *p)
{
	live += p ? malloc_usable_size(p) : 0;
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
	size_t before = p ? malloc_usable_size(p) : 0;
	void *q;

	if (fails())
		return NULL;
	q = __real_realloc(p, size);
	if (q)
		live -= before;
	return counted(q);
}

void __wrap_free(void *p)
{
	live -= p ? malloc_usable_size(p) : 0;
	__real_free(p);
}

char *__wrap_strdup(const char *s)
{
	char *p = fails() ? NULL : __real_strdup(s);

	counted(p);
	return p;
}
