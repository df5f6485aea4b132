/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of ICMP errors, by what they quote: the rules are run. How they are written, as nft
 * 1.0.6 does. */
#include "xfrm/nft_errors.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "tests/unit/xfrm/nft_run.h"
#include "xfrm/plan.h"
#include "xfrm/share.h"

enum { CHILDREN_MAX = 3, U = IPPROTO_UDP, T = IPPROTO_TCP, ECHO_REPLY = 0, TTL = 11 };

/* `past`: nobody's business. `held`: dropped unless it goes into a tunnel. `led`: into the TUN by a
 * mark, and dropped elsewhere. */
enum fate { PAST, HELD, LED };

struct quote {
	const char *src;
	const char *dst;
	uint8_t proto;
	uint16_t sport;
	uint16_t dport;
	/* 0: none. IPv4: bytes of options; IPv6: an extension header of that number. */
	uint8_t extra;
	uint16_t fragment;
};

static const struct {
	const char *children[CHILDREN_MAX];
	struct quote q;
	uint8_t type; /* 0: unreachable */
	enum fate fate;
} cases[] = {
#define PORT "10.1.0.0/16@udp=5000>10.2.0.0/16"
	/* about a packet that a child for one port brought */
	{ { PORT }, { "10.2.0.9", "10.1.0.5", U, 1234, 5000, 0, 0 }, 0, LED },
	{ { PORT }, { "10.2.0.9", "10.1.0.5", U, 1234, 5000, 0, 0 }, TTL, LED },
	/* and about others: in clear they came, and so may this */
	{ { PORT }, { "10.2.0.9", "10.1.0.5", U, 1234, 5001, 0, 0 }, 0, PAST },
	{ { PORT }, { "10.2.0.9", "10.1.0.5", U, 5000, 1234, 0, 0 }, 0, PAST },
	{ { PORT }, { "10.2.0.9", "10.1.0.5", T, 1234, 5000, 0, 0 }, 0, PAST },
	{ { PORT }, { "10.3.0.9", "10.1.0.5", U, 1234, 5000, 0, 0 }, 0, PAST },
	{ { PORT }, { "10.2.0.9", "10.7.0.5", U, 1234, 5000, 0, 0 }, 0, PAST },
	/* about one of ours: it comes from the peer, or concerns this side alone */
	{ { PORT }, { "10.1.0.5", "10.2.0.9", U, 5000, 1234, 0, 0 }, 0, PAST },
	/* no error, whatever it carries */
	{ { PORT }, { "10.2.0.9", "10.1.0.5", U, 1234, 5000, 0, 0 }, 8, PAST },
	{ { PORT }, { "10.2.0.9", "10.1.0.5", U, 1234, 5000, 0, 0 }, 13, PAST },
	/* ports that cannot be seen */
	{ { PORT }, { "10.2.0.9", "10.1.0.5", U, 1234, 1, 4, 0 }, 0, LED },
	{ { PORT }, { "10.2.0.9", "10.1.0.5", T, 1234, 1, 4, 0 }, 0, PAST },
	{ { PORT }, { "10.2.0.9", "10.1.0.5", U, 0, 0, 0, 100 }, 0, LED },
	/* ranges are guarded as all ports */
	{ { "10.1.0.0/16@udp=80-90>10.2.0.0/16" },
	  { "10.2.0.9", "10.1.0.5", U, 1, 2, 0, 0 },
	  0,
	  LED },
	/* any protocol: the error may come from a router outside of the selectors */
	{ { "10.1.0.0/16>10.2.0.0/16" }, { "10.2.0.9", "10.1.0.5", T, 1, 2, 8, 0 }, 0, LED },
	/* the kernel's plane cannot carry it */
	{ { PORT "+kernel" }, { "10.2.0.9", "10.1.0.5", U, 1234, 5000, 0, 0 }, 0, HELD },
	{ { PORT "+kernel" }, { "10.2.0.9", "10.1.0.5", U, 1234, 5001, 0, 0 }, 0, PAST },
	/* a device has routes of its own */
	{ { "10.1.0.0/16>10.2.0.0/16%ipsec0" },
	  { "10.2.0.9", "10.1.0.5", T, 1, 2, 0, 0 },
	  0,
	  HELD },
	/* the narrowest decides, in both ways */
	{ { "10.1.0.0/16>10.0.0.0/8", PORT "+kernel" },
	  { "10.2.0.9", "10.1.0.5", U, 1, 5000, 0, 0 },
	  0,
	  HELD },
	{ { "10.1.0.0/16>10.0.0.0/8", PORT "+kernel" },
	  { "10.2.0.9", "10.1.0.5", T, 1, 5000, 0, 0 },
	  0,
	  LED },
	{ { PORT, "10.1.0.0/16>10.0.0.0/8+kernel" },
	  { "10.2.0.9", "10.1.0.5", U, 1, 5000, 0, 0 },
	  0,
	  LED },
	/* an exception: from the local network to itself */
	{ { "10.1.0.0/16>0.0.0.0/0" }, { "10.1.0.9", "10.1.0.5", T, 1, 2, 0, 0 }, 0, PAST },
	{ { "10.1.0.0/16>0.0.0.0/0" }, { "8.8.8.8", "10.1.0.5", T, 1, 2, 0, 0 }, 0, LED },
#define PORT6 "2001:db8:1::/64@udp=5000>2001:db8:2::/64"
	{ { PORT6 }, { "2001:db8:2::9", "2001:db8:1::5", U, 1234, 5000, 0, 0 }, 1, LED },
	{ { PORT6 }, { "2001:db8:2::9", "2001:db8:1::5", U, 1234, 5000, 0, 0 }, 4, LED },
	{ { PORT6 }, { "2001:db8:2::9", "2001:db8:1::5", U, 1234, 5001, 0, 0 }, 1, PAST },
	{ { PORT6 }, { "2001:db8:2::9", "2001:db8:1::5", T, 1234, 5000, 0, 0 }, 1, PAST },
	{ { PORT6 }, { "2001:db8:2::9", "2001:db8:1::5", U, 1234, 5000, 0, 0 }, 129, PAST },
	{ { PORT6 }, { "2001:db8:2::9", "2001:db8:1::5", U, 1234, 1, 44, 0 }, 1, LED },
	{ { PORT6 }, { "2001:db8:3::9", "2001:db8:1::5", U, 1234, 1, 44, 0 }, 1, PAST },
	{ { "2001:db8:1::/64@icmp6>2001:db8:2::/64" },
	  { "2001:db8:2::9", "2001:db8:1::5", IPPROTO_ICMPV6, 1, 2, 0, 0 },
	  1,
	  LED },
	{ { "2001:db8:1::/64@icmp6>2001:db8:2::/64" },
	  { "2001:db8:2::9", "2001:db8:1::5", U, 1, 2, 60, 0 },
	  1,
	  LED },
	{ { PORT6 "+kernel" }, { "2001:db8:2::9", "2001:db8:1::5", U, 1, 5000, 0, 0 }, 1, HELD },
};

