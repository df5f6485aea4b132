/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors of children as the kernel's tables can hold them: pairs of networks. Guards, rules and
 * routes are all made from these, so that they agree on what is covered.
 */
#ifndef XFRM_PAIR_H
#define XFRM_PAIR_H

#include "base/ts.h"
#include "xfrm/host.h"
#include "xfrm/own.h"

/* What goes from local to remote. Ports as in struct ts; OPAQUE and ICMP's types have become "any".
 */
struct pair {
	struct net local;
	struct net remote;
	uint8_t proto;
	uint16_t local_port_lo;
	uint16_t local_port_hi;
	uint16_t remote_port_lo;
	uint16_t remote_port_hi;
	/* How narrow it is, up to PAIR_NARROW_MAX: greater than that of a pair which it lies inside
	 * of. An exception has the number of the pair that it is an exception from, so that it
	 * yields to every narrower pair. */
	uint16_t narrow;
};

struct pair_list {
	struct pair *v;
	size_t n;
	size_t size;
};

enum { PAIR_MAX = 8192, PAIR_NARROW_MAX = 4 * 256 + 3 };

/* Every pair of the children's selectors, sorted, none twice; without6 is heeded. ERR_LIMIT above
 * PAIR_MAX. Not that of
 * everything with everything: only a child with a device of its own may have it, and what is routed
 * into the device is its own guard (xfrm/iface.h). Guards of policies would take the whole host. */
MUST_USE enum err pair_list_fill(struct pair_list *l, const struct host_child *v, size_t n);
/* What must stay out of the tunnel although it is covered: local to local, where a remote selector
 * is wider than the local one; destinations that mean something only on the link (multicast,
 * link-local), where it is wider than these; and without lockdown the private networks on the
 * host's own links, where the remote is everything. */
MUST_USE enum err pair_list_fill_exempt(struct pair_list *l, const struct host_child *v, size_t n,
					const struct own_list *own);
void pair_list_free(struct pair_list *l);
bool pair_list_has(const struct pair_list *l, sa_family_t family);

/* A total order of what they cover; `narrow` does not count. */
int pair_cmp(const struct pair *a, const struct pair *b);

bool port_is_any(uint16_t lo, uint16_t hi);

#endif
