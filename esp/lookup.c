/* SPDX-License-Identifier: Apache-2.0 */
/* Tuple space search: pairs of selectors are sorted into shapes, by the lengths of the prefixes
 * that their two sides lie in, and within a shape a packet's pair is found by a hash of the
 * packet's addresses cut to these lengths. So a look-up costs a probe for each shape, of which
 * there are a handful, not a comparison for each SA.
 *
 * Shapes are looked at with the narrowest first, until none of the rest can be better than what
 * was found. An entry whose ranges are not prefixes lies in the prefix around them, and can be
 * narrower than that; its shape is apart from those of true prefixes, with the highest bound. An SA
 * with very many pairs (a peer chooses up to 255 selectors for each side) has one entry for all.
 *
 * The hash is keyed: peers choose selectors.
 */
#include "esp/lookup.h"

#include <stdlib.h>
#include <sys/random.h>

enum { BUCKETS = 1 << 14, PAIRS_MAX = 64, SALT_WORDS = 2 };

/* Readers see everything but n. */
struct shape_of_pair {
	sa_family_t family;
	uint8_t local_bits;
	uint8_t remote_bits;
	bool rough;	    /* ranges lie somewhere in the prefixes */
	select_score bound; /* no entry of this shape fits any packet more narrowly */
	size_t n;	    /* entries */
};

/* The narrowest first. Immutable once published, but for the counts. */
struct shape_list {
	struct shape_list *garbage;
	size_t n;
	struct shape_of_pair v[];
};

struct lookup_entry {
	_Atomic(struct lookup_entry *) next; /* in its bucket, the newest first */
	struct lookup_entry *sibling;	     /* of the same SA; then: the next to free */
	uint64_t hash;
	struct sa *sa;
	const struct ts *local; /* into the SA's lists */
	const struct ts *remote;
	uint64_t age; /* larger is newer */
	uint32_t if_id;
	uint8_t n_local;
	uint8_t n_remote;
	struct shape_of_pair shape; /* a copy */
};

struct lookup {
	_Atomic(struct shape_list *) shapes; /* NULL: none */
	struct lookup_entry *gone;	     /* unlinked, not freed */
	struct shape_list *gone_shapes;
	uint64_t age;
	uint64_t salt[SALT_WORDS];
	_Atomic(struct lookup_entry *) bucket[BUCKETS];
};

enum err lookup_new(struct lookup **out)
{
	struct lookup *x = calloc(1, sizeof(*x));

	*out = NULL;
	if (!x)
		return ERR_NOMEM;
	if (getrandom(x->salt, sizeof(x->salt), 0) != (ssize_t)sizeof(x->salt)) {
		free(x);
		return ERR_SYSTEM;
	}
	x->salt[0] |= 1; /* a multiplier */
	*out = x;
	return OK;
}

void lookup_free(struct lookup *x)
{
	if (!x)
		return;
	lookup_sweep(x);
	free(atomic_load(&x->shapes));
	free(x);
}

/* ---- keys ---- */

static uint64_t mix(uint64_t h, uint64_t word, uint64_t salt)
{
	h = (h ^ word) * salt;
	return h ^ h >> 29;
}

/* The leading bits of an address, as numbers. */
static uint64_t mix_addr(uint64_t h, const struct addr *a, unsigned bits, uint64_t salt)
{
	for (unsigned at = 0; at < bits; at += 64) {
		unsigned take = bits - at < 64 ? bits - at : 64;
		struct rd r = rd_from(span_of(a->b + at / 8, 8));
		uint64_t word = rd_u64(&r);

		h = mix(h, word & ~(uint64_t)0 << (64 - take), salt);
	}
	return h;
}

static uint64_t key_of(const struct lookup *x, const struct shape_of_pair *s, uint32_t if_id,
		       const struct addr *local, const struct addr *remote)
{
	uint64_t what = (uint64_t)s->family << 48 | (uint64_t)s->rough << 40 |
			(uint64_t)s->local_bits << 32 | (uint64_t)s->remote_bits << 24;
	uint64_t h = mix(x->salt[1], what ^ if_id, x->salt[0]);

	h = mix_addr(h, remote, s->remote_bits, x->salt[0]);
	h = mix(h, s->remote_bits, x->salt[0]);
	return mix_addr(h, local, s->local_bits, x->salt[0]);
}

