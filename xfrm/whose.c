/* SPDX-License-Identifier: Apache-2.0 */
/* Whose an address is: see xfrm/whose.h. */
#include "xfrm/whose.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include "xfrm/host.h"

struct ask whose_request(const struct addr *a)
{
	const struct rtmsg h = { .rtm_family = (uint8_t)a->family,
				 .rtm_dst_len = (uint8_t)(addr_len(a) * 8) };
	struct ask req = ask_new(RTM_GETROUTE, 0);

	ask_header(&req, &h, sizeof(h));
	ask_bytes(&req, RTA_DST, a->b, addr_len(a));
	ask_u32(&req, RTA_MARK, HOST_MARK_OUTER);
	return req;
}

enum whose whose_read(const struct nlmsghdr *m)
{
	const struct rtmsg *h = nlmsg_data(m);

	if (m->nlmsg_type != RTM_NEWROUTE || m->nlmsg_len < NLMSG_LENGTH(sizeof(*h)))
		return WHOSE_UNKNOWN;
	switch (h->rtm_type) {
	case RTN_LOCAL:
		return WHOSE_OURS;
	case RTN_BROADCAST:
	case RTN_MULTICAST:
	case RTN_ANYCAST:
		return WHOSE_MANY;
	default:
		return WHOSE_OTHER;
	}
}

static enum err take(void *ctx, const struct nlmsghdr *m)
{
	enum whose *w = ctx;

	*w = whose_read(m);
	return *w != WHOSE_UNKNOWN ? OK : ERR_SYNTAX;
}

/* What a look-up ends with that finds no way: no route, or one that leads nowhere. The address is
 * none of ours then, for what is ours is always found. */
static bool is_no_way(int error)
{
	return error == ENETUNREACH || error == EHOSTUNREACH || error == EACCES ||
	       error == EINVAL || error == EAFNOSUPPORT;
}

enum whose whose_ask(struct netlink *route, const struct addr *a)
{
	enum whose w = WHOSE_UNKNOWN;
	const struct netlink_sink sink = { .take = take, .ctx = &w };
	struct ask req = whose_request(a);
	struct answer answer;
	enum err err = netlink_get(route, &req, &sink, &answer);

	if (err == OK)
		return w;
	return is_no_way(answer.error) ? WHOSE_OTHER : WHOSE_UNKNOWN;
}
