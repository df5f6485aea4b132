/* SPDX-License-Identifier: Apache-2.0 */
/* From traffic selectors to pairs of networks: see xfrm/pair.h. */
#include "xfrm/pair.h"

#include <stdlib.h>
#include <string.h>

#include "xfrm/grow.h"

enum { NETS_MAX = 256 }; /* a range of IPv6 addresses is at most 254 networks */

static const struct net link_only[] = {
	{ .addr = { .family = AF_INET, .b = { 224 } }, .bits = 4 },
	{ .addr = { .family = AF_INET, .b = { 255, 255, 255, 255 } }, .bits = 32 },
	{ .addr = { .family = AF_INET, .b = { 169, 254 } }, .bits = 16 },
	{ .addr = { .family = AF_INET6, .b = { 0xff } }, .bits = 8 },
	{ .addr = { .family = AF_INET6, .b = { 0xfe, 0x80 } }, .bits = 10 },
};

enum { N_LINK_ONLY = sizeof(link_only) / sizeof(link_only[0]) };

static const struct pair pair_any = { .local_port_hi = UINT16_MAX, .remote_port_hi = UINT16_MAX };

bool port_is_any(uint16_t lo, uint16_t hi)
{
	return lo == 0 && hi == UINT16_MAX;
}

static enum err pair_list_add(struct pair_list *l, const struct pair *p)
{
	struct pair *v;

	if (l->n == PAIR_MAX)
		return ERR_LIMIT;
	v = grow(l->v, l->n, &l->size, sizeof(*v));
	if (v == NULL)
		return ERR_NOMEM;
	l->v = v;
	l->v[l->n++] = *p;
	return OK;
}

void pair_list_free(struct pair_list *l)
{
	free(l->v);
	*l = (struct pair_list){ .v = NULL };
}

bool pair_list_has(const struct pair_list *l, sa_family_t family)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].local.addr.family == family)
			return true;
	}
	return false;
}

static int net_cmp(const struct net *a, const struct net *b)
{
	int order = addr_cmp(&a->addr, &b->addr);

	return order != 0 ? order : (int)a->bits - (int)b->bits;
}

int pair_cmp(const struct pair *a, const struct pair *b)
{
	int order = net_cmp(&a->local, &b->local);

	if (order == 0)
		order = net_cmp(&a->remote, &b->remote);
	if (order == 0)
		order = (int)a->proto - (int)b->proto;
	if (order == 0)
		order = (int)a->local_port_lo - (int)b->local_port_lo;
	if (order == 0)
		order = (int)a->local_port_hi - (int)b->local_port_hi;
	if (order == 0)
		order = (int)a->remote_port_lo - (int)b->remote_port_lo;
	if (order == 0)
		order = (int)a->remote_port_hi - (int)b->remote_port_hi;
	return order;
}

/* The narrower number first, so that it is the one that stays. */
static int pair_sort_cmp(const void *x, const void *y)
{
	const struct pair *a = x;
	const struct pair *b = y;
	int order = pair_cmp(a, b);

	return order != 0 ? order : (int)b->narrow - (int)a->narrow;
}

static void pair_list_settle(struct pair_list *l)
{
	size_t n = 0;

	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), pair_sort_cmp);
	for (size_t i = 0; i < l->n; i++) {
		if (n == 0 || pair_cmp(&l->v[n - 1], &l->v[i]) != 0)
			l->v[n++] = l->v[i];
	}
	l->n = n;
}

static uint16_t pair_narrow(const struct pair *p)
{
	bool ports = p->local_port_lo == p->local_port_hi || p->remote_port_lo == p->remote_port_hi;

	return (uint16_t)(4 * (p->local.bits + p->remote.bits) + (p->proto != 0 ? 2 : 0) +
			  (ports ? 1 : 0));
}

/* One pair for each of the networks that the two ranges of addresses are cut into. */
static enum err pair_list_cut(struct pair_list *l, const struct ts *local, const struct ts *remote,
			      struct pair p)
{
	struct net from[NETS_MAX];
	struct net to[NETS_MAX];
	size_t n_from = net_from_range(&local->lo, &local->hi, from, NETS_MAX);
	size_t n_to = net_from_range(&remote->lo, &remote->hi, to, NETS_MAX);
	enum err err = n_from > NETS_MAX || n_to > NETS_MAX ? ERR_LIMIT : OK;

	for (size_t i = 0; i < n_from && err == OK; i++) {
		for (size_t k = 0; k < n_to && err == OK; k++) {
			p.local = from[i];
			p.remote = to[k];
			p.narrow = pair_narrow(&p);
			err = pair_list_add(l, &p);
		}
	}
	return err;
}

/* ICMP's type and code stand where others have ports, and neither rules nor guards can tell a range
 * of them: all of ICMP is covered then, which may be too much and is never too little. The same for
 * OPAQUE. */
static void pair_ports(const struct ts *t, uint8_t proto, uint16_t *lo, uint16_t *hi)
{
	bool any =
		proto == 0 || proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 || ts_port_opaque(t);

	*lo = any ? 0 : t->port_lo;
	*hi = any ? UINT16_MAX : t->port_hi;
}

static enum err pair_list_join(struct pair_list *l, const struct ts *local, const struct ts *remote)
{
	struct pair p = { .proto = local->proto != 0 ? local->proto : remote->proto };

	if (local->lo.family != remote->lo.family)
		return OK;
	/* RFC 7296 2.9: a packet has one protocol, so a pair that names two covers nothing. */
	if (local->proto != 0 && remote->proto != 0 && local->proto != remote->proto)
		return OK;
	pair_ports(local, p.proto, &p.local_port_lo, &p.local_port_hi);
	pair_ports(remote, p.proto, &p.remote_port_lo, &p.remote_port_hi);
	return pair_list_cut(l, local, remote, p);
}

