/* SPDX-License-Identifier: Apache-2.0 */
/* From traffic selectors to policies: see xfrm/flow.h.
 *
 * A selector of the kernel has prefixes and, for each port, a value and a mask. A range of either
 * is cut into the blocks that make it up, no packet more and none less: what is not negotiated must
 * not be sent (RFC 4301 5.1), and what is must not be held.
 */
#include "xfrm/flow.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
	NETS_MAX = 256,	 /* a range of IPv6 addresses is at most 254 networks */
	BLOCKS_MAX = 32, /* a range of ports is at most 30 blocks */
	PORT_BITS = 16,
	ICMP_BYTE = 0xff,
	/* Of one child, the same ones counted again. With the last pair at most twice FLOW_MAX
	 * come on top. */
	PIECES_MAX = 8 * FLOW_MAX,
};

struct block {
	uint16_t value;
	uint16_t mask;
};

struct blocks {
	struct block v[BLOCKS_MAX];
	size_t n;
};

/* What a range of addresses is cut into; not cut yet as long as `n` is 0. */
struct nets {
	struct net v[NETS_MAX];
	size_t n;
};

/* What one pair of traffic selectors comes to: every network of one side with every one of the
 * other, and the same for ports. ICMP has its blocks (type and code) in `local` alone. */
struct cut {
	const struct nets *local;
	const struct nets *remote;
	uint8_t proto;
	struct blocks local_ports;
	struct blocks remote_ports;
};

/* The largest block that starts at `lo` and does not go beyond `hi`. */
static struct block block_first(uint32_t lo, uint32_t hi)
{
	uint32_t size = 1;

	while (size < 1u << PORT_BITS && (lo & (2 * size - 1)) == 0 && lo + 2 * size - 1 <= hi)
		size *= 2;
	return (struct block){ .value = (uint16_t)lo, .mask = (uint16_t) ~(size - 1) };
}

static struct blocks blocks_of(uint16_t lo, uint16_t hi)
{
	struct blocks b = { .n = 0 };

	for (uint32_t at = lo; at <= hi && b.n < BLOCKS_MAX; b.n++) {
		b.v[b.n] = block_first(at, hi);
		at += (uint32_t)(uint16_t)~b.v[b.n].mask + 1;
	}
	return b;
}

/* 0 is any, those with ports among them. */
static bool proto_lacks_ports(uint8_t proto)
{
	return proto != 0 && !ts_proto_has_ports(proto);
}

/* OPAQUE (RFC 4301 4.4.1.1) are packets whose ports are not to be seen: fragments. The kernel takes
 * their ports for 0, which no other packet has. */
static struct blocks ports_of(const struct ts *t, uint8_t proto)
{
	if (ts_port_any(t) || proto_lacks_ports(proto))
		return blocks_of(0, UINT16_MAX);
	if (ts_port_opaque(t))
		return blocks_of(0, 0);
	return blocks_of(t->port_lo, t->port_hi);
}

/* Type and code of a packet lie in the range of both sides, so in what these share. */
static enum err icmp_of(const struct ts *local, const struct ts *remote, struct blocks *b)
{
	uint16_t lo = local->port_lo > remote->port_lo ? local->port_lo : remote->port_lo;
	uint16_t hi = local->port_hi < remote->port_hi ? local->port_hi : remote->port_hi;

	if (ts_port_opaque(local) || ts_port_opaque(remote))
		return ERR_UNSUPPORTED;
	*b = (struct blocks){ .n = 0 };
	if (lo <= hi)
		*b = blocks_of(lo, hi);
	return OK;
}

static enum err cut_ports(struct cut *c, const struct ts *local, const struct ts *remote)
{
	c->proto = local->proto != 0 ? local->proto : remote->proto;
	c->remote_ports = blocks_of(0, UINT16_MAX);
	if (ts_proto_is_icmp(c->proto))
		return icmp_of(local, remote, &c->local_ports);
	c->local_ports = ports_of(local, c->proto);
	c->remote_ports = ports_of(remote, c->proto);
	return OK;
}

/* The type stands where others have the source port, whatever the direction, the code where they
 * have the target port. */
