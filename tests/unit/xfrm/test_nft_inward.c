/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules there are, in which order; what they are made of, as nft 1.0.6 writes it. */
#include "xfrm/nft_inward.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"

enum { CHILDREN_MAX = 3, WORDS_MAX = 300 };

/* Of each rule: the device that it is for, and what it does. */
static const struct {
	const char *children[CHILDREN_MAX];
	const char *rules;
} cases[] = {
	/* nobody else's packets could come out of it */
	{ { "0.0.0.0/0,::/0>0.0.0.0/0,::/0+kernel%ipsec0" }, "" },
	{ { "10.1.0.0/16>10.2.0.0/16+kernel%ipsec0" }, "" },
	/* no device */
	{ { "10.1.0.0/16>10.2.0.0/16", "10.1.0.0/16>10.3.0.0/16+kernel" }, "" },
	/* the device's own everything needs no rule */
	{ { "0.0.0.0/0,::/0>0.0.0.0/0,::/0+kernel%ipsec0", "10.1.0.0/16>10.2.0.0/16" },
	  "return, drop" },
	{ { "0.0.0.0/0>0.0.0.0/0%ipsec0", "10.1.0.0/16>10.2.0.0/16+kernel" }, "return, drop" },
	/* two devices */
	{ { "0.0.0.0/0>0.0.0.0/0%ipsec0", "10.1.0.0/16>10.2.0.0/16%ipsec1" },
	  "return, ipsec1 return, drop" },
	/* the narrowest first, in any order of configuration */
	{ { "10.1.0.0/16>10.2.0.0/16", "10.1.0.0/16>10.2.3.0/24%ipsec1" },
	  "return, ipsec1 return, drop, drop" },
	{ { "10.1.0.0/16>10.2.3.0/24", "10.1.0.0/16>10.2.0.0/16%ipsec1" },
	  "return, drop, ipsec1 return, drop" },
	/* two that have the same: both may, and nobody else */
	{ { "10.1.0.0/16>10.2.0.0/16%ipsec1", "10.1.0.0/16>10.2.0.0/16%ipsec2",
	    "10.1.0.0/16>10.2.0.0/16" },
	  "return, ipsec1 return, ipsec2 return, drop" },
	/* with ports, later fragments too */
	{ { "10.1.0.0/16>10.2.0.0/16@tcp=80%ipsec1", "10.1.0.0/16>10.2.0.0/16" },
	  "return, ipsec1 return, ipsec1 return, drop, drop" },
};

static bool contains(struct span s, const void *what, size_t len)
{
	return memmem(s.p, s.len, what, len) != NULL;
}

static bool hex_in(struct span s, const char *hex)
{
	uint8_t b[256];
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)strtoul((char[]){ hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16);
	return contains(s, b, n);
}

static void add(char *text, const char *word)
{
	size_t n = strlen(text);

	snprintf(text + n, WORDS_MAX - n, "%s", word);
}

