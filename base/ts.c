/* SPDX-License-Identifier: Apache-2.0 */
/* A selector is a box: addresses times protocols times ports. So one covers another when each side
 * does, and the intersection is taken side by side.
 *
 * Ports have one value beyond the 65536: "not known" (a later fragment, a protocol without ports).
 * OPAQUE is the set of only that value, ANY is the set of all, and a range is without it (RFC
 * 4301 4.4.1.1).
 */
#include "base/ts.h"

#include <stdlib.h>
#include <string.h>

bool ts_port_any(const struct ts *t)
{
	return t->port_lo == 0 && t->port_hi == UINT16_MAX;
}

bool ts_port_opaque(const struct ts *t)
{
	return t->port_lo == UINT16_MAX && t->port_hi == 0;
}

bool ts_asks_ports(const struct ts *t)
{
	return !ts_port_any(t) && !ts_port_opaque(t);
}

bool ts_proto_has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_DCCP ||
	       proto == IPPROTO_SCTP || proto == IPPROTO_UDPLITE;
}

bool ts_proto_is_icmp(uint8_t proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

bool ts_valid(const struct ts *t)
{
	return addr_len(&t->lo) != 0 && t->lo.family == t->hi.family &&
	       addr_cmp(&t->lo, &t->hi) <= 0 && (t->port_lo <= t->port_hi || ts_port_opaque(t));
}

struct ts ts_from_net(const struct net *n)
{
	return (struct ts){ .port_hi = UINT16_MAX, .lo = net_first(n), .hi = net_last(n) };
}

bool ts_eq(const struct ts *a, const struct ts *b)
{
	return a->proto == b->proto && a->port_lo == b->port_lo && a->port_hi == b->port_hi &&
	       addr_eq(&a->lo, &b->lo) && addr_eq(&a->hi, &b->hi);
}

static bool ports_intersect(const struct ts *a, const struct ts *b, struct ts *out)
{
	const struct ts *narrow = ts_port_any(a) ? b : a;
	const struct ts *other = ts_port_any(a) ? a : b;

	out->port_lo = narrow->port_lo;
	out->port_hi = narrow->port_hi;
	if (ts_port_any(other))
		return true;
	if (ts_port_opaque(narrow) || ts_port_opaque(other))
		return ts_port_opaque(narrow) && ts_port_opaque(other);
	if (other->port_lo > out->port_lo)
		out->port_lo = other->port_lo;
	if (other->port_hi < out->port_hi)
		out->port_hi = other->port_hi;
	return out->port_lo <= out->port_hi;
}

static bool protos_intersect(const struct ts *a, const struct ts *b, struct ts *out)
{
	out->proto = a->proto != 0 ? a->proto : b->proto;
	return a->proto == 0 || b->proto == 0 || a->proto == b->proto;
}

static bool addrs_intersect(const struct ts *a, const struct ts *b, struct ts *out)
{
	out->lo = addr_cmp(&a->lo, &b->lo) >= 0 ? a->lo : b->lo;
	out->hi = addr_cmp(&a->hi, &b->hi) <= 0 ? a->hi : b->hi;
	return a->lo.family == b->lo.family && addr_cmp(&out->lo, &out->hi) <= 0;
}

bool ts_intersect(const struct ts *a, const struct ts *b, struct ts *out)
{
	struct ts both;

	memset(&both, 0, sizeof(both));
	if (!ts_valid(a) || !ts_valid(b) || !addrs_intersect(a, b, &both) ||
	    !protos_intersect(a, b, &both) || !ports_intersect(a, b, &both))
		return false;
	*out = both;
	return true;
}

/* Whether a port is to be seen is one thing for both ports of a packet. */
static bool only_one_opaque(const struct ts *a, const struct ts *b)
{
	return (ts_port_opaque(a) && ts_asks_ports(b)) || (ts_port_opaque(b) && ts_asks_ports(a));
}

bool ts_could_meet(const struct ts *a, const struct ts *b)
{
	struct ts both;

	if (a->lo.family != b->lo.family || !protos_intersect(a, b, &both))
		return false;
	if (ts_proto_is_icmp(both.proto) ? !ports_intersect(a, b, &both) : only_one_opaque(a, b))
		return false;
	return ts_valid(a) && ts_valid(b);
}

bool ts_covers(const struct ts *a, const struct ts *b)
{
	struct ts both;

	return ts_intersect(a, b, &both) && ts_eq(&both, b);
}

/* Of its family, too: addr_cmp puts each by itself. */
bool ts_has_addr(const struct ts *t, const struct addr *a)
{
	return addr_cmp(a, &t->lo) >= 0 && addr_cmp(a, &t->hi) <= 0;
}

bool ts_match(const struct ts *t, const struct addr *a, uint8_t proto, bool port_known,
	      uint16_t port)
{
	if (!ts_valid(t) || !ts_has_addr(t, a))
		return false;
	if (t->proto != 0 && t->proto != proto)
		return false;
	if (ts_port_any(t))
		return true;
	if (!port_known)
		return ts_port_opaque(t);
	return port >= t->port_lo && port <= t->port_hi;
}

enum err ts_list_copy(struct ts_list *to, const struct ts_list *from)
{
	*to = (struct ts_list){ 0, NULL };
	if (from->n == 0)
		return OK;
	to->v = calloc(from->n, sizeof(*to->v));
	if (to->v == NULL)
		return ERR_NOMEM;
	memcpy(to->v, from->v, from->n * sizeof(*to->v));
	to->n = from->n;
	return OK;
}

void ts_list_free(struct ts_list *l)
{
	free(l->v);
	*l = (struct ts_list){ 0, NULL };
}

bool ts_list_eq(const struct ts_list *a, const struct ts_list *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned int i = 0; i < a->n; i++)
		if (!ts_eq(&a->v[i], &b->v[i]))
			return false;
	return true;
}

bool ts_list_covers(const struct ts_list *l, const struct ts *t)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (ts_covers(&l->v[i], t))
			return true;
	return false;
}

/* The address behind it; false behind the last one. */
static bool addr_step(struct addr *a)
{
	for (size_t i = addr_len(a); i > 0; i--) {
		if (++a->b[i - 1] != 0)
			return true;
	}
	return false;
}

bool ts_list_holds(const struct ts_list *l, const struct ts *t)
{
	struct ts rest = *t;

	if (!ts_valid(t))
		return false;
	for (;;) {
		const struct ts *piece = NULL;
		struct ts at = rest;

		at.hi = rest.lo;
		for (unsigned int i = 0; i < l->n && !piece; i++) {
			if (ts_covers(&l->v[i], &at))
				piece = &l->v[i];
		}
		if (!piece)
			return false;
		rest.lo = piece->hi;
		if (addr_cmp(&rest.lo, &rest.hi) >= 0 || !addr_step(&rest.lo))
			return true;
	}
}

bool ts_list_within(const struct ts_list *inner, const struct ts_list *outer)
{
	for (unsigned int i = 0; i < inner->n; i++)
		if (!ts_list_covers(outer, &inner->v[i]))
			return false;
	return inner->n > 0;
}

static bool ts_list_match(const struct ts_list *l, const struct addr *a, const struct flow *f,
			  uint16_t port)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (ts_match(&l->v[i], a, f->proto, f->ports_known, port))
			return true;
	return false;
}

bool ts_lists_match(const struct ts_list *local, const struct ts_list *remote, const struct flow *f)
{
	return ts_list_match(local, &f->src, f, f->sport) &&
	       ts_list_match(remote, &f->dst, f, f->dport);
}
