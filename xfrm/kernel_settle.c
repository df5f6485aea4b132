/* SPDX-License-Identifier: Apache-2.0 */
/* Making the kernel's tables agree with the book, from whatever they are: at the start of a daemon,
 * after answers or events were lost, and when others took something of ours away.
 *
 * Adds first, removes last. What is not ours is read past.
 */
#include <stdlib.h>
#include <string.h>

#include "xfrm/grow.h"
#include "xfrm/kernel_inner.h"
#include "xfrm/probe.h"
#include "xfrm/words.h"

struct seen_state {
	struct state_larval id; /* what a larval one is known by; src, dst, reqid of any */
	uint32_t spi;
	bool encap;
	uint16_t sport;
	uint16_t dport;
	bool larval;
	bool kept;
};

/* What of ours is in the kernel. */
struct view {
	struct flow_list policies;
	struct seen_state *states;
	size_t n;
	size_t size;
	uint8_t *taken;
};

static void view_free(struct view *w)
{
	flow_list_free(&w->policies);
	free(w->states);
	free(w->taken);
}

/* ---- reading ---- */

static void policies_restart(void *ctx)
{
	struct view *w = ctx;

	w->policies.n = 0;
	memset(w->taken, 0, POLICY_FLOW_SLOTS);
}

static enum err policies_take(void *ctx, const struct nlmsghdr *m)
{
	struct view *w = ctx;
	enum policy_section section;
	struct flow_policy f;
	uint32_t slot;
	enum err err = flow_read(m, &f);

	if (err != OK || !policy_index_taken(&f.p, &section, &slot) || section != POLICY_OF_FLOW)
		return err;
	w->taken[slot] = 1;
	if (!flow_is_ours(&f))
		return OK;
	return flow_list_add(&w->policies, &f);
}

static void states_restart(void *ctx)
{
	((struct view *)ctx)->n = 0;
}

static enum err states_take(void *ctx, const struct nlmsghdr *m)
{
	struct view *w = ctx;
	struct seen_state *v;
	struct state_info s;
	enum err err = state_read(m, &s);

	if (err != OK || !state_is_ours(&s))
		return err;
	v = grow(w->states, w->n, &w->size, sizeof(*v));
	if (v == NULL)
		return ERR_NOMEM;
	w->states = v;
	w->states[w->n++] = (struct seen_state){
		.id = { .src = s.src,
			.dst = s.dst,
			.mode = s.mode == XFRM_MODE_TRANSPORT ? SA_TRANSPORT : SA_TUNNEL,
			.reqid = s.reqid,
			.seq = s.seq,
			.if_id = s.if_id },
		.spi = s.spi,
		.encap = s.encap,
		.sport = s.encap_sport,
		.dport = s.encap_dport,
		.larval = s.larval,
	};
	return OK;
}

static int state_cmp(const void *x, const void *y)
{
	const struct seen_state *a = x;
	const struct seen_state *b = y;
	int order = addr_cmp(&a->id.dst, &b->id.dst);

	return order != 0 ? order : (a->spi > b->spi) - (a->spi < b->spi);
}

static enum err view_read(struct kernel *k, struct view *w, char *why)
{
	const struct netlink_sink policies = { .restart = policies_restart,
					       .take = policies_take,
					       .ctx = w };
	const struct netlink_sink states = { .restart = states_restart,
					     .take = states_take,
					     .ctx = w };
	struct ask req;
	struct answer a;
	enum err err;

	w->taken = calloc(POLICY_FLOW_SLOTS, 1);
	if (w->taken == NULL)
		return why_say(why, ERR_NOMEM, "no memory to read the IPsec policies");
	req = policy_ask_dump();
	err = netlink_dump(k->nl, &req, &policies, &a);
	if (err != OK)
		return why_kernel(why, err, &a, "cannot read the IPsec policies of the kernel");
	flow_list_sort(&w->policies); /* of what came doubled one stays */
	req = state_ask_dump();
	err = netlink_dump(k->nl, &req, &states, &a);
	if (err == OK && w->n > 0)
		qsort(w->states, w->n, sizeof(*w->states), state_cmp);
	return why_kernel(why, err, &a, "cannot read the IPsec states of the kernel");
}

