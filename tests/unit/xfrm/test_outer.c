/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/outer.h"

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/host.h"

static struct iface devices[] = { { .ifindex = 3, .group = 0 },
				  { .ifindex = 7, .group = IFACE_GROUP } };
static const struct iface_list list = { .v = devices, .n = 2 };

static enum err first_copy(const struct nlmsghdr *m, struct ask *a)
{
	struct copy c = { .key = 0 };
	size_t at = 0;
	enum err err = outer_copy(m, &list, &at, &c);

	*a = c.ask;
	return err;
}

static const struct route_case {
	const char *name;
	const char *to;
	const char *via; /* NULL: on the link */
	uint32_t device;
	uint32_t table;
	uint8_t protocol;
	uint8_t type;
	bool copied;
} cases[] = {
	{ "default", "0.0.0.0/0", "192.0.2.9", 3, RT_TABLE_MAIN, RTPROT_BOOT, RTN_UNICAST, true },
	{ "default v6", "::/0", "fe80::1", 3, RT_TABLE_MAIN, RTPROT_RA, RTN_UNICAST, true },
	{ "on the link", "192.0.2.0/24", NULL, 3, RT_TABLE_MAIN, RTPROT_KERNEL, RTN_UNICAST, true },
	{ "default into a device of a child", "0.0.0.0/0", NULL, 7, RT_TABLE_MAIN, RTPROT_BOOT,
	  RTN_UNICAST, false },
	{ "a network behind a router", "198.51.100.0/24", "192.0.2.9", 3, RT_TABLE_MAIN,
	  RTPROT_BOOT, RTN_UNICAST, false },
	{ "ours", "10.2.0.0/16", NULL, 3, RT_TABLE_MAIN, HOST_PROTOCOL, RTN_UNICAST, false },
	{ "another table", "0.0.0.0/0", "192.0.2.9", 3, 100, RTPROT_BOOT, RTN_UNICAST, false },
	{ "a dead one", "0.0.0.0/0", NULL, 0, RT_TABLE_MAIN, RTPROT_BOOT, RTN_UNREACHABLE, false },
};

static struct nlmsghdr *kernel_says(const struct route_case *c)
{
	struct ask a = ask_new(RTM_NEWROUTE, 0);
	struct rtmsg h = { .rtm_protocol = c->protocol, .rtm_type = c->type };
	struct addr via;
	struct net to;

	ck_assert(net_parse(c->to, &to));
	h.rtm_family = (uint8_t)to.addr.family;
	h.rtm_dst_len = to.bits;
	ask_header(&a, &h, sizeof(h));
	ask_u32(&a, RTA_TABLE, c->table);
	if (to.bits > 0)
		ask_bytes(&a, RTA_DST, to.addr.b, addr_len(&to.addr));
	if (c->via != NULL) {
		ck_assert(addr_parse(c->via, &via));
		ask_bytes(&a, RTA_GATEWAY, via.b, addr_len(&via));
	}
	if (c->device != 0)
		ask_u32(&a, RTA_OIF, c->device);
	ask_u32(&a, RTA_PRIORITY, 100);
	return kit_answer(&a, RTM_NEWROUTE);
}

START_TEST(default_routes_and_links_are_copied_when_they_lead_elsewhere)
{
	struct nlmsghdr *m = kernel_says(&cases[_i]);
	struct ask a;
	enum err err = first_copy(m, &a);

	ck_assert_msg(err == (cases[_i].copied ? OK : ERR_NOT_FOUND), "%s", cases[_i].name);
	if (err == OK)
		ask_free(&a);
	free(m);
}
END_TEST

