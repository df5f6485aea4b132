/* SPDX-License-Identifier: Apache-2.0 */
/* Every way through a story: see explore.h. */
#include "tests/sim/explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void explore_begin(struct explore *x, const char *only)
{
	x->n = 0;
	x->n_given = 0;
	x->only = only;
	x->lost = false;
}

/* Which one `only` says; the first, where it says nothing of this fork. */
static uint8_t road_of(const char *only, uint32_t at, const char *roads)
{
	char *end;

	for (const char *p = only; *p; p = *end == ' ' ? end + 1 : end) {
		const char *road = strchr(roads, *p);

		if (strtoul(p + 1, &end, 10) == at && road && *road)
			return (uint8_t)(road - roads);
		if (end == p + 1)
			break;
	}
	return 0;
}

char explore_road(struct explore *x, uint32_t at, const char *roads)
{
	struct explore_fork *f = &x->v[x->n];

	x->lost = x->lost || x->n == EXPLORE_FORKS;
	if (x->lost)
		return roads[0];
	if (x->n++ < x->n_given)
		return roads[f->taken];
	*f = (struct explore_fork){ .at = at, .taken = x->only ? road_of(x->only, at, roads) : 0 };
	snprintf(f->roads, sizeof(f->roads), "%s", roads);
	return roads[f->taken];
}

bool explore_next(struct explore *x)
{
	if (x->only)
		return false;
	while (x->n > 0 && !x->v[x->n - 1].roads[x->v[x->n - 1].taken + 1])
		x->n--;
	if (x->n == 0)
		return false;
	x->v[x->n - 1].taken++;
	x->n_given = x->n;
	x->n = 0;
	return true;
}

const char *explore_text(const struct explore *x, char text[static EXPLORE_TEXT_MAX])
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < x->n && len < EXPLORE_TEXT_MAX - 16; i++) {
		const struct explore_fork *f = &x->v[i];

		if (f->taken > 0)
			len += (size_t)snprintf(text + len, EXPLORE_TEXT_MAX - len, "%s%c%u",
						len > 0 ? " " : "", f->roads[f->taken],
						(unsigned)f->at);
	}
	return text;
}