/* ---- policies ---- */

/* The book learns what the kernel has, so that the usual ways of changing it apply: what the kernel
 * lacks is put in as new, what differs is changed. What fails stays wanted. */
static enum err policies_agree(struct kernel *k, const struct view *w, char *why)
{
	enum err first = OK;

	for (struct standing *s = k->policies.first; s != NULL; s = s->next) {
		const struct flow_policy f = s->f;
		const struct flow_policy *have = flow_list_find(&w->policies, &f);
		enum err err;

		if (have != NULL && have->p.index == f.p.index && flow_same(have, &f))
			continue;
		if (have == NULL)
			s->f.p.index = 0;
		else
			s->f = *have;
		err = put_policy(k, &f, why);
		if (err != OK && have != NULL) {
			s->f = f;
			s->f.p.index = have->p.index;
		}
		if (first == OK)
			first = err;
	}
	return first;
}

static enum err policies_prune(struct kernel *k, const struct view *w, char *why)
{
	enum err first = OK;

	for (size_t i = 0; i < w->policies.n; i++) {
		const struct flow_policy *f = &w->policies.v[i];
		enum err err = book_policy_find(k, f) != NULL ? OK : take_stray(k, f, why);

		if (first == OK)
			first = err;
	}
	return first;
}

/* ---- states ---- */

/* A change of ports that was not heard of may have been done: the book learns which it has. */
static void learn_ports(struct kernel *k, struct kernel_half *half, const struct seen_state *s)
{
	const bool out = half->d.dir == SA_OUT;
	struct path path = half->d.path;

	if (!half->d.encap || !s->encap)
		return;
	path.local.port = out ? s->sport : s->dport;
	path.remote.port = out ? s->dport : s->sport;
	if (!path_eq(&path, &half->d.path))
		book_place(k, half, &path, true);
}

static bool view_keeps(struct kernel *k, struct view *w, struct kernel_half *half)
{
	const struct state_id id = state_id_of(&half->d);
	const struct seen_state key = { .id = { .dst = id.dst }, .spi = id.spi };
	struct seen_state *s = NULL;

	if (w->n > 0)
		s = bsearch(&key, w->states, w->n, sizeof(*w->states), state_cmp);
	if (s == NULL)
		return false;
	s->kept = true;
	learn_ports(k, half, s);
	return true;
}

static void tell_gone(const struct settle *s, const struct sa_desc *d)
{
	const struct plane_event ev = { .kind = PLANE_EXPIRE,
					.spi = d->spi,
					.dir = d->dir,
					.reqid = d->reqid,
					.remote = d->path.remote };

	s->gone(s->ctx, &ev);
}

/* Only in the book; the policies follow. */
static void states_agree(struct kernel *k, struct view *w, const struct settle *s)
{
	struct kernel_half *older;

	for (struct kernel_half *half = k->halves.newest; half != NULL; half = older) {
		older = half->older;
		if (view_keeps(k, w, half))
			continue;
		k->missing = s->gone == NULL;
		if (k->missing)
			continue;
		tell_gone(s, &half->d);
		book_take(k, half);
		half_free(half);
	}
}

/* One that a policy of a child raised, because others deleted the state, has real addresses and no
 * mark: it cannot be told from a stranger's (state_is_ours), so only what an ACQUIRE told of goes.
 * Of an earlier run nothing is known, and it ends by itself. */
static enum err acquires_prune(struct kernel *k, char *why)
{
	const struct addr nowhere = flow_trap_dst();
	enum err first = OK;

