/* SPDX-License-Identifier: Apache-2.0 */
/* The book: what shall be in the kernel. Nothing here asks the kernel.
 *
 * Which policy stands for a selector that several children have is decided here and nowhere else:
 * the newest half that has it, of the best peer where several peers are for the same networks
 * (`set` in base/sadesc.h). kernel_judge.c says who may come in at all, kernel_index.c how
 * things are found.
 */
#include <stdlib.h>
#include <string.h>

#include "xfrm/kernel_inner.h"

/* ---- levels ---- */

static int trap_order(const void *x, const void *y)
{
	const struct flow_policy *a = x;
	const struct flow_policy *b = y;

	return a->reqid != b->reqid ? (a->reqid > b->reqid) - (a->reqid < b->reqid)
				    : flow_cmp(a, b);
}

const struct flow_policy *book_traps(const struct kernel *k, uint32_t reqid, size_t *n)
{
	const struct flow_list *l = &k->traps;
	size_t lo = 0;
	size_t hi = l->n;
	size_t end;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->v[mid].reqid < reqid)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < l->n && l->v[end].reqid == reqid; end++)
		;
	*n = end - lo;
	return *n == 0 ? NULL : &l->v[lo];
}

/* The level of the trap that it lies inside of, the narrowest if there are several: the priority of
 * a child is that of its configuration, whatever was negotiated. What lies in none keeps what it
 * has: its own, or that of a trap which the configuration had before. A child has at most FLOW_MAX
 * traps, whatever its peers do. */
static void half_level(const struct kernel *k, struct kernel_half *half)
{
	size_t n;
	const struct flow_policy *traps = book_traps(k, half->d.reqid, &n);

	for (size_t i = 0; i < half->flows.n; i++) {
		struct flow_policy *f = &half->flows.v[i];
		struct flow_policy out = f->p.dir == XFRM_POLICY_OUT ? *f : flow_mirror(f);
		const struct flow_policy *best = NULL;

		for (size_t t = 0; t < n; t++) {
			if (flow_covers(&traps[t], &out) &&
			    (best == NULL || flow_level(&traps[t]) > flow_level(best)))
				best = &traps[t];
		}
		if (best != NULL)
			flow_set_level(f, flow_level(best));
	}
}

void book_traps_set(struct kernel *k, struct flow_list *traps)
{
	flow_list_free(&k->traps);
	k->traps = *traps;
	*traps = (struct flow_list){ .n = 0 };
	if (k->traps.n > 0)
		qsort(k->traps.v, k->traps.n, sizeof(*k->traps.v), trap_order);
	for (struct kernel_half *half = k->halves.newest; half != NULL; half = half->older)
		half_level(k, half);
}

/* ---- a half ---- */

static struct spi_key spi_key_of(const struct sa_desc *d)
{
	return (struct spi_key){ .dir = d->dir, .spi = d->spi };
}

static enum err half_cut(const struct kernel *k, struct kernel_half *half)
{
	enum err err = flow_list_fill(&half->flows, &half->d);

	if (err != OK)
		return err;
	half->reqid = sa_desc_reqid(&half->d);
	half->claims = calloc(half->flows.n, sizeof(*half->claims));
	if (half->claims == NULL)
		return ERR_NOMEM;
	half_level(k, half);
	for (size_t i = 0; i < half->flows.n; i++) {
		half->claims[i].flow = &half->flows.v[i];
		half->claims[i].key = flow_key_of(&half->flows.v[i], half->reqid);
	}
	half->spi_key = spi_key_of(&half->d);
	judge_prepare(half);
	return OK;
}

enum err half_new(const struct kernel *k, const struct sa_desc *d, struct kernel_half **out)
{
	struct kernel_half *half = calloc(1, sizeof(*half));
	enum err err;

	*out = NULL;
	if (half == NULL)
		return ERR_NOMEM;
	half->offload = OFFLOAD_NO;
	err = sa_desc_copy(&half->d, d);
	if (err == OK)
		err = half_cut(k, half);
	if (err == OK)
		*out = half;
	else
		half_free(half);
	return err;
}

void half_free(struct kernel_half *half)
{
	if (half == NULL)
		return;
	sa_desc_wipe(&half->d);
	flow_list_free(&half->flows);
	free(half->claims);
	secret_free(half, sizeof(*half));
}

/* ---- in and out ---- */

enum err book_put(struct kernel *k, struct kernel_half *half)
{
	struct kernel_halves *l = &k->halves;
	enum err err = index_claim(k, half);

	if (err != OK)
		return err;
	chain_put(&k->index.by_spi, &half->by_spi);
	chain_put(&k->index.by_peer, &half->by_peer);
	l->n_ranked += half->d.priority > 0;
	half->older = l->newest;
	if (half->older != NULL)
		half->older->newer = half;
	l->newest = half;
	l->n++;
	return OK;
}

