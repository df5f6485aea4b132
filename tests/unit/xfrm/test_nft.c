/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of nftables against those that Debian's nft 1.0.6 sends for the same text, which stands
 * above each. */
#include "xfrm/nft_table.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/host.h"
#include "xfrm/plan.h"

#define NFT(kind) (NFNL_SUBSYS_NFTABLES << 8 | (kind))

static const char begin[] = "0000000a";

/* add chain inet postern marks { type filter hook prerouting priority -300; } */
static const char chain_marks[] =
	"010000000c000100706f737465726e000a0003006d61726b730000000b00070066696c7465720000"
	"14000480080001000000000008000200fffffed4";

/* add rule inet postern marks iifname "postern0" meta mark set meta mark and 0x8fffffff xor
 * 0x60000000 return */
static const char inner[] =
	"010000000c000100706f737465726e000a0002006d61726b73000000240104802400018009000100"
	"6d6574610000000014000280080002000000000608000100000000013800018008000100636d7000"
	"2c000280080001000000000108000200000000001800038014000100706f737465726e3000000000"
	"0000000024000180090001006d657461000000001400028008000200000000030800010000000001"
	"4c0001800c00010062697477697365003c0002800800010000000001080002000000000108000600"
	"0000000008000300000000040c00048008000100ffffff8f0c000580080001000000006024000180"
	"090001006d657461000000001400028008000200000000030800030000000001300001800e000100"
	"696d6d6564696174650000001c0002800800010000000000100002800c00028008000100fffffffb";

/* add rule inet postern marks meta ipsec exists meta mark set meta mark and 0x8fffffff return */
static const char decrypted[] =
	"010000000c000100706f737465726e000a0002006d61726b73000000180104802400018009000100"
	"6d6574610000000014000280080002000000001908000100000000012c00018008000100636d7000"
	"20000280080001000000000108000200000000000c00038005000100010000002400018009000100"
	"6d6574610000000014000280080002000000000308000100000000014c0001800c00010062697477"
	"697365003c0002800800010000000001080002000000000108000600000000000800030000000004"
	"0c00048008000100ffffff8f0c000580080001000000000024000180090001006d65746100000000"
	"1400028008000200000000030800030000000001300001800e000100696d6d656469617465000000"
	"1c0002800800010000000000100002800c00028008000100fffffffb";

/* add rule inet postern marks meta l4proto udp udp dport 4500 fib daddr type local meta mark set
 * meta mark and 0x8fffffff xor 0x50000000 */
static const char outer[] =
	"010000000c000100706f737465726e000a0002006d61726b730000009c0104802400018009000100"
	"6d6574610000000014000280080002000000001008000100000000012c00018008000100636d7000"
	"20000280080001000000000108000200000000000c0003800500010011000000340001800c000100"
	"7061796c6f6164002400028008000100000000010800020000000002080003000000000208000400"
	"000000022c00018008000100636d700020000280080001000000000108000200000000000c000380"
	"06000100119400002800018008000100666962001c00028008000300000000020800020000000003"
	"08000100000000012c00018008000100636d70002000028008000100000000010800020000000000"
	"0c000380080001000200000024000180090001006d65746100000000140002800800020000000003"
	"08000100000000014c0001800c00010062697477697365003c000280080001000000000108000200"
	"00000001080006000000000008000300000000040c00048008000100ffffff8f0c00058008000100"
	"0000005024000180090001006d657461000000001400028008000200000000030800030000000001";

/* add chain inet postern guard6 { type filter hook postrouting priority 2147483646; } */
static const char chain_guard6[] =
	"010000000c000100706f737465726e000b00030067756172643600000b00070066696c7465720000"
	"140004800800010000000004080002007ffffffe";

/* add rule inet postern guard6 meta nfproto ipv6 ip6 saddr 2001:db8:1::/62 drop
 * (and the operation of bitwise, which nft leaves out where it is the first, written out) */
static const char drop6[] =
	"010000000c000100706f737465726e000b0002006775617264360000540104802400018009000100"
	"6d6574610000000014000280080002000000000f08000100000000012c00018008000100636d7000"
	"20000280080001000000000108000200000000000c000380050001000a000000340001800c000100"
	"7061796c6f6164002400028008000100000000010800020000000001080003000000000808000400"
	"00000010640001800c00010062697477697365005400028008000100000000010800020000000001"
	"080006000000000008000300000000101800048014000100fffffffffffffffc0000000000000000"
	"1800058014000100000000000000000000000000000000003800018008000100636d70002c000280"
	"08000100000000010800020000000000180003801400010020010db8000100000000000000000000"
	"300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c000280"
	"0800010000000000";

static const struct nft_chain marks = { .table = "postern",
					.name = "marks",
					.hook = NF_INET_PRE_ROUTING,
					.priority = -300 };
static const struct nft_chain guard6 = { .table = "postern",
					 .name = "guard6",
					 .hook = NF_INET_POST_ROUTING,
					 .priority = 2147483646 };