	for (size_t i = 0; i < KERNEL_ACQUIRES; i++) {
		const struct state_larval *l = &k->acquires[i];
		bool shown = l->reqid == 0 || addr_eq(&l->dst, &nowhere);
		enum err err = shown ? OK : forget_larval(k, l, why);

		if (first == OK)
			first = err;
	}
	memset(k->acquires, 0, sizeof(k->acquires));
	return first;
}

static enum err states_prune(struct kernel *k, const struct view *w, bool all, char *why)
{
	enum err first = OK;

	for (size_t i = 0; i < w->n; i++) {
		const struct seen_state *s = &w->states[i];
		const struct state_id id = { .dst = s->id.dst, .spi = s->spi };
		enum err err = OK;

		if (s->larval && all)
			err = forget_larval(k, &s->id, why);
		else if (!s->larval && !s->kept && (all || s->id.reqid != PROBE_REQID))
			err = take_state(k, &id, why);
		if (first == OK)
			first = err;
	}
	if (all && first == OK)
		first = acquires_prune(k, why);
	return first;
}

/* The words of the first failure are kept. */
static enum err settle_tables(struct kernel *k, const struct view *w, bool all, char *why)
{
	char other[HOST_WHY_MAX];
	enum err err = policies_agree(k, w, why);
	enum err next = policies_prune(k, w, err == OK ? why : other);

	if (err == OK)
		err = next;
	next = states_prune(k, w, all, err == OK ? why : other);
	return err == OK ? next : err;
}

enum err kernel_settle(struct kernel *k, const struct settle *s, char *why)
{
	struct view w = { .n = 0 };
	enum err err = view_read(k, &w, why);

	if (err == OK) {
		k->doubt = false;
		k->missing = false;
		memcpy(k->taken, w.taken, POLICY_FLOW_SLOTS);
		states_agree(k, &w, s);
		book_refresh(k);
		err = settle_tables(k, &w, s->all, why);
	}
	if (err != OK)
		k->doubt = true;
	view_free(&w);
	return err;
}

/* ---- a book that begins where another one ended ---- */

enum err kernel_learn_traps(struct kernel *k, char *why)
{
	struct flow_list traps = { .n = 0 };
	struct view w = { .n = 0 };
	enum err err = view_read(k, &w, why);

	for (size_t i = 0; i < w.policies.n && err == OK; i++) {
		if (w.policies.v[i].kind != FLOW_TRAP)
			continue;
		err = flow_list_add(&traps, &w.policies.v[i]);
		if (err != OK)
			err = why_say(why, err, "no memory to read the IPsec policies");
	}
	if (err == OK)
		book_traps_set(k, &traps);
	flow_list_free(&traps);
	view_free(&w);
	return err;
}

/* Also what the kernel lacks of it, as new: then settling puts it in. */
static enum err learn_wanted(struct kernel *k)
{
	struct flow_policy want;
	enum err err = OK;

	for (struct kernel_half *half = k->halves.newest; half != NULL && err == OK;
	     half = half->older) {
		for (size_t i = 0; i < half->flows.n && err == OK; i++) {
			const struct flow_policy *f = &half->flows.v[i];

			if (book_policy_find(k, f) != NULL || !book_wants(k, f, &want))
				continue;
			want.p.index = 0;
			err = book_policy_put(k, &want);
		}
	}
	return err;
}

enum err kernel_learn(struct kernel *k, char *why)
{
	struct view w = { .n = 0 };
	struct flow_policy want;
	enum err err = view_read(k, &w, why);

	if (err != OK) {
		view_free(&w);
		return err;
	}
	for (size_t i = 0; i < w.policies.n && err == OK; i++) {
		const struct flow_policy *f = &w.policies.v[i];

		if (f->kind == FLOW_CHILD && !book_wants(k, f, &want))
			continue;
		err = book_policy_put(k, f);
		if (err == ERR_EXISTS) /* of two that have one place the other goes */
			err = OK;
	}
	if (err == OK)
		err = learn_wanted(k);
	view_free(&w);
	return err == OK ? OK : why_say(why, err, "no memory to read the IPsec policies");
}