void book_take(struct kernel *k, struct kernel_half *half)
{
	struct kernel_halves *l = &k->halves;

	index_unclaim(k, half);
	chain_take(&k->index.by_spi, &half->by_spi);
	chain_take(&k->index.by_peer, &half->by_peer);
	*(half->newer == NULL ? &l->newest : &half->newer->older) = half->older;
	if (half->older != NULL)
		half->older->newer = half->newer;
	half->older = NULL;
	half->newer = NULL;
	l->n--;
	l->n_ranked -= half->d.priority > 0;
}

void book_pass(struct kernel_half *half, bool passed)
{
	half->d.passed = passed;
	for (size_t i = 0; i < half->flows.n; i++) {
		struct flow_policy *f = &half->flows.v[i];

		f->rank = flow_rank(&half->d);
		flow_set_level(f, flow_level(f));
	}
}

void book_place(struct kernel *k, struct kernel_half *half, const struct path *path, bool encap)
{
	chain_take(&k->index.by_peer, &half->by_peer);
	half->d.path = *path;
	half->d.encap = encap;
	for (size_t i = 0; i < half->flows.n; i++)
		flow_lead(&half->flows.v[i], &half->d);
	judge_prepare(half);
	chain_put(&k->index.by_peer, &half->by_peer);
}

void book_free(struct kernel *k)
{
	while (k->halves.newest != NULL) {
		struct kernel_half *half = k->halves.newest;

		book_take(k, half);
		half_free(half);
	}
	while (k->policies.first != NULL) {
		const struct flow_policy f = k->policies.first->f;

		book_policy_take(k, &f);
	}
	flow_list_free(&k->traps);
	index_free(&k->index);
	free(k->taken);
	k->taken = NULL;
}

/* ---- finding ---- */

/* SPIs that we chose are ours alone; what peers chose may be the same for two peers. */
static bool half_is(const struct sa_desc *have, const struct sa_desc *d)
{
	/* A command was judged by the child that it names (daemon/gatekeeper.c, which lets none
	 * through that names no reqid). */
	if (d->reqid != 0 && have->reqid != d->reqid)
		return false;
	if (d->child_id != 0)
		return have->child_id == d->child_id;
	return d->dir == SA_IN || addr_len(&d->path.remote.addr) == 0 ||
	       addr_eq(&have->path.remote.addr, &d->path.remote.addr);
}

static struct kernel_half *half_of(struct chain *c)
{
	return c == NULL ? NULL : container_of(c, struct kernel_half, by_spi);
}

static struct kernel_half *newest_with(const struct kernel *k, const struct spi_key *key)
{
	return half_of(chain_find(&k->index.by_spi, span_of(key, sizeof(*key))));
}

struct kernel_half *book_find(const struct kernel *k, const struct sa_desc *d)
{
	const struct spi_key key = spi_key_of(d);
	struct kernel_half *half = newest_with(k, &key);

	while (half != NULL && !half_is(&half->d, d))
		half = half_of(half->by_spi.older);
	return half;
}

struct kernel_half *book_find_state(const struct kernel *k, const struct state_id *id)
{
	static const enum sa_dir dirs[] = { SA_IN, SA_OUT };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		const struct spi_key key = { .dir = dirs[i], .spi = id->spi };
		struct kernel_half *half = newest_with(k, &key);

		for (; half != NULL; half = half_of(half->by_spi.older)) {
			const struct state_id have = state_id_of(&half->d);

			if (addr_eq(&have.dst, &id->dst))
				return half;
		}
	}
	return NULL;
}

struct kernel_count kernel_count(const struct kernel *k, const char *connection)
{
	return (struct kernel_count){ .all = k->halves.n,
				      .of_connection = index_count(k, connection) };
}

/* ---- what shall stand ---- */

bool book_wants(const struct kernel *k, const struct flow_policy *key, struct flow_policy *want)
{
	const struct flow_policy *f = index_wanted(k, key);

	if (f != NULL)
		*want = *f;
	return f != NULL;
}

void book_refresh(struct kernel *k)
{
	struct standing *next;
	struct flow_policy want;

	for (struct standing *s = k->policies.first; s != NULL; s = next) {
		next = s->next;
		if (s->f.kind != FLOW_CHILD)
			continue;
		if (!book_wants(k, &s->f, &want)) {
			const struct flow_policy f = s->f;

			book_policy_take(k, &f);
			continue;
		}
		want.p.index = s->f.p.index;
		s->f = want;
	}
}

/* ---- larval states ---- */

void acquire_note(struct kernel *k, const struct state_larval *l)
{
	k->acquires[k->next_acquire] = *l;
	k->next_acquire = (k->next_acquire + 1) % KERNEL_ACQUIRES;
}

void acquire_drop(struct kernel *k, uint32_t reqid, uint32_t seq)
{
	for (size_t i = 0; i < KERNEL_ACQUIRES; i++) {
		struct state_larval *l = &k->acquires[i];

		if (l->reqid == reqid && l->seq == seq)
			l->reqid = 0;
	}
}