START_TEST(a_table_and_its_chains_are_what_nft_sends)
{
	struct nft t;

	nft_begin(&t);
	nft_table_add(&t, "postern");
	nft_chain_add(&t, &marks);
	nft_chain_add(&t, &guard6);
	nft_end(&t);
	ck_assert(!t.bad);
	ck_assert_uint_eq(t.n, 5);
	kit_compare(&t.v[0], NFNL_MSG_BATCH_BEGIN, begin);
	kit_compare(&t.v[2], NFT(NFT_MSG_NEWCHAIN), chain_marks);
	kit_compare(&t.v[3], NFT(NFT_MSG_NEWCHAIN), chain_guard6);
	kit_compare(&t.v[4], NFNL_MSG_BATCH_END, begin);
	nft_free(&t);
}
END_TEST

/* The message of a plan's table whose bytes are these. */
static bool table_has(const struct nft *t, const char *hex)
{
	for (size_t i = 0; i < t->n; i++) {
		struct span s = ask_span(&t->v[i]);
		struct span body = span_tail(s, sizeof(struct nlmsghdr));
		size_t n = 0;

		if (body.len * 2 != strlen(hex))
			continue;
		while (n < body.len &&
		       strtoul((char[]){ hex[2 * n], hex[2 * n + 1], 0 }, NULL, 16) == body.p[n])
			n++;
		if (n == body.len)
			return true;
	}
	return false;
}

START_TEST(our_table_marks_as_nft_would)
{
	const struct policy_list none = { .n = 0 };
	struct nft t;

	nft_table_build(&t, &(struct nft_plan){ .tun = "postern0", .guards = &none });
	ck_assert(!t.bad);
	ck_assert(table_has(&t, chain_marks));
	ck_assert(table_has(&t, inner));
	ck_assert(table_has(&t, outer));
	ck_assert(table_has(&t, decrypted));
	ck_assert(table_has(&t, chain_guard6));
	nft_free(&t);
}
END_TEST

/* The best policy first, of those that guard what leaves by IPv6. */
START_TEST(guards_of_ipv6_are_drops_as_nft_would_write_them)
{
	static const struct net any = { .addr = { .family = AF_INET6 } };
	struct policy v[2] = { { .dir = XFRM_POLICY_OUT, .action = XFRM_POLICY_BLOCK },
			       { .dir = XFRM_POLICY_IN, .action = XFRM_POLICY_BLOCK } };
	const struct policy_list guards = { .v = v, .n = 2 };
	const struct policy_list inward = { .v = v + 1, .n = 1 };
	struct net from;
	struct nft t;

	ck_assert(net_parse("2001:db8:1::/62", &from));
	v[0].sel = policy_selector(&from, &any, 0);
	v[1].sel = v[0].sel;
	nft_table_build(&t, &(struct nft_plan){ .tun = "postern0", .guards = &guards });
	ck_assert(table_has(&t, drop6));
	nft_free(&t);
	nft_table_build(&t, &(struct nft_plan){ .tun = "postern0", .guards = &inward });
	ck_assert(!table_has(&t, drop6));
	nft_free(&t);
}
END_TEST

/* add rule inet postern guard6 rt ipsec exists accept */
static const char encrypted[] =
	"010000000c000100706f737465726e000b0002006775617264360000800004802000018007000100"
	"7274000014000280080002000000000408000100000000012c00018008000100636d700020000280"
	"080001000000000108000200000000000c0003800500010001000000300001800e000100696d6d65"
	"64696174650000001c0002800800010000000000100002800c0002800800010000000001";

static const struct {
	const char *child;
	bool passed;
} narrower[] = {
	{ "2001:db8:1::/64>2001:db8:2::/64+kernel", true },
	{ "2001:db8:1::/64>2001:db8:2::/64+kernel%ipsec0", true },
	{ "2001:db8:1::/64>2001:db8:2::/64", false },
};

/* A child inside a wider one of userspace ESP, whose packets are dropped on other devices. */
START_TEST(what_the_kernel_encrypts_passes_the_guard_of_a_wider_child)
{
	const char *text[] = { "2001:db8::/32>2001:db8::/32", narrower[_i].child };
	struct children c = kit_children(text, 2);
	struct policy_list guards = { .n = 0 };
	const struct own_list own = { .n = 0 };
	struct nft t;

	ck_assert_int_eq(plan_guards(&guards, c.v, 1, &own), OK);
	nft_table_build(
		&t, &(struct nft_plan){ .tun = "postern0", .guards = &guards, .v = c.v, .n = 2 });
	ck_assert(!t.bad);
	ck_assert_int_eq(table_has(&t, encrypted), narrower[_i].passed);
	nft_free(&t);
	policy_list_free(&guards);
	children_free(&c);
}
END_TEST

/* add rule inet t mss meta nfproto ipv4 tcp option maxseg size set 1340: what comes behind the
 * comparison, as nft writes it, but in one register */
