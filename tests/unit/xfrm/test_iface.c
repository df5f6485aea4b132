/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/iface.h"

#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"

static const struct iface example = { .name = "ipsec9",
				      .alias = "postern office/lan",
				      .kind = "xfrm",
				      .if_id = 0x50000001,
				      .mtu = 1380,
				      .group = 5050 };

/* ip link add ipsec9 mtu 1380 group 5050 type xfrm if_id 0x50000001
 * (whose nests are not marked as such, and whose kind ends without a NUL) */
START_TEST(making_an_interface_says_what_iproute2_says)
{
	struct ask a = iface_ask_make(&example);

	kit_expect(&a, RTM_NEWLINK,
		   "00000000000000000000000000000000"
		   "0800040064050000"
		   "08001b00ba130000"
		   "0b0003006970736563390000"
		   "1c001280"
		   "090001007866726d00000000"
		   "0c000280"
		   "0800020001000050");
}
END_TEST

/* ip addr add 10.255.9.1/30 dev ipsec9, and our protocol number behind it. */
START_TEST(an_address_says_what_iproute2_says_and_who_made_it)
{
	struct net n = { .bits = 30 };
	struct ask a;

	ck_assert(addr_parse("10.255.9.1", &n.addr));
	a = iface_ask_address(RTM_NEWADDR, 5, &n);
	kit_expect(&a, RTM_NEWADDR,
		   "021e000005000000080002000aff0901080001000aff0901"
		   "05000b0050000000");
	a = iface_ask_address(RTM_DELADDR, 5, &n);
	kit_expect(&a, RTM_DELADDR, "021e000005000000080002000aff0901080001000aff0901");
}
END_TEST

START_TEST(what_was_made_is_read_and_known)
{
	struct ask a = iface_ask_make(&example);
	struct nlmsghdr *m;
	struct iface got;

	ask_str(&a, IFLA_IFALIAS, example.alias);
	m = kit_answer(&a, RTM_NEWLINK);
	ck_assert_int_eq(iface_read(m, &got), OK);
	ck_assert_str_eq(got.name, "ipsec9");
	ck_assert_str_eq(got.kind, "xfrm");
	ck_assert_str_eq(got.alias, "postern office/lan");
	ck_assert_uint_eq(got.if_id, 0x50000001);
	ck_assert_uint_eq(got.mtu, 1380);
	ck_assert_uint_eq(got.group, 5050);
	ck_assert(!got.up);
	ck_assert(iface_is_ours(&got));
	free(m);
}
END_TEST

#define NUMBER 0x50000001u
#define LONG   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 64 */

static const struct {
	struct iface is;
	bool ours;
} devices[] = {
	{ { .kind = "xfrm", .if_id = NUMBER, .alias = "postern office/lan" }, true },
	{ { .kind = "xfrm", .if_id = NUMBER, .alias = "postern a.b-c_d/0" }, true },
	{ { .kind = "tun", .private = true, .alias = "postern office/lan" }, true },
	/* made, and then the daemon died */
	{ { .kind = "xfrm", .if_id = NUMBER, .group = IFACE_GROUP }, true },
	{ { .kind = "xfrm", .if_id = NUMBER }, false },
	{ { .kind = "tun", .private = true, .group = IFACE_GROUP }, false },
	/* an alias is soon set */
	{ { .kind = "dummy", .alias = "postern office/lan" }, false },
	{ { .kind = "veth", .if_id = NUMBER, .alias = "postern office/lan" }, false },
	{ { .kind = "xfrm", .if_id = 7, .alias = "postern office/lan" }, false },
	{ { .kind = "tun", .alias = "postern office/lan" }, false },
	/* not ours to the letter; "postern" alone is the TUN of all children */
	{ { .kind = "tun", .private = true, .alias = "postern" }, false },
	{ { .kind = "tun", .private = true, .alias = "postern office" }, false },
	{ { .kind = "tun", .private = true, .alias = "postern office/" }, false },
	{ { .kind = "tun", .private = true, .alias = "postern /lan" }, false },
	{ { .kind = "tun", .private = true, .alias = "postern office/lan " }, false },
	{ { .kind = "tun", .private = true, .alias = "postern office/lan/1" }, false },
	{ { .kind = "tun", .private = true, .alias = "postern is my name" }, false },
	{ { .kind = "tun", .private = true, .alias = "postern " LONG "/lan" }, false },
	{ { .kind = "tun", .private = true, .alias = "posternal office/lan" }, false },
	{ { .kind = "tun", .private = true, .alias = "my postern office/lan" }, false },
};

START_TEST(kind_alias_and_owner_make_a_device_ours)
{
	ck_assert_int_eq(iface_is_ours(&devices[_i].is), devices[_i].ours);
}
END_TEST

static const struct {
	int owner; /* -1: none */
	int group;
	uint8_t type;
	bool private;
} tuns[] = {
	{ 0, 0, 1, true },     { -1, -1, 1, false },  { 0, -1, 1, false }, { -1, 0, 1, false },
	{ 1000, 0, 1, false }, { 0, 1000, 1, false }, { 0, 0, 2, false }, /* a TAP */
};

