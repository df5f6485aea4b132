/* SPDX-License-Identifier: Apache-2.0 */
/* First inputs are written, or compared with those that stand in the tree. */
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/seeds.h"

enum { PATH_TEXT_MAX = 4096 };

/* The folder of the source tree, as replay.c finds it. */
static const char *tree(void)
{
	static char path[PATH_TEXT_MAX];
	const char *root = getenv("top_srcdir");

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus", root != NULL ? root : ".");
	return path;
}

struct seeds seeds_begin(int argc, char **argv)
{
	return (struct seeds){ .folder = argc > 1 ? argv[1] : tree(), .compares = argc < 2 };
}

static bool stands_there(const char *path, struct span bytes)
{
	uint8_t *there = malloc(bytes.len + 1); /* of a longer file one byte more is read */
	FILE *f = fopen(path, "rb");
	bool same = f != NULL && there != NULL &&
		    span_eq(span_of(there, fread(there, 1, bytes.len + 1, f)), bytes);

	if (f != NULL)
		fclose(f);
	free(there);
	return same;
}

static void write_there(const char *path, struct span bytes)
{
	FILE *f = fopen(path, "wb");

	FUZZ_HOLDS(f != NULL && fwrite(bytes.p, 1, bytes.len, f) == bytes.len && fclose(f) == 0);
}

void seed_save(struct seeds *out, const char *target, const char *name, struct span bytes)
{
	char folder[PATH_TEXT_MAX + 64], path[PATH_TEXT_MAX + 128];

	out->n++;
	snprintf(folder, sizeof(folder), "%s/%s", out->folder, target);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (!out->compares) {
		(void)mkdir(folder, 0777);
		write_there(path, bytes);
	} else if (!stands_there(path, bytes)) {
		out->stale++;
		fprintf(stderr, "stale: %s\n", path);
	}
}

int seeds_end(const struct seeds *out)
{
	printf("%u first inputs %s %s\n", out->n, out->compares ? "compared with" : "written to",
	       out->folder);
	if (out->stale > 0)
		printf("%u of them are stale: write them anew (doc/testing.md)\n", out->stale);
	return out->n > 0 && out->stale == 0 ? 0 : 1;
}