static void icmp_put(struct xfrm_selector *sel, const struct block *b)
{
	uint16_t type = b->mask >> 8;
	uint16_t code = b->mask & ICMP_BYTE;

	/* Both are one byte: with all of it asked for, the mask is that of a port. */
	sel->sport = htons(b->value >> 8);
	sel->sport_mask = htons(type == ICMP_BYTE ? UINT16_MAX : type);
	sel->dport = htons(b->value & ICMP_BYTE);
	sel->dport_mask = htons(code == ICMP_BYTE ? UINT16_MAX : code);
}

static struct xfrm_selector cut_selector(const struct cut *c, size_t at, bool outward)
{
	size_t n_ports = c->local_ports.n * c->remote_ports.n;
	size_t port = at % n_ports;
	const struct net *local = &c->local->v[at / n_ports / c->remote->n];
	const struct net *remote = &c->remote->v[at / n_ports % c->remote->n];
	const struct block *a = &c->local_ports.v[port / c->remote_ports.n];
	const struct block *b = &c->remote_ports.v[port % c->remote_ports.n];
	struct xfrm_selector sel =
		policy_selector(outward ? local : remote, outward ? remote : local, c->proto);

	if (ts_proto_is_icmp(c->proto)) {
		icmp_put(&sel, a);
		return sel;
	}
	sel.sport = htons(outward ? a->value : b->value);
	sel.sport_mask = htons(outward ? a->mask : b->mask);
	sel.dport = htons(outward ? b->value : a->value);
	sel.dport_mask = htons(outward ? b->mask : a->mask);
	return sel;
}

/* ---- priorities ---- */

static unsigned int bits_of(uint16_t mask)
{
	return (unsigned int)__builtin_popcount(mask);
}

static unsigned int narrow_of(const struct xfrm_selector *sel)
{
	return 66u * (unsigned int)(sel->prefixlen_s + sel->prefixlen_d) +
	       (sel->proto != 0 ? 33u : 0) + bits_of(sel->sport_mask) + bits_of(sel->dport_mask);
}

/* As pair_narrow (xfrm/pair.c), whose levels the exceptions have. */
static unsigned int level_of(const struct xfrm_selector *sel)
{
	bool ports = sel->sport_mask == UINT16_MAX || sel->dport_mask == UINT16_MAX;

	return 4u * (unsigned int)(sel->prefixlen_s + sel->prefixlen_d) +
	       (sel->proto != 0 ? 2u : 0) + (ports ? 1u : 0);
}

uint8_t flow_rank(const struct sa_desc *d)
{
	if (d->dir == SA_IN || sa_desc_reqid(d) == d->reqid)
		return 0;
	return (uint8_t)(d->priority % FLOW_NUMBERS + (d->passed ? FLOW_NUMBERS : 0));
}

void flow_set_level(struct flow_policy *f, unsigned int level)
{
	uint32_t place = 0;

	switch (f->kind) {
	case FLOW_EXEMPT:
		break;
	case FLOW_CHILD:
		place = 1 + f->rank * (FLOW_NARROW_MAX + 1u) + FLOW_NARROW_MAX -
			narrow_of(&f->p.sel);
		break;
	case FLOW_TRAP:
		place = FLOW_LEVEL_STEP - 1;
		break;
	}
	if (level > PAIR_NARROW_MAX + 1)
		level = PAIR_NARROW_MAX + 1;
	f->p.priority =
		FLOW_PRIORITY_BEST + (PAIR_NARROW_MAX + 1 - level) * FLOW_LEVEL_STEP + place;
}

unsigned int flow_level(const struct flow_policy *f)
{
	return PAIR_NARROW_MAX + 1 - (f->p.priority - FLOW_PRIORITY_BEST) / FLOW_LEVEL_STEP;
}

struct flow_policy flow_exempt(const struct policy *p)
{
	struct flow_policy f = { .p = *p, .kind = FLOW_EXEMPT };
	uint32_t behind = POLICY_PRIORITY_WORST - p->priority;
	/* What has the best of all (neighbour discovery) is better than any level. */
	bool best = p->priority == POLICY_PRIORITY_BEST;

	f.p.index = 0;
	f.p.sel.user = FLOW_USER | FLOW_EXEMPT;
	flow_set_level(&f, best ? PAIR_NARROW_MAX + 1 : behind / 4);
	return f;
}

