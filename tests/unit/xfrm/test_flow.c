/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/flow.h"

#include <arpa/inet.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"

#define N_OF(v) (int)(sizeof(v) / sizeof((v)[0]))

enum { REQID = SA_REQID_BASE + 7, TEXT_MAX_LEN = 1200 };

static struct sa_desc desc_of(const struct children *c, enum sa_dir dir)
{
	struct sa_desc d = {
		.dir = dir,
		.spi = dir == SA_OUT ? 0x1002 : 0x1001,
		.reqid = REQID,
		.local = c->v[0].local,
		.remote = c->v[0].remote,
	};

	ck_assert(addr_parse("192.0.2.1", &d.path.local.addr));
	ck_assert(addr_parse("192.0.2.2", &d.path.remote.addr));
	return d;
}

/* "10.1.0.0/24 > 10.2.0.0/24 6 80/fffc 0/0" */
static void selector_text(const struct xfrm_selector *sel, char *buf, size_t size)
{
	char src[INET6_ADDRSTRLEN];
	char dst[INET6_ADDRSTRLEN];

	inet_ntop(sel->family, &sel->saddr, src, sizeof(src));
	inet_ntop(sel->family, &sel->daddr, dst, sizeof(dst));
	snprintf(buf, size, "%s/%u > %s/%u %u %u/%x %u/%x\n", src, sel->prefixlen_s, dst,
		 sel->prefixlen_d, sel->proto, ntohs(sel->sport), ntohs(sel->sport_mask),
		 ntohs(sel->dport), ntohs(sel->dport_mask));
}

static const struct {
	const char *child;
	const char *selectors; /* outbound, in their order */
} cuts[] = {
	{ "10.1.0.0/24>10.2.0.0/24", "10.1.0.0/24 > 10.2.0.0/24 0 0/0 0/0\n" },
	{ "10.1.0.0/24,2001:db8:1::/64>10.2.0.0/24,2001:db8:2::/64",
	  "10.1.0.0/24 > 10.2.0.0/24 0 0/0 0/0\n"
	  "2001:db8:1::/64 > 2001:db8:2::/64 0 0/0 0/0\n" },
	{ "10.1.0.1-10.1.0.4>10.2.0.0/24", "10.1.0.1/32 > 10.2.0.0/24 0 0/0 0/0\n"
					   "10.1.0.2/31 > 10.2.0.0/24 0 0/0 0/0\n"
					   "10.1.0.4/32 > 10.2.0.0/24 0 0/0 0/0\n" },
	{ "10.1.0.0/24@tcp>10.2.0.0/24@tcp=80", "10.1.0.0/24 > 10.2.0.0/24 6 0/0 80/ffff\n" },
	{ "10.1.0.0/24@udp=1000-1003>10.2.0.0/24", "10.1.0.0/24 > 10.2.0.0/24 17 1000/fffc 0/0\n" },
	{ "10.1.0.0/24>10.2.0.0/24@tcp=1-6", "10.1.0.0/24 > 10.2.0.0/24 6 0/0 1/ffff\n"
					     "10.1.0.0/24 > 10.2.0.0/24 6 0/0 2/fffe\n"
					     "10.1.0.0/24 > 10.2.0.0/24 6 0/0 4/fffe\n"
					     "10.1.0.0/24 > 10.2.0.0/24 6 0/0 6/ffff\n" },
	/* of the two protocols no packet has both */
	{ "10.1.0.0/24@tcp,10.1.1.0/24>10.2.0.0/24@udp", "10.1.1.0/24 > 10.2.0.0/24 17 0/0 0/0\n" },
	/* one piece that both selectors have */
	{ "10.1.0.0/24,10.1.0.0-10.1.1.127>10.2.0.0/24", "10.1.0.0/24 > 10.2.0.0/24 0 0/0 0/0\n"
							 "10.1.1.0/25 > 10.2.0.0/24 0 0/0 0/0\n" },
	{ "10.1.0.0/24>10.2.0.0/24@tcp=32768-65535",
	  "10.1.0.0/24 > 10.2.0.0/24 6 0/0 32768/8000\n" },
};