static _Atomic(struct lookup_entry *) *bucket_of(struct lookup *x, uint64_t hash)
{
	return &x->bucket[hash >> 40 & (BUCKETS - 1)];
}

/* ---- shapes ---- */

static bool same_shape(const struct shape_of_pair *a, const struct shape_of_pair *b)
{
	return a->family == b->family && a->local_bits == b->local_bits &&
	       a->remote_bits == b->remote_bits && a->rough == b->rough;
}

static void publish(struct lookup *x, struct shape_list *l)
{
	struct shape_list *old = atomic_exchange(&x->shapes, l);

	if (!old)
		return;
	old->garbage = x->gone_shapes;
	x->gone_shapes = old;
}

static enum err shape_join(struct lookup *x, const struct shape_of_pair *s)
{
	struct shape_list *old = atomic_load(&x->shapes), *l;
	size_t n = old ? old->n : 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		if (same_shape(&old->v[i], s)) {
			old->v[i].n++;
			return OK;
		}
	}
	l = calloc(1, sizeof(*l) + (n + 1) * sizeof(l->v[0]));
	if (!l)
		return ERR_NOMEM;
	while (at < n && old->v[at].bound >= s->bound)
		at++;
	for (size_t i = 0; i < n; i++)
		l->v[i < at ? i : i + 1] = old->v[i];
	l->v[at] = *s;
	l->v[at].n = 1;
	l->n = n + 1;
	publish(x, l);
	return OK;
}

/* Without memory for the shorter list the shape stays, and nothing is found in it. */
static void shape_leave(struct lookup *x, const struct shape_of_pair *s)
{
	struct shape_list *old = atomic_load(&x->shapes), *l;
	size_t n = 0, at = 0;

	while (at < old->n && !same_shape(&old->v[at], s))
		at++;
	if (at == old->n || --old->v[at].n > 0)
		return;
	l = calloc(1, sizeof(*l) + old->n * sizeof(l->v[0]));
	if (!l)
		return;
	for (size_t i = 0; i < old->n; i++)
		if (i != at)
			l->v[n++] = old->v[i];
	l->n = n;
	publish(x, l);
}

/* ---- entries ---- */

/* The prefix around n selectors; false when they are not of one family. */
static bool prefix_of(const struct ts *v, size_t n, uint8_t *bits, bool *rough)
{
	unsigned b = (unsigned)addr_len(&v[0].lo) * 8;
	struct net whole;

	*rough = *rough || n > 1 || net_from_range(&v[0].lo, &v[0].hi, &whole, 1) != 1;
	for (size_t i = 0; i < n; i++) {
		unsigned lo = addr_common_bits(&v[0].lo, &v[i].lo);
		unsigned hi = addr_common_bits(&v[0].lo, &v[i].hi);

		if (v[i].lo.family != v[0].lo.family)
			return false;
		b = lo < b ? lo : b;
		b = hi < b ? hi : b;
	}
	*bits = (uint8_t)b;
	return true;
}

/* Both families in one list: its entry cannot say where it lies, so it is looked at for packets of
 * either. */
static enum err add_entry(struct lookup *x, struct sa *sa, const struct lookup_entry *like,
			  sa_family_t family)
{
	struct lookup_entry *e = calloc(1, sizeof(*e));
	struct shape_of_pair *s;
	_Atomic(struct lookup_entry *) *at;

	if (!e)
		return ERR_NOMEM;
	*e = *like;
	s = &e->shape;
	s->family = family;
	if (!prefix_of(e->local, e->n_local, &s->local_bits, &s->rough) ||
	    !prefix_of(e->remote, e->n_remote, &s->remote_bits, &s->rough)) {
		s->local_bits = s->remote_bits = 0;
		s->rough = true;
	}
	s->bound = s->rough ? UINT32_MAX : select_bound(s->local_bits, s->remote_bits);
	if (shape_join(x, s) != OK) {
		free(e);
		return ERR_NOMEM;
	}
	e->sa = sa;
	e->if_id = sa->if_id;
	e->age = x->age;
	e->hash = key_of(x, s, e->if_id, &e->local->lo, &e->remote->lo);
	e->sibling = sa->entries;
	sa->entries = e;
	at = bucket_of(x, e->hash);
	atomic_store(&e->next, atomic_load(at));
	atomic_store(at, e);
	return OK;
}

