/* SPDX-License-Identifier: Apache-2.0 */
/* The host's own addresses: see xfrm/own.h. */
#include "xfrm/own.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>

#include "xfrm/grow.h"
#include "xfrm/words.h"

static enum err own_list_add(struct own_list *l, const struct own *o)
{
	struct own *v = grow(l->v, l->n, &l->size, sizeof(*v));

	if (v == NULL)
		return ERR_NOMEM;
	l->v = v;
	l->v[l->n++] = *o;
	return OK;
}

enum err own_read(const struct nlmsghdr *m, struct own *o)
{
	static const struct nla_policy shape[IFA_MAX + 1] = { [IFA_FLAGS] = { .type = NLA_U32 } };
	/* libnl's parser takes no const; nothing is written. */
	struct nlmsghdr *msg = (struct nlmsghdr *)(uintptr_t)m;
	const struct ifaddrmsg *h = nlmsg_data(m);
	struct nlattr *tb[IFA_MAX + 1];
	const struct nlattr *attr;
	uint32_t flags;

	if (m->nlmsg_type != RTM_NEWADDR || nlmsg_parse(msg, sizeof(*h), tb, IFA_MAX, shape) < 0)
		return ERR_SYNTAX;
	attr = tb[IFA_LOCAL] != NULL ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	flags = tb[IFA_FLAGS] != NULL ? nla_get_u32(tb[IFA_FLAGS]) : h->ifa_flags;
	if (attr == NULL || h->ifa_scope >= RT_SCOPE_LINK ||
	    (flags & (IFA_F_TENTATIVE | IFA_F_DEPRECATED)))
		return ERR_NOT_FOUND;
	*o = (struct own){ .bits = h->ifa_prefixlen };
	if (!addr_from_span(&o->addr, span_of(nla_data(attr), (size_t)nla_len(attr))) ||
	    o->bits > addr_len(&o->addr) * 8)
		return ERR_SYNTAX;
	return OK;
}

static enum err take(void *ctx, const struct nlmsghdr *m)
{
	struct own o;
	enum err err = own_read(m, &o);

	if (err == ERR_NOT_FOUND)
		return OK;
	return err != OK ? err : own_list_add(ctx, &o);
}

static void restart(void *ctx)
{
	((struct own_list *)ctx)->n = 0;
}

enum err own_list_read(struct netlink *nl, struct own_list *got, char *why)
{
	const struct netlink_sink sink = { .restart = restart, .take = take, .ctx = got };
	const struct ifaddrmsg h = { .ifa_family = AF_UNSPEC };
	struct ask req = ask_new(RTM_GETADDR, NLM_F_DUMP);
	struct answer a;

	ask_header(&req, &h, sizeof(h));
	return why_kernel(why, netlink_dump(nl, &req, &sink, &a), &a,
			  "cannot read the addresses of this host");
}

void own_list_free(struct own_list *l)
{
	free(l->v);
	*l = (struct own_list){ .v = NULL };
}

const struct addr *own_list_inside(const struct own_list *l, const struct net *n)
{
	for (size_t i = 0; i < l->n; i++) {
		if (net_contains(n, &l->v[i].addr))
			return &l->v[i].addr;
	}
	return NULL;
}

bool own_link(const struct own *o, struct net *n)
{
	static const struct net private[] = {
		{ .addr = { .family = AF_INET, .b = { 10 } }, .bits = 8 },
		{ .addr = { .family = AF_INET, .b = { 172, 16 } }, .bits = 12 },
		{ .addr = { .family = AF_INET, .b = { 192, 168 } }, .bits = 16 },
		{ .addr = { .family = AF_INET6, .b = { 0xfc } }, .bits = 7 },
	};

	*n = (struct net){ .addr = o->addr, .bits = o->bits };
	n->addr = net_first(n);
	if (o->bits == addr_len(&o->addr) * 8)
		return false;
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++) {
		if (net_contains(&private[i], &o -> addr) && o->bits >= private[i].bits)
			return true;
	}
	return false;
}
