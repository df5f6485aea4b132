/* SPDX-License-Identifier: Apache-2.0 */
/* Devices on a host in memory that has at most one. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/host.h"
#include "xfrm/iface.h"

enum { IFINDEX = 7, REPLY_MAX = 512, REPLIES = 4 };

struct device {
	const char *name; /* NULL: there is none */
	const char *kind;
	uint32_t if_id;
	uint32_t group;
};

struct route_model {
	struct device is;
	char name[IFNAMSIZ];
	bool up;
	bool quiet; /* no address by itself */
	bool loud;  /* it was up without that */
	int make_error;
	int quiet_error;
	unsigned int asks; /* for a new device */
	unsigned char replies[REPLIES][REPLY_MAX];
	size_t len[REPLIES];
	size_t first, n;
};

static void reply(struct route_model *m, const struct nlmsghdr *req, const struct nlmsghdr *h)
{
	struct nlmsghdr *to = (struct nlmsghdr *)(void *)m->replies[m->n];

	ck_assert(m->n < REPLIES && h->nlmsg_len <= REPLY_MAX);
	memcpy(to, h, h->nlmsg_len);
	to->nlmsg_seq = req->nlmsg_seq;
	to->nlmsg_pid = NETLINK_MODEL_PORT;
	m->len[m->n++] = NLMSG_ALIGN(h->nlmsg_len);
}

static void reply_number(struct route_model *m, const struct nlmsghdr *req, uint16_t type,
			 int number)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} all = { .h = { .nlmsg_len = sizeof(all), .nlmsg_type = type }, .e.error = -number };

	reply(m, req, &all.h);
}

static void reply_device(struct route_model *m, const struct nlmsghdr *req)
{
	const struct ifinfomsg h = { .ifi_index = IFINDEX, .ifi_flags = m->up ? IFF_UP : 0 };
	struct ask a = ask_new(RTM_NEWLINK, 0);
	struct nlmsghdr *answer;
	struct nlattr *info;
	struct nlattr *data;

	ask_header(&a, &h, sizeof(h));
	ask_str(&a, IFLA_IFNAME, m->is.name);
	ask_u32(&a, IFLA_GROUP, m->is.group);
	info = ask_nest(&a, IFLA_LINKINFO);
	ask_str(&a, IFLA_INFO_KIND, m->is.kind);
	data = ask_nest(&a, IFLA_INFO_DATA);
	ask_u32(&a, 2 /* IFLA_XFRM_IF_ID */, m->is.if_id);
	ask_nest_end(&a, data);
	ask_nest_end(&a, info);
	answer = kit_answer(&a, RTM_NEWLINK);
	reply(m, req, answer);
	free(answer);
}

/* As it was asked for, by iface_ask_make: a number of ours, in our group. */
static int make(struct route_model *m, struct nlmsghdr *req)
{
	m->asks++;
	if (m->make_error != 0)
		return m->make_error;
	if (m->is.name != NULL)
		return EEXIST;
	nla_strlcpy(m->name, nlmsg_find_attr(req, sizeof(struct ifinfomsg), IFLA_IFNAME),
		    sizeof(m->name));
	m->is = (struct device){ m->name, "xfrm", SA_REQID_BASE + 1, IFACE_GROUP };
	return 0;
}

static int change(struct route_model *m, struct nlmsghdr *req)
{
	const struct ifinfomsg *h = nlmsg_data(req);
	const struct nlattr *spec = nlmsg_find_attr(req, sizeof(*h), IFLA_AF_SPEC);

	if (spec != NULL && nla_find(nla_data(spec), nla_len(spec), AF_INET6) != NULL) {
		if (m->quiet_error != 0)
			return m->quiet_error;
		m->quiet = true;
	}
	if (h->ifi_change & IFF_UP) {
		m->up = true;
		m->loud = m->loud || !m->quiet;
	}
	return 0;
}

static void serve(struct route_model *m, struct nlmsghdr *req)
{
	int error = 0;

	if (req->nlmsg_flags & NLM_F_DUMP && req->nlmsg_type != RTM_NEWLINK) {
		if (req->nlmsg_type == RTM_GETLINK && m->is.name != NULL)
			reply_device(m, req);
		reply_number(m, req, NLMSG_DONE, 0);
		return;
	}
	if (req->nlmsg_type == RTM_NEWLINK)
		error = req->nlmsg_flags & NLM_F_CREATE ? make(m, req) : change(m, req);
	if (req->nlmsg_type == RTM_DELLINK)
		m->is.name = NULL;
	reply_number(m, req, NLMSG_ERROR, error);
}

