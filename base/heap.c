/* SPDX-License-Identifier: Apache-2.0 */
/* A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): a tree whose every node is due before
 * its children. Two trees meld by one becoming the first child of the other; taking the root away
 * melds its children in pairs from left to right and the pairs from right to left, here without
 * recursion.
 */
#include "base/heap.h"

static bool before(const struct heap_node *a, const struct heap_node *b)
{
	return a->when != b->when ? a->when < b->when : a->order < b->order;
}

/* Both are roots without siblings; either may be NULL. */
static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
	struct heap_node *top = a;
	struct heap_node *under = b;

	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	if (before(b, a)) {
		top = b;
		under = a;
	}
	under->next = top->child;
	under->prev = top;
	if (top->child != NULL)
		top->child->prev = under;
	top->child = under;
	return top;
}

/* Makes one tree of the siblings that begin with `list`. */
static struct heap_node *meld_siblings(struct heap_node *list)
{
	struct heap_node *pairs = NULL;
	struct heap_node *root = NULL;

	while (list != NULL) {
		struct heap_node *a = list;
		struct heap_node *b = a->next;

		list = b == NULL ? NULL : b->next;
		a->next = a->prev = NULL;
		if (b != NULL)
			b->next = b->prev = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs != NULL) {
		struct heap_node *a = pairs;

		pairs = a->next;
		a->next = NULL;
		root = meld(root, a);
	}
	return root;
}

static void unlink_from_siblings(struct heap_node *n)
{
	if (n->prev->child == n)
		n->prev->child = n->next;
	else
		n->prev->next = n->next;
	if (n->next != NULL)
		n->next->prev = n->prev;
}

void heap_stop(struct heap *h, struct heap_node *n)
{
	struct heap_node *children;

	if (!n->set)
		return;
	children = meld_siblings(n->child);
	if (h->root == n) {
		h->root = children;
	} else {
		unlink_from_siblings(n);
		h->root = meld(h->root, children);
	}
	*n = (struct heap_node){ .when = NEVER };
	h->n--;
}

void heap_set(struct heap *h, struct heap_node *n, mono_ns when)
{
	heap_stop(h, n);
	if (when == NEVER)
		return;
	*n = (struct heap_node){ .when = when, .order = h->order++, .set = true };
	h->root = meld(h->root, n);
	h->n++;
}

struct heap_node *heap_pop_due(struct heap *h, mono_ns now)
{
	struct heap_node *n = h->root;

	if (n == NULL || n->when > now)
		return NULL;
	heap_stop(h, n);
	return n;
}

mono_ns heap_deadline(const struct heap *h)
{
	return h->root == NULL ? NEVER : h->root->when;
}
