/* SPDX-License-Identifier: Apache-2.0 */
/* Watching: see xfrm/watch.h.
 *
 * These sockets only listen. One whose buffer ran over has missed something, so it counts as
 * changed: setting everything again is cheap and finds out.
 */
#include "xfrm/watch.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/epoll.h>

#include "xfrm/host_inner.h"
#include "xfrm/iface.h"
#include "xfrm/nft_table.h"
#include "xfrm/outer.h"
#include "xfrm/policy.h"
#include "xfrm/route.h"
#include "xfrm/rule.h"
#include "xfrm/words.h"

enum { READS_MAX = 256 };

/* A deleted rule or route is told by the same message as a new one, under another type. */
static bool was_our_rule(const struct nlmsghdr *m)
{
	struct rule r;

	return rule_read(m, &r) == OK;
}

static bool was_our_route(const struct nlmsghdr *m)
{
	struct route r;

	return route_read(m, &r) == OK;
}

/* A device of a child: deleted, or taken down, and with it the routes into it, of which the kernel
 * tells nothing. */
static bool was_our_device(const struct nlmsghdr *m)
{
	struct iface i;

	return iface_read(m, &i) == OK && iface_is_ours(&i) &&
	       (m->nlmsg_type == RTM_DELLINK || !i.up);
}

static bool route_concerns(const struct nlmsghdr *m)
{
	switch (m->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return was_our_device(m);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return true;
	case RTM_DELRULE:
		return was_our_rule(m);
	case RTM_NEWROUTE:
		return outer_concerns(m);
	case RTM_DELROUTE:
		return was_our_route(m) || outer_concerns(m);
	default:
		return false;
	}
}

/* The policy stands in an attribute; the header has only what it was deleted by. */
static bool was_our_policy(const struct nlmsghdr *m)
{
	static const struct nla_policy shape[XFRMA_MAX + 1] = {
		[XFRMA_POLICY] = { .minlen = sizeof(struct xfrm_userpolicy_info) },
	};
	/* libnl's parser takes no const; nothing is written. */
	struct nlmsghdr *h = (struct nlmsghdr *)(uintptr_t)m;
	struct nlattr *tb[XFRMA_MAX + 1];
	struct xfrm_userpolicy_info up;
	struct policy p = { .plain = true };
	enum policy_section section;
	uint32_t slot;

	if (nlmsg_parse(h, sizeof(struct xfrm_userpolicy_id), tb, XFRMA_MAX, shape) < 0 ||
	    tb[XFRMA_POLICY] == NULL)
		return false;
	memcpy(&up, nla_data(tb[XFRMA_POLICY]), sizeof(up));
	p.index = up.index;
	p.priority = up.priority;
	return policy_index_taken(&p, &section, &slot) && policy_is_ours(&p, section);
}

static enum host_change policy_concerns(const struct nlmsghdr *m)
{
	if (m->nlmsg_type == XFRM_MSG_FLUSHPOLICY)
		return HOST_EMPTIED;
	return m->nlmsg_type == XFRM_MSG_DELPOLICY && was_our_policy(m) ? HOST_CHANGED : HOST_SAME;
}

/* Tables, chains and rules all name their table in the attribute 1. */
static bool nft_concerns(const struct nlmsghdr *m)
{
	static const struct nla_policy shape[NFTA_TABLE_NAME + 1] = {
		[NFTA_TABLE_NAME] = { .type = NLA_NUL_STRING },
	};
	struct nlmsghdr *h = (struct nlmsghdr *)(uintptr_t)m;
	struct nlattr *tb[NFTA_TABLE_NAME + 1];
	unsigned int kind = m->nlmsg_type & 0xff;

	_Static_assert((int)NFTA_CHAIN_TABLE == (int)NFTA_TABLE_NAME &&
			       (int)NFTA_RULE_TABLE == (int)NFTA_TABLE_NAME,
		       "one attribute names the table");
	if (m->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
	    (kind != NFT_MSG_DELTABLE && kind != NFT_MSG_DELCHAIN && kind != NFT_MSG_DELRULE))
		return false;
	if (nlmsg_parse(h, sizeof(struct nfgenmsg), tb, NFTA_TABLE_NAME, shape) < 0)
		return false;
	return tb[NFTA_TABLE_NAME] != NULL && nla_strcmp(tb[NFTA_TABLE_NAME], NFT_TABLE) == 0;
}

