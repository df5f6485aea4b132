/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tells unasked: ACQUIRE, EXPIRE and MAPPING for the engine; and what others do to
 * the tables, after which they are read and put right.
 *
 * Messages are lost when the socket's buffer overruns. A lost ACQUIRE heals by itself: the kernel
 * makes no larval state when nobody heard it, and the next packet asks again.
 */
#include <errno.h>
#include <linux/xfrm.h>
#include <netlink/msg.h>
#include <string.h>

#include "xfrm/kernel_inner.h"
#include "xfrm/probe.h"

enum { READS_MAX = 1024 };

static const uint64_t MAPPING_PAUSE_NS = 2000000000;

int kernel_fd(const struct kernel *k)
{
	return k->events.fd;
}

static bool reqid_is_ours(uint32_t reqid)
{
	return (reqid & SA_REQID_MASK) == SA_REQID_BASE;
}

/* The half of the book that the event is about, by where its packets go to. */
static struct kernel_half *half_of(const struct kernel *k, const struct event *ev)
{
	const struct state_id id = { .dst = ev->dst.addr, .spi = ev->plane.spi };

	return book_find_state(k, &id);
}

/* A packet of a child that is up, while the child's policies led nowhere because it moved. What it
 * waited for was the move and not a child (kernel_move.c has forgotten it already). */
static bool asked_by_child(const struct event *ev)
{
	const struct addr nowhere = flow_trap_dst();

	return ev->policy_user == (FLOW_USER | FLOW_CHILD) && addr_eq(&ev->dst.addr, &nowhere);
}

static void on_acquire(struct kernel *k, const struct event *ev, const struct kernel_news *news)
{
	const struct state_larval l = { .src = ev->src.addr,
					.dst = ev->dst.addr,
					.mode = ev->mode,
					.reqid = ev->plane.reqid,
					.seq = ev->plane.acquire,
					.if_id = ev->if_id };
	const struct kernel_half *half = half_of(k, ev);
	struct plane_event told = ev->plane;

	if (asked_by_child(ev))
		return;
	acquire_note(k, &l);
	/* By a policy whose state others took away: the reqid may be a set's. */
	if (half != NULL)
		told.reqid = half->d.reqid;
	news->fn(news->ctx, &told);
}

/* The kernel has removed the state; its policies go the way of any last half's. */
static void half_gone(struct kernel *k, struct kernel_half *half)
{
	char unused[HOST_WHY_MAX];

	book_take(k, half);
	if (settle_flows(k, &half->flows, unused) != OK)
		k->doubt = true;
	half_free(half);
}

static void on_expire(struct kernel *k, const struct event *ev, const struct kernel_news *news)
{
	struct plane_event told = ev->plane;
	struct kernel_half *half;

	if (ev->larval) {
		acquire_drop(k, ev->plane.reqid, ev->plane.acquire);
		return;
	}
	half = half_of(k, ev);
	if (half == NULL)
		return;
	told.dir = half->d.dir;
	told.reqid = half->d.reqid;
	told.acquire = 0;
	told.remote = half->d.path.remote;
	if (!told.soft)
		half_gone(k, half);
	news->fn(news->ctx, &told);
}

/* The kernel's own threshold does not hold when the port changes: a peer that uses two in turn, or
 * somebody on the path who rewrites it, would raise one for each packet. */
static void on_mapping(struct kernel *k, const struct event *ev, const struct kernel_news *news)
{
	struct kernel_half *half = half_of(k, ev);
	struct plane_event told = ev->plane;
	uint64_t now = mono_now();

	if (half == NULL || (half->mapped_ns != 0 && now - half->mapped_ns < MAPPING_PAUSE_NS))
		return;
	half->mapped_ns = now;
	told.reqid = half->d.reqid;
	news->fn(news->ctx, &told);
}