static void put16(struct nft_packet *p, uint16_t v)
{
	p->l4[p->len++] = (uint8_t)(v >> 8);
	p->l4[p->len++] = (uint8_t)v;
}

static void put_addr(struct nft_packet *p, const struct addr *a)
{
	memcpy(p->l4 + p->len, a->b, addr_len(a));
	p->len += addr_len(a);
}

static void quote4(struct nft_packet *p, const struct quote *q, const struct addr *src,
		   const struct addr *dst)
{
	uint8_t *head = p->l4 + p->len;

	head[0] = (uint8_t)(0x45 + q->extra / 4);
	head[6] = (uint8_t)(0x40 | q->fragment >> 8); /* DF is not looked at */
	head[7] = (uint8_t)q->fragment;
	head[9] = q->proto;
	p->len += 12;
	put_addr(p, src);
	put_addr(p, dst);
	p->len += q->extra;
}

static void quote6(struct nft_packet *p, const struct quote *q, const struct addr *src,
		   const struct addr *dst)
{
	uint8_t *head = p->l4 + p->len;

	head[0] = 0x60;
	head[6] = q->extra != 0 ? q->extra : q->proto;
	p->len += 8;
	put_addr(p, src);
	put_addr(p, dst);
	if (q->extra != 0)
		p->l4[p->len] = q->proto;
	p->len += q->extra != 0 ? 8 : 0;
}

