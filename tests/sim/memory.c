/* SPDX-License-Identifier: Apache-2.0 */
/* Counting what is allocated. The linker puts these in the place of the allocator's functions for
 * our own objects (--wrap), so that what the libraries keep for themselves is not in the sum. A
 * draw of the scenario decides which allocation finds no memory.
 *
 * An engine is a megabyte, and with AddressSanitizer the kernel needs longer to give one than most
 * runs of a target take. So large blocks that were freed are kept for the next run; whoever touches
 * one meanwhile, or frees it again, is found out as he would be otherwise.
 */
#include <malloc.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
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

enum { LARGE = 32 * 1024, BLOCKS_MAX = 16, BLOCK_WASTE = 4096 };

static size_t live;
static size_t until_failure;
static void *blocks[BLOCKS_MAX]; /* NULL: a free place */

size_t memory_live(void)
{
	return live;
}

void memory_fail(size_t nth)
{
	until_failure = nth;
}

void memory_lend(size_t bytes)
{
	live -= bytes;
}

void memory_take_back(size_t bytes)
{
	live += bytes;
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

/* ---- large blocks ---- */

/* NULL: there is none of about this size. Behind `size` it stays forbidden. */
static void *block_take(size_t size)
{
	for (size_t i = 0; size >= LARGE && i < BLOCKS_MAX; i++) {
		void *p = blocks[i];
		size_t has = p ? malloc_usable_size(p) : 0;

		if (has < size || has - size > BLOCK_WASTE)
			continue;
		blocks[i] = NULL;
		ASAN_UNPOISON_MEMORY_REGION(p, size);
		return p;
	}
	return NULL;
}

static bool block_give(void *p)
{
	size_t size = malloc_usable_size(p), place = BLOCKS_MAX;

	for (size_t i = 0; i < BLOCKS_MAX; i++) {
		if (blocks[i] == p) {
			fprintf(stderr, "a block of %zu bytes is freed twice\n", size);
			abort();
		}
		place = blocks[i] ? place : i;
	}
	if (place == BLOCKS_MAX)
		return false;
	blocks[place] = p;
	ASAN_POISON_MEMORY_REGION(p, size);
	return true;
}

/* ---- the allocator ---- */

void *__wrap_malloc(size_t size)
{
	void *p;

	if (fails())
		return NULL;
	p = block_take(size);
	return counted(p ? p : __real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *p;

	if (fails())
		return NULL;
	p = n == 1 ? block_take(size) : NULL;
	return counted(p ? memset(p, 0, size) : __real_calloc(n, size));
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
	size_t size = p ? malloc_usable_size(p) : 0;

	live -= size;
	if (size < LARGE || !block_give(p))
		__real_free(p);
}

char *__wrap_strdup(const char *s)
{
	char *p = fails() ? NULL : __real_strdup(s);

	counted(p);
	return p;
}
