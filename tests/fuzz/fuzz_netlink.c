/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says on netlink. First byte: below 128 one message for one reader; from 128 on
 * an errand (a probe, a dump, a command, routes) over a socket whose answers are the input. A
 * reader never looks behind its message, and an errand ends, whatever the kernel says.
 */
#include <errno.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/texts.h"
#include "xfrm/carry.h"
#include "xfrm/event.h"
#include "xfrm/flow.h"
#include "xfrm/kernel.h"
#include "xfrm/nexthop.h"
#include "xfrm/outer.h"
#include "xfrm/own.h"
#include "xfrm/plan.h"
#include "xfrm/policy_set.h"
#include "xfrm/probe.h"
#include "xfrm/route.h"
#include "xfrm/rule.h"
#include "xfrm/state.h"
#include "xfrm/watch.h"
#include "xfrm/whose.h"

enum { ANSWERS_MAX = 64, ROOM = 64 * 1024 };

/* ---- readers ---- */

static void read_state(const struct nlmsghdr *m)
{
	struct state_info s;

	if (state_read(m, &s) == OK)
		(void)state_is_ours(&s);
}

static void read_event(const struct nlmsghdr *m)
{
	static uint8_t buf[4096];
	struct wr w = wr_into(buf, sizeof(buf));
	struct plane_event back;
	struct event ev;

	/* What is told to the engine gets there. */
	if (event_read(m, &ev) != OK)
		return;
	plane_event_encode(&w, &ev.plane);
	FUZZ_HOLDS(wr_ok(&w) && plane_event_decode(wr_done(&w), &back) == OK);
}

static void read_flow(const struct nlmsghdr *m)
{
	struct flow_policy f;

	if (flow_read(m, &f) == OK)
		(void)flow_is_ours(&f);
}

static void read_policy(const struct nlmsghdr *m)
{
	char buf[POLICY_TEXT_MAX];
	struct policy p;

	if (policy_read(m, &p) != OK)
		return;
	(void)policy_is_ours(&p, POLICY_OF_GUARD);
	FUZZ_HOLDS(strlen(policy_text(&p, buf)) < sizeof(buf));
}

static void read_route(const struct nlmsghdr *m)
{
	struct route r;
	struct ask a;

	if (route_read(m, &r) != OK)
		return;
	a = route_ask_put(&r);
	ask_free(&a);
}

static void read_rule(const struct nlmsghdr *m)
{
	struct rule r;
	struct ask a;

	if (rule_read(m, &r) != OK)
		return;
	a = rule_ask_add(&r);
	ask_free(&a);
}

static void read_iface(const struct nlmsghdr *m)
{
	struct iface have;

	if (iface_read(m, &have) != OK)
		return;
	FUZZ_HOLDS(memchr(have.name, 0, sizeof(have.name)) != NULL);
	FUZZ_HOLDS(memchr(have.alias, 0, sizeof(have.alias)) != NULL);
	(void)iface_is_ours(&have);
}

static void read_nexthop(const struct nlmsghdr *m)
{
	struct nexthop n;

	if (nexthop_read(m, &n) == OK)
		FUZZ_HOLDS(n.n == SIZE_MAX || n.n <= NEXTHOP_GROUP_MAX);
}

static void read_outer(const struct nlmsghdr *m)
{
	struct iface devices[2] = { { .ifindex = 7, .group = IFACE_GROUP }, { .ifindex = 3 } };
	const struct iface_list list = { .v = devices, .n = 2, .size = 2 };
	struct copy c;

	size_t at = 0, n = 0;

	/* In IPv6 each hop is a route of its own: there is an end to them. */
	while (outer_copy(m, &list, &at, &c) == OK) {
		ask_free(&c.ask);
		FUZZ_HOLDS(++n < ROOM);
	}
	at = 0;
	while (outer_copied(m, &at, &c) == OK) {
		ask_free(&c.ask);
		FUZZ_HOLDS(++n < 2 * ROOM);
	}
	(void)outer_concerns(m);
}

static void read_carry(const struct nlmsghdr *m)
{
	const struct carry way = { .from = 7, .to = 8 };
	struct ask a;

	if (carry_route(m, &way, &a) == OK)
		ask_free(&a);
	if (carry_route_plain(m, &way, &a) == OK)
		ask_free(&a);
	if (carry_address(m, &way, &a) == OK)
		ask_free(&a);
}

static void read_own(const struct nlmsghdr *m)
{
	struct own o;
	struct net n;

	if (own_read(m, &o) == OK)
		(void)own_link(&o, &n);
	(void)whose_read(m);
}

static void read_watch(const struct nlmsghdr *m)
{
	for (int kind = 0; kind < N_WATCHES; kind++)
		(void)watch_concerns((enum watch_kind)kind, m, 1234);
}

static void (*const readers[])(const struct nlmsghdr *) = {
	read_state, read_event,	  read_flow,  read_policy, read_route, read_rule,
	read_iface, read_nexthop, read_outer, read_carry,  read_own,   read_watch,
};