struct flow_policy flow_mirror(const struct flow_policy *f)
{
	const struct xfrm_selector *sel = &f->p.sel;
	struct flow_policy m = *f;

	m.p.dir = XFRM_POLICY_OUT;
	m.p.sel.saddr = sel->daddr;
	m.p.sel.daddr = sel->saddr;
	m.p.sel.prefixlen_s = sel->prefixlen_d;
	m.p.sel.prefixlen_d = sel->prefixlen_s;
	if (ts_proto_is_icmp(sel->proto))
		return m;
	m.p.sel.sport = sel->dport;
	m.p.sel.dport = sel->sport;
	m.p.sel.sport_mask = sel->dport_mask;
	m.p.sel.dport_mask = sel->sport_mask;
	return m;
}

/* The first `bits` bits. */
static bool bits_eq(const xfrm_address_t *a, const xfrm_address_t *b, unsigned int bits)
{
	uint8_t x[sizeof(*a)];
	uint8_t y[sizeof(*b)];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return bits / 8 <= sizeof(x) && memcmp(x, y, bits / 8) == 0 &&
	       (bits % 8 == 0 || (x[bits / 8] ^ y[bits / 8]) >> (8 - bits % 8) == 0);
}

/* A port is what its mask leaves of it. */
static bool port_covers(uint16_t a, uint16_t a_mask, uint16_t b, uint16_t b_mask)
{
	return (a_mask & (uint16_t)~b_mask) == 0 && ((a ^ b) & a_mask) == 0;
}

bool flow_covers(const struct flow_policy *a, const struct flow_policy *b)
{
	const struct xfrm_selector *s = &a->p.sel;
	const struct xfrm_selector *t = &b->p.sel;

	return a->p.dir == b->p.dir && a->if_id == b->if_id && s->family == t->family &&
	       s->prefixlen_s <= t->prefixlen_s && s->prefixlen_d <= t->prefixlen_d &&
	       bits_eq(&s->saddr, &t->saddr, s->prefixlen_s) &&
	       bits_eq(&s->daddr, &t->daddr, s->prefixlen_d) &&
	       (s->proto == 0 || s->proto == t->proto) &&
	       port_covers(s->sport, s->sport_mask, t->sport, t->sport_mask) &&
	       port_covers(s->dport, s->dport_mask, t->dport, t->dport_mask);
}

