/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/memory/failing.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

static _Thread_local size_t countdown;
static _Thread_local int held;
static bool library;
static atomic_long live;

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

void failing_hold(bool hold)
{
	held += hold ? 1 : -1;
}

long failing_live(void)
{
	return live;
}

bool failing_has_library(void)
{
	return library;
}

static bool fails(void)
{
	return held == 0 && countdown > 0 && --countdown == 0;
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

char *__wrap_strndup(const char *s, size_t n)
{
	return fails() ? NULL : counted(__real_strndup(s, n));
}

static void *library_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size > 0 ? malloc(size) : NULL;
}

static void *library_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size > 0)
		return realloc(p, size);
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