enum host_change watch_concerns(enum watch_kind kind, const struct nlmsghdr *m, uint32_t asker)
{
	if (m->nlmsg_pid == asker)
		return HOST_SAME;
	switch (kind) {
	case WATCH_ROUTE:
		return route_concerns(m) ? HOST_CHANGED : HOST_SAME;
	case WATCH_POLICY:
		return policy_concerns(m);
	case WATCH_NFT:
		/* One transaction, whatever is gone: nothing of it is still to come. */
		return nft_concerns(m) ? HOST_EMPTIED : HOST_SAME;
	case N_WATCHES:
		break;
	}
	return HOST_SAME;
}

/* ---- sockets ---- */

enum { GROUPS_MAX = 7 };

static const struct {
	int protocol;
	uint32_t groups[GROUPS_MAX];
} watches[N_WATCHES] = {
	[WATCH_ROUTE] = { NETLINK_ROUTE,
			  { RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_ROUTE,
			    RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
			    RTNLGRP_LINK } },
	[WATCH_POLICY] = { NETLINK_XFRM, { XFRMNLGRP_POLICY } },
	[WATCH_NFT] = { NETLINK_NETFILTER, { NFNLGRP_NFTABLES } },
};

/* A kernel without nftables has nobody who could flush them. */
static enum err watch_open(struct host *h, enum watch_kind kind)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct netlink *nl = &h->watch[kind];
	enum err err = netlink_open(nl, watches[kind].protocol);

	if (err == ERR_UNSUPPORTED && kind == WATCH_NFT)
		return OK;
	for (size_t i = 0; i < GROUPS_MAX && watches[kind].groups[i] != 0 && err == OK; i++)
		err = netlink_join(nl, watches[kind].groups[i]);
	if (err == OK && epoll_ctl(h->watch_fd, EPOLL_CTL_ADD, nl->fd, &ev) != 0)
		err = ERR_SYSTEM;
	return err;
}

enum err host_watch(struct host *h, int *fd, char why[static HOST_WHY_MAX])
{
	enum err err = OK;

	*fd = -1;
	h->watch_fd = epoll_create1(EPOLL_CLOEXEC);
	if (h->watch_fd < 0)
		err = ERR_SYSTEM;
	for (int k = 0; k < N_WATCHES && err == OK; k++)
		err = watch_open(h, (enum watch_kind)k);
	*fd = h->watch_fd;
	return err == OK
		       ? OK
		       : why_say(why, err, "cannot watch the host's rules, policies and tables: %s",
				 strerror(errno));
}

static uint32_t asker_of(const struct host *h, enum watch_kind kind)
{
	switch (kind) {
	case WATCH_ROUTE:
		return h->route.port;
	case WATCH_POLICY:
		return h->xfrm.port;
	case WATCH_NFT:
		return h->nft.port;
	case N_WATCHES:
		break;
	}
	return 0;
}

static enum host_change worse(enum host_change a, enum host_change b)
{
	return a > b ? a : b;
}

static enum host_change datagram_concerns(enum watch_kind kind, struct span d, uint32_t asker)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)d.p;
	int left = (int)d.len;
	enum host_change change = HOST_SAME;

	for (; nlmsg_ok(m, left); m = nlmsg_next(m, &left))
		change = worse(change, watch_concerns(kind, m, asker));
	return change;
}

static enum host_change watch_read(struct host *h, enum watch_kind kind)
{
	enum host_change change = HOST_SAME;

	for (int i = 0; i < READS_MAX && h->watch[kind].fd >= 0; i++) {
		struct span d;
		enum err err = netlink_read(&h->watch[kind], &d);

		if (err == ERR_NOT_FOUND)
			break;
		if (err != OK)
			change = worse(change, HOST_CHANGED);
		else if (d.len > 0)
			change = worse(change, datagram_concerns(kind, d, asker_of(h, kind)));
	}
	return change;
}

enum host_change host_changed(struct host *h)
{
	enum host_change change = HOST_SAME;

	for (int k = 0; k < N_WATCHES; k++)
		change = worse(change, watch_read(h, (enum watch_kind)k));
	return change;
}
