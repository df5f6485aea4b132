/* SPDX-License-Identifier: Apache-2.0 */
/* XFRM policies as plain values, and the netlink messages that make, change, remove and show them.
 * Pure functions.
 *
 * A policy of ours is known by its index, which user space may choose (index & 7 is the direction)
 * and the kernel keeps through updates: it lies in a range of ours, one half for guards and one for
 * the exceptions of the data plane; what encrypts (xfrm/flow.h) has a range of its own. Priorities
 * are far behind everything that other programs use, so theirs win wherever both match.
 */
#ifndef XFRM_POLICY_H
#define XFRM_POLICY_H

#include <linux/xfrm.h>

#include "base/ts.h"
#include "xfrm/netlink.h"

enum policy_section { POLICY_OF_GUARD, POLICY_OF_PLANE, POLICY_OF_FLOW };

enum {
	POLICY_INDEX_BASE = 0x50500000,
	POLICY_INDEX_FLOW = 0x50600000, /* policies with templates: xfrm/flow.h */
	POLICY_INDEX_MASK = 0x7ff00000,
	/* Of each section; a slot has an index in each direction. */
	POLICY_SLOTS = 65536,
	POLICY_FLOW_SLOTS = 2 * POLICY_SLOTS,
};

/* Smaller is better, and the kernel takes the best that matches, however wide. So among ours the
 * narrower guard has the better number. An exception stands just above the guard that it was made
 * for: it opens that one and wider ones, and never the guard of a narrower child. Of one level:
 * into our TUN, exception, guard. */
#define POLICY_PRIORITY_BEST \
	0xf0000000u /* what came out of our TUN, or goes into it; neighbour discovery */
#define POLICY_PRIORITY_WORST 0xf0002000u
enum policy_order { POLICY_FIRST, POLICY_EXEMPTS, POLICY_GUARDS };

struct policy {
	struct xfrm_selector sel; /* unused bytes of addresses are zero */
	struct xfrm_mark mark;
	uint32_t priority;
	uint32_t index;
	uint8_t dir;	/* XFRM_POLICY_IN, _OUT, _FWD */
	uint8_t action; /* XFRM_POLICY_ALLOW, _BLOCK */
	bool plain; /* when read: an ordinary policy without templates, if_id or subtype, as ours
		       are */
};

struct policy_list {
	struct policy *v;
	size_t n;
	size_t size;
};

MUST_USE enum err policy_list_add(struct policy_list *l, const struct policy *p);
void policy_list_free(struct policy_list *l);

/* What the kernel takes for the same policy: direction, selector, mark. A total order, for sorting
 * and searching. */
int policy_cmp(const struct policy *a, const struct policy *b);

struct xfrm_selector policy_selector(const struct net *src, const struct net *dst, uint8_t proto);
void policy_source_port(struct xfrm_selector *sel, uint16_t port);
void policy_target_port(struct xfrm_selector *sel, uint16_t port);
/* The selector's two sides as traffic selectors, for lists that people read. */
void policy_sides(const struct xfrm_selector *sel, struct ts *src, struct ts *dst);
/* "10.1.0.0/16 -> 10.2.0.0/16 tcp/443 out" */
enum { POLICY_TEXT_MAX = 300 };
const char *policy_text(const struct policy *p, char buf[static POLICY_TEXT_MAX]);
const char *policy_dir_text(uint8_t dir); /* "in", "out", "forward" */

/* `narrow` as in struct pair. */
uint32_t policy_priority(unsigned int narrow, enum policy_order order);
uint32_t policy_index(enum policy_section section, uint32_t slot, uint8_t dir);
/* Whether it lies in our range at all: such a slot is taken, whoever made the policy. */
bool policy_index_taken(const struct policy *p, enum policy_section *section, uint32_t *slot);
/* Range and priority and shape are ours; not for POLICY_OF_FLOW, see flow_is_ours. */
bool policy_is_ours(const struct policy *p, enum policy_section section);

struct ask policy_ask_add(
	const struct policy *p); /* with p->index; fails when the selector is taken */
struct ask policy_ask_update(const struct policy *p);
struct ask policy_ask_delete_index(const struct policy *p); /* by direction, index and mark */
struct ask policy_ask_delete_selector(const struct policy *p);
struct ask policy_ask_get(const struct policy *p); /* by direction, index and mark */
struct ask policy_ask_dump(void);
/* A message of a dump, policies of single sockets too. ERR_SYNTAX when it is too short, and for
 * other kinds of message. */
MUST_USE enum err policy_read(const struct nlmsghdr *m, struct policy *p);

#endif
