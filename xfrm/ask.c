/* SPDX-License-Identifier: Apache-2.0 */
/* Building netlink requests (first half of xfrm/netlink.h). libnl's messages carry the lengths;
 * what is added here is that a failure sticks, so that a builder reads as a list of attributes.
 */
#include <arpa/inet.h>
#include <netlink/msg.h>

#include "base/secret.h"
#include "xfrm/netlink.h"

struct ask ask_new(uint16_t type, uint16_t flags)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

	return (struct ask){ .msg = msg, .bad = msg == NULL };
}

void ask_free(struct ask *a)
{
	struct nlmsghdr *m = a->msg == NULL ? NULL : nlmsg_hdr(a->msg);

	if (m != NULL)
		secret_wipe(m, m->nlmsg_len); /* keys travel in some of them */
	nlmsg_free(a->msg);
	*a = (struct ask){ .msg = NULL, .bad = true };
}

void ask_header(struct ask *a, const void *p, size_t len)
{
	if (!a->bad && nlmsg_append(a->msg, (void *)(uintptr_t)p, len, NLMSG_ALIGNTO) < 0)
		a->bad = true;
}

void ask_bytes(struct ask *a, int type, const void *p, size_t len)
{
	if (!a->bad && (len > UINT16_MAX || nla_put(a->msg, type, (int)len, p) < 0))
		a->bad = true;
}

void ask_u8(struct ask *a, int type, uint8_t v)
{
	ask_bytes(a, type, &v, sizeof(v));
}

void ask_u32(struct ask *a, int type, uint32_t v)
{
	ask_bytes(a, type, &v, sizeof(v));
}

void ask_be32(struct ask *a, int type, uint32_t v)
{
	ask_u32(a, type, htonl(v));
}

void ask_str(struct ask *a, int type, const char *s)
{
	if (!a->bad && nla_put_string(a->msg, type, s) < 0)
		a->bad = true;
}

struct nlattr *ask_nest(struct ask *a, int type)
{
	struct nlattr *nest = a->bad ? NULL : nla_nest_start(a->msg, type | NLA_F_NESTED);

	a->bad = nest == NULL;
	return nest;
}

void ask_nest_end(struct ask *a, struct nlattr *nest)
{
	if (!a->bad && nla_nest_end(a->msg, nest) < 0)
		a->bad = true;
}

struct span ask_span(const struct ask *a)
{
	const struct nlmsghdr *m = a->bad ? NULL : nlmsg_hdr(a->msg);

	return m == NULL ? SPAN_EMPTY : span_of(m, m->nlmsg_len);
}
