/* SPDX-License-Identifier: Apache-2.0 */
/* XFRM policies that encrypt, as plain values, and their messages: what a child that is up sends
 * and takes, and the traps that wake a child up. Pure functions.
 *
 * The kernel knows a policy by its selector, and a guard (xfrm/plan.h) has the same one already. So
 * ours carry a number in the selector's field `user`, which the kernel compares when it looks for
 * that policy itself and never when it looks for a packet's. `ip -s xfrm policy` shows it to a
 * person as "uid".
 *
 * Priorities go by level first: how narrow the configured pair of selectors is, so that the
 * narrower child wins and an exception belongs to one. Within a level: exceptions, then children
 * that are up, by the rank of their peer and then the narrower first, then traps. All of them are
 * better than guards and worse than what other programs use.
 */
#ifndef XFRM_FLOW_H
#define XFRM_FLOW_H

#include "base/sadesc.h"
#include "xfrm/host.h"
#include "xfrm/pair.h"
#include "xfrm/policy.h"

enum flow_kind { FLOW_EXEMPT, FLOW_CHILD, FLOW_TRAP };

enum {
	FLOW_MAX = 1024,	/* selectors of one child: each costs up to three policies */
	FLOW_USER = 0x50500000, /* and the kind: a trap and its child may have the same selector */
	/* Twice 128 bits of addresses; a protocol; twice 16 bits of ports. A bit of address counts
	 * more than all the rest, so that inside is always narrower. */
	FLOW_NARROW_MAX = 66 * 256 + 33 + 32,
	/* Of peers for the same networks: each number, and passed over each number again. */
	FLOW_NUMBERS = 10,
	FLOW_RANKS = 2 * FLOW_NUMBERS,
	FLOW_LEVEL_STEP = FLOW_RANKS * (FLOW_NARROW_MAX + 1) + 2,
};

#define FLOW_PRIORITY_BEST  0xd0000000u
#define FLOW_PRIORITY_WORST (FLOW_PRIORITY_BEST + (PAIR_NARROW_MAX + 2) * FLOW_LEVEL_STEP - 1)

struct flow_policy {
	struct policy p;
	enum flow_kind kind; /* exempt: without a template; what follows is then zero */
	enum sa_mode mode;
	uint32_t reqid;
	uint32_t spi; /* only this state, of those that fit; 0: any */
	uint32_t if_id;
	uint8_t rank;	 /* outbound of a set (base/sadesc.h), the best first; else 0. Not read */
	struct addr src; /* the ends of the tunnel, as the outer packet has them */
	struct addr dst;
};

struct flow_list {
	struct flow_policy *v; /* sorted by flow_cmp, none twice */
	size_t n;
	size_t size;
};

/* What the kernel takes for the same policy: direction, selector, mark, device. A total order. */
int flow_cmp(const struct flow_policy *a, const struct flow_policy *b);
/* Whether what stands under one key is what is wanted: all but the index. */
bool flow_same(const struct flow_policy *a, const struct flow_policy *b);
/* NULL when it is not there. */
struct flow_policy *flow_list_find(const struct flow_list *l, const struct flow_policy *key);
/* At the end. A list that was added to is no list before it was sorted. */
MUST_USE enum err flow_list_add(struct flow_list *l, const struct flow_policy *f);
/* Of several with one key that of the smallest reqid stays. */
void flow_list_sort(struct flow_list *l);
void flow_list_free(struct flow_list *l);

/* The policies of one half of a child: out, or in and (tunnel) forward; exactly the negotiated
 * selectors, cut into prefixes and blocks of ports, local with remote. Outbound they name the one
 * state by its SPI: which of several the kernel would take depends on the wall clock. Inbound those
 * of a set (base/sadesc.h) take what comes by any state of it, wherever its peer is. Level and
 * priority are those of the flow itself. ERR_LIMIT: more than FLOW_MAX selectors; ERR_UNSUPPORTED:
 * OPAQUE for ICMP, which the kernel cannot tell; ERR_TS: nothing is left of them. */
MUST_USE enum err flow_list_fill(struct flow_list *l, const struct sa_desc *d);
/* The traps of a configured child are added, and the list is unsorted then. Their tunnel leads
 * nowhere: the kernel then never finds a state for one, not even the child's own, which would carry
 * what was not negotiated. Each packet raises an ACQUIRE, in transport mode too, and that the peer
 * may have a name, or not be known, or be without a route, makes no difference. */
MUST_USE enum err flow_list_fill_trap(struct flow_list *l, const struct host_child *c);
/* Where the larval state of a trap is. */
struct addr flow_trap_src(void);
struct addr flow_trap_dst(void);

/* Of an ordinary policy without templates (xfrm/plan.h) that opens guards: the same for traps and
 * children. */
struct flow_policy flow_exempt(const struct policy *p);
/* Where the policies of a half lead, or come from. */
void flow_lead(struct flow_policy *f, const struct sa_desc *d);
/* What rank they have. */
uint8_t flow_rank(const struct sa_desc *d);
/* Puts a child's policy into this level (that of the trap that covers it). */
void flow_set_level(struct flow_policy *f, unsigned int level);
unsigned int flow_level(const struct flow_policy *f);
/* The same packets' way back (in or forward becomes out): what level they have. */
struct flow_policy flow_mirror(const struct flow_policy *f);
/* Whether b's packets are all packets of a, in the same direction. */
bool flow_covers(const struct flow_policy *a, const struct flow_policy *b);
/* Whether there are addresses that both have. A family of AF_UNSPEC is any address. */
bool flow_addresses_meet(const struct xfrm_selector *a, const struct xfrm_selector *b);

struct ask flow_ask_add(const struct flow_policy *f);
struct ask flow_ask_update(const struct flow_policy *f); /* adds it when it is not there */
struct ask flow_ask_delete(const struct flow_policy *f); /* by direction and index */
struct ask flow_ask_delete_selector(const struct flow_policy *f);
struct ask flow_ask_get(const struct flow_policy *f); /* by direction and index */
/* A message of a dump. ERR_SYNTAX: malformed, or of another kind. Other programs' policies are
 * read as far as they have what ours have: one with several templates is nobody's of ours. */
MUST_USE enum err flow_read(const struct nlmsghdr *m, struct flow_policy *f);
/* By index, number in the selector, priority, and reqid. */
bool flow_is_ours(const struct flow_policy *f);

#endif
