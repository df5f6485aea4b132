/* SPDX-License-Identifier: Apache-2.0 */
/* Devices and their messages: see xfrm/iface.h. */
#include "xfrm/iface.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm/grow.h"
#include "xfrm/words.h"

enum {
	RP_FILTER_LOOSE = 2,
	MTU_LEAST6 = 1280,
	NAME_MAX_ = 63, /* of connections and children */
};

static const char mark[] = "postern ";

/* RFC 8200 5: a device below that has no IPv6 at all. What does not fit the path then is cut on the
 * outside. */
static uint32_t device_mtu(const struct host_child *c)
{
	for (size_t i = 0; i < c->local.n && c->mtu != 0; i++) {
		if (c->local.v[i].lo.family == AF_INET6 && c->mtu < MTU_LEAST6)
			return MTU_LEAST6;
	}
	return c->mtu;
}

struct iface iface_of(const struct host_child *c)
{
	struct iface i = {
		.if_id = sa_if_id(c->interface, c->reqid),
		.mtu = device_mtu(c),
		.group = IFACE_GROUP,
		.addresses = c->addresses,
		.n_addresses = c->n_addresses,
	};

	snprintf(i.name, sizeof(i.name), "%s", c->interface);
	snprintf(i.kind, sizeof(i.kind), "%s", c->plane == PLANE_KERNEL ? "xfrm" : "tun");
	snprintf(i.alias, sizeof(i.alias), "%s%s/%s", mark, c->connection, c->child);
	return i;
}

static size_t name_len(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

	return n <= NAME_MAX_ ? n : 0;
}

/* "postern CONNECTION/CHILD", and nothing behind. */
static bool alias_is_whole(const char *alias)
{
	const char *connection = alias + sizeof(mark) - 1;
	const char *child;
	size_t n;

	if (strncmp(alias, mark, sizeof(mark) - 1) != 0)
		return false;
	n = name_len(connection);
	if (n == 0 || connection[n] != '/')
		return false;
	child = connection + n + 1;
	n = name_len(child);
	return n > 0 && child[n] == '\0';
}

bool iface_is_ours(const struct iface *have)
{
	/* Its number and our group are said when it is made, the alias just behind. */
	bool half_made = have->alias[0] == '\0' && have->group == IFACE_GROUP;
	bool number = (have->if_id & SA_REQID_MASK) == SA_REQID_BASE;

	if (strcmp(have->kind, "xfrm") == 0)
		return number && (half_made || alias_is_whole(have->alias));
	return strcmp(have->kind, "tun") == 0 && have->private && alias_is_whole(have->alias);
}

void iface_list_free(struct iface_list *l)
{
	free(l->v);
	*l = (struct iface_list){ .v = NULL };
}

const struct iface *iface_list_find(const struct iface_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	}
	return NULL;
}

static struct ask ask_link(uint16_t type, uint16_t flags, uint32_t ifindex)
{
	const struct ifinfomsg h = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct ask a = ask_new(type, flags);

	ask_header(&a, &h, sizeof(h));
	return a;
}

static void ask_xfrm(struct ask *a, uint32_t if_id)
{
	struct nlattr *info = ask_nest(a, IFLA_LINKINFO);
	struct nlattr *data;

	ask_str(a, IFLA_INFO_KIND, "xfrm");
	data = ask_nest(a, IFLA_INFO_DATA);
	ask_u32(a, IFLA_XFRM_IF_ID, if_id);
	ask_nest_end(a, data);
	ask_nest_end(a, info);
}

struct ask iface_ask_make(const struct iface *want)
{
	struct ask a = ask_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);

	ask_u32(&a, IFLA_MTU, want->mtu != 0 ? want->mtu : HOST_MTU_FIRST);
	ask_u32(&a, IFLA_GROUP, want->group);
	ask_str(&a, IFLA_IFNAME, want->name);
	ask_xfrm(&a, want->if_id);
	return a;
}

struct ask iface_ask_name(uint32_t ifindex, const char *name)
{
	struct ask a = ask_link(RTM_NEWLINK, 0, ifindex);

	ask_str(&a, IFLA_IFNAME, name);
	return a;
}

struct ask iface_ask_number(uint32_t ifindex, uint32_t if_id)
{
	struct ask a = ask_link(RTM_NEWLINK, 0, ifindex);

	ask_xfrm(&a, if_id);
	return a;
}

/* rp_filter is the greater of the device's and everybody's, so "loose" keeps a strict host from
 * refusing what came through the tunnel while routes into it change. */
struct ask iface_ask_setup(uint32_t ifindex, const struct iface *want)
{
	struct ask a = ask_link(RTM_NEWLINK, 0, ifindex);
	struct nlattr *spec;
	struct nlattr *inet;
	struct nlattr *conf;