/* In memory of exactly its size, as whoever calls a reader has checked. */
static void one_message(uint8_t which, struct rd *r)
{
	uint16_t type = rd_u16(r), flags = rd_u8(r);
	struct span body = rd_rest(r);
	size_t len = NLMSG_HDRLEN + body.len;
	struct nlmsghdr *m;

	if (!rd_ok(r))
		return;
	m = malloc(len);
	FUZZ_HOLDS(m != NULL);
	*m = (struct nlmsghdr){ .nlmsg_len = (uint32_t)len, .nlmsg_type = type };
	m->nlmsg_flags = flags;
	m->nlmsg_pid = which & 64 ? 1234 : 0;
	if (body.len > 0)
		memcpy(m + 1, body.p, body.len);
	readers[which % (sizeof(readers) / sizeof(readers[0]))](m);
	free(m);
}

/* ---- a kernel that says whatever stands in the input ---- */

/* Each answer: how (u8), type (u16), length (u16), bytes. */
enum { SAYS_RAW = 1, SAYS_DONE = 2, SAYS_ACK = 4, SAYS_NOTHING = 8, SAYS_MULTI = 16 };

struct kernel_said {
	struct rd r;
	uint32_t seq;
	uint16_t asked;
	bool ask_is_open; /* nothing has been said to it yet */
	int n;
	bool obeys; /* when it has nothing more to say, it takes everything */
};

static ssize_t said_send(void *ctx, const void *p, size_t len)
{
	struct kernel_said *k = ctx;
	struct nlmsghdr m;

	FUZZ_HOLDS(len >= sizeof(m));
	memcpy(&m, p, sizeof(m));
	k->seq = m.nlmsg_seq;
	k->asked = m.nlmsg_type;
	k->ask_is_open = true;
	return (ssize_t)len;
}

static void put_message(const struct kernel_said *k, struct wr *w, struct nlmsghdr m,
			struct span body)
{
	m.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + body.len);
	m.nlmsg_seq = k->seq;
	m.nlmsg_pid = NETLINK_MODEL_PORT;
	wr_span(w, span_of(&m, sizeof(m)));
	wr_span(w, body);
	wr_zero(w, NLMSG_ALIGN(body.len) - body.len);
}

static void put_end(const struct kernel_said *k, struct wr *w, uint16_t type, int error)
{
	struct nlmsgerr e = { .error = error, .msg = { .nlmsg_len = NLMSG_HDRLEN } };

	put_message(k, w, (struct nlmsghdr){ .nlmsg_type = type }, span_of(&e, sizeof(e)));
}

static ssize_t nothing_more(struct kernel_said *k, struct wr *w)
{
	if (!k->obeys || !k->ask_is_open) {
		errno = EAGAIN;
		return -1;
	}
	k->ask_is_open = false;
	put_end(k, w, NLMSG_ERROR, 0);
	return (ssize_t)wr_len(w);
}

static ssize_t said_receive(void *ctx, void *p, size_t size)
{
	struct kernel_said *k = ctx;
	struct wr w = wr_into(p, size);
	uint8_t how;
	uint16_t type, len;
	struct span bytes;

	if (rd_left(&k->r) < 5 || k->n++ >= ANSWERS_MAX)
		return nothing_more(k, &w);
	how = rd_u8(&k->r);
	type = rd_u16(&k->r);
	len = rd_u16(&k->r);
	bytes = rd_take(&k->r, len < rd_left(&k->r) ? len : rd_left(&k->r));
	if (how & SAYS_NOTHING)
		return nothing_more(k, &w);
	k->ask_is_open = false;
	if (how & SAYS_RAW)
		wr_span(&w, bytes);
	else
		put_message(k, &w,
			    (struct nlmsghdr){ .nlmsg_type = type,
					       .nlmsg_flags = how & SAYS_MULTI ? NLM_F_MULTI : 0 },
			    bytes);
	if (how & SAYS_DONE)
		put_end(k, &w, NLMSG_DONE, 0);
	if (how & SAYS_ACK)
		put_end(k, &w, NLMSG_ERROR, 0);
	return (ssize_t)wr_len(&w);
}

/* ---- errands ---- */

static void run_probe(struct netlink *nl)
{
	struct plane_caps caps = { .v4 = false };

	probe_all(nl, true, &caps);
	FUZZ_HOLDS(caps.n_encr <= PLANE_ENCR_MAX && caps.n_integ <= PLANE_INTEG_MAX);
	FUZZ_HOLDS(memchr(caps.lacks, 0, sizeof(caps.lacks)) != NULL);
}

static void tell(void *ctx, const struct plane_event *ev)
{
	(void)ctx;
	FUZZ_HOLDS(ev->kind <= PLANE_MTU);
}