static enum err add_all(struct lookup *x, struct sa *sa)
{
	struct lookup_entry all = { .local = sa->local.v,
				    .remote = sa->remote.v,
				    .n_local = sa->local.n,
				    .n_remote = sa->remote.n };
	enum err e = add_entry(x, sa, &all, AF_INET);

	return e == OK ? add_entry(x, sa, &all, AF_INET6) : e;
}

static enum err add_pairs(struct lookup *x, struct sa *sa)
{
	size_t n = (size_t)sa->local.n * sa->remote.n;
	enum err e = OK;

	for (size_t i = 0; i < n && e == OK; i++) {
		struct lookup_entry pair = { .local = &sa->local.v[i / sa->remote.n],
					     .remote = &sa->remote.v[i % sa->remote.n],
					     .n_local = 1,
					     .n_remote = 1 };

		if (ts_could_meet(pair.local, pair.remote))
			e = add_entry(x, sa, &pair, pair.local->lo.family);
	}
	return e;
}

enum err lookup_add(struct lookup *x, struct sa *sa)
{
	bool many = (size_t)sa->local.n * sa->remote.n > PAIRS_MAX;
	enum err e;

	x->age++;
	e = many ? add_all(x, sa) : add_pairs(x, sa);
	if (e != OK)
		lookup_del(x, sa);
	return e;
}

static void unlink_entry(struct lookup *x, struct lookup_entry *e)
{
	_Atomic(struct lookup_entry *) *at = bucket_of(x, e->hash);

	while (atomic_load(at) != e)
		at = &atomic_load(at)->next;
	atomic_store(at, atomic_load(&e->next));
}

void lookup_del(struct lookup *x, struct sa *sa)
{
	while (sa->entries) {
		struct lookup_entry *e = sa->entries;

		sa->entries = e->sibling;
		unlink_entry(x, e);
		shape_leave(x, &e->shape);
		e->sibling = x->gone;
		x->gone = e;
	}
}

void lookup_sweep(struct lookup *x)
{
	while (x->gone) {
		struct lookup_entry *e = x->gone;

		x->gone = e->sibling;
		free(e);
	}
	while (x->gone_shapes) {
		struct shape_list *l = x->gone_shapes;

		x->gone_shapes = l->garbage;
		free(l);
	}
}

/* ---- readers ---- */

struct choice {
	const struct lookup_entry *e;
	unsigned rank;	/* smaller is better, whatever the selectors */
	uint64_t share; /* of several peers of one rank; larger is better */
	select_score score;
	select_score remote;
};

static select_score side(const struct lookup_entry *e, bool remote, const struct flow *f)
{
	const struct ts *v = remote ? e->remote : e->local;
	const struct addr *a = remote ? &f->dst : &f->src;
	uint16_t port = remote ? f->dport : f->sport;
	unsigned bits = remote ? e->shape.remote_bits : e->shape.local_bits;

	if (e->shape.rough)
		return select_side(v, remote ? e->n_remote : e->n_local, a, f, port);
	if (!ts_match(v, a, f->proto, f->ports_known, port))
		return 0;
	return select_fitting(v, bits, f, port);
}

/* Larger: to be preferred. What the selectors are decides, so that it is the same after a rekey. */
static int ts_order(const struct ts *a, const struct ts *b)
{
	int o = (int)a->port_lo - (int)b->port_lo;

	o = o != 0 ? o : (int)b->port_hi - (int)a->port_hi;
	o = o != 0 ? o : addr_cmp(&a->lo, &b->lo);
	return o != 0 ? o : addr_cmp(&b->hi, &a->hi);
}

/* As base/sadesc.h has it. All SAs of one connection have the same. */
enum { RANK_BEST = 1, RANK_PASSED = UINT8_MAX + 1 };

static unsigned rank_of(const struct sa *sa)
{
	return sa->priority + (atomic_load(&sa->passed) ? (unsigned)RANK_PASSED : 0);
}

static bool beats(const struct choice *a, const struct choice *b)
{
	int o;

	if (a->rank != b->rank)
		return a->rank < b->rank;
	if (a->score != b->score)
		return a->score > b->score;
	if (a->remote != b->remote)
		return a->remote > b->remote;
	o = ts_order(a->e->remote, b->e->remote);
	o = o != 0 ? o : ts_order(a->e->local, b->e->local);
	if (o != 0)
		return o > 0;
	return a->share != b->share ? a->share > b->share : a->e->age > b->e->age;
}