	ask_bytes(&a, IFLA_IFALIAS, want->alias, strlen(want->alias));
	ask_u32(&a, IFLA_GROUP, want->group);
	spec = ask_nest(&a, IFLA_AF_SPEC);
	inet = ask_nest(&a, AF_INET);
	conf = ask_nest(&a, IFLA_INET_CONF);
	ask_u32(&a, IPV4_DEVCONF_RP_FILTER, RP_FILTER_LOOSE);
	ask_nest_end(&a, conf);
	ask_nest_end(&a, inet);
	ask_nest_end(&a, spec);
	return a;
}

/* Multicast too: routing daemons speak through the tunnel. */
struct ask iface_ask_up(uint32_t ifindex)
{
	const struct ifinfomsg h = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)ifindex,
		.ifi_flags = IFF_UP | IFF_MULTICAST,
		.ifi_change = IFF_UP | IFF_MULTICAST,
	};
	struct ask a = ask_new(RTM_NEWLINK, 0);

	ask_header(&a, &h, sizeof(h));
	return a;
}

struct ask iface_ask_mtu(uint32_t ifindex, uint32_t mtu)
{
	struct ask a = ask_link(RTM_NEWLINK, 0, ifindex);

	ask_u32(&a, IFLA_MTU, mtu);
	return a;
}

struct ask iface_ask_delete(uint32_t ifindex)
{
	return ask_link(RTM_DELLINK, 0, ifindex);
}

struct ask iface_ask_address(uint16_t type, uint32_t ifindex, const struct net *n)
{
	const struct ifaddrmsg h = {
		.ifa_family = (uint8_t)n->addr.family,
		.ifa_prefixlen = n->bits,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = ifindex,
	};
	struct ask a = ask_new(type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0);

	ask_header(&a, &h, sizeof(h));
	ask_bytes(&a, IFA_LOCAL, n->addr.b, addr_len(&n->addr));
	ask_bytes(&a, IFA_ADDRESS, n->addr.b, addr_len(&n->addr));
	if (type == RTM_NEWADDR)
		ask_u8(&a, IFACE_IFA_PROTO, HOST_PROTOCOL);
	return a;
}

static void read_xfrm(struct nlattr *attr, struct iface *have)
{
	static const struct nla_policy shape[IFLA_XFRM_MAX + 1] = {
		[IFLA_XFRM_IF_ID] = { .type = NLA_U32 },
	};
	struct nlattr *tb[IFLA_XFRM_MAX + 1];

	if (nla_parse_nested(tb, IFLA_XFRM_MAX, attr, shape) == 0 && tb[IFLA_XFRM_IF_ID] != NULL)
		have->if_id = nla_get_u32(tb[IFLA_XFRM_IF_ID]);
}

static bool is_u32(const struct nlattr *attr, uint32_t v)
{
	return attr != NULL && nla_get_u32(attr) == v;
}

/* Of the user and the group 0, as only root can have made it, and a TUN, not a TAP. */
static void read_tun(struct nlattr *attr, struct iface *have)
{
	static const struct nla_policy shape[IFLA_TUN_MAX + 1] = {
		[IFLA_TUN_OWNER] = { .type = NLA_U32 },
		[IFLA_TUN_GROUP] = { .type = NLA_U32 },
		[IFLA_TUN_TYPE] = { .type = NLA_U8 },
		[IFLA_TUN_PERSIST] = { .type = NLA_U8 },
		[IFLA_TUN_NUM_QUEUES] = { .type = NLA_U32 },
		[IFLA_TUN_NUM_DISABLED_QUEUES] = { .type = NLA_U32 },
	};
	struct nlattr *tb[IFLA_TUN_MAX + 1];

	if (nla_parse_nested(tb, IFLA_TUN_MAX, attr, shape) < 0)
		return;
	have->private = is_u32(tb[IFLA_TUN_OWNER], 0) && is_u32(tb[IFLA_TUN_GROUP], 0) &&
			tb[IFLA_TUN_TYPE] != NULL && nla_get_u8(tb[IFLA_TUN_TYPE]) == IFF_TUN;
	have->persistent = tb[IFLA_TUN_PERSIST] != NULL && nla_get_u8(tb[IFLA_TUN_PERSIST]) != 0;
	if (tb[IFLA_TUN_NUM_QUEUES] != NULL)
		have->queues = nla_get_u32(tb[IFLA_TUN_NUM_QUEUES]);
	if (tb[IFLA_TUN_NUM_DISABLED_QUEUES] != NULL)
		have->queues += nla_get_u32(tb[IFLA_TUN_NUM_DISABLED_QUEUES]);
}