static void describe(const struct nft *t, char *text)
{
	static const char *const devices[] = { "ipsec0", "ipsec1", "ipsec2" };
	const char *comma = "";

	*text = '\0';
	for (size_t i = 0; i < t->n; i++) {
		struct span s = ask_span(&t->v[i]);
		struct nlmsghdr h;

		memcpy(&h, s.p, sizeof(h));
		if (h.nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
			continue;
		add(text, comma);
		comma = ", ";
		for (size_t k = 0; k < 3; k++) {
			if (!contains(s, devices[k], strlen(devices[k])))
				continue;
			add(text, devices[k]);
			add(text, " ");
		}
		add(text, hex_in(s, "08000100fffffffb") ? "return" : "drop");
	}
}

START_TEST(the_narrowest_selectors_say_whose_a_packet_is)
{
	size_t n = 0;
	struct children c;
	char text[WORDS_MAX];
	struct nft t;

	while (n < CHILDREN_MAX && cases[_i].children[n] != NULL)
		n++;
	c = kit_children(cases[_i].children, n);
	nft_begin(&t);
	nft_inward_build(&t, "postern", c.v, c.n);
	ck_assert(!t.bad);
	describe(&t, text);
	ck_assert_str_eq(text, cases[_i].rules);
	nft_free(&t);
	children_free(&c);
}
END_TEST

/* What comes out of the device has the peer's network for a source. */
static const struct {
	const char *child;
	const char *hex[5];
} parts[] = {
	/* ip saddr 10.2.0.0/15 ip daddr 10.4.0.0/14 counter drop */
	{ "10.4.0.0/14>10.2.0.0/15",
	  { "080003000000000c0800040000000004", "0c000380080001000a020000",
	    "08000300000000100800040000000004", "0c000380080001000a040000",
	    "0c000100636f756e74657200" } },
	/* meta l4proto tcp th sport 1000-2000 */
	{ "10.1.0.0/16>10.2.0.0/16@tcp=1000-2000",
	  { "340001800c0001007061796c6f61640024000280080001000000000108000200000000020800030000"
	    "0000000800040000000002"
	    "2c00018008000100636d700020000280080001000000000108000200000000050c000380060001"
	    "0003e80000"
	    "2c00018008000100636d700020000280080001000000000108000200000000030c000380060001"
	    "0007d00000" } },
	/* frag frag-off != 0 (and the operation of bitwise written out) */
	{ "2001:db8:1::/64>2001:db8:2::/64@tcp=80%ipsec1",
	  { "440001800b0001006578746864720000340002800800010000000001050002002c000000080003"
	    "000000000208000400000000020800060000000000080005000000000"
	    "04c0001800c00010062697477697365003c000280",
	    "0c00048006000100fff80000" } },
};

START_TEST(rules_are_written_as_nft_would)
{
	const char *text[] = { "0.0.0.0/0,::/0>0.0.0.0/0,::/0%ipsec0", parts[_i].child };
	struct children c = kit_children(text, 2);
	struct nft t;

	nft_begin(&t);
	nft_inward_build(&t, "postern", c.v, c.n);
	for (size_t k = 0; k < 5 && parts[_i].hex[k] != NULL; k++) {
		bool there = false;

		for (size_t i = 0; i < t.n; i++)
			there = there || hex_in(ask_span(&t.v[i]), parts[_i].hex[k]);
		ck_assert_msg(there, "%s: %zu", parts[_i].child, k);
	}
	nft_free(&t);
	children_free(&c);
}
END_TEST

/* add chain inet postern inward { type filter hook prerouting priority -299; } */
static const char chain[] =
	"010000000c000100706f737465726e000b000300696e7761726400000b00070066696c7465720000"
	"14000480080001000000000008000200fffffed5";
/* iifgroup != 5050 return */
static const char others[] =
	"010000000c000100706f737465726e000b000200696e776172640000840004802400018009000100"
	"6d6574610000000014000280080002000000001508000100000000012c00018008000100636d7000"
	"20000280080001000000000108000200000000010c00038008000100ba130000300001800e000100"
	"696d6d6564696174650000001c0002800800010000000000100002800c00028008000100fffffffb";

START_TEST(what_comes_from_elsewhere_is_through_at_once)
{
	const char *text[] = { "0.0.0.0/0>0.0.0.0/0%ipsec0", "10.1.0.0/16>10.2.0.0/16" };
	struct children c = kit_children(text, 2);
	struct nft t;

	nft_begin(&t);
	nft_inward_build(&t, "postern", c.v, c.n);
	kit_compare(&t.v[1], NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN, chain);
	kit_compare(&t.v[2], NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, others);
	nft_free(&t);
	children_free(&c);
}
END_TEST

UNIT("xfrm/nft-inward")
{
	tcase_add_loop_test(tc, the_narrowest_selectors_say_whose_a_packet_is, 0,
			    sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(tc, rules_are_written_as_nft_would, 0,
			    sizeof(parts) / sizeof(parts[0]));
	tcase_add_test(tc, what_comes_from_elsewhere_is_through_at_once);
}
