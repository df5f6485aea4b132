/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing our routes to the plan (second half of xfrm/route.h). */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>

#include "xfrm/host.h"
#include "xfrm/route.h"
#include "xfrm/words.h"

/* Until the path and the suite are known: what fits into 1500 bytes with the widest of both (IPv6,
 * UDP, CBC with SHA2-512), so that connections which begin before the SA is up need not shrink. */
enum { ROUTE_MTU_FIRST = 1380 };

static enum err take_route(void *ctx, const struct nlmsghdr *m)
{
	struct route r;
	enum err err = route_read(m, &r);

	if (err == ERR_NOT_FOUND)
		return OK;
	return err != OK ? err : route_list_add(ctx, &r);
}

/* A dump of a table that does not exist ends with ENOENT; a kernel without IPv6 has no routes of
 * it. */
static void restart_routes(void *ctx)
{
	((struct route_list *)ctx)->n = 0;
}

static enum err routes_read(struct netlink *nl, sa_family_t family, struct route_list *got,
			    char *why)
{
	struct route_list part = { .n = 0 };
	const struct netlink_sink sink = { .restart = restart_routes,
					   .take = take_route,
					   .ctx = &part };
	struct ask req = route_ask_dump(family);
	struct answer a;
	enum err err = netlink_dump(nl, &req, &sink, &a);

	if (err == ERR_NOT_FOUND || (err == ERR_UNSUPPORTED && family == AF_INET6))
		err = OK;
	for (size_t i = 0; i < part.n && err == OK; i++)
		err = route_list_add(got, &part.v[i]);
	route_list_free(&part);
	return why_kernel(why, err, &a, "cannot read the routes");
}

enum err route_set_read(struct netlink *nl, struct route_list *got, char *why)
{
	enum err err = routes_read(nl, AF_INET, got, why);

	return err != OK ? err : routes_read(nl, AF_INET6, got, why);
}

enum err route_put(struct netlink *nl, const struct route *r, char *why)
{
	struct ask req = route_ask_put(r);
	char what[NET_TEXT_MAX];
	struct answer a;
	char words[NETLINK_WORDS_MAX];
	enum err err = netlink_ask(nl, &req, &a);

	if (err == OK)
		return OK;
	return why_say(why, err, "cannot add the route to %s: %s", net_text(&r->to, what),
		       netlink_words(err, &a, words));
}

static enum err put_missing(struct netlink *nl, const struct route_list *wanted,
			    const struct route_list *have, char *why)
{
	enum err err = OK;

	for (size_t i = 0; i < wanted->n && err == OK; i++) {
		const struct route *old = route_list_find(have, &wanted->v[i].to);
		struct route r = wanted->v[i];

		if (r.mtu == 0)
			r.mtu = old != NULL ? old->mtu : ROUTE_MTU_FIRST;
		if (old == NULL || old->device != r.device || old->mtu != r.mtu ||
		    !addr_eq(&old->source, &r.source))
			err = route_put(nl, &r, why);
	}
	return err;
}

enum err route_set_apply(struct netlink *nl, const struct route_list *wanted, char *why)
{
	struct route_list have = { .n = 0 };
	enum err err = route_set_read(nl, &have, why);
	struct answer a;

	if (err == OK)
		err = put_missing(nl, wanted, &have, why);
	for (size_t i = 0; i < have.n && err == OK; i++) {
		struct ask req;

		if (route_list_find(wanted, &have.v[i].to) != NULL)
			continue;
		req = route_ask_delete(&have.v[i]);
		err = netlink_ask(nl, &req, &a);
		if (err == ERR_NOT_FOUND)
			err = OK; /* went with its device */
		err = why_kernel(why, err, &a, "cannot remove a route");
	}
	route_list_free(&have);
	return err;
}

static enum err addr_list_add(struct addr_list *l, const struct addr *a)
{
	enum { LIST_FIRST = 16 };
	size_t size = l->size == 0 ? LIST_FIRST : l->size * 2;
	struct addr *v;

	if (l->n == l->size) {
		v = reallocarray(l->v, size, sizeof(*v));
		if (v == NULL)
			return ERR_NOMEM;
		l->v = v;
		l->size = size;
	}
	l->v[l->n++] = *a;
	return OK;
}

static enum err take_addr(void *ctx, const struct nlmsghdr *m)
{
	static const struct nla_policy shape[IFA_MAX + 1] = { [IFA_FLAGS] = { .type = NLA_U32 } };
	struct nlmsghdr *msg = (struct nlmsghdr *)(uintptr_t)
		m; /* libnl's parser takes no const; nothing is written */
	const struct ifaddrmsg *h = nlmsg_data(m);
	struct nlattr *tb[IFA_MAX + 1];
	const struct nlattr *attr;
	struct addr addr;
	uint32_t flags;

	if (m->nlmsg_type != RTM_NEWADDR || nlmsg_parse(msg, sizeof(*h), tb, IFA_MAX, shape) < 0)
		return ERR_SYNTAX;
	attr = tb[IFA_LOCAL] != NULL ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	flags = tb[IFA_FLAGS] != NULL ? nla_get_u32(tb[IFA_FLAGS]) : h->ifa_flags;
	if (attr == NULL || h->ifa_scope >= RT_SCOPE_LINK ||
	    (flags & (IFA_F_TENTATIVE | IFA_F_DEPRECATED)))
		return OK;
	if (!addr_from_span(&addr, span_of(nla_data(attr), (size_t)nla_len(attr))))
		return ERR_SYNTAX;
	return addr_list_add(ctx, &addr);
}

static void restart_addrs(void *ctx)
{
	((struct addr_list *)ctx)->n = 0;
}

enum err addr_list_read(struct netlink *nl, struct addr_list *got, char *why)
{
	const struct netlink_sink sink = { .restart = restart_addrs,
					   .take = take_addr,
					   .ctx = got };
	const struct ifaddrmsg h = { .ifa_family = AF_UNSPEC };
	struct ask req = ask_new(RTM_GETADDR, NLM_F_DUMP);
	struct answer a;

	ask_header(&req, &h, sizeof(h));
	return why_kernel(why, netlink_dump(nl, &req, &sink, &a), &a,
			  "cannot read the addresses of this host");
}

void addr_list_free(struct addr_list *l)
{
	free(l->v);
	*l = (struct addr_list){ .v = NULL };
}

const struct addr *addr_list_inside(const struct addr_list *l, const struct net *n)
{
	for (size_t i = 0; i < l->n; i++) {
		if (net_contains(n, &l->v[i]))
			return &l->v[i];
	}
	return NULL;
}
