/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying over: see xfrm/carry.h.
 *
 * Routes without a gateway go first, for a gateway wants a route of its own. One with several hops
 * is one object in IPv4, and the kernel deletes it with any of its devices: its copy has all of
 * them. In IPv6 each hop is a route of its own: only ours are made anew.
 */
#include "xfrm/carry.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>

#include "xfrm/grow.h"
#include "xfrm/hops.h"
#include "xfrm/host.h"
#include "xfrm/iface.h"
#include "xfrm/words.h"

/* ---- addresses ---- */

enum err carry_address(const struct nlmsghdr *m, const struct carry *c, struct ask *a)
{
	static const int kept[] = { IFA_ADDRESS, IFA_LOCAL,	  IFA_BROADCAST,  IFA_CACHEINFO,
				    IFA_FLAGS,	 IFA_RT_PRIORITY, IFACE_IFA_PROTO };
	/* libnl's parser takes no const; nothing is written. */
	struct nlmsghdr *msg = (struct nlmsghdr *)(uintptr_t)m;
	struct nlattr *tb[IFACE_IFA_PROTO + 1];
	struct ifaddrmsg h;

	if (m->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse(msg, sizeof(h), tb, IFACE_IFA_PROTO, NULL) < 0)
		return ERR_SYNTAX;
	h = *(const struct ifaddrmsg *)nlmsg_data(m);
	/* The kernel's own link-local address is made for each device. */
	if (h.ifa_index != c->from || (h.ifa_family == AF_INET6 && h.ifa_scope == RT_SCOPE_LINK))
		return ERR_NOT_FOUND;
	h.ifa_index = c->to;
	*a = ask_new(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	ask_header(a, &h, sizeof(h));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const struct nlattr *attr = tb[kept[i]];

		if (attr != NULL)
			ask_bytes(a, kept[i], nla_data(attr), (size_t)nla_len(attr));
	}
	return OK;
}

/* ---- routes ---- */

static bool is_carried(const struct rtmsg *h, struct nlattr *const *tb)
{
	uint32_t table = tb[RTA_TABLE] != NULL ? nla_get_u32(tb[RTA_TABLE]) : h->rtm_table;

	return h->rtm_type == RTN_UNICAST && !(h->rtm_flags & RTM_F_CLONED) &&
	       h->rtm_protocol != HOST_PROTOCOL && h->rtm_protocol != RTPROT_KERNEL &&
	       h->rtm_protocol != RTPROT_REDIRECT && table != HOST_TABLE &&
	       table != HOST_TABLE_OUTER;
}

static enum err route_parse(const struct nlmsghdr *m, struct nlattr **tb)
{
	static const struct nla_policy shape[RTA_MAX + 1] = {
		[RTA_TABLE] = { .type = NLA_U32 },
		[RTA_OIF] = { .type = NLA_U32 },
	};
	/* libnl's parser takes no const; nothing is written. */
	struct nlmsghdr *msg = (struct nlmsghdr *)(uintptr_t)m;

	if (m->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(msg, sizeof(struct rtmsg), tb, RTA_MAX, shape) < 0)
		return ERR_SYNTAX;
	return is_carried(nlmsg_data(m), tb) ? OK : ERR_NOT_FOUND;
}

/* All but where it leads: a label or segments (lwtunnel) too, or the packets were others. */
static void route_begin(const struct nlmsghdr *m, struct nlattr *const *tb, struct ask *a)
{
	static const int kept[] = { RTA_TABLE,	 RTA_DST,  RTA_SRC,  RTA_PRIORITY, RTA_PREFSRC,
				    RTA_METRICS, RTA_FLOW, RTA_PREF, RTA_ENCAP,	   RTA_ENCAP_TYPE };
	struct rtmsg h = *(const struct rtmsg *)nlmsg_data(m);

	h.rtm_flags &= RTNH_F_ONLINK;
	*a = ask_new(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND);
	ask_header(a, &h, sizeof(h));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const struct nlattr *attr = tb[kept[i]];

		if (attr != NULL)
			ask_bytes(a, kept[i], nla_data(attr), (size_t)nla_len(attr));
	}
}