static struct ts addresses_of(const struct ts *t)
{
	return (struct ts){ .port_hi = UINT16_MAX, .lo = t->lo, .hi = t->hi };
}

static bool is_everything(const struct ts *t)
{
	const struct net all = { .addr = { .family = t->lo.family } };
	const struct ts every = ts_from_net(&all);
	const struct ts a = addresses_of(t);

	return ts_eq(&a, &every);
}

static bool by_routes_alone(const struct host_child *c, const struct ts *local,
			    const struct ts *remote)
{
	return c->interface[0] != '\0' && is_everything(local) && is_everything(remote);
}

static bool is_left_out(const struct host_child *c, const struct ts *t)
{
	return c->without6 && t->lo.family == AF_INET6;
}

enum err pair_list_fill(struct pair_list *l, const struct host_child *v, size_t n)
{
	enum err err = OK;

	for (size_t c = 0; c < n && err == OK; c++) {
		for (size_t k = 0; k < (size_t)v[c].local.n * v[c].remote.n && err == OK; k++) {
			const struct ts *local = &v[c].local.v[k / v[c].remote.n];
			const struct ts *remote = &v[c].remote.v[k % v[c].remote.n];

			if (!by_routes_alone(&v[c], local, remote) && !is_left_out(&v[c], local))
				err = pair_list_join(l, local, remote);
		}
	}
	pair_list_settle(l);
	return err;
}

/* `wide` has all addresses of `t` and more. Not when they are equal: then the exception would be
 * the whole guard. */
static bool wider(const struct ts *wide, const struct ts *t)
{
	struct ts a = addresses_of(wide);
	struct ts b = addresses_of(t);

	return ts_covers(&a, &b) && !ts_eq(&a, &b);
}

/* The narrowest of the guards that the exception touches; 0 and false when it touches none. */
static bool guard_narrow(const struct pair_list *guards, const struct pair *e, uint16_t *narrow)
{
	bool touches = false;

	*narrow = 0;
	for (size_t i = 0; i < guards->n; i++) {
		const struct pair *g = &guards->v[i];

		if (!net_overlap(&g->local, &e->local) || !net_overlap(&g->remote, &e->remote))
			continue;
		touches = true;
		if (g->narrow > *narrow)
			*narrow = g->narrow;
	}
	return touches;
}

/* What goes from `from` to `out` is an exception from what goes from `from` to `remote`. */
static enum err exempt_add(struct pair_list *l, const struct ts *from, const struct ts *remote,
			   const struct ts *out)
{
	struct pair_list guards = { .n = 0 };
	struct pair_list cut = { .n = 0 };
	enum err err = pair_list_join(&guards, from, remote);

	if (err == OK)
		err = pair_list_cut(&cut, from, out, pair_any);
	for (size_t i = 0; i < cut.n && err == OK; i++) {
		if (guard_narrow(&guards, &cut.v[i], &cut.v[i].narrow))
			err = pair_list_add(l, &cut.v[i]);
	}
	pair_list_free(&guards);
	pair_list_free(&cut);
	return err;
}

static enum err exempt_kin(struct pair_list *l, const struct host_child *c, const struct ts *from,
			   const struct ts *remote)
{
	enum err err = OK;

	for (size_t i = 0; i < c->local.n && err == OK; i++) {
		if (wider(remote, &c->local.v[i]))
			err = exempt_add(l, from, remote, &c->local.v[i]);
	}
	return err;
}

static enum err exempt_link_only(struct pair_list *l, const struct ts *from,
				 const struct ts *remote)
{
	enum err err = OK;

	for (size_t i = 0; i < N_LINK_ONLY && err == OK; i++) {
		struct ts net = ts_from_net(&link_only[i]);

		if (wider(remote, &net))
			err = exempt_add(l, from, remote, &net);
	}
	return err;
}

static enum err exempt_links(struct pair_list *l, const struct ts *from, const struct ts *remote,
			     const struct own_list *own)
{
	enum err err = OK;

	for (size_t i = 0; i < own->n && is_everything(remote) && err == OK; i++) {
		struct net n;
		struct ts link;

		if (!own_link(&own->v[i], &n) || n.addr.family != from->lo.family)
			continue;
		link = ts_from_net(&n);
		err = exempt_add(l, from, remote, &link);
	}
	return err;
}

static enum err exempt_pair(struct pair_list *l, const struct host_child *c, const struct ts *from,
			    const struct ts *to, const struct own_list *own)
{
	enum err err = OK;

	if (from->lo.family != to->lo.family || by_routes_alone(c, from, to) ||
	    is_left_out(c, from))
		return OK;
	err = exempt_kin(l, c, from, to);
	if (err == OK)
		err = exempt_link_only(l, from, to);
	if (err == OK && !c->lockdown)
		err = exempt_links(l, from, to, own);
	return err;
}

enum err pair_list_fill_exempt(struct pair_list *l, const struct host_child *v, size_t n,
			       const struct own_list *own)
{
	enum err err = OK;

	for (size_t c = 0; c < n && err == OK; c++) {
		for (size_t k = 0; k < (size_t)v[c].local.n * v[c].remote.n && err == OK; k++)
			err = exempt_pair(l, &v[c], &v[c].local.v[k / v[c].remote.n],
					  &v[c].remote.v[k % v[c].remote.n], own);
	}
	pair_list_settle(l);
	return err;
}
