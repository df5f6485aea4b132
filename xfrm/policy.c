/* SPDX-License-Identifier: Apache-2.0 */
/* Policies and their messages: see xfrm/policy.h. */
#include "xfrm/policy.h"

#include <arpa/inet.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm/grow.h"

enum { INDEX_DIR_BITS = 3, PORT_EXACT = 0xffff };

enum err policy_list_add(struct policy_list *l, const struct policy *p)
{
	struct policy *v = grow(l->v, l->n, &l->size, sizeof(*v));

	if (v == NULL)
		return ERR_NOMEM;
	l->v = v;
	l->v[l->n++] = *p;
	return OK;
}

void policy_list_free(struct policy_list *l)
{
	free(l->v);
	*l = (struct policy_list){ .v = NULL };
}

/* As memory up to `proto`; behind it the struct has padding. */
static int selector_cmp(const struct xfrm_selector *a, const struct xfrm_selector *b)
{
	int order = memcmp(a, b, offsetof(struct xfrm_selector, proto));

	if (order == 0)
		order = (int)a->proto - (int)b->proto;
	if (order == 0)
		order = (a->ifindex > b->ifindex) - (a->ifindex < b->ifindex);
	if (order == 0)
		order = (a->user > b->user) - (a->user < b->user);
	return order;
}

int policy_cmp(const struct policy *a, const struct policy *b)
{
	int order = (int)a->dir - (int)b->dir;

	if (order == 0)
		order = selector_cmp(&a->sel, &b->sel);
	if (order == 0)
		order = memcmp(&a->mark, &b->mark, sizeof(a->mark));
	return order;
}

static void selector_addr(xfrm_address_t *to, const struct addr *a)
{
	memcpy(to, a->b, addr_len(a));
}

struct xfrm_selector policy_selector(const struct net *src, const struct net *dst, uint8_t proto)
{
	struct xfrm_selector sel = { .family = src->addr.family };

	selector_addr(&sel.saddr, &src->addr);
	selector_addr(&sel.daddr, &dst->addr);
	sel.prefixlen_s = src->bits;
	sel.prefixlen_d = dst->bits;
	sel.proto = proto;
	return sel;
}

void policy_source_port(struct xfrm_selector *sel, uint16_t port)
{
	sel->sport = htons(port);
	sel->sport_mask = htons(PORT_EXACT);
}

void policy_target_port(struct xfrm_selector *sel, uint16_t port)
{
	sel->dport = htons(port);
	sel->dport_mask = htons(PORT_EXACT);
}

static struct ts selector_side(const struct xfrm_selector *sel, bool source)
{
	const xfrm_address_t *a = source ? &sel->saddr : &sel->daddr;
	uint16_t port = ntohs(source ? sel->sport : sel->dport);
	uint16_t mask = ntohs(source ? sel->sport_mask : sel->dport_mask);
	struct net n = { .bits = source ? sel->prefixlen_s : sel->prefixlen_d };
	struct ts t;

	n.addr.family = sel->family;
	memcpy(n.addr.b, a, addr_len(&n.addr));
	t = ts_from_net(&n);
	t.proto = sel->proto;
	t.port_lo = port & mask;
	t.port_hi = (uint16_t)(port | (uint16_t)~mask);
	return t;
}

void policy_sides(const struct xfrm_selector *sel, struct ts *src, struct ts *dst)
{
	*src = selector_side(sel, true);
	*dst = selector_side(sel, false);
}

const char *policy_dir_text(uint8_t dir)
{
	static const char *const names[] = { [XFRM_POLICY_IN] = "in",
					     [XFRM_POLICY_OUT] = "out",
					     [XFRM_POLICY_FWD] = "forward" };

	return dir < sizeof(names) / sizeof(names[0]) ? names[dir] : "?";
}

const char *policy_text(const struct policy *p, char buf[static POLICY_TEXT_MAX])
{
	char from[TS_TEXT_MAX];
	char to[TS_TEXT_MAX];
	struct ts src;
	struct ts dst;

	policy_sides(&p->sel, &src, &dst);
	snprintf(buf, POLICY_TEXT_MAX, "%s -> %s %s", ts_text(&src, from), ts_text(&dst, to),
		 policy_dir_text(p->dir));
	return buf;
}

uint32_t policy_priority(unsigned int narrow, enum policy_order order)
{
	return POLICY_PRIORITY_WORST - 4 * narrow - 3 + (uint32_t)order;
}

uint32_t policy_index(enum policy_section section, uint32_t slot, uint8_t dir)
{
	uint32_t base = section == POLICY_OF_FLOW ? POLICY_INDEX_FLOW : POLICY_INDEX_BASE;
	uint32_t n = (section == POLICY_OF_PLANE ? POLICY_SLOTS : 0) + slot;

	return base | n << INDEX_DIR_BITS | dir;
}

bool policy_index_taken(const struct policy *p, enum policy_section *section, uint32_t *slot)
{
	uint32_t n = (p->index & ~(uint32_t)POLICY_INDEX_MASK) >> INDEX_DIR_BITS;

	if (p->index >> 31 != 0)
		return false;
	if ((p->index & POLICY_INDEX_MASK) == POLICY_INDEX_FLOW) {
		*section = POLICY_OF_FLOW;
		*slot = n;
		return true;
	}
	if ((p->index & POLICY_INDEX_MASK) != POLICY_INDEX_BASE)
		return false;
	*section = n >= POLICY_SLOTS ? POLICY_OF_PLANE : POLICY_OF_GUARD;
	*slot = n % POLICY_SLOTS;
	return true;
}

