/* SPDX-License-Identifier: Apache-2.0 */
/* How things of the book are found: see xfrm/kernel_inner.h.
 *
 * A half is cut into its policies once, when it comes, and claims each of them: chained under the
 * key of the policy, the newest claim says what shall stand there, the next newest when it goes;
 * with ranks the best does.
 * What does stand there (traps and exceptions, too) is kept under the same key. So nothing that is
 * done to one half walks over the others. What a half needs of memory it has before the kernel is
 * asked.
 */
#include <stdlib.h>
#include <string.h>

#include "xfrm/kernel_inner.h"

/* ---- keys ---- */

struct flow_key flow_key_of(const struct flow_policy *f, uint32_t reqid)
{
	const struct xfrm_selector *sel = &f->p.sel;
	struct flow_key key = {
		.sport = { sel->sport, sel->sport_mask },
		.dport = { sel->dport, sel->dport_mask },
		.family = sel->family,
		.bits = { sel->prefixlen_s, sel->prefixlen_d },
		.proto = sel->proto,
		.ifindex = sel->ifindex,
		.user = sel->user,
		.mark = { f->p.mark.v, f->p.mark.m },
		.dir = f->p.dir,
		.if_id = f->if_id,
		.reqid = reqid,
	};

	memcpy(key.saddr, &sel->saddr, sizeof(key.saddr));
	memcpy(key.daddr, &sel->daddr, sizeof(key.daddr));
	return key;
}

static struct span claim_key(const struct table_node *n)
{
	const struct claim *c = container_of(n, struct claim, by_key.node);

	return span_of(&c->key, sizeof(c->key));
}

static struct span standing_key(const struct table_node *n)
{
	const struct standing *s = container_of(n, struct standing, node);

	return span_of(&s->key, sizeof(s->key));
}

static struct span tally_key(const struct table_node *n)
{
	const struct tally *t = container_of(n, struct tally, node);

	return span_of(t->key, t->len);
}

static struct span spi_key(const struct table_node *n)
{
	const struct kernel_half *half = container_of(n, struct kernel_half, by_spi.node);

	return span_of(&half->spi_key, sizeof(half->spi_key));
}

static struct span peer_key(const struct table_node *n)
{
	const struct kernel_half *half = container_of(n, struct kernel_half, by_peer.node);

	return span_of(&half->peer_key, sizeof(half->peer_key));
}

enum err index_init(struct kernel_index *x, const uint8_t seed[static SIPHASH_KEY_LEN])
{
	const struct {
		struct table *t;
		table_key_fn *key_of;
	} tables[] = {
		{ &x->claims, claim_key }, { &x->standing, standing_key },
		{ &x->shares, tally_key }, { &x->connections, tally_key },
		{ &x->by_spi, spi_key },   { &x->by_peer, peer_key },
	};
	enum err err = OK;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && err == OK; i++)
		err = table_init(tables[i].t, seed, tables[i].key_of);
	return err;
}

void index_free(struct kernel_index *x)
{
	table_free(&x->claims);
	table_free(&x->standing);
	table_free(&x->shares);
	table_free(&x->connections);
	table_free(&x->by_spi);
	table_free(&x->by_peer);
}

/* ---- numbers ---- */

static struct tally *tally_find(const struct table *t, struct span key)
{
	struct table_node *n = table_find(t, key);

	return n == NULL ? NULL : container_of(n, struct tally, node);
}

/* The one with this key, made if there is none; NULL without memory. */
static struct tally *tally_open(struct table *t, struct span key)
{
	struct tally *have = tally_find(t, key);

	if (have != NULL || key.len > sizeof(have->key))
		return have;
	have = calloc(1, sizeof(*have));
	if (have == NULL)
		return NULL;
	memcpy(have->key, key.p, key.len);
	have->len = key.len;
	(void)!table_add(t, &have->node); /* it was not there */
	return have;
}

/* One that counts nothing goes. */
static void tally_close(struct table *t, struct tally *have)
{
	if (have == NULL || have->n > 0)
		return;
	table_del(t, &have->node);
	free(have);
}