static ssize_t model_send(void *ctx, const void *p, size_t len)
{
	struct nlmsghdr *req = malloc(len); /* aligned, as the kernel has it */

	ck_assert_ptr_nonnull(req);
	memcpy(req, p, len);
	serve(ctx, req);
	free(req);
	return (ssize_t)len;
}

static ssize_t model_receive(void *ctx, void *p, size_t size)
{
	struct route_model *m = ctx;
	size_t len;

	if (m->first == m->n) {
		m->first = m->n = 0;
		errno = EAGAIN;
		return -1;
	}
	len = m->len[m->first];
	ck_assert_uint_le(len, size);
	memcpy(p, m->replies[m->first++], len);
	return (ssize_t)len;
}

static const struct netlink_ops ops = { .send = model_send, .receive = model_receive };

/* One child's device, as a start of the daemon sets it. */
static enum err set(struct route_model *m)
{
	const char *text = "0.0.0.0/0>0.0.0.0/0+kernel%ipsec0";
	struct children c = kit_children(&text, 1);
	char why[HOST_WHY_MAX] = "";
	struct netlink nl;
	enum err err;

	c.v[0].reqid = SA_REQID_BASE + 1;
	ck_assert_int_eq(netlink_over(&nl, &ops, m), OK);
	err = iface_set(&nl, c.v, 1, why);
	ck_assert_msg((err == OK) == (why[0] == '\0'), "%d but \"%s\"", err, why);
	netlink_close(&nl);
	children_free(&c);
	return err;
}

static const int refusals[] = { EINVAL, ENOMEM, EBUSY };

START_TEST(a_device_that_could_not_be_kept_quiet_never_comes_up)
{
	struct route_model m = { .quiet_error = refusals[_i] };

	ck_assert_int_ne(set(&m), OK);
	ck_assert_msg(m.is.name != NULL && !m.up, "it is left half made");
	ck_assert_int_ne(set(&m), OK);
	ck_assert(!m.up);
	m.quiet_error = 0;
	ck_assert_int_eq(set(&m), OK);
	ck_assert(m.up && !m.loud);
}
END_TEST

START_TEST(without_ipv6_there_is_nothing_to_keep_quiet)
{
	struct route_model m = { .quiet_error = EAFNOSUPPORT };

	ck_assert_int_eq(set(&m), OK);
	ck_assert(m.up);
}
END_TEST

/* ---- the probe ---- */

static const struct {
	const char *name;
	struct device was;
	int make_error;
	bool can;
	bool stays;
} probes[] = {
	{ "none", { NULL, NULL, 0, 0 }, 0, true, false },
	{ "the kernel has not got it", { NULL, NULL, 0, 0 }, EOPNOTSUPP, false, false },
	{ "one that we left",
	  { "postern-probe", "xfrm", SA_REQID_BASE | ~SA_REQID_MASK, IFACE_GROUP },
	  0,
	  true,
	  false },
	{ "somebody's XFRM interface", { "postern-probe", "xfrm", 7, 0 }, 0, true, true },
	{ "somebody's bridge", { "postern-probe", "bridge", 0, 0 }, 0, false, true },
	{ "the number is another's",
	  { "theirs", "xfrm", SA_REQID_BASE | ~SA_REQID_MASK, 0 },
	  EEXIST,
	  true,
	  true },
};

START_TEST(the_probe_deletes_nothing_of_others)
{
	struct route_model m = { .is = probes[_i].was, .make_error = probes[_i].make_error };
	struct netlink nl;

	ck_assert_int_eq(netlink_over(&nl, &ops, &m), OK);
	ck_assert_msg(iface_probe(&nl) == probes[_i].can, "%s", probes[_i].name);
	ck_assert_uint_eq(m.asks, 1);
	ck_assert_msg((m.is.name != NULL) == probes[_i].stays, "%s", probes[_i].name);
	netlink_close(&nl);
}
END_TEST

UNIT("xfrm/iface_set")
{
	tcase_add_loop_test(tc, a_device_that_could_not_be_kept_quiet_never_comes_up, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(tc, without_ipv6_there_is_nothing_to_keep_quiet);
	tcase_add_loop_test(tc, the_probe_deletes_nothing_of_others, 0,
			    sizeof(probes) / sizeof(probes[0]));
}