/* In, out, a move, a count, a removal. */
static void run_commands(struct netlink *nl)
{
	static const enum sa_op ops[] = { SA_INSTALL, SA_QUERY, SA_MOVE, SA_FORGET, SA_REMOVE };
	struct ts ours = fuzz_net_ts("10.1.0.0/16"), theirs = fuzz_net_ts("10.2.0.0/16");
	struct sa_cmd cmd = { .ticket = 1 };
	struct sa_done done;
	struct kernel *k;

	if (kernel_over(nl, &k) != OK)
		return;
	cmd.sa.plane = PLANE_KERNEL;
	cmd.sa.spi = 0x1001;
	cmd.sa.twin_spi = 0x1002;
	cmd.sa.child_id = 1;
	cmd.sa.acquire = 9;
	cmd.sa.reqid = SA_REQID_BASE + 1;
	cmd.sa.encr_id = 20;
	cmd.sa.encr_key_bits = 128;
	cmd.sa.encr_key.len = 20;
	cmd.sa.path.local.addr = fuzz_addr("192.0.2.1");
	cmd.sa.path.remote.addr = fuzz_addr("192.0.2.2");
	cmd.sa.local = (struct ts_list){ 1, &ours };
	cmd.sa.remote = (struct ts_list){ 1, &theirs };
	for (size_t i = 0; i < 2 * sizeof(ops) / sizeof(ops[0]); i++) {
		cmd.op = ops[i / 2];
		cmd.sa.dir = i % 2 ? SA_OUT : SA_IN;
		cmd.sa.spi = i % 2 ? 0x1002 : 0x1001;
		cmd.sa.twin_spi = i % 2 ? 0x1001 : 0x1002;
		kernel_command(k, &cmd, &done);
		FUZZ_HOLDS(memchr(done.why, 0, sizeof(done.why)) != NULL);
	}
	kernel_events(k, tell, NULL);
	kernel_flush(k);
	kernel_close(k);
}

static void run_clear(struct netlink *nl)
{
	char why[HOST_WHY_MAX] = "";
	struct kernel *k;

	if (kernel_over(nl, &k) != OK)
		return;
	(void)!kernel_clear(k, why);
	FUZZ_HOLDS(memchr(why, 0, sizeof(why)) != NULL);
	kernel_close(k);
}

static void run_routes(struct netlink *nl)
{
	struct route_list got = { .n = 0 };
	struct route_list wanted = { .n = 0 };
	struct route r = { .device = 7 };
	char why[HOST_WHY_MAX] = "";

	r.to = fuzz_net("10.2.0.0/16");
	FUZZ_HOLDS(route_list_add(&wanted, &r) == OK);
	(void)!route_set_read(nl, &got, why);
	(void)!route_set_apply(nl, &wanted, why);
	route_list_free(&got);
	route_list_free(&wanted);
}

static void run_rules(struct netlink *nl)
{
	struct rule_list wanted = { .n = 0 };
	struct rule r = { .priority = 5050, .action = 1, .sport_hi = 65535, .dport_hi = 65535 };
	char why[HOST_WHY_MAX] = "";

	r.to = fuzz_net("10.2.0.0/16");
	r.from = fuzz_net("10.1.0.0/16");
	FUZZ_HOLDS(rule_list_add(&wanted, &r) == OK);
	(void)!rule_set_apply(nl, &wanted, why);
	rule_list_free(&wanted);
}

static void run_devices(struct netlink *nl)
{
	struct iface_list devices = { .n = 0 };
	struct own_list own = { .n = 0 };
	struct addr a = fuzz_addr("192.0.2.9");
	char why[HOST_WHY_MAX] = "", lacks[HOST_WHY_MAX] = "";

	(void)!iface_list_read(nl, &devices, why);
	(void)!own_list_read(nl, &own, why);
	(void)whose_ask(nl, &a);
	(void)!outer_apply(nl, true, lacks, why);
	iface_list_free(&devices);
	own_list_free(&own);
}

static bool is_seven(const void *ctx, uint32_t ifindex)
{
	(void)ctx;
	return ifindex == 7;
}

static void run_carry(struct netlink *nl)
{
	char why[HOST_WHY_MAX] = "";
	bool any;

	(void)!nexthop_any(nl, 5, is_seven, NULL, &any);
	(void)!carry_over(nl, 7, 8, why);
	(void)iface_probe(nl);
}

static void (*const errands[])(struct netlink *) = {
	run_probe, run_commands, run_clear, run_routes, run_rules, run_devices, run_carry,
};

static void one_errand(uint8_t which, struct rd *r)
{
	static const struct netlink_ops ops = { .send = said_send, .receive = said_receive };
	struct kernel_said k = { .r = *r, .obeys = which & 64 };
	struct netlink nl;

	FUZZ_HOLDS(netlink_over(&nl, &ops, &k) == OK);
	errands[which % 64 % (sizeof(errands) / sizeof(errands[0]))](&nl);
	netlink_close(&nl);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_from(span_of(bytes, len));
	uint8_t which = rd_u8(&r);

	if (!rd_ok(&r))
		return 0;
	if (which < 128)
		one_message(which, &r);
	else
		one_errand(which, &r);
	return 0;
}