/* How a hop is found to be ours, and where it leads then. */
struct hop_rule {
	const struct carry *carry;
	bool others; /* hops of others stay in */
	bool *any;
};

static uint32_t hop_to(const void *ctx, uint32_t ifindex)
{
	const struct hop_rule *rule = ctx;

	if (ifindex != rule->carry->from)
		return rule->others ? ifindex : 0;
	*rule->any = true;
	return rule->carry->to;
}

static void way_put(struct ask *a, struct nlattr *const *tb, uint32_t to)
{
	static const int kept[] = { RTA_GATEWAY, RTA_VIA };

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const struct nlattr *attr = tb[kept[i]];

		if (attr != NULL)
			ask_bytes(a, kept[i], nla_data(attr), (size_t)nla_len(attr));
	}
	ask_u32(a, RTA_OIF, to);
}

enum err carry_route_plain(const struct nlmsghdr *m, const struct carry *c, struct ask *a)
{
	struct nlattr *tb[RTA_MAX + 1];
	enum err err = route_parse(m, tb);
	struct rtmsg *h;

	if (err != OK)
		return err;
	route_begin(m, tb, a);
	h = a->bad ? NULL : nlmsg_data(nlmsg_hdr(a->msg));
	if (h != NULL) {
		h->rtm_flags = 0;
		h->rtm_scope = h->rtm_family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	}
	ask_u32(a, RTA_OIF, c->to);
	return OK;
}

enum err carry_route(const struct nlmsghdr *m, const struct carry *c, struct ask *a)
{
	const struct rtmsg *h = nlmsg_data(m);
	bool any = false;
	struct hop_rule rule = { .carry = c, .any = &any };
	struct nlattr *tb[RTA_MAX + 1];
	enum err err = route_parse(m, tb);

	if (err != OK)
		return err;
	/* Only now is it known that the header is all there. */
	rule.others = h->rtm_family == AF_INET;
	/* A nexthop object may not be spelt out; only those over the device are dumped. */
	if (tb[RTA_OIF] == NULL && tb[RTA_MULTIPATH] == NULL)
		return tb[RTA_NH_ID] != NULL ? carry_route_plain(m, c, a) : ERR_NOT_FOUND;
	if (tb[RTA_OIF] != NULL)
		any = nla_get_u32(tb[RTA_OIF]) == c->from;
	route_begin(m, tb, a);
	if (tb[RTA_OIF] != NULL)
		way_put(a, tb, c->to);
	else
		(void)hops_put(a, tb[RTA_MULTIPATH], hop_to, &rule);
	if (any || a->bad)
		return OK;
	ask_free(a);
	return ERR_NOT_FOUND;
}

/* ---- all of a device ---- */

/* A dump is not over while it is read, so what it asks for is sent behind it. */
struct load {
	struct ask ask;
	struct ask plain; /* of a route by a gateway */
	bool has_plain;
};

struct loads {
	struct carry carry;
	struct load *v;
	size_t n;
	size_t size;
};

static void loads_clear(void *ctx)
{
	struct loads *l = ctx;

	for (size_t i = 0; i < l->n; i++) {
		ask_free(&l->v[i].ask);
		if (l->v[i].has_plain)
			ask_free(&l->v[i].plain);
	}
	l->n = 0;
}

static void loads_free(struct loads *l)
{
	loads_clear(l);
	free(l->v);
}

static struct load *load_new(struct loads *l)
{
	struct load *v = grow(l->v, l->n, &l->size, sizeof(*v));

	if (v == NULL)
		return NULL;
	l->v = v;
	v[l->n] = (struct load){ .has_plain = false };
	return &v[l->n];
}

