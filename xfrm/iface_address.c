/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses that a child's device has by the configuration: see xfrm/iface_inner.h. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>

#include "xfrm/grow.h"
#include "xfrm/iface_inner.h"
#include "xfrm/words.h"

/* Of our devices, with our protocol number. */
struct address_list {
	uint32_t ifindex; /* what is looked for */
	struct net *v;
	size_t n;
	size_t size;
};

static enum err take_address(void *ctx, const struct nlmsghdr *m)
{
	static const struct nla_policy shape[IFACE_IFA_PROTO + 1] = { [IFACE_IFA_PROTO] = {
									      .type = NLA_U8 } };
	/* libnl's parser takes no const; nothing is written. */
	struct nlmsghdr *msg = (struct nlmsghdr *)(uintptr_t)m;
	const struct ifaddrmsg *h = nlmsg_data(m);
	struct address_list *l = ctx;
	struct nlattr *tb[IFACE_IFA_PROTO + 1];
	const struct nlattr *attr;
	struct net n;
	struct net *v;

	if (m->nlmsg_type != RTM_NEWADDR)
		return ERR_SYNTAX;
	if (nlmsg_parse(msg, sizeof(*h), tb, IFACE_IFA_PROTO, shape) < 0)
		return ERR_SYNTAX;
	attr = tb[IFA_LOCAL] != NULL ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (h->ifa_index != l->ifindex || attr == NULL || tb[IFACE_IFA_PROTO] == NULL ||
	    nla_get_u8(tb[IFACE_IFA_PROTO]) != HOST_PROTOCOL ||
	    !addr_from_span(&n.addr, span_of(nla_data(attr), (size_t)nla_len(attr))))
		return OK;
	n.bits = h->ifa_prefixlen;
	v = grow(l->v, l->n, &l->size, sizeof(*v));
	if (v == NULL)
		return ERR_NOMEM;
	l->v = v;
	l->v[l->n++] = n;
	return OK;
}

static void restart_addresses(void *ctx)
{
	((struct address_list *)ctx)->n = 0;
}

static bool has_address(const struct net *v, size_t n, const struct net *a)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].bits == a->bits && addr_eq(&v[i].addr, &a->addr))
			return true;
	}
	return false;
}

static enum err addresses_read(struct netlink *route, struct address_list *l, char *why)
{
	const struct netlink_sink sink = { .restart = restart_addresses,
					   .take = take_address,
					   .ctx = l };
	const struct ifaddrmsg h = { .ifa_family = AF_UNSPEC };
	struct ask req = ask_new(RTM_GETADDR, NLM_F_DUMP);
	struct answer a;

	ask_header(&req, &h, sizeof(h));
	return why_kernel(why, netlink_dump(route, &req, &sink, &a), &a,
			  "cannot read the addresses of this host");
}

/* The host has no IPv6, or none on this device: the plane leaves it out, and says so
 * (xfrm/family.h). */
static bool is_left_out(const struct net *n, const struct answer *a)
{
	return n->addr.family == AF_INET6 &&
	       (a->error == EACCES || a->error == EOPNOTSUPP || a->error == EAFNOSUPPORT);
}

static enum err address_add(struct netlink *route, const struct iface *want, uint32_t ifindex,
			    const struct net *n, char *why)
{
	struct ask req = iface_ask_address(RTM_NEWADDR, ifindex, n);
	char words[NETLINK_WORDS_MAX];
	char text[ADDR_TEXT_MAX];
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	if (err == OK || is_left_out(n, &a))
		return OK;
	return why_say(why, err, "cannot give %s the address %s: %s", want->name,
		       addr_text(&n->addr, text), netlink_words(err, &a, words));
}

/* It may have gone by itself. */
static enum err address_remove(struct netlink *route, uint32_t ifindex, const struct net *n,
			       char *why)
{
	struct ask req = iface_ask_address(RTM_DELADDR, ifindex, n);
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	if (a.error == EADDRNOTAVAIL || err == ERR_NOT_FOUND)
		return OK;
	return why_kernel(why, err, &a, "cannot remove an address");
}

/* Adds first. Where the kernel does not keep who made an address, none is taken away. */
enum err iface_addresses_set(struct netlink *route, const struct iface *want, uint32_t ifindex,
			     char *why)
{
	struct address_list have = { .ifindex = ifindex };
	enum err err = addresses_read(route, &have, why);

	for (size_t i = 0; i < want->n_addresses && err == OK; i++) {
		if (!has_address(have.v, have.n, &want->addresses[i]))
			err = address_add(route, want, ifindex, &want->addresses[i], why);
	}
	for (size_t i = 0; i < have.n && err == OK; i++) {
		if (!has_address(want->addresses, want->n_addresses, &have.v[i]))
			err = address_remove(route, ifindex, &have.v[i], why);
	}
	free(have.v);
	return err;
}