static struct span share_of(const struct kernel_half *half)
{
	return span_of(&half->reqid, sizeof(half->reqid));
}

static struct span name_span(const char *connection)
{
	return span_of(connection, strnlen(connection, sizeof(((struct sa_desc *)0)->connection)));
}

size_t index_count(const struct kernel *k, const char *connection)
{
	const struct tally *t = tally_find(&k->index.connections, name_span(connection));

	return t == NULL ? 0 : t->n;
}

size_t index_share_with(const struct kernel *k, const struct kernel_half *half)
{
	const struct tally *share = tally_find(&k->index.shares, share_of(half));
	size_t n = share == NULL ? 0 : share->n;

	for (size_t i = 0; i < half->flows.n; i++)
		n += chain_find(&k->index.claims, claim_key(&half->claims[i].by_key.node)) == NULL;
	return n;
}

/* ---- claims ---- */

enum err index_claim(struct kernel *k, struct kernel_half *half)
{
	struct kernel_index *x = &k->index;
	struct tally *share = tally_open(&x->shares, share_of(half));
	struct tally *of = tally_open(&x->connections, name_span(half->d.connection));

	if (share == NULL || of == NULL) {
		tally_close(&x->shares, share);
		tally_close(&x->connections, of);
		return ERR_NOMEM;
	}
	of->n++;
	share->n = index_share_with(k, half);
	for (size_t i = 0; i < half->flows.n; i++)
		chain_put(&x->claims, &half->claims[i].by_key);
	return OK;
}

void index_unclaim(struct kernel *k, struct kernel_half *half)
{
	struct kernel_index *x = &k->index;
	struct tally *share = tally_find(&x->shares, share_of(half));
	struct tally *of = tally_find(&x->connections, name_span(half->d.connection));

	for (size_t i = 0; i < half->flows.n; i++) {
		struct chain *c = &half->claims[i].by_key;

		if (share != NULL && c->newer == NULL && c->older == NULL)
			share->n--;
		chain_take(&x->claims, c);
	}
	if (of != NULL)
		of->n--;
	tally_close(&x->shares, share);
	tally_close(&x->connections, of);
}

const struct flow_policy *index_wanted(const struct kernel *k, const struct flow_policy *f)
{
	const struct flow_key key = flow_key_of(f, f->reqid);
	const struct chain *c = chain_find(&k->index.claims, span_of(&key, sizeof(key)));
	const struct flow_policy *best = NULL;

	/* Those of a set are as many as there are peers for the same networks. */
	for (; c != NULL && (best == NULL || best->rank > 0); c = c->older) {
		const struct flow_policy *flow = container_of(c, struct claim, by_key)->flow;

		if (best == NULL || flow->rank < best->rank)
			best = flow;
	}
	return best;
}

/* ---- policies ---- */

static struct standing *standing_find(const struct kernel *k, const struct flow_policy *f)
{
	const struct flow_key key = flow_key_of(f, 0);
	struct table_node *n = table_find(&k->index.standing, span_of(&key, sizeof(key)));

	return n == NULL ? NULL : container_of(n, struct standing, node);
}

struct flow_policy *book_policy_find(const struct kernel *k, const struct flow_policy *key)
{
	struct standing *s = standing_find(k, key);

	return s == NULL ? NULL : &s->f;
}

enum err book_policy_put(struct kernel *k, const struct flow_policy *f)
{
	struct standing *s = calloc(1, sizeof(*s));
	enum err err;

	if (s == NULL)
		return ERR_NOMEM;
	s->f = *f;
	s->key = flow_key_of(f, 0);
	err = table_add(&k->index.standing, &s->node);
	if (err != OK) {
		free(s);
		return err;
	}
	s->next = k->policies.first;
	if (s->next != NULL)
		s->next->prev = s;
	k->policies.first = s;
	k->policies.n++;
	return OK;
}

void book_policy_take(struct kernel *k, const struct flow_policy *key)
{
	struct standing *s = standing_find(k, key);

	if (s == NULL)
		return;
	table_del(&k->index.standing, &s->node);
	*(s->prev == NULL ? &k->policies.first : &s->prev->next) = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	k->policies.n--;
	free(s);
}