START_TEST(selectors_are_cut_exactly)
{
	struct children c = kit_children(&cuts[_i].child, 1);
	struct sa_desc d = desc_of(&c, SA_OUT);
	struct flow_list l = { .n = 0 };
	char got[TEXT_MAX_LEN] = "";

	ck_assert_int_eq(flow_list_fill(&l, &d), OK);
	for (size_t i = 0; i < l.n; i++)
		selector_text(&l.v[i].p.sel, got + strlen(got), sizeof(got) - strlen(got));
	ck_assert_str_eq(got, cuts[_i].selectors);
	flow_list_free(&l);
	children_free(&c);
}
END_TEST

static struct flow_list fill(struct sa_desc *d, struct ts *local, struct ts *remote, enum err want)
{
	struct flow_list l = { .n = 0 };

	d->local = (struct ts_list){ .n = 1, .v = local };
	d->remote = (struct ts_list){ .n = 1, .v = remote };
	ck_assert_int_eq(flow_list_fill(&l, d), want);
	return l;
}

/* Every range of ports, against the definition. */
START_TEST(no_port_more_and_none_less)
{
	static const struct {
		uint16_t lo, hi;
	} ranges[] = { { 0, 0 },	 { 0, 1 },   { 1, 65534 },   { 1, 65535 },    { 0, 65534 },
		       { 65535, 65535 }, { 80, 90 }, { 1023, 1025 }, { 32767, 32768 } };
	const char *text = "10.1.0.0/24@tcp>10.2.0.0/24@tcp";
	struct children c = kit_children(&text, 1);
	struct sa_desc d = desc_of(&c, SA_OUT);
	struct ts remote = c.v[0].remote.v[0];
	struct flow_list l;

	remote.port_lo = ranges[_i].lo;
	remote.port_hi = ranges[_i].hi;
	l = fill(&d, c.v[0].local.v, &remote, OK);
	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		bool inside = port >= ranges[_i].lo && port <= ranges[_i].hi;
		int hits = 0;

		for (size_t i = 0; i < l.n; i++)
			hits += ((ntohs(l.v[i].p.sel.dport) ^ port) &
				 ntohs(l.v[i].p.sel.dport_mask)) == 0;
		ck_assert_int_eq(hits, inside);
	}
	flow_list_free(&l);
	children_free(&c);
}
END_TEST

/* Type and code stand in source and target port, whatever the direction. */
START_TEST(icmp_type_and_code)
{
	const char *text = "10.1.0.0/24@icmp>10.2.0.0/24@icmp";
	struct children c = kit_children(&text, 1);
	struct sa_desc d = desc_of(&c, _i == 0 ? SA_OUT : SA_IN);
	struct ts local = c.v[0].local.v[0];
	struct ts remote = c.v[0].remote.v[0];
	struct flow_list l;

	local.port_lo = 3 << 8 | 4;
	local.port_hi = 3 << 8 | 4;
	l = fill(&d, &local, &remote, OK);
	ck_assert_uint_eq(l.n, _i == 0 ? 1 : 2);
	ck_assert_uint_eq(ntohs(l.v[0].p.sel.sport), 3);
	ck_assert_uint_eq(l.v[0].p.sel.sport_mask, UINT16_MAX);
	ck_assert_uint_eq(ntohs(l.v[0].p.sel.dport), 4);
	ck_assert_uint_eq(l.v[0].p.sel.dport_mask, UINT16_MAX);
	flow_list_free(&l);
	local.port_lo = 8 << 8;
	local.port_hi = 8 << 8 | 0xff;
	l = fill(&d, &local, &remote, OK);
	ck_assert_uint_eq(ntohs(l.v[0].p.sel.sport), 8);
	ck_assert_uint_eq(l.v[0].p.sel.dport_mask, 0);
	flow_list_free(&l);
	children_free(&c);
}
END_TEST

START_TEST(opaque_is_the_ports_that_fragments_show)
{
	const char *text = "10.1.0.0/24@udp>10.2.0.0/24@udp";
	struct children c = kit_children(&text, 1);
	struct sa_desc d = desc_of(&c, SA_OUT);
	struct ts local = c.v[0].local.v[0];
	struct flow_list l;

	local.port_lo = UINT16_MAX;
	local.port_hi = 0;
	l = fill(&d, &local, c.v[0].remote.v, OK);
	ck_assert_uint_eq(l.n, 1);
	ck_assert_uint_eq(l.v[0].p.sel.sport, 0);
	ck_assert_uint_eq(l.v[0].p.sel.sport_mask, UINT16_MAX);
	flow_list_free(&l);
	local.proto = c.v[0].remote.v[0].proto = IPPROTO_ICMP;
	l = fill(&d, &local, c.v[0].remote.v, ERR_UNSUPPORTED);
	ck_assert_uint_eq(l.n, 0);
	local.proto = c.v[0].remote.v[0].proto = IPPROTO_GRE;
	l = fill(&d, &local, c.v[0].remote.v, OK);
	ck_assert_uint_eq(l.v[0].p.sel.sport_mask, 0);
	flow_list_free(&l);
	children_free(&c);
}
END_TEST

