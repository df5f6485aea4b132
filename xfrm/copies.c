/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of routes: see xfrm/copies.h. A host with containers has ten thousand routes on its links,
 * so what is looked up is sorted; the lists are not, for among equals the first one counts.
 */
#include "xfrm/copies.h"

#include <stdlib.h>

#include "xfrm/grow.h"

enum err copies_add(struct copies *c, const struct copy *one)
{
	struct copy *v = grow(c->v, c->n, &c->size, sizeof(*v));
	struct copy mine = *one;

	if (v == NULL) {
		ask_free(&mine.ask);
		return ERR_NOMEM;
	}
	c->v = v;
	c->v[c->n++] = mine;
	return OK;
}

void copies_clear(struct copies *c)
{
	for (size_t i = 0; i < c->n; i++)
		ask_free(&c->v[i].ask);
	c->n = 0;
}

void copies_free(struct copies *c)
{
	copies_clear(c);
	free(c->v);
}

static struct span key_of(const struct copy *c)
{
	return span_head(span_tail(ask_span(&c->ask), NLMSG_HDRLEN), c->key);
}

static int key_cmp(const void *a, const void *b)
{
	const struct copy *const *x = a;
	const struct copy *const *y = b;

	return span_cmp(key_of(*x), key_of(*y));
}

/* NULL: no memory. */
static const struct copy **sorted(const struct copies *c)
{
	const struct copy **v = calloc(c->n + 1, sizeof(const struct copy *));

	for (size_t i = 0; v != NULL && i < c->n; i++)
		v[i] = &c->v[i];
	if (v != NULL)
		qsort(v, c->n, sizeof(*v), key_cmp);
	return v;
}

static void look_up(struct copies *c, const struct copy **in, size_t n)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct copy *key = &c->v[i];

		c->v[i].known = !key->ask.bad && bsearch(&key, in, n, sizeof(*in), key_cmp) != NULL;
	}
}

enum err copies_match(struct copies *a, struct copies *b)
{
	const struct copy **of_a = sorted(a);
	const struct copy **of_b = sorted(b);
	enum err err = of_a != NULL && of_b != NULL ? OK : ERR_NOMEM;

	if (err == OK) {
		look_up(a, of_b, b->n);
		look_up(b, of_a, a->n);
	}
	free(of_a);
	free(of_b);
	return err;
}
