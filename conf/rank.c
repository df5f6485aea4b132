/* SPDX-License-Identifier: Apache-2.0 */
/* Several peers for the same networks (`priority`): where the kernel can carry them.
 *
 * It can when their networks are the same, for of two policies that overlap it takes the narrower
 * one, whoever is preferred; when no two have one number, for it cannot share packets out; and when
 * all of them are the kernel's. Their SAs then have one reqid, which is a hash of the networks: it
 * does not change when one of the peers comes or goes. Networks that collide are numbered on in an
 * order of their own, not that of the file, as children are (conf/reqid.c): by one number the
 * kernel would take what is one set's for the other's. If one of them cannot be the kernel's, none
 * is.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/build.h"

struct ranked {
	const struct tree_block *block; /* of the child */
	const struct conf_connection *cn;
	struct conf_child *ch;
	uint64_t hash; /* of its networks; above, the number that it wishes for */
	uint32_t set;
	size_t at; /* in the file */
	const char *lacks;
};

/* ---- what its peers are ---- */

/* In whichever order they are written. */
static uint32_t list_hash(const struct ts_list *l, uint32_t basis)
{
	char text[TS_TEXT_MAX];
	uint32_t sum = 0;

	for (size_t i = 0; i < l->n; i++)
		sum += build_hash(basis, ts_text(&l->v[i], text));
	return sum;
}

static uint32_t child_hash(const struct conf_child *ch, uint32_t basis)
{
	return list_hash(&ch->local, basis) * 31 + list_hash(&ch->remote, basis);
}

static uint64_t hash_of(const struct conf_child *ch)
{
	const uint32_t wish = child_hash(ch, BUILD_HASH_BASIS) % SA_REQID_SETS_MAX;

	return (uint64_t)wish << 32 | child_hash(ch, ~BUILD_HASH_BASIS);
}

static bool same_networks(const struct ranked *a, const struct ranked *b)
{
	return a->hash == b->hash && ts_list_within(&a->ch->local, &b->ch->local) &&
	       ts_list_within(&b->ch->local, &a->ch->local) &&
	       ts_list_within(&a->ch->remote, &b->ch->remote) &&
	       ts_list_within(&b->ch->remote, &a->ch->remote);
}

static int by_hash(const void *a, const void *b)
{
	const struct ranked *x = a;
	const struct ranked *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static int by_place(const void *a, const void *b)
{
	const struct ranked *x = a;
	const struct ranked *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* Behind each other in the order of what they wish for; whose number is taken gets the next. */
static void number_all(struct ranked *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_hash);
	for (size_t i = 0; i < n; i++) {
		v[i].set = SA_REQID_BASE | (SA_REQID_SETS + (uint32_t)(v[i].hash >> 32));
		if (i > 0 && same_networks(&v[i - 1], &v[i]))
			v[i].set = v[i - 1].set;
		else if (i > 0 && v[i].set <= v[i - 1].set)
			v[i].set = v[i - 1].set + 1;
	}
	qsort(v, n, sizeof(*v), by_place);
}

static bool is_users(const struct conf_child *ch)
{
	return ch->dataplane == CONF_PLANE_USER || ch->ttl != 0;
}

/* What stands in the way of the two together; NULL: nothing. */
static const char *between(const struct ranked *a, const struct ranked *b)
{
	const struct ts *met[4];

	if (a->cn == b->cn || !build_children_meet(a->ch, b->ch, met))
		return NULL;
	if (!same_networks(a, b))
		return "another peer has other networks, which overlap";
	if (a->cn->priority == b->cn->priority)
		return "another peer has the same number";
	/* One that insists stays with a kernel that lacks a part of what it wants. */
	if (is_users(b->ch) || conf_child_insists(a->ch) != conf_child_insists(b->ch))
		return "another peer has another data plane";
	return suite_policy_eq(&a->cn->policy, &b->cn->policy)
		       ? NULL
		       : "another peer has other algorithms";
}

static void judge_all(struct ranked *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].ch->mode != CONF_MODE_TUNNEL)
			v[i].lacks = "it may be in transport mode";
		/* One could keep all others out, by less than one network. */
		else if (v[i].cn->identity.type == ID_NONE)
			v[i].lacks = "its peer may be anybody";
		for (size_t k = 0; k < n && v[i].lacks == NULL; k++)
			v[i].lacks = k == i ? NULL : between(&v[i], &v[k]);
	}
}

/* Those for the same networks go the way of one. */
static void settle_all(struct ranked *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		v[i].ch->set_lacks = v[i].lacks;
		for (size_t k = 0; k < n && v[i].ch->set_lacks == NULL; k++) {
			if (v[k].lacks != NULL && same_networks(&v[i], &v[k]))
				v[i].ch->set_lacks = "another peer cannot be the kernel's";
		}
		v[i].ch->set = v[i].ch->set_lacks == NULL ? v[i].set : 0;
	}
}

/* ---- reports ---- */

static void report(struct build *b, const struct ranked *r)
{
	const bool plane = r->ch->dataplane == CONF_PLANE_KERNEL;
	char text[WORDS_MAX];

	if (r->ch->set_lacks == NULL || !conf_child_insists(r->ch))
		return;
	mark_error(b->p, tree_value_mark(r->block, plane ? "dataplane" : "offload"),
		   words(text, "userspace ESP alone can heed the priority: %s", r->ch->set_lacks),
		   plane ? "dataplane = auto, or make the peers alike"
			 : "offload = auto, or make the peers alike");
}

/* Into its own device goes what is routed there, so nothing has to be ranked. */
static bool is_ranked(const struct conf_connection *cn, const struct conf_child *ch)
{
	return cn->priority > 0 && ch->interface[0] == '\0';
}

static size_t collect(const struct tree *t, struct ranked *v)
{
	size_t n = 0;

	for (const struct tree_block *cn = t->root.blocks; cn; cn = cn->next) {
		if (!cn->made || strcmp(cn->kind, "connection") != 0 || !cn->name)
			continue;
		for (const struct tree_block *ch = cn->blocks; ch; ch = ch->next) {
			if (!ch->made || ch->broken || !is_ranked(cn->made, ch->made))
				continue;
			if (v)
				v[n] = (struct ranked){ .block = ch,
							.cn = cn->made,
							.ch = ch->made,
							.hash = hash_of(ch->made),
							.at = n };
			n++;
		}
	}
	return n;
}

void build_rank(struct build *b)
{
	size_t n = collect(b->t, NULL);
	struct ranked *v = calloc(n ? n : 1, sizeof(*v));

	if (!v) {
		b->nomem = true;
		return;
	}
	collect(b->t, v);
	number_all(v, n);
	judge_all(v, n);
	settle_all(v, n);
	for (size_t i = 0; i < n; i++)
		report(b, &v[i]);
	free(v);
}
