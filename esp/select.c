/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors against packets.
 *
 * Negotiated selectors of different children may overlap (a child for one port beside one for the
 * network). IKEv2 orders nothing between SAs, so the narrowest wins, as the longest prefix does in
 * routing: both ends' addresses before the protocol before a single port before ranges of ports.
 * That is the order that policies of the kernel's plane have (xfrm/flow.h), where a range is the
 * blocks that it can be cut into; so here the block counts that the packet lies in.
 */
#include "esp/select.h"

#include "esp/inner.h"

/* One side: bits of the address, above them nothing; then protocol, single port, bits of ports. The
 * lowest bit says that it fits at all. */
enum {
	FITS = 1,
	PORTS_AT = 1,
	PORTS_MASK = 0x3f,
	SINGLE = 1 << 7,
	PROTO = 1 << 8,
	BITS_AT = 9,
	PORT_BITS = 16,
};

/* The longest prefix around `a` that lies in the range, which `a` does. */
static unsigned block_bits(const struct ts *t, const struct addr *a)
{
	unsigned all = (unsigned)addr_len(a) * 8, bits = all;
	struct addr lo = *a, hi = *a;

	while (bits > 0) {
		uint8_t bit = (uint8_t)(0x80 >> (bits - 1) % 8);

		lo.b[(bits - 1) / 8] &= (uint8_t)~bit;
		hi.b[(bits - 1) / 8] |= bit;
		if (addr_cmp(&lo, &t->lo) < 0 || addr_cmp(&hi, &t->hi) > 0)
			break;
		bits--;
	}
	return bits;
}

/* The mask of the largest block of ports around `port` within the range. */
static uint16_t port_mask(const struct ts *t, uint16_t port)
{
	uint32_t size = 1;

	while (size < 1u << PORT_BITS && (port & ~(2 * size - 1)) >= t->port_lo &&
	       (port | (2 * size - 1)) <= t->port_hi)
		size *= 2;
	return (uint16_t) ~(size - 1);
}

static select_score port_score(const struct ts *t, const struct flow *f, uint16_t port)
{
	uint16_t mask = 0xffff;
	unsigned bits;

	if (ts_port_any(t))
		return 0;
	if (f->ports_known)
		mask = port_mask(t, port);
	bits = (unsigned)__builtin_popcount(mask);
	/* Type and code are one byte each, and a policy asks for them as for a port each. */
	if (ts_proto_is_icmp(f->proto))
		bits += (mask >> 8 == 0xff ? 8u : 0) + ((mask & 0xff) == 0xff ? 8u : 0);
	return bits << PORTS_AT | (bits >= PORT_BITS ? SINGLE : 0);
}

select_score select_fitting(const struct ts *t, unsigned bits, const struct flow *f, uint16_t port)
{
	return bits << BITS_AT | (t->proto != 0 ? PROTO : 0) | port_score(t, f, port) | FITS;
}

select_score select_side(const struct ts *v, size_t n, const struct addr *a, const struct flow *f,
			 uint16_t port)
{
	select_score most = 0;

	for (size_t i = 0; i < n; i++) {
		const struct ts *t = &v[i];
		select_score s;

		if (!ts_match(t, a, f->proto, f->ports_known, port))
			continue;
		s = select_fitting(t, block_bits(t, a), f, port);
		if (s > most)
			most = s;
	}
	return most;
}

select_score select_both(select_score local, select_score remote, const struct flow *f)
{
	unsigned a = local >> PORTS_AT & PORTS_MASK, b = remote >> PORTS_AT & PORTS_MASK;
	unsigned ports = ts_proto_is_icmp(f->proto) ? (a > b ? a : b) : a + b;

	if (local == 0 || remote == 0)
		return 0;
	return ((local >> BITS_AT) + (remote >> BITS_AT)) << BITS_AT |
	       ((local | remote) & (PROTO | SINGLE)) | ports << PORTS_AT | FITS;
}

select_score select_bound(unsigned local_bits, unsigned remote_bits)
{
	return (local_bits + remote_bits + 1) << BITS_AT;
}

/* Later fragments of IPv6 name the header that the first one begins with: behind options that is
 * not the protocol, and says nothing. */
static bool proto_hidden(const struct flow *f)
{
	return f->src.family == AF_INET6 && !f->ports_known &&
	       (f->proto == PROTO_DSTOPTS || f->proto == PROTO_ROUTING);
}

bool select_but_for_ports(const struct ts *t, const struct addr *a, const struct flow *f)
{
	struct ts wide = *t;

	wide.port_lo = 0;
	wide.port_hi = UINT16_MAX;
	if (proto_hidden(f))
		wide.proto = 0;
	return ts_match(&wide, a, f->proto, true, 0);
}

static bool is_ours(const struct ts_list *local, const struct addr *a)
{
	for (size_t i = 0; i < local->n; i++)
		if (ts_has_addr(&local->v[i], a))
			return true;
	return false;
}

/* From whatever router on the peer's side, but nobody of ours. */
bool select_inbound_error(const struct sa *sa, const struct addr *src, const struct flow *about)
{
	return sa->mode == SA_TUNNEL && sa->headers.icmp_errors && !is_ours(&sa->local, src) &&
	       ts_lists_match(&sa->local, &sa->remote, about);
}

bool select_inbound(const struct sa *sa, const struct flow *f)
{
	struct flow out = {
		.src = f->dst,
		.dst = f->src,
		.proto = f->proto,
		.ports_known = f->ports_known,
		.sport = f->dport,
		.dport = f->sport,
	};

	return sa_joins(sa, &out) && ts_lists_match(&sa->local, &sa->remote, &out);
}
