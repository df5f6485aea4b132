/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/iface.h"

#include <linux/if_link.h>
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

START_TEST(what_was_made_is_read_and_known_by_its_alias)
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

static const struct {
	const char *alias;
	bool ours;
} aliases[] = {
	{ "postern office/lan", true },
	{ "postern", false }, /* that of the TUN of all children: it is not a child's */
	{ "", false },
	{ "posternal", false },
	{ "my postern office/lan", false },
};

START_TEST(only_our_alias_makes_a_device_ours)
{
	struct iface i = { .ifindex = 1 };

	snprintf(i.alias, sizeof(i.alias), "%s", aliases[_i].alias);
	ck_assert_int_eq(iface_is_ours(&i), aliases[_i].ours);
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
	tcase_add_test(tc, what_was_made_is_read_and_known_by_its_alias);
	tcase_add_loop_test(tc, only_our_alias_makes_a_device_ours, 0,
			    sizeof(aliases) / sizeof(aliases[0]));
	tcase_add_loop_test(tc, a_child_wants_a_device_of_its_plane_that_ipv6_can_use, 0,
			    sizeof(wishes) / sizeof(wishes[0]));
}
