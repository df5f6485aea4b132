/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and their messages: see xfrm/rule.h. */
#include "xfrm/rule.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm/grow.h"
#include "xfrm/host.h"

enum err rule_list_add(struct rule_list *l, const struct rule *r)
{
	struct rule *v = grow(l->v, l->n, &l->size, sizeof(*v));

	if (v == NULL)
		return ERR_NOMEM;
	l->v = v;
	l->v[l->n++] = *r;
	return OK;
}

void rule_list_free(struct rule_list *l)
{
	free(l->v);
	*l = (struct rule_list){ .v = NULL };
}

static int number_cmp(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int net_cmp(const struct net *a, const struct net *b)
{
	int order = addr_cmp(&a->addr, &b->addr);

	return order != 0 ? order : number_cmp(a->bits, b->bits);
}

static int ports_cmp(const struct rule *a, const struct rule *b)
{
	int order = number_cmp(a->sport_lo, b->sport_lo);

	if (order == 0)
		order = number_cmp(a->sport_hi, b->sport_hi);
	if (order == 0)
		order = number_cmp(a->dport_lo, b->dport_lo);
	if (order == 0)
		order = number_cmp(a->dport_hi, b->dport_hi);
	return order;
}

int rule_cmp(const struct rule *a, const struct rule *b)
{
	int order = number_cmp(b->action == FR_ACT_NOP, a->action == FR_ACT_NOP);

	if (order == 0)
		order = number_cmp(a->priority, b->priority);
	if (order == 0)
		order = number_cmp(a->action, b->action);
	if (order == 0)
		order = net_cmp(&a->from, &b->from);
	if (order == 0)
		order = net_cmp(&a->to, &b->to);
	if (order == 0)
		order = number_cmp(a->proto, b->proto);
	if (order == 0)
		order = ports_cmp(a, b);
	if (order == 0)
		order = number_cmp(a->target, b->target);
	if (order == 0)
		order = number_cmp(a->mark, b->mark);
	if (order == 0)
		order = number_cmp(a->mask, b->mask);
	if (order == 0)
		order = number_cmp(a->table, b->table);
	if (order == 0)
		order = number_cmp(a->ifgroup, b->ifgroup);
	return order;
}

static int rule_void_cmp(const void *a, const void *b)
{
	return rule_cmp(a, b);
}

void rule_list_settle(struct rule_list *l)
{
	size_t n = 0;

	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), rule_void_cmp);
	for (size_t i = 0; i < l->n; i++) {
		if (n == 0 || rule_cmp(&l->v[n - 1], &l->v[i]) != 0)
			l->v[n++] = l->v[i];
	}
	l->n = n;
}

static void ask_net(struct ask *a, int type, const struct net *n)
{
	if (n->bits > 0)
		ask_bytes(a, type, n->addr.b, addr_len(&n->addr));
}

static void ask_ports(struct ask *a, int type, uint16_t lo, uint16_t hi)
{
	const struct fib_rule_port_range range = { .start = lo, .end = hi };

	if (lo != 0 || hi != UINT16_MAX)
		ask_bytes(a, type, &range, sizeof(range));
}

static void ask_mark(struct ask *a, const struct rule *r)
{
	if (r->mask != 0) {
		ask_u32(a, FRA_FWMARK, r->mark);
		ask_u32(a, FRA_FWMASK, r->mask);
	}
}

static struct ask ask_rule(uint16_t type, uint16_t flags, const struct rule *r)
{
	const struct fib_rule_hdr h = {
		.family = (uint8_t)r->from.addr.family,
		.dst_len = r->to.bits,
		.src_len = r->from.bits,
		.action = r->action,
	};
	struct ask a = ask_new(type, flags);

	ask_header(&a, &h, sizeof(h));
	ask_net(&a, FRA_SRC, &r->from);
	ask_net(&a, FRA_DST, &r->to);
	if (r->proto != 0)
		ask_u8(&a, FRA_IP_PROTO, r->proto);
	ask_ports(&a, FRA_SPORT_RANGE, r->sport_lo, r->sport_hi);
	ask_ports(&a, FRA_DPORT_RANGE, r->dport_lo, r->dport_hi);
	ask_mark(&a, r);
	if (r->action == FR_ACT_TO_TBL)
		ask_u32(&a, FRA_TABLE, r->table != 0 ? r->table : HOST_TABLE);
	if (r->ifgroup != 0)
		ask_u32(&a, FRA_SUPPRESS_IFGROUP, r->ifgroup);
	if (r->action == FR_ACT_GOTO)
		ask_u32(&a, FRA_GOTO, r->target);
	ask_u32(&a, FRA_PRIORITY, r->priority);
	ask_u8(&a, FRA_PROTOCOL, HOST_PROTOCOL);
	return a;
}

