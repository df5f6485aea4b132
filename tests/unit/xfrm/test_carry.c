/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/carry.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/host.h"
#include "xfrm/iface.h"

static const struct carry carry = { .from = 7, .to = 9 };

static const struct rtmsg usual = { .rtm_family = AF_INET,
				    .rtm_dst_len = 16,
				    .rtm_protocol = RTPROT_BOOT,
				    .rtm_type = RTN_UNICAST };

static struct ask route(const struct rtmsg *h, uint32_t table)
{
	static const uint8_t to[] = { 10, 8, 0, 0 };
	struct ask a = ask_new(RTM_NEWROUTE, 0);

	ask_header(&a, h, sizeof(*h));
	ask_u32(&a, RTA_TABLE, table);
	ask_bytes(&a, RTA_DST, to, sizeof(to));
	return a;
}

static const struct {
	const char *name;
	uint32_t table;
	uint32_t device;
	uint8_t protocol;
	uint8_t type;
	unsigned int flags;
	bool carried;
} cases[] = {
	{ "an administrator's", RT_TABLE_MAIN, 7, RTPROT_BOOT, RTN_UNICAST, 0, true },
	{ "a daemon's, in a table of its own", 100, 7, 186, RTN_UNICAST, 0, true },
	{ "without carrier, as the kernel says", RT_TABLE_MAIN, 7, RTPROT_STATIC, RTN_UNICAST,
	  RTNH_F_LINKDOWN, true },
	{ "of another device", RT_TABLE_MAIN, 8, RTPROT_BOOT, RTN_UNICAST, 0, false },
	{ "ours", RT_TABLE_MAIN, 7, HOST_PROTOCOL, RTN_UNICAST, 0, false },
	{ "of our table", HOST_TABLE, 7, RTPROT_BOOT, RTN_UNICAST, 0, false },
	{ "the kernel's", RT_TABLE_MAIN, 7, RTPROT_KERNEL, RTN_UNICAST, 0, false },
	{ "of an address", RT_TABLE_LOCAL, 7, RTPROT_BOOT, RTN_LOCAL, 0, false },
	{ "out of the cache", RT_TABLE_MAIN, 7, RTPROT_BOOT, RTN_UNICAST, RTM_F_CLONED, false },
};

START_TEST(routes_of_others_into_the_device_are_carried)
{
	struct rtmsg h = usual;
	struct nlmsghdr *m;
	struct ask a;
	enum err err;

	h.rtm_protocol = cases[_i].protocol;
	h.rtm_type = cases[_i].type;
	h.rtm_flags = cases[_i].flags;
	a = route(&h, cases[_i].table);
	ask_u32(&a, RTA_OIF, cases[_i].device);
	m = kit_answer(&a, RTM_NEWROUTE);
	err = carry_route(m, &carry, &a);
	ck_assert_msg(err == (cases[_i].carried ? OK : ERR_NOT_FOUND), "%s", cases[_i].name);
	if (err == OK) {
		const struct rtmsg *to = nlmsg_data(nlmsg_hdr(a.msg));

		ck_assert_uint_eq(to->rtm_flags, 0);
		ck_assert_uint_eq(to->rtm_protocol, cases[_i].protocol);
		ask_free(&a);
	}
	free(m);
}
END_TEST

static struct nlmsghdr *by_gateway(void)
{
	static const uint8_t gateway[] = { 10, 255, 0, 2 };
	static const uint8_t source[] = { 10, 254, 0, 1 };
	struct ask a = route(&usual, 100);

	ask_bytes(&a, RTA_GATEWAY, gateway, sizeof(gateway));
	ask_u32(&a, RTA_OIF, carry.from);
	ask_u32(&a, RTA_PRIORITY, 50);
	ask_bytes(&a, RTA_PREFSRC, source, sizeof(source));
	return kit_answer(&a, RTM_NEWROUTE);
}