START_TEST(too_many_and_none_at_all_are_errors)
{
	static const struct {
		const char *child;
		enum err err;
	} rows[] = {
		{ "10.1.0.1-10.1.255.254@udp=1-65534>10.2.0.1-10.2.255.254@udp=1-65534",
		  ERR_LIMIT },
		{ "10.1.0.0/24@tcp>10.2.0.0/24@udp", ERR_TS },
		{ "10.1.0.0/24>2001:db8::/64", ERR_TS },
	};
	struct children c = kit_children(&rows[_i].child, 1);
	struct sa_desc d = desc_of(&c, SA_OUT);
	struct flow_list l = { .n = 0 };

	ck_assert_int_eq(flow_list_fill(&l, &d), rows[_i].err);
	ck_assert_uint_eq(l.n, 0);
	flow_list_free(&l);
	children_free(&c);
}
END_TEST

START_TEST(directions_follow_the_mode)
{
	const char *text = "10.1.0.0/24>10.2.0.0/24";
	struct children c = kit_children(&text, 1);
	struct sa_desc d = desc_of(&c, SA_IN);
	struct flow_list l = { .n = 0 };

	ck_assert_int_eq(flow_list_fill(&l, &d), OK);
	ck_assert_uint_eq(l.n, 2);
	ck_assert_uint_eq(l.v[0].p.dir, XFRM_POLICY_IN);
	ck_assert_uint_eq(l.v[1].p.dir, XFRM_POLICY_FWD);
	ck_assert_uint_eq(l.v[0].spi, 0);
	ck_assert(addr_eq(&l.v[0].src, &d.path.remote.addr));
	ck_assert_uint_eq(ntohl(l.v[0].p.sel.saddr.a4), 0x0a020000);
	flow_list_free(&l);
	d.mode = SA_TRANSPORT;
	ck_assert_int_eq(flow_list_fill(&l, &d), OK);
	ck_assert_uint_eq(l.n, 1);
	flow_list_free(&l);
	d = desc_of(&c, SA_OUT);
	ck_assert_int_eq(flow_list_fill(&l, &d), OK);
	ck_assert_uint_eq(l.n, 1);
	ck_assert_uint_eq(l.v[0].spi, 0x1002);
	flow_list_free(&l);
	children_free(&c);
}
END_TEST

/* ---- priorities ---- */

static uint32_t priority_of(const char *text, bool trap, uint32_t level)
{
	struct children c = kit_children(&text, 1);
	struct sa_desc d = desc_of(&c, SA_OUT);
	struct flow_list l = { .n = 0 };
	uint32_t priority;

	ck_assert_int_eq(trap ? flow_list_fill_trap(&l, &c.v[0]) : flow_list_fill(&l, &d), OK);
	if (level != 0)
		flow_set_level(&l.v[0], level);
	priority = l.v[0].p.priority;
	ck_assert_uint_ge(priority, FLOW_PRIORITY_BEST);
	ck_assert_uint_le(priority, FLOW_PRIORITY_WORST);
	flow_list_free(&l);
	children_free(&c);
	return priority;
}

static uint32_t ranked(const char *text, unsigned int rank)
{
	struct children c = kit_children(&text, 1);
	struct sa_desc d = desc_of(&c, SA_OUT);
	struct flow_list l = { .n = 0 };
	uint32_t priority;

	d.set = SA_REQID_BASE + SA_REQID_SETS;
	d.priority = (uint8_t)(rank % FLOW_NUMBERS);
	d.passed = rank >= FLOW_NUMBERS;
	ck_assert_int_eq(flow_list_fill(&l, &d), OK);
	ck_assert_uint_eq(l.v[0].reqid, d.set);
	flow_set_level(&l.v[0], 40);
	ck_assert_uint_eq(flow_level(&l.v[0]), 40);
	priority = l.v[0].p.priority;
	flow_list_free(&l);
	children_free(&c);
	return priority;
}

