/* SPDX-License-Identifier: Apache-2.0 */
/* A reqid for each child: the kernel and the guards know children by it, so it must not change when
 * other children come or go. It is a hash of both names; children that collide are numbered on in
 * the order of their names, not of the file.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/build.h"

struct numbered {
	const char *connection;
	struct conf_child *child;
};

uint32_t build_hash(uint32_t h, const char *s)
{
	/* The NUL belongs to the hash: "a" "bc" is not "ab" "c". */
	do {
		h = (h ^ (uint8_t)*s) * 16777619u;
	} while (*s++);
	return h;
}

static uint32_t reqid_from(uint32_t hash)
{
	return SA_REQID_BASE | hash % SA_REQID_CHILDREN;
}

static uint32_t reqid_wish(const struct numbered *n)
{
	return reqid_from(build_hash(build_hash(BUILD_HASH_BASIS, n->connection), n->child->name));
}

static int by_name(const void *a, const void *b)
{
	const struct numbered *x = a;
	const struct numbered *y = b;
	int c = strcmp(x->connection, y->connection);

	return c ? c : strcmp(x->child->name, y->child->name);
}

static int by_reqid_then_name(const void *a, const void *b)
{
	const struct numbered *x = a;
	const struct numbered *y = b;

	if (x->child->reqid != y->child->reqid)
		return x->child->reqid < y->child->reqid ? -1 : 1;
	return by_name(a, b);
}

static size_t children_collect(const struct conf *c, struct numbered *list)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_connections; i++) {
		for (size_t k = 0; k < c->connections[i].n_children; k++, n++) {
			if (!list)
				continue;
			list[n] = (struct numbered){ c->connections[i].name,
						     &c->connections[i].children[k] };
			list[n].child->reqid = reqid_wish(&list[n]);
		}
	}
	return n;
}

/* Sorted by wish: a child whose number is taken gets the next one, and pushes what follows only if
 * it must. */
static void numbers_spread(struct numbered *list, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t before = list[i - 1].child->reqid;

		if (list[i].child->reqid <= before)
			list[i].child->reqid = before + 1;
	}
}

void build_number_children(struct build *b)
{
	size_t n = children_collect(b->c, NULL);
	struct numbered *list = calloc(n ? n : 1, sizeof(*list));

	if (!list) {
		b->nomem = true;
		return;
	}
	children_collect(b->c, list);
	qsort(list, n, sizeof(*list), by_reqid_then_name);
	numbers_spread(list, n);
	free(list);
}