struct ask rule_ask_add(const struct rule *r)
{
	return ask_rule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r);
}

struct ask rule_ask_delete(const struct rule *r)
{
	return ask_rule(RTM_DELRULE, 0, r);
}

struct ask rule_ask_dump(sa_family_t family)
{
	const struct fib_rule_hdr h = { .family = (uint8_t)family };
	struct ask a = ask_new(RTM_GETRULE, NLM_F_DUMP);

	ask_header(&a, &h, sizeof(h));
	return a;
}

static bool read_net(const struct nlattr *attr, sa_family_t family, uint8_t bits, struct net *n)
{
	*n = (struct net){ .addr = { .family = family }, .bits = bits };
	if (attr == NULL)
		return bits == 0;
	if (!addr_from_span(&n->addr, span_of(nla_data(attr), (size_t)nla_len(attr))))
		return false;
	/* IPv4-mapped IPv6 comes back as IPv4: not a rule of ours. */
	return n->addr.family == family && bits <= addr_len(&n->addr) * 8;
}

static void read_ports(const struct nlattr *attr, uint16_t *lo, uint16_t *hi)
{
	const struct fib_rule_port_range *range = attr == NULL ? NULL : nla_data(attr);

	*lo = range == NULL ? 0 : range->start;
	*hi = range == NULL ? UINT16_MAX : range->end;
}

static uint32_t read_u32(struct nlattr *const *tb, int type)
{
	return tb[type] == NULL ? 0 : nla_get_u32(tb[type]);
}

static uint8_t read_u8(struct nlattr *const *tb, int type)
{
	return tb[type] == NULL ? 0 : nla_get_u8(tb[type]);
}

static uint32_t read_table(const struct fib_rule_hdr *h, struct nlattr *const *tb)
{
	uint32_t table = h->action == FR_ACT_TO_TBL ? read_u32(tb, FRA_TABLE) : 0;

	return table == HOST_TABLE ? 0 : table;
}

/* All ones: none. */
static uint32_t read_ifgroup(struct nlattr *const *tb)
{
	uint32_t group = read_u32(tb, FRA_SUPPRESS_IFGROUP);

	return group == UINT32_MAX ? 0 : group;
}

static enum err read_fields(const struct fib_rule_hdr *h, struct nlattr *const *tb, struct rule *r)
{
	*r = (struct rule){
		.priority = read_u32(tb, FRA_PRIORITY),
		.action = h->action,
		.proto = read_u8(tb, FRA_IP_PROTO),
		.target = h->action == FR_ACT_GOTO ? read_u32(tb, FRA_GOTO) : 0,
		.mark = read_u32(tb, FRA_FWMARK),
		.mask = read_u32(tb, FRA_FWMASK),
		.table = read_table(h, tb),
		.ifgroup = read_ifgroup(tb),
	};
	if (!read_net(tb[FRA_SRC], h->family, h->src_len, &r->from) ||
	    !read_net(tb[FRA_DST], h->family, h->dst_len, &r->to))
		return ERR_SYNTAX;
	read_ports(tb[FRA_SPORT_RANGE], &r->sport_lo, &r->sport_hi);
	read_ports(tb[FRA_DPORT_RANGE], &r->dport_lo, &r->dport_hi);
	return OK;
}

enum err rule_read(const struct nlmsghdr *m, struct rule *r)
{
	static const struct nla_policy shape[FRA_MAX + 1] = {
		[FRA_PRIORITY] = { .type = NLA_U32 },
		[FRA_GOTO] = { .type = NLA_U32 },
		[FRA_FWMARK] = { .type = NLA_U32 },
		[FRA_FWMASK] = { .type = NLA_U32 },
		[FRA_TABLE] = { .type = NLA_U32 },
		[FRA_SUPPRESS_IFGROUP] = { .type = NLA_U32 },
		[FRA_PROTOCOL] = { .type = NLA_U8 },
		[FRA_IP_PROTO] = { .type = NLA_U8 },
		[FRA_SPORT_RANGE] = { .minlen = sizeof(struct fib_rule_port_range) },
		[FRA_DPORT_RANGE] = { .minlen = sizeof(struct fib_rule_port_range) },
	};
	struct nlmsghdr *h = (struct nlmsghdr *)(uintptr_t)
		m; /* libnl's parser takes no const; nothing is written */
	struct nlattr *tb[FRA_MAX + 1];

	if ((m->nlmsg_type != RTM_NEWRULE && m->nlmsg_type != RTM_DELRULE) ||
	    nlmsg_parse(h, sizeof(struct fib_rule_hdr), tb, FRA_MAX, shape) < 0)
		return ERR_SYNTAX;
	if (read_u8(tb, FRA_PROTOCOL) != HOST_PROTOCOL)
		return ERR_NOT_FOUND;
	return read_fields(nlmsg_data(m), tb, r);
}
