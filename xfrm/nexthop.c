/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/nexthop.h"

#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>

struct ask nexthop_ask(uint32_t id)
{
	const struct nhmsg h = { .nh_family = AF_UNSPEC };
	struct ask a = ask_new(RTM_GETNEXTHOP, 0);

	ask_header(&a, &h, sizeof(h));
	ask_u32(&a, NHA_ID, id);
	return a;
}

static enum err read_group(const struct nlattr *attr, struct nexthop *got)
{
	struct rd r = rd_from(span_of(nla_data(attr), (size_t)nla_len(attr)));

	while (rd_left(&r) > 0) {
		struct nexthop_grp g;

		rd_copy(&r, &g, sizeof(g));
		if (!rd_ok(&r))
			return ERR_SYNTAX;
		if (got->n >= NEXTHOP_GROUP_MAX)
			got->n = SIZE_MAX;
		else
			got->member[got->n++] = g.id;
	}
	return OK;
}

enum err nexthop_read(const struct nlmsghdr *m, struct nexthop *got)
{
	static const struct nla_policy shape[NHA_MAX + 1] = { [NHA_OIF] = { .type = NLA_U32 } };
	/* libnl's parser takes no const; nothing is written. */
	struct nlmsghdr *msg = (struct nlmsghdr *)(uintptr_t)m;
	struct nlattr *tb[NHA_MAX + 1];

	*got = (struct nexthop){ .device = 0 };
	if (m->nlmsg_type != RTM_NEWNEXTHOP ||
	    nlmsg_parse(msg, sizeof(struct nhmsg), tb, NHA_MAX, shape) < 0)
		return ERR_SYNTAX;
	if (tb[NHA_OIF] != NULL)
		got->device = nla_get_u32(tb[NHA_OIF]);
	return tb[NHA_GROUP] != NULL ? read_group(tb[NHA_GROUP], got) : OK;
}

static enum err take(void *ctx, const struct nlmsghdr *m)
{
	return nexthop_read(m, ctx);
}

static enum err nexthop_get(struct netlink *route, uint32_t id, struct nexthop *got)
{
	const struct netlink_sink sink = { .take = take, .ctx = got };
	struct ask req = nexthop_ask(id);
	struct answer a;

	*got = (struct nexthop){ .device = 0 };
	return netlink_get(route, &req, &sink, &a);
}

enum err nexthop_any(struct netlink *route, uint32_t id, device_fn *fn, const void *ctx, bool *any)
{
	struct nexthop group;
	enum err err = nexthop_get(route, id, &group);

	*any = err == OK && (group.n == SIZE_MAX || fn(ctx, group.device));
	for (size_t i = 0; i < group.n && err == OK && !*any; i++) {
		struct nexthop one;

		err = nexthop_get(route, group.member[i], &one);
		*any = err == OK && fn(ctx, one.device);
	}
	return err;
}