static struct nft_packet error_of(const struct quote *q, uint8_t type)
{
	struct nft_packet p = { .mark = 0x07000001, .device = "eth0", .len = 8 };
	struct addr src, dst;

	ck_assert(addr_parse(q->src, &src) && addr_parse(q->dst, &dst));
	p.family = src.family;
	p.proto = src.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	p.l4[0] = type != 0 ? type : 3;
	if (src.family == AF_INET)
		quote4(&p, q, &src, &dst);
	else
		quote6(&p, q, &src, &dst);
	put16(&p, q->sport);
	put16(&p, q->dport);
	return p;
}

struct world {
	struct children c;
	struct policy_list all, led;
	struct nft t;
};

static void world_make(struct world *w, const char *const *text)
{
	static const struct policy_list none = { .n = 0 };
	const struct own_list own = { .n = 0 };
	size_t n = 0, n_led;
	struct host_child *led;

	while (n < CHILDREN_MAX && text[n] != NULL)
		n++;
	*w = (struct world){ .c = kit_children(text, n) };
	led = share_pick(SHARE_ERRORS, w->c.v, w->c.n, &n_led);
	ck_assert_int_eq(plan_guards(&w->all, w->c.v, w->c.n, &own), OK);
	ck_assert_int_eq(plan_guards(&w->led, led, n_led, &own), OK);
	free(led);
	nft_begin(&w->t);
	nft_errors_build(&w->t, "postern",
			 &(struct nft_plan){ .tun = "postern0",
					     .guards = &none,
					     .all = &w->all,
					     .led = &w->led,
					     .v = w->c.v,
					     .n = w->c.n });
	ck_assert(!w->t.bad);
}

static void world_free(struct world *w)
{
	nft_free(&w->t);
	policy_list_free(&w->all);
	policy_list_free(&w->led);
	children_free(&w->c);
}

static bool leaves_by(const struct world *w, struct nft_packet p, const char *device)
{
	p.device = device;
	return nft_run(&w->t, "errors_out", &p);
}

START_TEST(an_error_goes_where_an_answer_to_what_it_quotes_would)
{
	struct nft_packet p = error_of(&cases[_i].q, cases[_i].type), own = p;
	enum fate fate = cases[_i].fate;
	struct world w;

	world_make(&w, cases[_i].children);
	ck_assert(leaves_by(&w, p, "eth0") == (fate == PAST));
	ck_assert(nft_run(&w.t, "errors_in", &p));
	ck_assert(nft_run(&w.t, "errors_own", &own));
	ck_assert_uint_eq(p.mark, fate == LED ? 0x07000001 | HOST_MARK_ERROR : 0x07000001);
	ck_assert_uint_eq(own.mark, p.mark);
	/* Marked or not, it leaves by the tunnel alone. */
	ck_assert(leaves_by(&w, p, "eth0") == (fate == PAST));
	ck_assert(leaves_by(&w, p, "postern0"));
	world_free(&w);
}
END_TEST

/* What came out of one tunnel and goes by its own selectors into another keeps the mark that lets
 * it pass the guards. */
START_TEST(an_error_that_nothing_carries_keeps_its_mark)
{
	static const char *const text[CHILDREN_MAX] = { PORT "+kernel", PORT6 };
	const struct quote q = { "10.2.0.9", "10.1.0.5", U, 1234, 5000, 0, 0 };
	struct nft_packet p = error_of(&q, 3);
	struct world w;

	world_make(&w, text);
	p.mark = HOST_MARK_INNER | 9;
	ck_assert(nft_run(&w.t, "errors_in", &p));
	ck_assert_uint_eq(p.mark, HOST_MARK_INNER | 9);
	world_free(&w);
}
END_TEST