START_TEST(a_copy_has_our_table_and_number)
{
	struct nlmsghdr *m = kernel_says(&cases[0]);
	struct ask a;

	ck_assert_int_eq(first_copy(m, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "020000000050000100000000"
		   "08000f00bb130000"
		   "08000500c0000209"
		   "0800040003000000"
		   "0800060064000000");
	free(m);
}
END_TEST

START_TEST(only_a_default_route_of_others_is_news)
{
	struct nlmsghdr *m = kernel_says(&cases[0]);
	struct nlmsghdr *link = kernel_says(&cases[2]);
	struct nlmsghdr *ours = kernel_says(&cases[5]);

	ck_assert(outer_concerns(m));
	m->nlmsg_type = RTM_DELROUTE;
	ck_assert(outer_concerns(m));
	ck_assert(!outer_concerns(link));
	ck_assert(!outer_concerns(ours));
	free(m);
	free(link);
	free(ours);
}
END_TEST

/* A default route with hops over 3 and 7, or 7 alone; 7 leads into a child. */
static struct nlmsghdr *several(const uint32_t *hops, size_t n)
{
	const struct rtmsg h = { .rtm_family = AF_INET,
				 .rtm_protocol = RTPROT_BOOT,
				 .rtm_type = RTN_UNICAST };
	struct ask a = ask_new(RTM_NEWROUTE, 0);
	struct nlattr *nest;

	ask_header(&a, &h, sizeof(h));
	ask_u32(&a, RTA_TABLE, RT_TABLE_MAIN);
	ask_u32(&a, RTA_PRIORITY, 100);
	nest = ask_nest(&a, RTA_MULTIPATH);
	for (size_t i = 0; i < n; i++) {
		const uint8_t gateway[] = { 192, 0, 2, (uint8_t)hops[i] };
		const struct rtnexthop hop = { .rtnh_len = sizeof(hop) + 8,
					       .rtnh_flags = RTNH_F_LINKDOWN,
					       .rtnh_ifindex = (int)hops[i] };

		ask_header(&a, &hop, sizeof(hop));
		ask_bytes(&a, RTA_GATEWAY, gateway, sizeof(gateway));
	}
	ask_nest_end(&a, nest);
	return kit_answer(&a, RTM_NEWROUTE);
}

START_TEST(of_several_hops_those_elsewhere_are_copied)
{
	struct nlmsghdr *m = several((const uint32_t[]){ 3, 7, 4 }, 3);
	struct ask a;

	ck_assert_int_eq(first_copy(m, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "020000000050000100000000"
		   "08000f00bb130000"
		   "24000980"
		   "100000000300000008000500c0000203"
		   "100000000400000008000500c0000204"
		   "0800060064000000");
	free(m);
}
END_TEST

/* As the kernel shows a route that has one hop, or it would be taken for another one. */
START_TEST(one_hop_that_is_left_is_a_plain_route)
{
	struct nlmsghdr *m = several((const uint32_t[]){ 3, 7 }, 2);
	struct ask a;

	ck_assert_int_eq(first_copy(m, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "020000000050000100000000"
		   "08000f00bb130000"
		   "08000500c0000203"
		   "0800040003000000"
		   "0800060064000000");
	free(m);
}
END_TEST

START_TEST(without_a_hop_elsewhere_nothing_is_copied)
{
	struct nlmsghdr *m = several((const uint32_t[]){ 7, 7 }, 2);
	struct ask a;

	ck_assert_int_eq(first_copy(m, &a), ERR_NOT_FOUND);
	free(m);
}
END_TEST

static struct nlmsghdr *by_object(bool spelt_out, uint32_t device)
{
	const struct rtmsg h = { .rtm_family = AF_INET,
				 .rtm_protocol = RTPROT_BOOT,
				 .rtm_type = RTN_UNICAST };
	struct ask a = ask_new(RTM_NEWROUTE, 0);

	ask_header(&a, &h, sizeof(h));
	ask_u32(&a, RTA_TABLE, RT_TABLE_MAIN);
	ask_u32(&a, RTA_NH_ID, 5);
	if (spelt_out)
		ask_u32(&a, RTA_OIF, device);
	return kit_answer(&a, RTM_NEWROUTE);
}

START_TEST(a_nexthop_object_is_spelt_out_or_copied_by_its_number)
{
	struct nlmsghdr *out = by_object(true, 3);
	struct nlmsghdr *into = by_object(true, 7);
	struct nlmsghdr *number = by_object(false, 0);
	struct ask a;

	ck_assert_int_eq(first_copy(out, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "020000000050000100000000"
		   "08000f00bb130000"
		   "0800040003000000");
	ck_assert_int_eq(first_copy(into, &a), ERR_NOT_FOUND);
	ck_assert_int_eq(first_copy(number, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "020000000050000100000000"
		   "08000f00bb130000"
		   "08001e0005000000");
	free(out);
	free(into);
	free(number);
}
END_TEST

/* A realm and a label, alone and as one of two hops: one route to the kernel, and so to us. */
static struct nlmsghdr *labelled(bool one_of_two)
{
	static const uint8_t gateway[] = { 192, 0, 2, 3 };
	static const uint8_t label[] = { 8, 0, 1, 0, 0, 0x06, 0x41, 0 };
	static const uint8_t mpls[] = { 1, 0 };
	static const struct rtnexthop hops[] = { { .rtnh_len = 44, .rtnh_ifindex = 3 },
						 { .rtnh_len = 8, .rtnh_ifindex = 7 } };
	const struct rtmsg h = { .rtm_family = AF_INET,
				 .rtm_protocol = RTPROT_BOOT,
				 .rtm_type = RTN_UNICAST };
	struct ask a = ask_new(RTM_NEWROUTE, 0);
	struct nlattr *nest = NULL;

	ask_header(&a, &h, sizeof(h));
	ask_u32(&a, RTA_TABLE, RT_TABLE_MAIN);
	if (one_of_two) {
		nest = ask_nest(&a, RTA_MULTIPATH);
		ask_header(&a, &hops[0], sizeof(hops[0]));
	} else {
		ask_u32(&a, RTA_OIF, 3);
	}
	ask_bytes(&a, RTA_GATEWAY, gateway, sizeof(gateway));
	ask_u32(&a, RTA_FLOW, 9);
	ask_bytes(&a, RTA_ENCAP, label, sizeof(label));
	ask_bytes(&a, RTA_ENCAP_TYPE, mpls, sizeof(mpls));
	if (one_of_two) {
		ask_header(&a, &hops[1], sizeof(hops[1]));
		ask_nest_end(&a, nest);
	}
	return kit_answer(&a, RTM_NEWROUTE);
}

START_TEST(a_label_is_copied_from_either_form)
{
	struct nlmsghdr *m = labelled(_i == 1);
	struct ask a;

	ck_assert_int_eq(first_copy(m, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "020000000050000100000000"
		   "08000f00bb130000"
		   "08000500c0000203"
		   "08000b0009000000"
		   "0c0016000800010000064100"
		   "0600150001000000"
		   "0800040003000000");
	free(m);
}
END_TEST

/* ---- IPv6 ---- */

enum { HOP_ATTRS = 20, HOP_LEN = 8 + HOP_ATTRS };

/* A default route by fe80::HOP over device HOP, for each; the kernel shows a single one plainly. */
static struct nlmsghdr *hops6(uint32_t table, const uint32_t *hops, size_t n, uint8_t pref)
{
	const struct rtmsg h = { .rtm_family = AF_INET6,
				 .rtm_protocol = table == RT_TABLE_MAIN ? RTPROT_RA : HOST_PROTOCOL,
				 .rtm_type = RTN_UNICAST };
	struct ask a = ask_new(RTM_NEWROUTE, 0);
	struct nlattr *nest = NULL;

	ask_header(&a, &h, sizeof(h));
	ask_u32(&a, RTA_TABLE, table);
	if (n > 1)
		nest = ask_nest(&a, RTA_MULTIPATH);
	for (size_t i = 0; i < n; i++) {
		const uint8_t gateway[16] = { 0xfe, 0x80, [15] = (uint8_t)hops[i] };
		const struct rtnexthop hop = { .rtnh_len = HOP_LEN, .rtnh_ifindex = (int)hops[i] };

		if (n > 1)
			ask_header(&a, &hop, sizeof(hop));
		ask_bytes(&a, RTA_GATEWAY, gateway, sizeof(gateway));
		if (n == 1)
			ask_u32(&a, RTA_OIF, hops[i]);
	}
	if (n > 1)
		ask_nest_end(&a, nest);
	ask_u32(&a, RTA_PRIORITY, 1024);
	ask_u8(&a, RTA_PREF, pref);
	return kit_answer(&a, RTM_NEWROUTE);
}

START_TEST(in_ipv6_each_hop_elsewhere_is_a_route)
{
	struct nlmsghdr *m = hops6(RT_TABLE_MAIN, (const uint32_t[]){ 3, 7, 4 }, 3, 0);
	struct copy c;
	size_t at = 0;

	ck_assert_int_eq(outer_copy(m, &list, &at, &c), OK);
	kit_expect(&c.ask, RTM_NEWROUTE,
		   "0a0000000050000100000000"
		   "08000f00bb130000"
		   "14000500fe800000000000000000000000000003"
		   "0800040003000000"
		   "0800060000040000"
		   "0500140000000000");
	ck_assert_int_eq(outer_copy(m, &list, &at, &c), OK);
	kit_expect(&c.ask, RTM_NEWROUTE,
		   "0a0000000050000100000000"
		   "08000f00bb130000"
		   "14000500fe800000000000000000000000000004"
		   "0800040004000000"
		   "0800060000040000"
		   "0500140000000000");
	ck_assert_int_eq(outer_copy(m, &list, &at, &c), ERR_NOT_FOUND);
	free(m);
}
END_TEST

START_TEST(cut_hops_of_ipv6_are_never_sent_and_come_to_an_end)
{
	struct nlmsghdr *m = hops6(RT_TABLE_MAIN, (const uint32_t[]){ 3, 4 }, 2, 0);
	struct rtnexthop *second = (struct rtnexthop *)((uint8_t *)nlmsg_data(m) +
							sizeof(struct rtmsg) + 8 + 4 + HOP_LEN);
	struct copy c;
	size_t at = 0;

	ck_assert_int_eq(second->rtnh_ifindex, 4);
	second->rtnh_len = 200;
	ck_assert_int_eq(outer_copy(m, &list, &at, &c), OK);
	ck_assert(!c.ask.bad);
	ask_free(&c.ask);
	ck_assert_int_eq(outer_copy(m, &list, &at, &c), OK);
	ck_assert(c.ask.bad);
	ask_free(&c.ask);
	ck_assert_int_eq(outer_copy(m, &list, &at, &c), ERR_NOT_FOUND);
	free(m);
}
END_TEST

/* Frees the message. */
static void add_all(struct copies *to, struct nlmsghdr *m, bool wanted)
{
	struct copy c;
	size_t at = 0;

	while ((wanted ? outer_copy(m, &list, &at, &c) : outer_copied(m, &at, &c)) == OK)
		ck_assert_int_eq(copies_add(to, &c), OK);
	free(m);
}

/* Two routers advertise themselves; our copies of their routes are one route to the kernel, which
 * shows one preference for both. */
START_TEST(copies_that_the_kernel_joined_are_the_ones_that_are_wanted)
{
	struct copies want = { .n = 0 };
	struct copies have = { .n = 0 };

	add_all(&want, hops6(RT_TABLE_MAIN, (const uint32_t[]){ 3 }, 1, 0), true);
	add_all(&want, hops6(RT_TABLE_MAIN, (const uint32_t[]){ 4 }, 1, 1), true);
	add_all(&have, hops6(HOST_TABLE_OUTER, (const uint32_t[]){ 4, 3 }, 2, 1), false);
	ck_assert_uint_eq(want.n, 2);
	ck_assert_uint_eq(have.n, 2);
	ck_assert_int_eq(copies_match(&want, &have), OK);
	for (size_t i = 0; i < 2; i++)
		ck_assert(want.v[i].known && have.v[i].known);
	copies_free(&want);
	copies_free(&have);
}
END_TEST

START_TEST(of_joined_copies_only_the_one_that_is_not_wanted_goes)
{
	struct copies want = { .n = 0 };
	struct copies have = { .n = 0 };

	add_all(&want, hops6(RT_TABLE_MAIN, (const uint32_t[]){ 3 }, 1, 0), true);
	add_all(&have, hops6(HOST_TABLE_OUTER, (const uint32_t[]){ 3, 4 }, 2, 0), false);
	ck_assert_uint_eq(have.n, 2);
	ck_assert_int_eq(copies_match(&want, &have), OK);
	ck_assert(want.v[0].known && have.v[0].known && !have.v[1].known);
	kit_compare(&have.v[1].ask, RTM_NEWROUTE,
		    "0a0000000050000100000000"
		    "08000f00bb130000"
		    "14000500fe800000000000000000000000000004"
		    "0800040004000000"
		    "0800060000040000"
		    "0500140000000000");
	copies_free(&want);
	copies_free(&have);
}
END_TEST

UNIT("xfrm/outer")
{
	tcase_add_loop_test(tc, a_label_is_copied_from_either_form, 0, 2);
	tcase_add_test(tc, in_ipv6_each_hop_elsewhere_is_a_route);
	tcase_add_test(tc, cut_hops_of_ipv6_are_never_sent_and_come_to_an_end);
	tcase_add_test(tc, copies_that_the_kernel_joined_are_the_ones_that_are_wanted);
	tcase_add_test(tc, of_joined_copies_only_the_one_that_is_not_wanted_goes);
	tcase_add_test(tc, of_several_hops_those_elsewhere_are_copied);
	tcase_add_test(tc, one_hop_that_is_left_is_a_plain_route);
	tcase_add_test(tc, without_a_hop_elsewhere_nothing_is_copied);
	tcase_add_test(tc, a_nexthop_object_is_spelt_out_or_copied_by_its_number);
	tcase_add_loop_test(tc, default_routes_and_links_are_copied_when_they_lead_elsewhere, 0,
			    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, a_copy_has_our_table_and_number);
	tcase_add_test(tc, only_a_default_route_of_others_is_news);
}