static unsigned int shorter(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

bool flow_addresses_meet(const struct xfrm_selector *a, const struct xfrm_selector *b)
{
	if (a->family == AF_UNSPEC || b->family == AF_UNSPEC)
		return true;
	return a->family == b->family &&
	       bits_eq(&a->saddr, &b->saddr, shorter(a->prefixlen_s, b->prefixlen_s)) &&
	       bits_eq(&a->daddr, &b->daddr, shorter(a->prefixlen_d, b->prefixlen_d));
}

/* ---- lists ---- */

/* What is put for each selector: a policy like this one for each direction of the mask. */
struct put {
	struct flow_policy like;
	unsigned int dirs;
};

static enum err put_cut(struct flow_list *l, const struct cut *c, const struct put *put)
{
	size_t n = c->local->n * c->remote->n * c->local_ports.n * c->remote_ports.n;
	struct flow_policy f = put->like;
	enum err err = n > FLOW_MAX || l->n > PIECES_MAX ? ERR_LIMIT : OK;

	for (size_t i = 0; i < n && err == OK; i++) {
		for (uint8_t dir = XFRM_POLICY_IN; dir <= XFRM_POLICY_FWD && err == OK; dir++) {
			if (!(put->dirs & 1u << dir))
				continue;
			f.p.dir = dir;
			f.p.sel = cut_selector(c, i, dir == XFRM_POLICY_OUT);
			f.p.sel.user = FLOW_USER | f.kind;
			flow_set_level(&f, level_of(&f.p.sel));
			err = flow_list_add(l, &f);
		}
	}
	return err;
}

/* A selector stands in as many pairs as the other side has selectors, and is cut once. */
static const struct nets *cut_once(struct nets *n, const struct ts *t)
{
	if (n->n == 0)
		n->n = net_from_range(&t->lo, &t->hi, n->v, NETS_MAX);
	return n;
}

/* The peer chooses up to 255 selectors for each side, so little is done here for every pair. One
 * that no packet has costs a comparison; any other puts a piece, which PIECES_MAX counts. */
static enum err put_each(struct flow_list *l, const struct ts_list *local,
			 const struct ts_list *remote, struct nets *cuts, const struct put *put)
{
	enum err err = OK;
	struct cut c;

	for (size_t i = 0; i < (size_t)local->n * remote->n && err == OK; i++) {
		size_t from = i / remote->n;
		size_t to = i % remote->n;

		if (!ts_could_meet(&local->v[from], &remote->v[to]))
			continue;
		err = cut_ports(&c, &local->v[from], &remote->v[to]);
		c.local = cut_once(&cuts[from], &local->v[from]);
		c.remote = cut_once(&cuts[local->n + to], &remote->v[to]);
		if (err == OK)
			err = put_cut(l, &c, put);
	}
	return err;
}

static enum err put_pairs(struct flow_list *l, const struct ts_list *local,
			  const struct ts_list *remote, const struct put *put)
{
	size_t most = (size_t)FLOW_MAX * (put->dirs & 1u << XFRM_POLICY_FWD ? 2 : 1);
	/* Pages of it that no selector is cut into are never touched. */
	struct nets *cuts = calloc((size_t)local->n + remote->n + 1, sizeof(*cuts));
	enum err err = cuts == NULL ? ERR_NOMEM : put_each(l, local, remote, cuts, put);

	free(cuts);
	/* Selectors that overlap may be cut into the same pieces. */
	flow_list_sort(l);
	if (err == OK && l->n > most)
		err = ERR_LIMIT;
	if (err != OK)
		flow_list_free(l);
	return err == OK && l->n == 0 ? ERR_TS : err;
}

/* Of a template inbound the kernel compares the source alone, and takes none for any. */
void flow_lead(struct flow_policy *f, const struct sa_desc *d)
{
	const bool out = d->dir == SA_OUT;
	const struct addr any = { .family = AF_INET };

	f->src = out ? d->path.local.addr : d->path.remote.addr;
	f->dst = out ? d->path.remote.addr : d->path.local.addr;
	if (!out && sa_desc_reqid(d) != d->reqid)
		f->src = f->dst = any;
}

enum err flow_list_fill(struct flow_list *l, const struct sa_desc *d)
{
	const bool out = d->dir == SA_OUT;
	struct put put = {
		.like = {
			.p = { .action = XFRM_POLICY_ALLOW },
			.kind = FLOW_CHILD,
			.mode = d->mode,
			.reqid = sa_desc_reqid(d),
			.rank = flow_rank(d),
			.spi = out ? d->spi : 0,
			.if_id = d->if_id,
		},
		.dirs = out ? 1u << XFRM_POLICY_OUT : 1u << XFRM_POLICY_IN,
	};

	if (!out && d->mode == SA_TUNNEL)
		put.dirs |= 1u << XFRM_POLICY_FWD;
	flow_lead(&put.like, d);
	return put_pairs(l, &d->local, &d->remote, &put);
}

struct addr flow_trap_src(void)
{
	return (struct addr){ .family = AF_INET, .b = { 127, 0, 0, 1 } };
}

struct addr flow_trap_dst(void)
{
	return (struct addr){ .family = AF_INET };
}

static enum err list_join(struct flow_list *l, const struct flow_list *more)
{
	enum err err = OK;

	for (size_t i = 0; i < more->n && err == OK; i++)
		err = flow_list_add(l, &more->v[i]);
	return err;
}

enum err flow_list_fill_trap(struct flow_list *l, const struct host_child *c)
{
	const struct put put = {
		.like = {
			.p = { .action = XFRM_POLICY_ALLOW },
			.kind = FLOW_TRAP,
			.mode = SA_TUNNEL,
			.reqid = c->reqid,
			.if_id = sa_if_id(c->interface, c->reqid),
			.src = flow_trap_src(),
			.dst = flow_trap_dst(),
		},
		.dirs = 1u << XFRM_POLICY_OUT,
	};
	struct flow_list one = { .n = 0 };
	enum err err = put_pairs(&one, &c->local, &c->remote, &put);

	if (err == OK)
		err = list_join(l, &one);
	flow_list_free(&one);
	return err;
}