START_TEST(what_the_kernel_encrypts_passes)
{
	static const char *const text[CHILDREN_MAX] = { PORT "+kernel", PORT6 };
	const struct quote q = { "10.2.0.9", "10.1.0.5", U, 1234, 5000, 0, 0 };
	struct nft_packet p = error_of(&q, 3);
	struct world w;

	world_make(&w, text);
	ck_assert(!leaves_by(&w, p, "eth0"));
	p.encrypted = true;
	ck_assert(leaves_by(&w, p, "eth0"));
	world_free(&w);
}
END_TEST

/* It was translated in between, say, and what it quotes is not what it was. */
START_TEST(an_error_that_was_led_never_leaves_otherwise)
{
	static const char *const text[CHILDREN_MAX] = { PORT };
	const struct quote q = { "10.2.0.9", "192.0.2.5", U, 1234, 5000, 0, 0 };
	struct nft_packet p = error_of(&q, 3);
	struct world w;

	world_make(&w, text);
	ck_assert(leaves_by(&w, p, "eth0"));
	p.mark = HOST_MARK_ERROR;
	ck_assert(!leaves_by(&w, p, "eth0"));
	p.proto = U;
	ck_assert(leaves_by(&w, p, "eth0"));
	world_free(&w);
}
END_TEST

START_TEST(without_guards_there_is_nothing)
{
	static const char *const text[CHILDREN_MAX] = { "0.0.0.0/0>0.0.0.0/0%ipsec0" };
	struct world w;

	world_make(&w, text);
	ck_assert_uint_eq(w.t.n, 1);
	world_free(&w);
}
END_TEST

