/* SPDX-License-Identifier: Apache-2.0 */
/* Calls a fuzz target with each file of its corpus, whole and cut off at every byte (or, where one
 * run takes long, at some), without any fuzzer. replay-NAME [DIRECTORY]; without one it is
 * tests/fuzz/corpus/NAME of the source tree.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 128 * 1024, PATH_TEXT_MAX = 4096 };

/* About so many cuts of an input; one over 2048 bytes is not cut at all. */
#ifndef REPLAY_CUTS
#define REPLAY_CUTS 2048
#endif

/* On the heap in its exact size, so that a sanitizer sees every read beyond it. */
static void replay_one(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		exit(99);
	memcpy(copy, bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static bool replay_file(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t len;

	if (f == NULL)
		return false;
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	for (size_t cut = 0; cut < len && len <= 2048; cut += 1 + len / REPLAY_CUTS)
		replay_one(bytes, cut);
	replay_one(bytes, len);
	return true;
}

static const char *default_directory(const char *program, char buf[static PATH_TEXT_MAX])
{
	const char *root = getenv("top_srcdir");
	const char *name = strstr(program, "replay-");

	snprintf(buf, PATH_TEXT_MAX, "%s/tests/fuzz/corpus/%s", root != NULL ? root : ".",
		 name != NULL ? name + strlen("replay-") : "");
	return buf;
}

int main(int argc, char **argv)
{
	char where[PATH_TEXT_MAX];
	const char *directory = argc > 1 ? argv[1] : default_directory(argv[0], where);
	DIR *d = opendir(directory);
	const struct dirent *entry;
	size_t n = 0;

	if (d == NULL) {
		fprintf(stderr, "replay: there is no corpus in %s\n", directory);
		return 1;
	}
	while ((entry = readdir(d)) != NULL) {
		char path[PATH_TEXT_MAX * 2];

		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (entry->d_name[0] != '.' && replay_file(path))
			n++;
	}
	closedir(d);
	printf("replay: %zu inputs of %s\n", n, directory);
	return n > 0 ? 0 : 1;
}