/* Peers of one priority share what is to be sent: by addresses and not by ports, for fragments. A
 * child's draw is its own, so its packets stay with it whoever comes and goes. */
static uint64_t share_of(const struct lookup *x, const struct sa *sa, const struct flow *f)
{
	uint64_t h;

	if (sa->priority == 0)
		return 0;
	h = mix(x->salt[1], (uint64_t)sa->reqid << 8 | f->proto, x->salt[0]);
	h = mix_addr(h, &f->src, (unsigned)addr_len(&f->src) * 8, x->salt[0]);
	h = mix_addr(h, &f->dst, (unsigned)addr_len(&f->dst) * 8, x->salt[0]);
	return mix(h, sa->reqid, x->salt[0]);
}

static void consider(const struct lookup *x, const struct lookup_entry *e, const struct flow *f,
		     struct choice *best)
{
	struct choice c = { .e = e, .remote = side(e, true, f) };

	if (c.remote == 0 || !sa_joins(e->sa, f))
		return;
	c.score = select_both(side(e, false, f), c.remote, f);
	c.rank = rank_of(e->sa);
	c.share = share_of(x, e->sa, f);
	if (c.score > 0 && (!best->e || beats(&c, best)))
		*best = c;
}

/* The entries of a shape that this packet may lie in. */
static const struct lookup_entry *first_in(struct lookup *x, const struct shape_of_pair *s,
					   const struct flow *f, uint32_t if_id, uint64_t *hash)
{
	*hash = key_of(x, s, if_id, &f->src, &f->dst);
	return atomic_load(bucket_of(x, *hash));
}

struct sa *lookup_find(struct lookup *x, const struct flow *f, uint32_t if_id)
{
	const struct shape_list *l = atomic_load(&x->shapes);
	struct choice best = { .e = NULL };
	uint64_t hash;

	for (size_t i = 0; l && i < l->n; i++) {
		const struct lookup_entry *e;

		/* No narrower one will come, and none of a better rank either. */
		if (l->v[i].bound < best.score && best.rank <= RANK_BEST)
			break;
		if (l->v[i].family != f->src.family)
			continue;
		for (e = first_in(x, &l->v[i], f, if_id, &hash); e; e = atomic_load(&e->next))
			if (e->hash == hash && e->if_id == if_id)
				consider(x, e, f, &best);
	}
	return best.e ? best.e->sa : NULL;
}

/* The selectors of one end: could they fit, and would ports decide? */
static bool could_fit(const struct ts *v, size_t n, const struct addr *a, const struct flow *f,
		      bool *by_ports)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!select_but_for_ports(&v[i], a, f))
			continue;
		any = true;
		*by_ports = *by_ports || ts_asks_ports(&v[i]);
	}
	return any;
}

static bool any_opaque(const struct ts *v, size_t n, const struct addr *a, const struct flow *f)
{
	for (size_t i = 0; i < n; i++)
		if (ts_port_opaque(&v[i]) && ts_match(&v[i], a, f->proto, false, 0))
			return true;
	return false;
}

static bool opaque_fits(const struct lookup_entry *e, const struct flow *f)
{
	select_score s = select_both(side(e, false, f), side(e, true, f), f);

	return !f->ports_known && s > 0 &&
	       (any_opaque(e->local, e->n_local, &f->src, f) ||
		any_opaque(e->remote, e->n_remote, &f->dst, f));
}

bool lookup_wants_whole(struct lookup *x, const struct flow *f, uint32_t if_id)
{
	const struct shape_list *l = atomic_load(&x->shapes);
	bool wanted = false;
	uint64_t hash;

	for (size_t i = 0; l && i < l->n; i++) {
		const struct lookup_entry *e;

		if (l->v[i].family != f->src.family)
			continue;
		for (e = first_in(x, &l->v[i], f, if_id, &hash); e; e = atomic_load(&e->next)) {
			bool by_ports = e->sa->mode == SA_TRANSPORT;

			if (e->hash != hash || e->if_id != if_id || !sa_joins(e->sa, f))
				continue;
			if (opaque_fits(e, f))
				return false;
			if (could_fit(e->local, e->n_local, &f->src, f, &by_ports) &&
			    could_fit(e->remote, e->n_remote, &f->dst, f, &by_ports))
				wanted = wanted || by_ports;
		}
	}
	return wanted;
}
