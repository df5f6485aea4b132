/* SPDX-License-Identifier: Apache-2.0 */
/* Routes and their messages: see xfrm/route.h. */
#include "xfrm/route.h"

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm/grow.h"
#include "xfrm/host.h"

enum {
	ROUTE_METRIC =
		1024, /* what IPv6 takes by itself; said for both, so that replacing finds it */
};

#define ROUTE_METRIC_DEAD 0xfffffffeu

enum err route_list_add(struct route_list *l, const struct route *r)
{
	struct route *v = grow(l->v, l->n, &l->size, sizeof(*v));

	if (v == NULL)
		return ERR_NOMEM;
	l->v = v;
	l->v[l->n++] = *r;
	return OK;
}

void route_list_free(struct route_list *l)
{
	free(l->v);
	*l = (struct route_list){ .v = NULL };
}

struct route *route_list_same(const struct route_list *l, const struct route *r)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].main == r->main && l->v[i].dead == r->dead &&
		    l->v[i].to.bits == r->to.bits && addr_eq(&l->v[i].to.addr, &r->to.addr))
			return &l->v[i];
	}
	return NULL;
}

struct route *route_list_find(const struct route_list *l, const struct net *to)
{
	const struct route r = { .to = *to };

	return route_list_same(l, &r);
}

static struct rtmsg route_header(const struct route *r)
{
	bool link = r->to.addr.family == AF_INET && !r->dead;

	return (struct rtmsg){
		.rtm_family = (uint8_t)r->to.addr.family,
		.rtm_dst_len = r->to.bits,
		.rtm_table = RT_TABLE_UNSPEC, /* RTA_TABLE has it: it does not fit here */
		.rtm_protocol = HOST_PROTOCOL,
		.rtm_scope = link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = r->dead ? RTN_UNREACHABLE : RTN_UNICAST,
	};
}

static struct ask ask_route(uint16_t type, uint16_t flags, const struct route *r)
{
	const struct rtmsg h = route_header(r);
	struct ask a = ask_new(type, flags);

	ask_header(&a, &h, sizeof(h));
	ask_bytes(&a, RTA_DST, r->to.addr.b, addr_len(&r->to.addr));
	ask_u32(&a, RTA_TABLE, r->main ? RT_TABLE_MAIN : HOST_TABLE);
	ask_u32(&a, RTA_PRIORITY, r->dead ? ROUTE_METRIC_DEAD : ROUTE_METRIC);
	return a;
}

struct ask route_ask_put(const struct route *r)
{
	struct ask a = ask_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, r);
	struct nlattr *metrics;

	if (r->source.family != AF_UNSPEC)
		ask_bytes(&a, RTA_PREFSRC, r->source.b, addr_len(&r->source));
	if (r->device != 0)
		ask_u32(&a, RTA_OIF, r->device);
	if (r->mtu != 0) {
		metrics = ask_nest(&a, RTA_METRICS);
		ask_u32(&a, RTAX_MTU, r->mtu);
		ask_nest_end(&a, metrics);
	}
	return a;
}

struct ask route_ask_delete(const struct route *r)
{
	return ask_route(RTM_DELROUTE, 0, r);
}

struct ask route_ask_dump(sa_family_t family, uint32_t table)
{
	const struct rtmsg h = { .rtm_family = (uint8_t)family, .rtm_protocol = HOST_PROTOCOL };
	struct ask a = ask_new(RTM_GETROUTE, NLM_F_DUMP);

	ask_header(&a, &h, sizeof(h));
	ask_u32(&a, RTA_TABLE, table);
	return a;
}

static bool read_addr(const struct nlattr *attr, sa_family_t family, struct addr *a)
{
	*a = (struct addr){ .family = family };
	return attr == NULL || (addr_from_span(a, span_of(nla_data(attr), (size_t)nla_len(attr))) &&
				a->family == family);
}

static uint32_t read_mtu(struct nlattr *attr)
{
	static const struct nla_policy shape[RTAX_MAX + 1] = { [RTAX_MTU] = { .type = NLA_U32 } };
	struct nlattr *tb[RTAX_MAX + 1];

	if (attr == NULL || nla_parse_nested(tb, RTAX_MAX, attr, shape) < 0 || tb[RTAX_MTU] == NULL)
		return 0;
	return nla_get_u32(tb[RTAX_MTU]);
}

static enum err read_fields(const struct rtmsg *h, struct nlattr *const *tb, struct route *r)
{
	*r = (struct route){
		.to = { .bits = h->rtm_dst_len },
		.main = nla_get_u32(tb[RTA_TABLE]) == RT_TABLE_MAIN,
		.dead = h->rtm_type == RTN_UNREACHABLE,
	};
	if (!r->dead) {
		r->device = tb[RTA_OIF] == NULL ? 0 : nla_get_u32(tb[RTA_OIF]);
		r->mtu = read_mtu(tb[RTA_METRICS]);
	}
	if (!read_addr(tb[RTA_DST], h->rtm_family, &r->to.addr) ||
	    r->to.bits > addr_len(&r->to.addr) * 8)
		return ERR_SYNTAX;
	if (tb[RTA_PREFSRC] != NULL && !read_addr(tb[RTA_PREFSRC], h->rtm_family, &r->source))
		return ERR_SYNTAX;
	return OK;
}

enum err route_read(const struct nlmsghdr *m, struct route *r)
{
	static const struct nla_policy shape[RTA_MAX + 1] = {
		[RTA_TABLE] = { .type = NLA_U32 },
		[RTA_OIF] = { .type = NLA_U32 },
	};
	struct nlmsghdr *msg = (struct nlmsghdr *)(uintptr_t)
		m; /* libnl's parser takes no const; nothing is written */
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *h = nlmsg_data(m);

	if ((m->nlmsg_type != RTM_NEWROUTE && m->nlmsg_type != RTM_DELROUTE) ||
	    nlmsg_parse(msg, sizeof(*h), tb, RTA_MAX, shape) < 0)
		return ERR_SYNTAX;
	if (tb[RTA_TABLE] == NULL ||
	    (nla_get_u32(tb[RTA_TABLE]) != HOST_TABLE &&
	     nla_get_u32(tb[RTA_TABLE]) != RT_TABLE_MAIN) ||
	    h->rtm_protocol != HOST_PROTOCOL || (h->rtm_flags & RTM_F_CLONED))
		return ERR_NOT_FOUND;
	return read_fields(h, tb, r);
}