static enum err take_address(void *ctx, const struct nlmsghdr *m)
{
	struct loads *l = ctx;
	struct load *v = load_new(l);
	enum err err = v != NULL ? carry_address(m, &l->carry, &v->ask) : ERR_NOMEM;

	if (err == OK)
		l->n++;
	return err == ERR_NOT_FOUND ? OK : err;
}

static bool has_gateway(const struct nlmsghdr *m)
{
	struct nlattr *tb[RTA_MAX + 1];

	return route_parse(m, tb) == OK &&
	       (tb[RTA_GATEWAY] != NULL || tb[RTA_VIA] != NULL || tb[RTA_MULTIPATH] != NULL);
}

static enum err take_route(void *ctx, const struct nlmsghdr *m)
{
	struct loads *l = ctx;
	struct load *v = load_new(l);
	enum err err = v != NULL ? carry_route(m, &l->carry, &v->ask) : ERR_NOMEM;

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	l->n++;
	if (!has_gateway(m))
		return OK;
	err = carry_route_plain(m, &l->carry, &v->plain);
	v->has_plain = err == OK;
	return err;
}

static enum err loads_read(struct netlink *route, struct ask *req, struct loads *l, answer_fn *take,
			   char *why)
{
	const struct netlink_sink sink = { .restart = loads_clear, .take = take, .ctx = l };
	struct answer a;
	enum err err = netlink_dump(route, req, &sink, &a);

	/* No such table, or no IPv6. */
	if (err == ERR_NOT_FOUND || err == ERR_UNSUPPORTED)
		err = OK;
	return why_kernel(why, err, &a, "cannot read what is on a device");
}

static enum err load_send(struct netlink *route, struct ask *req, struct answer *a)
{
	enum err err = netlink_ask(route, req, a);

	return err == ERR_EXISTS ? OK : err;
}

static enum err send_all(struct netlink *route, struct loads *l, bool plain_later, char *why)
{
	struct answer a = { .error = 0 };
	enum err err = OK;

	for (size_t i = 0; i < l->n && err == OK; i++) {
		if (l->v[i].has_plain != plain_later)
			continue;
		err = load_send(route, &l->v[i].ask, &a);
		if (err != OK && l->v[i].has_plain)
			err = load_send(route, &l->v[i].plain, &a);
	}
	return why_kernel(why, err, &a, "cannot carry over what is on a device");
}

static enum err addresses_carry(struct netlink *route, const struct carry *c, char *why)
{
	const struct ifaddrmsg h = { .ifa_family = AF_UNSPEC };
	struct ask req = ask_new(RTM_GETADDR, NLM_F_DUMP);
	struct loads l = { .carry = *c };
	enum err err;

	ask_header(&req, &h, sizeof(h));
	err = loads_read(route, &req, &l, take_address, why);
	if (err == OK)
		err = send_all(route, &l, false, why);
	loads_free(&l);
	return err;
}

static enum err routes_carry(struct netlink *route, const struct carry *c, sa_family_t family,
			     char *why)
{
	const struct rtmsg h = { .rtm_family = (uint8_t)family };
	struct ask req = ask_new(RTM_GETROUTE, NLM_F_DUMP);
	struct loads l = { .carry = *c };
	enum err err;

	ask_header(&req, &h, sizeof(h));
	ask_u32(&req, RTA_OIF, c->from);
	err = loads_read(route, &req, &l, take_route, why);
	if (err == OK)
		err = send_all(route, &l, false, why);
	if (err == OK)
		err = send_all(route, &l, true, why);
	loads_free(&l);
	return err;
}

enum err carry_over(struct netlink *route, uint32_t from, uint32_t to, char *why)
{
	const struct carry c = { .from = from, .to = to };
	enum err err = addresses_carry(route, &c, why);

	if (err == OK)
		err = routes_carry(route, &c, AF_INET, why);
	return err == OK ? routes_carry(route, &c, AF_INET6, why) : err;
}