static void on_plane_event(struct kernel *k, const struct event *ev, const struct kernel_news *news)
{
	if (!reqid_is_ours(ev->plane.reqid))
		return;
	switch (ev->plane.kind) {
	case PLANE_ACQUIRE:
		on_acquire(k, ev, news);
		break;
	case PLANE_EXPIRE:
		on_expire(k, ev, news);
		break;
	case PLANE_MAPPING:
		on_mapping(k, ev, news);
		break;
	case PLANE_SILENT:
	case PLANE_MTU:
	case PLANE_GONE:
	case PLANE_BACK:
		break;
	}
}

static bool lost_state(const struct nlmsghdr *m)
{
	struct state_info s;

	return state_read(m, &s) == OK && state_is_ours(&s) && !s.larval && s.reqid != PROBE_REQID;
}

/* The policy stands in an attribute; the header has only what it was deleted by. */
static bool lost_policy(const struct nlmsghdr *m)
{
	static const struct nla_policy shape[XFRMA_MAX + 1] = {
		[XFRMA_POLICY] = { .minlen = sizeof(struct xfrm_userpolicy_info) },
	};
	/* libnl's parser takes no const; nothing is written. */
	struct nlmsghdr *h = (struct nlmsghdr *)(uintptr_t)m;
	struct nlattr *tb[XFRMA_MAX + 1];
	struct xfrm_userpolicy_info up;
	struct policy p = { .index = 0 };
	enum policy_section section;
	uint32_t slot;

	if (nlmsg_parse(h, sizeof(struct xfrm_userpolicy_id), tb, XFRMA_MAX, shape) < 0 ||
	    tb[XFRMA_POLICY] == NULL)
		return false;
	memcpy(&up, nla_data(tb[XFRMA_POLICY]), sizeof(up));
	p.index = up.index;
	return policy_index_taken(&p, &section, &slot) && section == POLICY_OF_FLOW;
}

/* What others did: our own requests are told to us, too. */
static bool is_loss(const struct kernel *k, const struct nlmsghdr *m)
{
	if (m->nlmsg_pid == k->nl->port)
		return false;
	switch (m->nlmsg_type) {
	case XFRM_MSG_FLUSHSA:
	case XFRM_MSG_FLUSHPOLICY:
		return true;
	case XFRM_MSG_DELSA:
		return lost_state(m);
	case XFRM_MSG_DELPOLICY:
		return lost_policy(m);
	default:
		return false;
	}
}

void kernel_event(struct kernel *k, const struct nlmsghdr *m, struct kernel_news *news)
{
	struct event ev;

	if (is_loss(k, m))
		news->settle = true;
	else if (event_read(m, &ev) == OK)
		on_plane_event(k, &ev, news);
}

void kernel_news_end(struct kernel *k, const struct kernel_news *news)
{
	const struct settle s = { .gone = news->fn, .ctx = news->ctx };
	char unused[HOST_WHY_MAX];

	/* Failing, it is in doubt and tried again with the next event or command. */
	if ((news->settle || k->doubt || k->missing) && kernel_settle(k, &s, unused) != OK)
		k->doubt = true;
}

bool kernel_doubts(const struct kernel *k)
{
	return k->doubt || k->missing;
}

void kernel_events(struct kernel *k, kernel_event_fn *fn, void *ctx)
{
	struct kernel_news news = { .fn = fn, .ctx = ctx };

	for (int i = 0; i < READS_MAX && k->events.buf != NULL; i++) {
		struct span got = SPAN_EMPTY;
		enum err err = netlink_read(&k->events, &got);
		struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)got.p;
		int left = (int)got.len;

		if (err == ERR_NOT_FOUND)
			break;
		/* Overrun, or cut short: something was missed. */
		if (err != OK)
			news.settle = true;
		for (; err == OK && nlmsg_ok(m, left); m = nlmsg_next(m, &left))
			kernel_event(k, m, &news);
		/* What is told of states has their keys in it, also what is cut short. */
		secret_wipe(k->events.buf, got.len);
	}
	kernel_news_end(k, &news);
}
