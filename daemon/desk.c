/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/desk.h"

#include <stdlib.h>

struct slip *desk_put(struct desk *d, enum role r, unsigned int kind, uint64_t ticket)
{
	struct slip *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->role = r;
	s->kind = kind;
	s->ticket = ticket;
	s->next = d->first;
	d->first = s;
	return s;
}

struct slip *desk_take(struct desk *d, enum role r, unsigned int kind, uint64_t ticket)
{
	for (struct slip **at = &d->first; *at != NULL; at = &(*at)->next) {
		struct slip *s = *at;

		if (s->role != r || s->kind != kind || s->ticket != ticket)
			continue;
		*at = s->next;
		return s;
	}
	return NULL;
}

struct slip *desk_take_any(struct desk *d, enum role r)
{
	for (struct slip **at = &d->first; *at != NULL; at = &(*at)->next) {
		struct slip *s = *at;

		if (s->role != r)
			continue;
		*at = s->next;
		return s;
	}
	return NULL;
}

bool desk_has(const struct desk *d, enum role r)
{
	for (const struct slip *s = d->first; s != NULL; s = s->next) {
		if (s->role == r)
			return true;
	}
	return false;
}

void desk_clear(struct desk *d)
{
	while (d->first != NULL) {
		struct slip *s = d->first;

		d->first = s->next;
		free(s);
	}
}