/* The worst of this rank is before the best of the next, and all are before traps. */
static void ranks_in_order(unsigned int rank)
{
	static const char wide[] = "0.0.0.0/0>0.0.0.0/0";
	static const char narrow[] = "2001:db8::1/128@tcp=1>2001:db8:1::1/128@tcp=1";
	const uint32_t worst = ranked(wide, rank);

	if (rank + 1 < FLOW_RANKS)
		ck_assert_uint_lt(worst, ranked(narrow, rank + 1));
	ck_assert_uint_lt(worst, priority_of(wide, true, 40));
}

START_TEST(narrower_first_and_a_child_before_its_trap)
{
	static const char *const order[] = {
		"10.1.0.1/32@tcp=1>10.2.0.1/32@tcp=1",
		"10.1.0.1/32@tcp>10.2.0.1/32@tcp=80",
		"10.1.0.1/32@tcp>10.2.0.1/32@tcp",
		"10.1.0.1/32>10.2.0.1/32",
		"10.1.0.0/31@tcp=5>10.2.0.1/32",
		"10.1.0.0/24>10.2.0.0/24",
		"10.1.0.0/24>10.0.0.0/8",
		"0.0.0.0/0>0.0.0.0/0",
	};

	_Static_assert(FLOW_PRIORITY_WORST < POLICY_PRIORITY_BEST, "guards are beneath");
	for (int i = 0; i < N_OF(order); i++) {
		ck_assert_uint_lt(priority_of(order[i], false, 0), priority_of(order[i], true, 0));
		/* Within one level, as of one configured child. */
		if (i > 0)
			ck_assert_uint_lt(priority_of(order[i - 1], false, 40),
					  priority_of(order[i], false, 40));
	}
	for (unsigned int rank = 0; rank < FLOW_RANKS; rank++)
		ranks_in_order(rank);
	/* Whatever was negotiated, the narrower configured child is first. */
	ck_assert_uint_lt(priority_of(order[5], true, 0), priority_of(order[0], false, 4 * 32));
}
END_TEST

static struct flow_policy exempt_of(uint32_t priority)
{
	struct policy p = { .dir = XFRM_POLICY_OUT, .priority = priority };

	return flow_exempt(&p);
}

START_TEST(an_exception_is_before_what_it_is_from_and_behind_what_is_narrower)
{
	unsigned int narrow = 4 * (24 + 8);
	struct flow_policy e = exempt_of(policy_priority(narrow, POLICY_EXEMPTS));
	struct flow_policy first = exempt_of(POLICY_PRIORITY_BEST);

	ck_assert_uint_eq(flow_level(&e), narrow);
	ck_assert_uint_lt(e.p.priority, priority_of("10.1.0.0/24>10.0.0.0/8", true, 0));
	ck_assert_uint_lt(e.p.priority, priority_of("10.1.0.0/24>10.0.0.0/8", false, 0));
	ck_assert_uint_gt(e.p.priority, priority_of("10.1.0.0/24>10.0.0.0/9", true, 0));
	ck_assert_uint_lt(first.p.priority,
			  priority_of("10.1.0.1/32@tcp=1>10.2.0.1/32@tcp=1", false, 0));
}
END_TEST

/* ---- messages ---- */

static struct flow_policy example(void)
{
	const char *text = "10.1.0.0/24>10.2.0.0/24@tcp=443";
	struct children c = kit_children(&text, 1);
	struct sa_desc d = desc_of(&c, SA_OUT);
	struct flow_list l = { .n = 0 };
	struct flow_policy f;

	ck_assert_int_eq(flow_list_fill(&l, &d), OK);
	f = l.v[0];
	f.p.index = policy_index(POLICY_OF_FLOW, 70000, XFRM_POLICY_OUT);
	f.if_id = 42;
	flow_list_free(&l);
	children_free(&c);
	return f;
}

