/* SPDX-License-Identifier: Apache-2.0 */
/* Children that claim the same packets, or the same route. Between connections that is an error:
 * which peer gets them would be chance, but for `priority`. Within one connection it is a warning,
 * the peer is the same. And children that claim what is said on our own side.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/build.h"

struct claim {
	const struct tree_block *block;
	const struct conf_child *child;
};

/* The first pair of selectors that meet in `family`: x of a, y of b. */
static bool lists_meet(const struct ts_list *a, const struct ts_list *b, sa_family_t family,
		       const struct ts *xy[static 2])
{
	struct ts both;

	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < b->n && a->v[i].lo.family == family; k++) {
			if (!ts_intersect(&a->v[i], &b->v[k], &both))
				continue;
			xy[0] = &a->v[i];
			xy[1] = &b->v[k];
			return true;
		}
	}
	return false;
}

/* Routes decide what goes into a device, and a packet that policies take never gets to one. */
static bool claims_by_policy(const struct claim *a, const struct claim *b)
{
	return a->child->interface[0] == '\0' && b->child->interface[0] == '\0';
}

/* It is said which of them goes first. */
static bool are_ordered(const struct claim *a, const struct claim *b)
{
	const struct conf_connection *x = a->block->parent->made, *y = b->block->parent->made;

	return x != y && x->priority > 0 && y->priority > 0;
}

bool build_children_meet(const struct conf_child *a, const struct conf_child *b,
			 const struct ts *met[static 4])
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (lists_meet(&a->local, &b->local, families[i], met) &&
		    lists_meet(&a->remote, &b->remote, families[i], met + 2))
			return true;
	}
	return false;
}

static void claims_report(struct build *b, const struct claim *first, const struct claim *second,
			  const struct ts *met[static 4])
{
	bool same = first->block->parent == second->block->parent;
	char t[4][TS_TEXT_MAX];
	char text[WORDS_MAX];
	char hint[WORDS_MAX];
	struct mark at = tree_value_mark(second->block, "remote");

	words(text, "`%s/%s` and `%s/%s` claim the same packets", first->block->parent->name,
	      first->child->name, second->block->parent->name, second->child->name);
	words(hint, "line %d has %s = %s, this is %s = %s%s", first->child->remote_pos.line,
	      ts_text(met[0], t[0]), ts_text(met[2], t[1]), ts_text(met[1], t[2]),
	      ts_text(met[3], t[3]),
	      same ? "" : "; with priority in both connections one stands in for the other");
	if (same)
		mark_warning(b->p, at, text, hint);
	else
		mark_error(b->p, at, text, hint);
}

static bool is_everything(const struct ts *t)
{
	struct net n;

	return net_from_range(&t->lo, &t->hi, &n, 1) == 1 && n.bits == 0;
}

/* Two devices with a route of ours to the same network: one of them would never be used. */
static const struct ts *routes_meet(const struct claim *a, const struct claim *b)
{
	const struct ts_list *x = &a->child->remote;
	const struct ts_list *y = &b->child->remote;

	if (a->child->interface[0] == '\0' || b->child->interface[0] == '\0')
		return NULL;
	for (size_t i = 0; i < x->n; i++) {
		for (size_t k = 0; k < y->n; k++) {
			if (addr_eq(&x->v[i].lo, &y->v[k].lo) &&
			    addr_eq(&x->v[i].hi, &y->v[k].hi) && !is_everything(&x->v[i]))
				return &y->v[k];
		}
	}
	return NULL;
}

static void routes_report(struct build *b, const struct claim *first, const struct claim *second,
			  const struct ts *met)
{
	char t[TS_TEXT_MAX];
	char text[WORDS_MAX];
	char hint[WORDS_MAX];

	words(text, "`%s` and `%s` would both get the route to %s", first->child->interface,
	      second->child->interface, ts_text(met, t));
	words(hint, "line %d has it; with 0.0.0.0/0 no route is made, and you decide",
	      first->child->remote_pos.line);
	mark_error(b->p, tree_value_mark(second->block, "remote"), text, hint);
}

static bool within(const struct ts *inner, const struct ts *outer)
{
	return addr_cmp(&outer->lo, &inner->lo) <= 0 && addr_cmp(&inner->hi, &outer->hi) <= 0;
}

/* Where in the file the value of remote stands. */
static struct mark remote_mark(const struct tree_block *block, size_t i)
{
	const struct tree_option *o = tree_option_find(block, "remote");
	const struct tree_value *v = o && !o->broken ? o->values : NULL;

	while (v && i-- > 0)
		v = v->next;
	return v ? v->at : tree_value_mark(block, "remote");
}

static void both_sides_report(struct build *b, struct mark at, const struct ts *local,
			      const struct ts *remote)
{
	char text[WORDS_MAX];
	char hint[WORDS_MAX];
	char l[TS_TEXT_MAX];
	char r[TS_TEXT_MAX];

	if (within(local, remote)) {
		words(text, "%s is local and remote at once", ts_text(remote, r));
		mark_error(b->p, at, text,
			   "remote is what is behind the peer: with our own network there, this "
			   "machine does not reach it any more");
		return;
	}
	words(text, "%s is a part of local %s", ts_text(remote, r), ts_text(local, l));
	words(hint, "what of it is on this side, this machine does not reach any more");
	mark_warning(b->p, at, text, hint);
}

/* Policies and guards take a packet wherever it would go by its route, into our own network too.
 * A remote that is wider than local is no harm (pair_list_fill_exempt), nor is one within a local
 * of everything, which is what a hub has for each of its branches. */
static void check_sides(struct build *b, const struct tree_block *block,
			const struct conf_child *ch)
{
	if (ch->mode == CONF_MODE_TRANSPORT)
		return;
	for (size_t i = 0; i < ch->remote.n; i++) {
		const struct ts *remote = &ch->remote.v[i];

		for (size_t k = 0; k < ch->local.n; k++) {
			const struct ts *local = &ch->local.v[k];

			if (local->lo.family != remote->lo.family || is_everything(local) ||
			    !within(remote, local))
				continue;
			both_sides_report(b, remote_mark(block, i), local, remote);
			break;
		}
	}
}

static size_t claims_collect(const struct tree *t, struct claim *list)
{
	size_t n = 0;

	for (const struct tree_block *cn = t->root.blocks; cn; cn = cn->next) {
		if (!cn->made || strcmp(cn->kind, "connection") != 0 || !cn->name)
			continue;
		for (const struct tree_block *ch = cn->blocks; ch; ch = ch->next) {
			if (!ch->made || ch->broken)
				continue;
			if (list)
				list[n] = (struct claim){ ch, ch->made };
			n++;
		}
	}
	return n;
}

void build_check_overlaps(struct build *b)
{
	size_t n = claims_collect(b->t, NULL);
	struct claim *list = calloc(n ? n : 1, sizeof(*list));
	const struct ts *met[4];
	const struct ts *route;

	if (!list) {
		b->nomem = true;
		return;
	}
	claims_collect(b->t, list);
	for (size_t i = 0; i < n; i++) {
		check_sides(b, list[i].block, list[i].child);
		for (size_t k = 0; k < i; k++) {
			if (claims_by_policy(&list[k], &list[i]) &&
			    !are_ordered(&list[k], &list[i]) &&
			    build_children_meet(list[k].child, list[i].child, met))
				claims_report(b, &list[k], &list[i], met);
			route = routes_meet(&list[k], &list[i]);
			if (route)
				routes_report(b, &list[k], &list[i], route);
		}
	}
	free(list);
}
