/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of XFRM messages: see xfrm/attr.h. The walking over lengths is libnl's. */
#include "xfrm/attr.h"

#include <netlink/msg.h>
#include <string.h>

/* nla_parse stops in silence where an attribute no longer fits. A kernel never sends such a
 * message, so whoever did is not believed in anything. */
static bool attr_whole(const struct nlmsghdr *m, size_t fixed)
{
	struct nlattr *a = nlmsg_attrdata(m, (int)fixed);
	int left = nlmsg_attrlen(m, (int)fixed);

	while (nla_ok(a, left))
		a = nla_next(a, &left);
	return left == 0;
}

bool attr_parse(const struct nlmsghdr *m, size_t fixed, struct nlattr **tb,
		const struct nla_policy *shape)
{
	/* libnl's parser takes no const; nothing is written. */
	struct nlmsghdr *h = (struct nlmsghdr *)(uintptr_t)m;

	return nlmsg_valid_hdr(m, (int)fixed) && attr_whole(m, fixed) &&
	       nlmsg_parse(h, (int)fixed, tb, ATTR_MAX, (struct nla_policy *)(uintptr_t)shape) >= 0;
}

void attr_copy(const struct nlattr *a, void *to, size_t len)
{
	if (a != NULL)
		memcpy(to, nla_data(a), len);
}

struct addr attr_addr(const xfrm_address_t *a, uint16_t family)
{
	size_t len = family == AF_INET ? sizeof(a->a4) : family == AF_INET6 ? sizeof(a->a6) : 0;
	struct addr out;

	if (!addr_from_span(&out, span_of(a, len)))
		return (struct addr){ .family = AF_UNSPEC };
	return out;
}

xfrm_address_t attr_xfrm_addr(const struct addr *a)
{
	xfrm_address_t out;

	memset(&out, 0, sizeof(out));
	memcpy(&out, a->b, addr_len(a));
	return out;
}
