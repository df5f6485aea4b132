/* SPDX-License-Identifier: Apache-2.0 */
/* "did you mean": the nearest word of a list, if it is near enough. */
#include <string.h>

#include "conf/schema.h"

enum { FAR = 4, WORD_MAX = 31 };

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: Levenshtein's distance, two neighbours exchanged count once. */
unsigned int word_distance(const char *a, const char *b)
{
	size_t n = strlen(a);
	size_t m = strlen(b);
	unsigned char d[WORD_MAX + 1][WORD_MAX + 1];

	if (n > WORD_MAX || m > WORD_MAX)
		return FAR;
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			unsigned int best = (unsigned int)(i == 0 ? j : i);

			if (i > 0 && j > 0) {
				best = least(d[i - 1][j], d[i][j - 1]) + 1;
				best = least(best,
					     d[i - 1][j - 1] + (a[i - 1] != b[j - 1] ? 1u : 0u));
			}
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = least(best, d[i - 2][j - 2] + 1u);
			d[i][j] = (unsigned char)best;
		}
	}
	return least(d[n][m], FAR);
}

/* A third of the letters may be wrong, at least one and at most three. */
unsigned int word_slips(const char *word)
{
	const size_t len = strlen(word);

	return len < 6 ? 1 : len < 9 ? 2 : 3;
}

const char *schema_suggest(enum schema_block block, const char *name)
{
	const struct schema_option *row;
	const char *best = NULL;
	unsigned int limit = word_slips(name);

	for (size_t i = 0; (row = schema_row(i)); i++) {
		unsigned int d = row->block == block ? word_distance(name, row->name) : FAR;

		if (d < FAR && d <= limit && (!best || d < word_distance(name, best)))
			best = row->name;
	}
	return best;
}
