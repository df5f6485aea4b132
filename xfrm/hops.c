/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/hops.h"

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>

/* One hop: its header, then attributes of its own. */
struct hop {
	struct rtnexthop h;
	struct span attrs;
};

/* False at the end. */
static bool hop_next(struct rd *r, struct hop *p)
{
	struct span head;

	if (rd_left(r) == 0)
		return false;
	head = rd_take(r, sizeof(p->h));
	if (!rd_ok(r))
		return false;
	memcpy(&p->h, head.p, sizeof(p->h));
	if (p->h.rtnh_len < sizeof(p->h))
		rd_fail(r);
	else
		p->attrs = rd_take(r, p->h.rtnh_len - sizeof(p->h));
	if (rd_left(r) > 0)
		rd_skip(r, (size_t)RTNH_ALIGN(p->h.rtnh_len) - p->h.rtnh_len);
	return rd_ok(r);
}

/* "Dead" and "no carrier" are what the kernel has found; from others it refuses them. */
static void hop_put(struct ask *a, const struct hop *p, uint32_t ifindex)
{
	struct rtnexthop h = p->h;

	h.rtnh_flags &= RTNH_F_ONLINK;
	h.rtnh_ifindex = (int)ifindex;
	ask_header(a, &h, sizeof(h));
	ask_header(a, p->attrs.p, p->attrs.len);
}

/* With `a`, puts each. The last one is in `*last`. */
static size_t walk(struct ask *a, const struct nlattr *hops, hop_fn *to, const void *ctx,
		   struct hop *last)
{
	struct rd r = rd_from(span_of(nla_data(hops), (size_t)nla_len(hops)));
	struct hop p;
	size_t n = 0;

	while (hop_next(&r, &p)) {
		uint32_t ifindex = to(ctx, (uint32_t)p.h.rtnh_ifindex);

		if (ifindex == 0)
			continue;
		if (a != NULL)
			hop_put(a, &p, ifindex);
		*last = p;
		last->h.rtnh_ifindex = (int)ifindex;
		n++;
	}
	return rd_end(&r) ? n : SIZE_MAX;
}

/* What a hop says of itself, a route with this hop alone says in its header. */
static void alone_put(struct ask *a, const struct hop *p)
{
	struct rtmsg *h = a->bad ? NULL : nlmsg_data(nlmsg_hdr(a->msg));

	if (h != NULL)
		h->rtm_flags |= p->h.rtnh_flags & RTNH_F_ONLINK;
	ask_header(a, p->attrs.p, p->attrs.len);
	ask_u32(a, RTA_OIF, (uint32_t)p->h.rtnh_ifindex);
}

size_t hops_put(struct ask *a, const struct nlattr *hops, hop_fn *to, const void *ctx)
{
	struct hop last = { .attrs = SPAN_EMPTY };
	size_t n = walk(NULL, hops, to, ctx, &last);
	struct nlattr *nest;

	if (n == SIZE_MAX) {
		a->bad = true;
		return 0;
	}
	if (n == 1) {
		alone_put(a, &last);
	} else if (n > 1) {
		nest = ask_nest(a, RTA_MULTIPATH);
		(void)walk(a, hops, to, ctx, &last);
		ask_nest_end(a, nest);
	}
	return n;
}

bool hops_put_next(struct ask *a, const struct nlattr *hops, hop_fn *to, const void *ctx,
		   size_t *at)
{
	struct span all = span_of(nla_data(hops), (size_t)nla_len(hops));
	struct rd r = rd_from(span_tail(all, *at));
	struct hop p;

	while (hop_next(&r, &p)) {
		uint32_t ifindex = to(ctx, (uint32_t)p.h.rtnh_ifindex);

		*at = all.len - rd_left(&r);
		if (ifindex == 0)
			continue;
		p.h.rtnh_ifindex = (int)ifindex;
		alone_put(a, &p);
		return true;
	}
	a->bad = a->bad || !rd_end(&r);
	/* No hop is read twice, a malformed one neither. */
	*at = all.len;
	return false;
}
