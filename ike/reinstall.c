/* SPDX-License-Identifier: Apache-2.0 */
/* See reinstall.h. */
#include "ike/reinstall.h"

#include <stdlib.h>

#include "ike/child.h"
#include "ike/child_plane.h"
#include "ike/connection.h"
#include "ike/core.h"

struct waiting {
	enum sa_plane plane;
	struct child_sa **v;
	size_t n;
};

typedef void waiting_fn(struct waiting *w, struct child_sa *c);

enum sa_dir reinstall_half(const struct child_sa *c)
{
	return c->stage == CHILD_INBOUND ? SA_IN : SA_OUT;
}

/* Without memory to ask for it nobody would know of it. What was asked may be what a process died
 * of, so its time goes on running. */
static void install(struct waiting *w, struct child_sa *c)
{
	mono_ns asked = c->asked;

	(void)w;
	c->ticket.number = 0;
	if (child_plane_install_again(c, reinstall_half(c)) != OK)
		child_delete_later(c, ERR_NOMEM);
	c->asked = asked;
}

static void count(struct waiting *w, struct child_sa *c)
{
	(void)c;
	w->n++;
}

static void put(struct waiting *w, struct child_sa *c)
{
	w->v[w->n++] = c;
}

static void each_of(struct waiting *w, const struct ike_sa *sa, waiting_fn *fn)
{
	for (struct child_sa *c = sa->children; c; c = c->next) {
		if (c->plane == w->plane && c->conf && c->ticket.number != 0)
			fn(w, c);
	}
}

static void each(struct ike_engine *e, struct waiting *w, waiting_fn *fn)
{
	w->n = 0;
	for (size_t i = 0; i < e->n_conns; i++) {
		for (const struct ike_sa *sa = e->conns[i]->sas; sa; sa = sa->next)
			each_of(w, sa, fn);
	}
}

static int by_number(const void *a, const void *b)
{
	const struct child_sa *const *x = a, *const *y = b;

	return (*x)->install < (*y)->install ? -1 : (*x)->install > (*y)->install;
}

/* Without memory for it they go in another order, which matters if this engine dies meanwhile. */
void reinstall_all(struct ike_engine *e, enum sa_plane plane)
{
	struct waiting w = { .plane = plane };

	each(e, &w, count);
	w.v = calloc(w.n + 1, sizeof(struct child_sa *));
	if (!w.v) {
		each(e, &w, install);
		return;
	}
	each(e, &w, put);
	qsort(w.v, w.n, sizeof(w.v[0]), by_number);
	for (size_t i = 0; i < w.n; i++)
		install(&w, w.v[i]);
	free(w.v);
}