START_TEST(a_route_keeps_all_but_its_device)
{
	struct nlmsghdr *m = by_gateway();
	struct ask a;

	ck_assert_int_eq(carry_route(m, &carry, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "021000000003000100000000"
		   "08000f0064000000"
		   "080001000a080000"
		   "0800060032000000"
		   "080007000afe0001"
		   "080005000aff0002"
		   "0800040009000000");
	free(m);
}
END_TEST

START_TEST(what_the_kernel_refuses_goes_without_its_gateway)
{
	struct nlmsghdr *m = by_gateway();
	struct ask a;

	ck_assert_int_eq(carry_route_plain(m, &carry, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "021000000003fd0100000000"
		   "08000f0064000000"
		   "080001000a080000"
		   "0800060032000000"
		   "080007000afe0001"
		   "0800040009000000");
	free(m);
}
END_TEST

/* With a label of MPLS; the kernel shows it in the order of these attributes. */
START_TEST(a_route_keeps_its_label_with_and_without_its_gateway)
{
	static const uint8_t gateway[] = { 10, 255, 0, 2 };
	static const uint8_t label[] = { 8, 0, 1, 0, 0, 0x06, 0x41, 0 };
	static const uint8_t mpls[] = { 1, 0 };
	struct ask a = route(&usual, 100);
	struct nlmsghdr *m;

	ask_bytes(&a, RTA_GATEWAY, gateway, sizeof(gateway));
	ask_u32(&a, RTA_OIF, carry.from);
	ask_bytes(&a, RTA_ENCAP, label, sizeof(label));
	ask_bytes(&a, RTA_ENCAP_TYPE, mpls, sizeof(mpls));
	m = kit_answer(&a, RTM_NEWROUTE);
	ck_assert_int_eq(carry_route(m, &carry, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "021000000003000100000000"
		   "08000f0064000000"
		   "080001000a080000"
		   "0c0016000800010000064100"
		   "0600150001000000"
		   "080005000aff0002"
		   "0800040009000000");
	ck_assert_int_eq(carry_route_plain(m, &carry, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "021000000003fd0100000000"
		   "08000f0064000000"
		   "080001000a080000"
		   "0c0016000800010000064100"
		   "0600150001000000"
		   "0800040009000000");
	free(m);
}
END_TEST

static void hop(struct ask *a, uint32_t ifindex, unsigned char flags)
{
	const struct rtnexthop h = { .rtnh_len = sizeof(h),
				     .rtnh_flags = flags,
				     .rtnh_ifindex = (int)ifindex };

	ask_header(a, &h, sizeof(h));
}

/* Two hops, the first of them over the device, without carrier. */
static struct nlmsghdr *several(sa_family_t family, uint32_t ours)
{
	struct rtmsg h = usual;
	struct nlattr *nest;
	struct ask a;

	h.rtm_family = (uint8_t)family;
	h.rtm_dst_len = 0;
	a = ask_new(RTM_NEWROUTE, 0);
	ask_header(&a, &h, sizeof(h));
	ask_u32(&a, RTA_TABLE, RT_TABLE_MAIN);
	nest = ask_nest(&a, RTA_MULTIPATH);
	hop(&a, ours, RTNH_F_LINKDOWN);
	hop(&a, 3, 0);
	ask_nest_end(&a, nest);
	return kit_answer(&a, RTM_NEWROUTE);
}

START_TEST(of_several_hops_each_keeps_its_place)
{
	struct nlmsghdr *m = several(AF_INET, carry.from);
	struct ask a;

	ck_assert_int_eq(carry_route(m, &carry, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "020000000003000100000000"
		   "08000f00fe000000"
		   "140009800800000009000000"
		   "0800000003000000");
	free(m);
}
END_TEST

/* There each is a route of its own, and the others stay. */
START_TEST(of_several_hops_of_ipv6_only_ours_is_made)
{
	struct nlmsghdr *m = several(AF_INET6, carry.from);
	struct ask a;

	ck_assert_int_eq(carry_route(m, &carry, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "0a0000000003000100000000"
		   "08000f00fe000000"
		   "0800040009000000");
	free(m);
}
END_TEST

START_TEST(hops_elsewhere_are_not_touched)
{
	struct nlmsghdr *m = several(AF_INET, 4);
	struct ask a;

	ck_assert_int_eq(carry_route(m, &carry, &a), ERR_NOT_FOUND);
	free(m);
}
END_TEST

START_TEST(cut_hops_are_never_sent)
{
	struct nlmsghdr *m = several(AF_INET, carry.from);
	struct rtnexthop *h =
		(struct rtnexthop *)((uint8_t *)nlmsg_attrdata(m, sizeof(usual)) + 12);
	struct ask a;

	h->rtnh_len = 200;
	ck_assert_int_eq(carry_route(m, &carry, &a), OK);
	ck_assert(a.bad);
	ask_free(&a);
	h->rtnh_len = 0;
	ck_assert_int_eq(carry_route(m, &carry, &a), OK);
	ck_assert(a.bad);
	ask_free(&a);
	free(m);
}
END_TEST

/* In memory of exactly its size: a sanitizer sees who reads behind it. */
START_TEST(a_route_of_its_netlink_header_alone_is_malformed)
{
	struct nlmsghdr *whole = several(AF_INET, carry.from), *m = kit_cut(whole, NLMSG_HDRLEN);
	struct ask a;

	ck_assert_int_eq(carry_route(m, &carry, &a), ERR_SYNTAX);
	ck_assert_int_eq(carry_route_plain(m, &carry, &a), ERR_SYNTAX);
	free(m);
	free(whole);
}
END_TEST

/* With net.ipv4.nexthop_compat_mode = 0 the kernel does not say where the object leads. */
START_TEST(a_nexthop_object_that_is_not_spelt_out_becomes_a_plain_route)
{
	struct ask a = route(&usual, RT_TABLE_MAIN);
	struct nlmsghdr *m;

	ask_u32(&a, RTA_NH_ID, 5);
	m = kit_answer(&a, RTM_NEWROUTE);
	ck_assert_int_eq(carry_route(m, &carry, &a), OK);
	kit_expect(&a, RTM_NEWROUTE,
		   "021000000003fd0100000000"
		   "08000f00fe000000"
		   "080001000a080000"
		   "0800040009000000");
	free(m);
}
END_TEST

static const struct {
	sa_family_t family;
	uint8_t scope;
	uint32_t device;
	bool carried;
} addresses[] = {
	{ AF_INET, RT_SCOPE_UNIVERSE, 7, true },
	{ AF_INET, RT_SCOPE_LINK, 7, true },
	{ AF_INET6, RT_SCOPE_UNIVERSE, 7, true },
	{ AF_INET6, RT_SCOPE_LINK, 7, false }, /* each device has its own */
	{ AF_INET, RT_SCOPE_UNIVERSE, 8, false },
};

START_TEST(addresses_of_the_device_are_carried)
{
	const struct ifaddrmsg h = { .ifa_family = (uint8_t)addresses[_i].family,
				     .ifa_prefixlen = 24,
				     .ifa_scope = addresses[_i].scope,
				     .ifa_index = addresses[_i].device };
	struct ask a = ask_new(RTM_NEWADDR, 0);
	struct nlmsghdr *m;
	enum err err;

	ask_header(&a, &h, sizeof(h));
	ask_u32(&a, IFA_LOCAL, 1);
	ask_str(&a, IFA_LABEL, "ipsec0");
	ask_u8(&a, IFACE_IFA_PROTO, 3);
	m = kit_answer(&a, RTM_NEWADDR);
	err = carry_address(m, &carry, &a);
	ck_assert_int_eq(err, addresses[_i].carried ? OK : ERR_NOT_FOUND);
	if (err == OK) {
		const struct ifaddrmsg *to = nlmsg_data(nlmsg_hdr(a.msg));

		ck_assert_uint_eq(to->ifa_index, carry.to);
		ck_assert_ptr_nonnull(
			nlmsg_find_attr(nlmsg_hdr(a.msg), sizeof(h), IFACE_IFA_PROTO));
		ck_assert_ptr_null(nlmsg_find_attr(nlmsg_hdr(a.msg), sizeof(h), IFA_LABEL));
		ask_free(&a);
	}
	free(m);
}
END_TEST

UNIT("xfrm/carry")
{
	tcase_add_loop_test(tc, routes_of_others_into_the_device_are_carried, 0,
			    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, a_route_keeps_all_but_its_device);
	tcase_add_test(tc, a_route_keeps_its_label_with_and_without_its_gateway);
	tcase_add_test(tc, what_the_kernel_refuses_goes_without_its_gateway);
	tcase_add_test(tc, of_several_hops_each_keeps_its_place);
	tcase_add_test(tc, of_several_hops_of_ipv6_only_ours_is_made);
	tcase_add_test(tc, hops_elsewhere_are_not_touched);
	tcase_add_test(tc, cut_hops_are_never_sent);
	tcase_add_test(tc, a_route_of_its_netlink_header_alone_is_malformed);
	tcase_add_test(tc, a_nexthop_object_that_is_not_spelt_out_becomes_a_plain_route);
	tcase_add_loop_test(tc, addresses_of_the_device_are_carried, 0,
			    sizeof(addresses) / sizeof(addresses[0]));
}
