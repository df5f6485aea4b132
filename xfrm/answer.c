/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of netlink answers. All walking over lengths is libnl's (nlmsg_ok, nlmsg_next,
 * nla_parse), which checks every length against what is left.
 */
#include "xfrm/answer.h"

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

/* An errno is less: MAX_ERRNO of the kernel, which its headers for programs do not have. */
enum { ERRNO_MAX = 4095 };

static bool answer_is_ours(const struct answer *a, const struct nlmsghdr *m)
{
	/* Sequence numbers wrap, so the distance is what counts. */
	return m->nlmsg_pid == a->port && m->nlmsg_seq - a->seq_first <= a->seq_last - a->seq_first;
}

/* The kernel's own words (NETLINK_EXT_ACK), which stand behind the message that it sends back
 * (unless capped). */
static void answer_words(struct answer *a, struct nlmsghdr *m)
{
	static const struct nla_policy policy[NLMSGERR_ATTR_MAX + 1] = {
		[NLMSGERR_ATTR_MSG] = { .type = NLA_NUL_STRING }
	};
	const struct nlmsgerr *e = nlmsg_data(m);
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	size_t skip = sizeof(*e);

	if (!(m->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(m->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > NLMSG_HDRLEN)
		skip += e->msg.nlmsg_len - NLMSG_HDRLEN;
	if (skip > (size_t)nlmsg_datalen(m) ||
	    nlmsg_parse(m, (int)skip, tb, NLMSGERR_ATTR_MAX, policy) < 0)
		return;
	if (tb[NLMSGERR_ATTR_MSG])
		snprintf(a->words, sizeof(a->words), "%s", nla_get_string(tb[NLMSGERR_ATTR_MSG]));
}

static enum err answer_verdict(struct answer *a, struct nlmsghdr *m)
{
	const struct nlmsgerr *e = nlmsg_data(m);

	if ((size_t)nlmsg_datalen(m) < sizeof(*e) || e->error > 0 || e->error < -ERRNO_MAX)
		return ERR_SYNTAX;
	if (e->error == 0 && m->nlmsg_seq != a->seq_last)
		return OK;
	a->error = -e->error;
	a->done = true;
	answer_words(a, m);
	return OK;
}

/* The end of a dump carries an errno too, where the kernel gave up in the middle. */
static enum err answer_end(struct answer *a, const struct nlmsghdr *m)
{
	int error = 0;

	if ((size_t)nlmsg_datalen(m) >= sizeof(error))
		memcpy(&error, nlmsg_data(m), sizeof(error));
	if (error < -ERRNO_MAX)
		return ERR_SYNTAX;
	a->error = error < 0 ? -error : 0;
	a->done = true;
	return OK;
}

static enum err answer_message(struct answer *a, struct nlmsghdr *m, answer_fn *fn, void *ctx)
{
	if (m->nlmsg_flags & NLM_F_DUMP_INTR)
		a->interrupted = true;
	switch (m->nlmsg_type) {
	case NLMSG_NOOP:
		return OK;
	case NLMSG_OVERRUN:
		return ERR_BUSY;
	case NLMSG_ERROR:
		return answer_verdict(a, m);
	case NLMSG_DONE:
		return answer_end(a, m);
	default:
		return fn == NULL ? OK : fn(ctx, m);
	}
}

enum err answer_read(struct answer *a, struct span datagram, answer_fn *fn, void *ctx)
{
	/* libnl's walkers take pointers to what may be written; nothing is. */
	struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)datagram.p;
	int left = datagram.len > INT32_MAX ? -1 : (int)datagram.len;
	enum err err = OK;

	for (; err == OK && !a->done && nlmsg_ok(m, left); m = nlmsg_next(m, &left)) {
		if (answer_is_ours(a, m))
			err = answer_message(a, m, fn, ctx);
	}
	if (err == OK && !a->done && left > 0)
		return ERR_SYNTAX;
	return err;
}
