/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/memory/failing.h"

#include <openssl/crypto.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);

static _Thread_local size_t countdown;
static bool library;

void failing_arm(size_t nth)
{
	countdown = nth;
}

bool failing_disarm(void)
{
	const bool failed = countdown == 0;

	countdown = 0;
	return failed;
}

bool failing_has_library(void)
{
	return library;
}

static bool fails(void)
{
	return countdown > 0 && --countdown == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

static void *library_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size > 0 && !fails() ? __real_malloc(size) : NULL;
}

static void *library_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size > 0)
		return fails() ? NULL : __real_realloc(p, size);
	free(p);
	return NULL;
}

static void library_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Before the library has allocated anything, or it says no. */
__attribute__((constructor)) static void take_library(void)
{
	library = CRYPTO_set_mem_functions(library_malloc, library_realloc, library_free) == 1;
}