bool policy_is_ours(const struct policy *p, enum policy_section section)
{
	enum policy_section got;
	uint32_t slot;

	return p->plain && policy_index_taken(p, &got, &slot) && got == section &&
	       p->priority >= POLICY_PRIORITY_BEST && p->priority <= POLICY_PRIORITY_WORST;
}

static void ask_mark(struct ask *a, const struct policy *p)
{
	if (p->mark.m != 0)
		ask_bytes(a, XFRMA_MARK, &p->mark, sizeof(p->mark));
}

static struct ask ask_policy(uint16_t type, uint16_t flags, const struct policy *p)
{
	struct xfrm_userpolicy_info up;
	struct ask a = ask_new(type, flags);

	memset(&up, 0, sizeof(up)); /* padding too: the kernel shall not see our stack */
	up.sel = p->sel;
	up.lft.soft_byte_limit = XFRM_INF;
	up.lft.hard_byte_limit = XFRM_INF;
	up.lft.soft_packet_limit = XFRM_INF;
	up.lft.hard_packet_limit = XFRM_INF;
	up.priority = p->priority;
	up.index = p->index;
	up.dir = p->dir;
	up.action = p->action;
	up.share = XFRM_SHARE_ANY;
	ask_header(&a, &up, sizeof(up));
	ask_mark(&a, p);
	return a;
}

struct ask policy_ask_add(const struct policy *p)
{
	return ask_policy(XFRM_MSG_NEWPOLICY, NLM_F_CREATE | NLM_F_EXCL, p);
}

struct ask policy_ask_update(const struct policy *p)
{
	return ask_policy(XFRM_MSG_UPDPOLICY, NLM_F_REPLACE, p);
}

static struct ask ask_policy_id(uint16_t type, const struct policy *p, bool by_index)
{
	struct xfrm_userpolicy_id id;
	struct ask a = ask_new(type, 0);

	memset(&id, 0, sizeof(id));
	id.sel = p->sel;
	id.index = by_index ? p->index : 0;
	id.dir = p->dir;
	ask_header(&a, &id, sizeof(id));
	ask_mark(&a, p);
	return a;
}

struct ask policy_ask_delete_index(const struct policy *p)
{
	return ask_policy_id(XFRM_MSG_DELPOLICY, p, true);
}

struct ask policy_ask_delete_selector(const struct policy *p)
{
	return ask_policy_id(XFRM_MSG_DELPOLICY, p, false);
}

struct ask policy_ask_get(const struct policy *p)
{
	return ask_policy_id(XFRM_MSG_GETPOLICY, p, true);
}

struct ask policy_ask_dump(void)
{
	struct xfrm_userpolicy_id none;
	struct ask a = ask_new(XFRM_MSG_GETPOLICY, NLM_F_DUMP);

	memset(&none, 0, sizeof(none));
	ask_header(&a, &none, sizeof(none));
	return a;
}

static bool policy_is_plain(struct nlattr *const *tb)
{
	const struct xfrm_userpolicy_type *type;

	if (tb[XFRMA_TMPL] != NULL || tb[XFRMA_IF_ID] != NULL || tb[XFRMA_SEC_CTX] != NULL)
		return false;
	type = tb[XFRMA_POLICY_TYPE] == NULL ? NULL : nla_data(tb[XFRMA_POLICY_TYPE]);
	return type == NULL || type->type == XFRM_POLICY_TYPE_MAIN;
}

enum err policy_read(const struct nlmsghdr *m, struct policy *p)
{
	static const struct nla_policy shape[XFRMA_MAX + 1] = {
		[XFRMA_MARK] = { .minlen = sizeof(struct xfrm_mark) },
		[XFRMA_POLICY_TYPE] = { .minlen = sizeof(struct xfrm_userpolicy_type) },
	};
	struct nlmsghdr *h = (struct nlmsghdr *)(uintptr_t)
		m;			/* libnl's parser takes no const; nothing is written */
	struct xfrm_userpolicy_info up; /* copied: netlink aligns to four bytes, this wants eight */
	struct nlattr *tb[XFRMA_MAX + 1];

	if (m->nlmsg_type != XFRM_MSG_NEWPOLICY ||
	    nlmsg_parse(h, sizeof(up), tb, XFRMA_MAX, shape) < 0)
		return ERR_SYNTAX;
	memcpy(&up, nlmsg_data(m), sizeof(up));
	*p = (struct policy){
		.sel = up.sel,
		.priority = up.priority,
		.index = up.index,
		.dir = up.dir,
		.action = up.action,
		/* A dump also has the policies of single sockets, our own bypasses among them:
		 * their directions count from XFRM_POLICY_MAX on, and they are nobody's guard. */
		.plain = policy_is_plain(tb) && up.dir <= XFRM_POLICY_FWD,
	};
	if (tb[XFRMA_MARK] != NULL)
		memcpy(&p->mark, nla_data(tb[XFRMA_MARK]), sizeof(p->mark));
	return OK;
}