static void read_info(struct nlattr *attr, struct iface *have)
{
	static const struct nla_policy shape[IFLA_INFO_MAX + 1] = {
		[IFLA_INFO_KIND] = { .type = NLA_STRING },
		[IFLA_INFO_DATA] = { .type = NLA_NESTED },
	};
	struct nlattr *tb[IFLA_INFO_MAX + 1];

	if (nla_parse_nested(tb, IFLA_INFO_MAX, attr, shape) < 0 || tb[IFLA_INFO_KIND] == NULL)
		return;
	nla_strlcpy(have->kind, tb[IFLA_INFO_KIND], sizeof(have->kind));
	if (tb[IFLA_INFO_DATA] != NULL && strcmp(have->kind, "xfrm") == 0)
		read_xfrm(tb[IFLA_INFO_DATA], have);
	if (tb[IFLA_INFO_DATA] != NULL && strcmp(have->kind, "tun") == 0)
		read_tun(tb[IFLA_INFO_DATA], have);
}

/* The settings come as one array, in the order of linux/ipv6.h. */
static void read_inet6(struct nlattr *attr, struct iface *have)
{
	static const struct nla_policy shape[IFLA_INET6_CONF + 1] = {
		[IFLA_INET6_CONF] = { .minlen = (DEVCONF_DISABLE_IPV6 + 1) * sizeof(int32_t) },
	};
	struct nlattr *tb[IFLA_INET6_CONF + 1];
	const uint8_t *conf;
	int32_t off;

	if (nla_parse_nested(tb, IFLA_INET6_CONF, attr, shape) < 0 || tb[IFLA_INET6_CONF] == NULL)
		return;
	conf = nla_data(tb[IFLA_INET6_CONF]);
	memcpy(&off, conf + DEVCONF_DISABLE_IPV6 * sizeof(off), sizeof(off));
	have->has6 = true;
	have->off6 = off != 0;
}

static void read_families(struct nlattr *attr, struct iface *have)
{
	struct nlattr *tb[AF_INET6 + 1];

	if (nla_parse_nested(tb, AF_INET6, attr, NULL) == 0 && tb[AF_INET6] != NULL)
		read_inet6(tb[AF_INET6], have);
}

enum err iface_read(const struct nlmsghdr *m, struct iface *have)
{
	static const struct nla_policy shape[IFLA_MAX + 1] = {
		[IFLA_IFNAME] = { .type = NLA_STRING },	  [IFLA_IFALIAS] = { .type = NLA_STRING },
		[IFLA_MTU] = { .type = NLA_U32 },	  [IFLA_GROUP] = { .type = NLA_U32 },
		[IFLA_LINKINFO] = { .type = NLA_NESTED }, [IFLA_AF_SPEC] = { .type = NLA_NESTED },
	};
	/* libnl's parser takes no const; nothing is written. */
	struct nlmsghdr *msg = (struct nlmsghdr *)(uintptr_t)m;
	const struct ifinfomsg *h = nlmsg_data(m);
	struct nlattr *tb[IFLA_MAX + 1];

	*have = (struct iface){ .ifindex = 0 };
	if ((m->nlmsg_type != RTM_NEWLINK && m->nlmsg_type != RTM_DELLINK) ||
	    nlmsg_parse(msg, sizeof(*h), tb, IFLA_MAX, shape) < 0 || tb[IFLA_IFNAME] == NULL)
		return ERR_SYNTAX;
	have->ifindex = (uint32_t)h->ifi_index;
	have->up = h->ifi_flags & IFF_UP;
	nla_strlcpy(have->name, tb[IFLA_IFNAME], sizeof(have->name));
	if (tb[IFLA_IFALIAS] != NULL)
		nla_strlcpy(have->alias, tb[IFLA_IFALIAS], sizeof(have->alias));
	have->mtu = tb[IFLA_MTU] != NULL ? nla_get_u32(tb[IFLA_MTU]) : 0;
	have->group = tb[IFLA_GROUP] != NULL ? nla_get_u32(tb[IFLA_GROUP]) : 0;
	if (tb[IFLA_LINKINFO] != NULL)
		read_info(tb[IFLA_LINKINFO], have);
	if (tb[IFLA_AF_SPEC] != NULL)
		read_families(tb[IFLA_AF_SPEC], have);
	return OK;
}

static enum err take(void *ctx, const struct nlmsghdr *m)
{
	struct iface_list *l = ctx;
	struct iface have;
	enum err err = iface_read(m, &have);
	struct iface *v;

	if (err != OK)
		return err;
	v = grow(l->v, l->n, &l->size, sizeof(*v));
	if (v == NULL)
		return ERR_NOMEM;
	l->v = v;
	l->v[l->n++] = have;
	return OK;
}

static void restart(void *ctx)
{
	((struct iface_list *)ctx)->n = 0;
}

enum err iface_list_read(struct netlink *route, struct iface_list *got, char *why)
{
	const struct netlink_sink sink = { .restart = restart, .take = take, .ctx = got };
	struct ask req = ask_link(RTM_GETLINK, NLM_F_DUMP, 0);
	struct answer a;

	return why_kernel(why, netlink_dump(route, &req, &sink, &a), &a,
			  "cannot read the devices of this host");
}