/* As `ip tuntap` and we make them. */
START_TEST(a_tun_is_private_when_user_and_group_are_root)
{
	const struct ifinfomsg h = { .ifi_index = 5 };
	struct ask a = ask_new(RTM_NEWLINK, 0);
	struct nlattr *info;
	struct nlattr *data;
	struct nlmsghdr *m;
	struct iface got;

	ask_header(&a, &h, sizeof(h));
	ask_str(&a, IFLA_IFNAME, "ipsec0");
	info = ask_nest(&a, IFLA_LINKINFO);
	ask_str(&a, IFLA_INFO_KIND, "tun");
	data = ask_nest(&a, IFLA_INFO_DATA);
	ask_u8(&a, IFLA_TUN_TYPE, tuns[_i].type);
	if (tuns[_i].owner >= 0)
		ask_u32(&a, IFLA_TUN_OWNER, (uint32_t)tuns[_i].owner);
	if (tuns[_i].group >= 0)
		ask_u32(&a, IFLA_TUN_GROUP, (uint32_t)tuns[_i].group);
	ask_u8(&a, IFLA_TUN_PERSIST, _i % 2 == 0 ? 0 : 1);
	ask_u32(&a, IFLA_TUN_NUM_QUEUES, 2);
	ask_u32(&a, IFLA_TUN_NUM_DISABLED_QUEUES, 1);
	ask_nest_end(&a, data);
	ask_nest_end(&a, info);
	m = kit_answer(&a, RTM_NEWLINK);
	ck_assert_int_eq(iface_read(m, &got), OK);
	ck_assert_int_eq(got.private, tuns[_i].private);
	ck_assert_int_eq(got.persistent, _i % 2 != 0);
	ck_assert_uint_eq(got.queues, 3);
	free(m);
}
END_TEST

static const struct {
	uint32_t len; /* of the array of settings; 0: the kernel has nothing of IPv6 to say */
	int32_t off;
	bool has6;
	bool off6;
} families[] = {
	{ 0, 0, false, false },
	{ 60, 0, true, false },
	{ 60, 1, true, true },
	{ DEVCONF_DISABLE_IPV6, 1, false, false }, /* too short */
};

START_TEST(a_device_says_whether_it_has_ipv6)
{
	const struct ifinfomsg h = { .ifi_index = 5 };
	int32_t conf[60] = { [DEVCONF_DISABLE_IPV6] = families[_i].off };
	struct ask a = ask_new(RTM_NEWLINK, 0);
	struct nlattr *spec;
	struct nlattr *inet6;
	struct nlmsghdr *m;
	struct iface got;

	ask_header(&a, &h, sizeof(h));
	ask_str(&a, IFLA_IFNAME, "ipsec0");
	spec = ask_nest(&a, IFLA_AF_SPEC);
	ask_nest_end(&a, ask_nest(&a, AF_INET));
	if (families[_i].len != 0) {
		inet6 = ask_nest(&a, AF_INET6);
		ask_bytes(&a, IFLA_INET6_CONF, conf, families[_i].len * sizeof(conf[0]));
		ask_nest_end(&a, inet6);
	}
	ask_nest_end(&a, spec);
	m = kit_answer(&a, RTM_NEWLINK);
	ck_assert_int_eq(iface_read(m, &got), OK);
	ck_assert_int_eq(got.has6, families[_i].has6);
	ck_assert_int_eq(got.off6, families[_i].off6);
	free(m);
}
END_TEST

static const struct {
	const char *child;
	uint16_t mtu;
	const char *kind;
	uint32_t device_mtu;
} wishes[] = {
	{ "0.0.0.0/0>0.0.0.0/0+kernel%ipsec0", 0, "xfrm", 0 },
	{ "0.0.0.0/0>0.0.0.0/0+kernel%ipsec0", 1000, "xfrm", 1000 },
	{ "0.0.0.0/0,::/0>0.0.0.0/0,::/0+kernel%ipsec0", 1000, "xfrm", 1280 },
	{ "0.0.0.0/0,::/0>0.0.0.0/0,::/0%ipsec0%10.0.0.1/30", 1438, "tun", 1438 },
};

START_TEST(a_child_wants_a_device_of_its_plane_that_ipv6_can_use)
{
	struct children c = kit_children(&wishes[_i].child, 1);
	struct iface i;

	c.v[0].mtu = wishes[_i].mtu;
	i = iface_of(&c.v[0]);
	ck_assert_str_eq(i.name, "ipsec0");
	ck_assert_str_eq(i.kind, wishes[_i].kind);
	ck_assert_str_eq(i.alias, "postern test/0");
	ck_assert_uint_eq(i.if_id, c.v[0].reqid);
	ck_assert_uint_eq(i.mtu, wishes[_i].device_mtu);
	children_free(&c);
}
END_TEST

UNIT("xfrm/iface")
{
	tcase_add_test(tc, making_an_interface_says_what_iproute2_says);
	tcase_add_test(tc, an_address_says_what_iproute2_says_and_who_made_it);
	tcase_add_test(tc, what_was_made_is_read_and_known);
	tcase_add_loop_test(tc, kind_alias_and_owner_make_a_device_ours, 0,
			    sizeof(devices) / sizeof(devices[0]));
	tcase_add_loop_test(tc, a_device_says_whether_it_has_ipv6, 0,
			    sizeof(families) / sizeof(families[0]));
	tcase_add_loop_test(tc, a_tun_is_private_when_user_and_group_are_root, 0,
			    sizeof(tuns) / sizeof(tuns[0]));
	tcase_add_loop_test(tc, a_child_wants_a_device_of_its_plane_that_ipv6_can_use, 0,
			    sizeof(wishes) / sizeof(wishes[0]));
}
