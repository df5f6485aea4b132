/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/xfrm/quick.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

void quick_free(struct quick *q)
{
	free(q->states.v);
	free(q->policies.v);
	*q = (struct quick){ .asked = 0 };
}

static bool keep(struct quick_table *t, const void *p, size_t len)
{
	struct quick_body *v = t->v;

	if (len > QUICK_BODY)
		return false;
	if (t->n == t->size) {
		t->size = t->size == 0 ? 1024 : 2 * t->size;
		v = reallocarray(t->v, t->size, sizeof(*v));
	}
	if (v == NULL)
		return false;
	t->v = v;
	v[t->n].len = len;
	memcpy(v[t->n++].p, p, len);
	return true;
}

static struct quick_table *table_of(struct quick *q, uint16_t type)
{
	return type == XFRM_MSG_NEWSA || type == XFRM_MSG_GETSA ? &q->states : &q->policies;
}

static ssize_t quick_send(void *ctx, const void *p, size_t len)
{
	struct quick *q = ctx;
	const unsigned char *body = (const unsigned char *)p + NLMSG_HDRLEN;
	struct quick_table *t;

	memcpy(&q->req, p, sizeof(q->req));
	t = table_of(q, q->req.nlmsg_type);
	q->asked++;
	q->answered = false;
	q->one = NULL;
	q->dump = NULL;
	q->at = 0;
	switch (q->req.nlmsg_type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_NEWPOLICY:
		errno = ENOMEM;
		return keep(t, body, len - NLMSG_HDRLEN) ? (ssize_t)len : -1;
	case XFRM_MSG_GETSA:
	case XFRM_MSG_GETPOLICY:
		/* What is asked for singly is what was put in last. */
		if (q->req.nlmsg_flags & NLM_F_DUMP)
			q->dump = t;
		else
			q->one = &t->v[t->n - 1];
		return (ssize_t)len;
	default:
		return (ssize_t)len;
	}
}

static ssize_t message(const struct quick *q, void *to, uint16_t type, struct span body)
{
	struct nlmsghdr h = { .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + body.len),
			      .nlmsg_type = type,
			      .nlmsg_seq = q->req.nlmsg_seq,
			      .nlmsg_pid = NETLINK_MODEL_PORT };

	memset(to, 0, NLMSG_ALIGN(h.nlmsg_len));
	memcpy(to, &h, sizeof(h));
	memcpy((unsigned char *)to + NLMSG_HDRLEN, body.p, body.len);
	return (ssize_t)NLMSG_ALIGN(h.nlmsg_len);
}

static ssize_t quick_receive(void *ctx, void *p, size_t size)
{
	struct quick *q = ctx;
	struct nlmsgerr ack = { .msg = q->req };
	uint16_t type =
		table_of(q, q->req.nlmsg_type) == &q->states ? XFRM_MSG_NEWSA : XFRM_MSG_NEWPOLICY;
	const struct quick_body *b = q->one;

	if (q->dump != NULL && q->at < q->dump->n)
		b = &q->dump->v[q->at++];
	q->one = NULL;
	errno = EAGAIN;
	if (q->answered || q->req.nlmsg_len == 0 || size < 2 * QUICK_BODY)
		return -1;
	if (b != NULL)
		return message(q, p, type, span_of(b->p, b->len));
	q->answered = true;
	if (q->dump != NULL)
		return message(q, p, NLMSG_DONE, span_of(&ack.error, sizeof(ack.error)));
	return message(q, p, NLMSG_ERROR, span_of(&ack, sizeof(ack)));
}

const struct netlink_ops quick_ops = { .send = quick_send, .receive = quick_receive };