/* By hand after linux/xfrm.h: selector; limits; counters, priority, index, direction; template. */
START_TEST(a_policy_on_the_wire)
{
	static const char bytes[] =
		"0a0200000000000000000000000000000a010000000000000000000000000000"
		"01bbffff0000000002001818060000000000000001005050ffffffffffffffff"
		"ffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000"
		"0000000000000000000000000000000000000000000000000000000000000000"
		"0000000000000000000000000000000000000000000000005b2bd8e0818b6850"
		"010000000000000044000500c000020200000000000000000000000000001002"
		"3200000002000000c00002010000000000000000000000000700005001000000"
		"ffffffffffffffffffffffff08001f002a000000";
	struct flow_policy f = example();
	struct ask a = flow_ask_add(&f);

	kit_expect(&a, XFRM_MSG_NEWPOLICY, bytes);
	a = flow_ask_update(&f);
	kit_expect(&a, XFRM_MSG_UPDPOLICY, bytes);
}
END_TEST

START_TEST(what_was_written_is_read)
{
	struct flow_policy f = example();
	struct ask a = flow_ask_add(&f);
	struct nlmsghdr *m = kit_answer(&a, XFRM_MSG_NEWPOLICY);
	struct flow_policy got;

	ck_assert_int_eq(flow_read(m, &got), OK);
	ck_assert(flow_same(&got, &f));
	ck_assert_uint_eq(got.p.index, f.p.index);
	ck_assert(flow_is_ours(&got));
	for (uint32_t len = NLMSG_HDRLEN; len < m->nlmsg_len; len++) {
		uint32_t whole = m->nlmsg_len;

		m->nlmsg_len = len;
		if (flow_read(m, &got) == OK)
			ck_assert_msg(len == whole - 8 || len == whole - 8 - 68, "%u", len);
		m->nlmsg_len = whole;
	}
	free(m);
}
END_TEST

START_TEST(ours_has_index_number_priority_and_reqid)
{
	struct flow_policy f = example();

	ck_assert(flow_is_ours(&f));
	f.reqid = 7;
	ck_assert(!flow_is_ours(&f));
	f = example();
	f.p.sel.user = 0;
	ck_assert(!flow_is_ours(&f));
	f = example();
	f.p.priority = 100;
	ck_assert(!flow_is_ours(&f));
	f = example();
	f.p.index = 9;
	ck_assert(!flow_is_ours(&f));
	f.p.index = policy_index(POLICY_OF_PLANE, 7, XFRM_POLICY_OUT);
	ck_assert(!flow_is_ours(&f));
}
END_TEST

START_TEST(the_way_back_of_a_policy)
{
	const char *text = "10.1.0.0/24@tcp=5>10.2.0.0/25@tcp=443";
	struct children c = kit_children(&text, 1);
	struct sa_desc d = desc_of(&c, SA_IN);
	struct flow_list in = { .n = 0 };
	struct flow_list trap = { .n = 0 };
	struct flow_policy m;

	ck_assert_int_eq(flow_list_fill(&in, &d), OK);
	ck_assert_int_eq(flow_list_fill_trap(&trap, &c.v[0]), OK);
	m = flow_mirror(&in.v[0]);
	ck_assert(flow_covers(&trap.v[0], &m));
	ck_assert(!flow_covers(&trap.v[0], &in.v[0]));
	m.p.sel.prefixlen_d--;
	ck_assert(!flow_covers(&trap.v[0], &m));
	flow_list_free(&in);
	flow_list_free(&trap);
	children_free(&c);
}
END_TEST

UNIT("xfrm/flow")
{
	tcase_add_loop_test(tc, selectors_are_cut_exactly, 0, N_OF(cuts));
	tcase_add_loop_test(tc, no_port_more_and_none_less, 0, 9);
	tcase_add_loop_test(tc, icmp_type_and_code, 0, 2);
	tcase_add_test(tc, opaque_is_the_ports_that_fragments_show);
	tcase_add_loop_test(tc, too_many_and_none_at_all_are_errors, 0, 3);
	tcase_add_test(tc, directions_follow_the_mode);
	tcase_add_test(tc, narrower_first_and_a_child_before_its_trap);
	tcase_add_test(tc, an_exception_is_before_what_it_is_from_and_behind_what_is_narrower);
	tcase_add_test(tc, a_policy_on_the_wire);
	tcase_add_test(tc, what_was_written_is_read);
	tcase_add_test(tc, ours_has_index_number_priority_and_reqid);
	tcase_add_test(tc, the_way_back_of_a_policy);
}