static const char mss_set[] = "2c0001800e000100696d6d656469617465000000180002800800010000000001"
			      "0c00028006000100053c0000"
			      "3c0001800b0001006578746864720000"
			      "2c000280080007000000000105000200020000000800030000000002"
			      "08000400000000020800060000000001";

static bool ends_with(const struct nft *t, const char *hex)
{
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < t->n; i++) {
		struct span s = ask_span(&t->v[i]);
		size_t k = 0;

		if (s.len < len)
			continue;
		while (k < len && strtoul((char[]){ hex[2 * k], hex[2 * k + 1], 0 }, NULL, 16) ==
					  s.p[s.len - len + k])
			k++;
		if (k == len)
			return true;
	}
	return false;
}

static const struct {
	const char *child;
	uint16_t mtu;
	bool clamped;
} clamps[] = {
	{ "10.1.0.0/16>10.2.0.0/16+kernel", 1380, true },
	{ "10.1.0.0/16>10.2.0.0/16+kernel", 0, true },
	{ "10.1.0.0/16>10.2.0.0/16+kernel", 1400, false }, /* to another size */
	{ "0.0.0.0/0>0.0.0.0/0+kernel%ipsec0", 1380, true },
	{ "10.1.0.0/16>10.2.0.0/16", 1380, true },
};

START_TEST(a_tunnel_is_clamped_as_nft_would)
{
	const struct policy_list none = { .n = 0 };
	struct children c = kit_children(&clamps[_i].child, 1);
	struct nft t;

	c.v[0].mtu = clamps[_i].mtu;
	nft_table_build(&t,
			&(struct nft_plan){ .tun = "postern0", .guards = &none, .v = c.v, .n = 1 });
	ck_assert(!t.bad);
	ck_assert_int_eq(ends_with(&t, mss_set), clamps[_i].clamped);
	nft_free(&t);
	children_free(&c);
}
END_TEST

/* add table inet postern-held { flags owner; } */
static const char table_held[] = "0100000011000100706f737465726e2d68656c64000000000800020000000002";

static bool held_has(const struct policy_list *guards, const char *hex)
{
	struct nft t;
	bool has;

	nft_table_build_held(&t, &(struct nft_plan){ .tun = "postern0", .guards = guards });
	ck_assert(!t.bad);
	has = table_has(&t, hex);
	nft_free(&t);
	return has;
}

START_TEST(the_guard_of_ipv6_stands_in_a_table_that_nobody_else_can_flush)
{
	static const char drop[] =
		"300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c000280"
		"0800010000000000";
	const char *text[] = { "2001:db8:1::/64>2001:db8:2::/64", "10.1.0.0/16>10.2.0.0/16" };
	struct children c = kit_children(text, 2);
	struct policy_list six = { .n = 0 };
	struct policy_list four = { .n = 0 };
	const struct own_list own = { .n = 0 };
	struct nft t;

	ck_assert_int_eq(plan_guards(&six, c.v, 1, &own), OK);
	ck_assert_int_eq(plan_guards(&four, c.v + 1, 1, &own), OK);
	ck_assert(held_has(&six, table_held));
	nft_table_build_held(&t, &(struct nft_plan){ .tun = "postern0", .guards = &six });
	ck_assert(ends_with(&t, drop));
	nft_free(&t);
	/* where there is nothing to guard it is only taken away: begin, add, delete, end */
	nft_table_build_held(&t, &(struct nft_plan){ .tun = "postern0", .guards = &four });
	ck_assert_uint_eq(t.n, 4);
	nft_free(&t);
	policy_list_free(&six);
	policy_list_free(&four);
	children_free(&c);
}
END_TEST

START_TEST(the_last_change_alone_is_acknowledged)
{
	const struct policy_list none = { .n = 0 };
	struct nft t;

	nft_table_build(&t, &(struct nft_plan){ .tun = "postern0", .guards = &none });
	for (size_t i = 0; i < t.n; i++) {
		struct nlmsghdr h;

		memcpy(&h, ask_span(&t.v[i]).p, sizeof(h));
		ck_assert_int_eq((h.nlmsg_flags & NLM_F_ACK) != 0, i == t.n - 2);
	}
	nft_free(&t);
}
END_TEST

UNIT("xfrm/nft")
{
	tcase_add_loop_test(tc, a_tunnel_is_clamped_as_nft_would, 0,
			    sizeof(clamps) / sizeof(clamps[0]));
	tcase_add_loop_test(tc, what_the_kernel_encrypts_passes_the_guard_of_a_wider_child, 0,
			    sizeof(narrower) / sizeof(narrower[0]));
	tcase_add_test(tc, a_table_and_its_chains_are_what_nft_sends);
	tcase_add_test(tc, our_table_marks_as_nft_would);
	tcase_add_test(tc, guards_of_ipv6_are_drops_as_nft_would_write_them);
	tcase_add_test(tc, the_guard_of_ipv6_stands_in_a_table_that_nobody_else_can_flush);
	tcase_add_test(tc, the_last_change_alone_is_acknowledged);
}