static const struct {
	uint16_t kind;
	const char *hex;
} texts[] = {
	/* add chain inet postern lead_error */
	{ NFT_MSG_NEWCHAIN, "010000000c000100706f737465726e000f0003006c6561645f6572726f720000" },
	/* add chain inet postern errors_own { type route hook output priority -150; } */
	{ NFT_MSG_NEWCHAIN,
	  "010000000c000100706f737465726e000f0003006572726f72735f6f776e00000a000700726f757465000000"
	  "14000480080001000000000308000200ffffff6a" },
	/* add chain inet postern errors_out {
	 *	type filter hook postrouting priority 2147483646; } */
	{ NFT_MSG_NEWCHAIN,
	  "010000000c000100706f737465726e000f0003006572726f72735f6f757400000b00070066696c7465720000"
	  "140004800800010000000004080002007ffffffe" },
	/* add rule inet postern errors_out meta l4proto != icmp meta l4proto != ipv6-icmp return */
	{ NFT_MSG_NEWRULE,
	  "010000000c000100706f737465726e000f0002006572726f72735f6f75740000d40004802400018009000100"
	  "6d6574610000000014000280080002000000001008000100000000012c00018008000100636d700020000280"
	  "080001000000000108000200000000010c000380050001000100000024000180090001006d65746100000000"
	  "14000280080002000000001008000100000000012c00018008000100636d7000200002800800010000000001"
	  "08000200000000010c000380050001003a000000300001800e000100696d6d6564696174650000001c000280"
	  "0800010000000000100002800c00028008000100fffffffb" },
	/* add rule inet postern errors_out meta l4proto icmp icmp type 3 jump hold_error */
	{ NFT_MSG_NEWRULE,
	  "010000000c000100706f737465726e000f0002006572726f72735f6f75740000f40004802400018009000100"
	  "6d6574610000000014000280080002000000001008000100000000012c00018008000100636d700020000280"
	  "080001000000000108000200000000000c0003800500010001000000340001800c0001007061796c6f616400"
	  "2400028008000100000000010800020000000002080003000000000008000400000000012c00018008000100"
	  "636d700020000280080001000000000108000200000000000c0003800500010003000000400001800e000100"
	  "696d6d6564696174650000002c0002800800010000000000200002801c00028008000100fffffffd0f000200"
	  "686f6c645f6572726f720000" },
	/* add rule inet postern quoted meta nfproto ipv4 @th,160,32 & 0xffff0000 == 0x0a020000
	 * @th,192,32 & 0xffff0000 == 0x0a010000 @th,136,8 0x11 @th,64,64 & 0x0f00000000001fff ==
	 * 0x0500000000000000 @th,240,16 0x1388 meta mark set meta mark and 0x8fffffff xor
	 * 0x40000000 return */
	{ NFT_MSG_NEWRULE,
	  "010000000c000100706f737465726e000b00020071756f7465640000e803048024000180090001006d657461"
	  "0000000014000280080002000000000f08000100000000012c00018008000100636d70002000028008000100"
	  "0000000108000200000000000c0003800500010002000000340001800c0001007061796c6f61640024000280"
	  "08000100000000010800020000000002080003000000001408000400000000044c0001800c00010062697477"
	  "697365003c00028008000100000000010800020000000001080006000000000008000300000000040c000480"
	  "08000100ffff00000c00058008000100000000002c00018008000100636d7000200002800800010000000001"
	  "08000200000000000c000380080001000a020000340001800c0001007061796c6f6164002400028008000100"
	  "000000010800020000000002080003000000001808000400000000044c0001800c0001006269747769736500"
	  "3c00028008000100000000010800020000000001080006000000000008000300000000040c00048008000100"
	  "ffff00000c00058008000100000000002c00018008000100636d700020000280080001000000000108000200"
	  "000000000c000380080001000a010000340001800c0001007061796c6f616400240002800800010000000001"
	  "0800020000000002080003000000001108000400000000012c00018008000100636d70002000028008000100"
	  "0000000108000200000000000c0003800500010011000000340001800c0001007061796c6f61640024000280"
	  "0800010000000001080002000000000208000300000000080800040000000008540001800c00010062697477"
	  "6973650044000280080001000000000108000200000000010800060000000000080003000000000810000480"
	  "0c0001000f00000000001fff100005800c00010000000000000000003000018008000100636d700024000280"
	  "08000100000000010800020000000000100003800c0001000500000000000000340001800c0001007061796c"
	  "6f6164002400028008000100000000010800020000000002080003000000001e08000400000000022c000180"
	  "08000100636d700020000280080001000000000108000200000000000c000380060001001388000024000180"
	  "090001006d6574610000000014000280080002000000000308000100000000014c0001800c00010062697477"
	  "697365003c00028008000100000000010800020000000001080006000000000008000300000000040c000480"
	  "08000100ffffff8f0c000580080001000000004024000180090001006d657461000000001400028008000200"
	  "000000030800030000000001300001800e000100696d6d6564696174650000001c0002800800010000000000"
	  "100002800c00028008000100fffffffb" },
};

START_TEST(rules_are_written_as_nft_would)
{
	static const char *const text[CHILDREN_MAX] = { PORT };
	struct world w;
	size_t n = 0;

	world_make(&w, text);
	for (size_t i = 0; i < w.t.n; i++) {
		struct span s = span_tail(ask_span(&w.t.v[i]), sizeof(struct nlmsghdr));
		char hex[4096];

		ck_assert_uint_lt(s.len * 2, sizeof(hex));
		for (size_t k = 0; k < s.len; k++)
			snprintf(hex + 2 * k, 3, "%02x", s.p[k]);
		n += strcmp(hex, texts[_i].hex) == 0;
	}
	ck_assert_uint_eq(n, 1);
	world_free(&w);
}
END_TEST

#define N_OF(v) (int)(sizeof(v) / sizeof((v)[0]))

UNIT("xfrm/nft-errors")
{
	tcase_add_loop_test(tc, an_error_goes_where_an_answer_to_what_it_quotes_would, 0,
			    N_OF(cases));
	tcase_add_test(tc, an_error_that_nothing_carries_keeps_its_mark);
	tcase_add_test(tc, what_the_kernel_encrypts_passes);
	tcase_add_test(tc, an_error_that_was_led_never_leaves_otherwise);
	tcase_add_test(tc, without_guards_there_is_nothing);
	tcase_add_loop_test(tc, rules_are_written_as_nft_would, 0, N_OF(texts));
}
