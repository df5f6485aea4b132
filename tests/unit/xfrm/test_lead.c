/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of rules, judged as the kernel judges packets: by priority, the first that matches, jumps
 * followed. */
#include "xfrm/lead.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/iface.h"

enum way { MAIN, TUNNEL, DEAD };

struct packet {
	const char *src; /* NULL: no source address yet */
	const char *dst;
	uint8_t proto;
	uint16_t dport;
	uint32_t mark;
};

/* How the kernel compares a source: IPv4 has 0.0.0.0 for "none yet", IPv6 matches none at all. */
static bool source_matches(const struct rule *r, const struct packet *k, const struct addr *dst)
{
	const struct addr unset = { .family = dst->family };
	struct addr a;

	if (r->from.bits == 0)
		return true;
	if (k->src == NULL)
		return dst->family == AF_INET && net_contains(&r->from, &unset);
	ck_assert(addr_parse(k->src, &a));
	return net_contains(&r->from, &a);
}

static bool matches(const struct rule *r, const struct packet *k)
{
	struct addr dst;

	ck_assert(addr_parse(k->dst, &dst));
	return dst.family == r->from.addr.family && source_matches(r, k, &dst) &&
	       (r->to.bits == 0 || net_contains(&r->to, &dst)) &&
	       ((k->mark ^ r->mark) & r->mask) == 0 && (r->proto == 0 || r->proto == k->proto) &&
	       k->dport >= r->dport_lo && k->dport <= r->dport_hi;
}

/* The first rule at or behind `from`, and before `until`, that matches. */
static const struct rule *first(const struct rule_list *l, uint32_t from, const struct packet *k)
{
	const struct rule *best = NULL;

	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].priority >= from && matches(&l->v[i], k) &&
		    (best == NULL || l->v[i].priority < best->priority))
			best = &l->v[i];
	}
	return best;
}

static enum way judge(const struct rule_list *l, const struct packet *k, bool device)
{
	uint32_t from = 0;

	for (const struct rule *r = first(l, from, k); r != NULL; r = first(l, from, k)) {
		ck_assert(r->action != FR_ACT_GOTO || r->target > r->priority);
		if (r->action == FR_ACT_UNREACHABLE)
			return DEAD;
		if (r->action == FR_ACT_TO_TBL && device)
			return TUNNEL;
		from = r->action == FR_ACT_GOTO ? r->target : r->priority + 1;
	}
	return MAIN;
}

enum { T = IPPROTO_TCP, U = IPPROTO_UDP };

static const struct lead_case {
	const char *name;
	const char *child[2];
	size_t n;
	struct packet k;
	bool into_tunnel;
} cases[] = {
	{ "sites", { "10.1.0.0/16>10.2.0.0/16" }, 1, { "10.1.0.5", "10.2.0.1", T, 1, 0 }, true },
	{ "beside", { "10.1.0.0/16>10.2.0.0/16" }, 1, { "10.9.0.5", "10.2.0.1", T, 1, 0 }, false },
	{ "other bits of the mark do not matter",
	  { "10.1.0.0/16>10.2.0.0/16" },
	  1,
	  { "10.1.0.5", "10.2.0.1", T, 1, 0x8000000f },
	  true },
	{ "our outer packets never",
	  { "10.1.0.0/16>10.2.0.0/16" },
	  1,
	  { "10.1.0.5", "10.2.0.1", U, 4500, HOST_MARK_OUTER },
	  false },
	{ "outer packets with other bits",
	  { "0.0.0.0/0>10.2.0.0/16" },
	  1,
	  { "10.1.0.5", "10.2.0.1", U, 4500, HOST_MARK_OUTER | 7 },
	  false },
	{ "from the tunnel to another",
	  { "10.1.0.0/16>10.2.0.0/16" },
	  1,
	  { "10.1.0.5", "10.2.0.1", T, 1, HOST_MARK_INNER },
	  true },
	{ "no source yet", { "10.1.0.0/16>10.2.0.0/16" }, 1, { NULL, "10.2.0.1", T, 1, 0 }, true },
	{ "no source yet, and none that fits",
	  { "10.7.0.0/16>10.2.0.0/16" },
	  1,
	  { NULL, "10.2.0.1", T, 1, 0 },
	  false },
	{ "no source yet, elsewhere",
	  { "10.1.0.0/16>10.2.0.0/16" },
	  1,
	  { NULL, "10.3.0.1", T, 1, 0 },
	  false },
	{ "no source yet, v6",
	  { "2001:db8:1::/64>2001:db8:2::/64" },
	  1,
	  { NULL, "2001:db8:2::1", T, 1, 0 },
	  true },
	{ "v6",
	  { "2001:db8:1::/64>2001:db8:2::/64" },
	  1,
	  { "2001:db8:1::5", "2001:db8:2::1", T, 1, 0 },
	  true },
	{ "v6 of another source",
	  { "2001:db8:1::/64>2001:db8:2::/64" },
	  1,
	  { "2001:db8:9::5", "2001:db8:2::1", T, 1, 0 },
	  false },
	{ "v6 of a high source",
	  { "2001:db8:1::/64>2001:db8:2::/64" },
	  1,
	  { "fd00::5", "2001:db8:2::1", T, 1, 0 },
	  false },
	{ "v6 outer packet without source",
	  { "2001:db8:1::/64>2001:db8:2::/64" },
	  1,
	  { NULL, "2001:db8:2::1", U, 500, HOST_MARK_OUTER },
	  false },
	{ "in the range of ports",
	  { "10.1.0.0/16>10.2.0.0/16@tcp=80-90" },
	  1,
	  { "10.1.0.5", "10.2.0.1", T, 85, 0 },
	  true },
	{ "beside the range of ports",
	  { "10.1.0.0/16>10.2.0.0/16@tcp=80-90" },
	  1,
	  { "10.1.0.5", "10.2.0.1", T, 91, 0 },
	  false },
	{ "another protocol",
	  { "10.1.0.0/16>10.2.0.0/16@tcp=80-90" },
	  1,
	  { "10.1.0.5", "10.2.0.1", U, 85, 0 },
	  false },
	{ "everything", { "10.1.0.0/16>0.0.0.0/0" }, 1, { "10.1.0.5", "8.8.8.8", T, 1, 0 }, true },
	{ "everything but the lan",
	  { "10.1.0.0/16>0.0.0.0/0" },
	  1,
	  { "10.1.0.5", "10.1.0.9", T, 1, 0 },
	  false },
	{ "the gateway's own way out",
	  { "10.1.0.0/16>0.0.0.0/0" },
	  1,
	  { NULL, "8.8.8.8", T, 1, 0 },
	  false },
	{ "a single host's only way out",
	  { "10.1.0.1/32>0.0.0.0/0" },
	  1,
	  { NULL, "8.8.8.8", T, 1, 0 },
	  true },
	{ "a wide remote but the lan",
	  { "10.1.0.0/16>10.0.0.0/8" },
	  1,
	  { NULL, "10.1.0.9", T, 1, 0 },
	  false },
	{ "a wide remote", { "10.1.0.0/16>10.0.0.0/8" }, 1, { NULL, "10.3.0.9", T, 1, 0 }, true },
	{ "a wide v6 remote but the lan",
	  { "2001:db8:1::/64>2001:db8::/32" },
	  1,
	  { NULL, "2001:db8:1::9", T, 1, 0 },
	  false },
	{ "multicast",
	  { "10.1.0.0/16>0.0.0.0/0" },
	  1,
	  { "10.1.0.5", "224.0.0.5", U, 1, 0 },
	  false },
	{ "link-local",
	  { "2001:db8:1::/64>::/0" },
	  1,
	  { "2001:db8:1::5", "fe80::5", U, 1, 0 },
	  false },
	{ "a child inside of an exception",
	  { "10.0.0.0/8>0.0.0.0/0", "10.1.0.0/16>10.2.0.0/16" },
	  2,
	  { "10.1.0.5", "10.2.0.1", T, 1, 0 },
	  true },
	{ "the exception beside it",
	  { "10.0.0.0/8>0.0.0.0/0", "10.1.0.0/16>10.2.0.0/16" },
	  2,
	  { "10.1.0.5", "10.3.0.1", T, 1, 0 },
	  false },
	{ "the same without a source",
	  { "10.0.0.0/8>0.0.0.0/1", "10.1.0.0/16>10.2.0.0/16" },
	  2,
	  { NULL, "10.2.0.1", T, 1, 0 },
	  true },
	{ "a private network on the link",
	  { "10.7.0.0/16>0.0.0.0/0" },
	  1,
	  { "10.7.0.5", "10.1.0.9", T, 1, 0 },
	  false },
	{ "that a child names",
	  { "10.7.0.0/16>0.0.0.0/0", "10.7.0.0/16>10.1.0.0/16" },
	  2,
	  { "10.7.0.5", "10.1.0.9", T, 1, 0 },
	  true },
};

static struct own_list own_addresses(struct own v[static 2])
{
	v[0].bits = 24;
	v[1].bits = 64;
	ck_assert(addr_parse("10.1.0.1", &v[0].addr));
	ck_assert(addr_parse("2001:db8:1::1", &v[1].addr));
	return (struct own_list){ .v = v, .n = 2 };
}

START_TEST(packets_go_where_they_shall)
{
	const struct lead_case *c = &cases[_i];
	struct children children = kit_children(c->child, c->n);
	struct rule_list l = { .n = 0 };
	struct own v[2];
	struct own_list own = own_addresses(v);

	const struct lead_host host = { .own = &own, .has6 = true };

	ck_assert_int_eq(lead_rules(&l, children.v, children.n, &host), OK);
	ck_assert_msg(judge(&l, &c->k, true) == (c->into_tunnel ? TUNNEL : MAIN), "%s", c->name);
	ck_assert_msg(judge(&l, &c->k, false) == (c->into_tunnel ? DEAD : MAIN),
		      "%s without the device", c->name);
	rule_list_free(&l);
	children_free(&children);
}
END_TEST

/* ICMP errors that nft_errors.c has marked, and the way back to who sent one, for which a strict
 * reverse path filter asks with the same mark. */
START_TEST(errors_with_their_mark_go_into_the_tun)
{
	static const struct {
		const char *child[2];
		const char *dst;
		enum way way;
	} errors[] = {
		{ { "10.1.0.0/16@udp=5000>10.2.0.0/16" }, "10.2.0.1", TUNNEL },
		{ { "10.1.0.0/16@udp=5000>10.2.0.0/16+kernel" }, "10.2.0.1", MAIN },
		{ { "10.1.0.0/16>0.0.0.0/0" }, "10.2.0.1", TUNNEL },
		{ { "10.1.0.0/16>0.0.0.0/0" }, "10.1.0.9", MAIN },
		{ { "10.1.0.0/16@udp=5000>10.2.0.0/16+kernel", "10.1.0.0/16>10.3.0.0/16" },
		  "10.3.0.1",
		  TUNNEL },
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct children children =
			kit_children(errors[i].child, errors[i].child[1] != NULL ? 2 : 1);
		const struct packet k = { "192.0.2.1", errors[i].dst, IPPROTO_ICMP, 0,
					  HOST_MARK_ERROR | 1 };
		struct rule_list l = { .n = 0 };
		struct own v[2];
		struct own_list own = own_addresses(v);
		const struct lead_host host = { .own = &own };

		ck_assert_int_eq(lead_rules(&l, children.v, children.n, &host), OK);
		ck_assert_msg(judge(&l, &k, true) == errors[i].way, "%zu", i);
		ck_assert_msg(judge(&l, &k, false) == MAIN, "%zu", i);
		rule_list_free(&l);
		children_free(&children);
	}
}
END_TEST

START_TEST(no_children_no_rules)
{
	const struct own_list own = { .n = 0 };
	const struct lead_host host = { .own = &own, .has6 = true };
	struct rule_list l = { .n = 0 };

	ck_assert_int_eq(lead_rules(&l, NULL, 0, &host), OK);
	ck_assert_uint_eq(l.n, 0);
}
END_TEST

START_TEST(a_remote_network_has_one_route_with_a_source_if_any_child_has_one)
{
	static const char *const text[] = { "10.7.0.0/16>10.2.0.0/16", "10.1.0.0/16>10.2.0.0/16" };
	struct children children = kit_children(text, 2);
	struct pair_list pairs = { .n = 0 };
	struct route_list l = { .n = 0 };
	struct own v[2];
	struct own_list own = own_addresses(v);

	ck_assert_int_eq(pair_list_fill(&pairs, children.v, children.n), OK);
	ck_assert_int_eq(lead_routes(&l, &pairs, &own, 7), OK);
	ck_assert_uint_eq(l.n, 1);
	ck_assert(addr_eq(&l.v[0].source, &v[0].addr));
	ck_assert_uint_eq(l.v[0].device, 7);
	route_list_free(&l);
	pair_list_free(&pairs);
	children_free(&children);
}
END_TEST

/* Past routes into our devices, then the copy of the default routes, then nowhere: never the main
 * table as it is. */
START_TEST(beside_devices_our_outer_packets_have_a_way_of_their_own)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	const struct own_list own = { .n = 0 };
	const struct lead_host host = { .own = &own, .routed = true, .has6 = true };
	struct rule_list l = { .n = 0 };

	ck_assert_int_eq(lead_rules(&l, NULL, 0, &host), OK);
	ck_assert_uint_eq(l.n, 6);
	for (size_t i = 0; i < l.n; i++) {
		const struct rule *r = &l.v[i];

		ck_assert_uint_eq(r->mark, HOST_MARK_OUTER);
		ck_assert_uint_eq(r->mask, HOST_MARK_MASK);
		ck_assert(r->from.addr.family == families[i % 2]);
		ck_assert_uint_eq(r->priority, LEAD_MARK + i / 2);
		ck_assert_uint_eq(r->action, i < 4 ? FR_ACT_TO_TBL : FR_ACT_UNREACHABLE);
		ck_assert_uint_eq(r->table, i < 2 ? RT_TABLE_MAIN : i < 4 ? HOST_TABLE_OUTER : 0);
		ck_assert_uint_eq(r->ifgroup, i < 2 ? IFACE_GROUP : 0);
	}
	rule_list_free(&l);
}
END_TEST

/* XFRM does not route it again: in the device it would be lost. A narrower tunnel is led still. */
START_TEST(transport_mode_of_the_kernel_inside_a_wider_tunnel_stays_out)
{
	static const char *const led[] = { "10.1.0.0/16>10.2.0.0/16",
					   "10.1.0.1/32>10.2.0.1/32@tcp" };
	static const char *const out[] = { "10.1.0.1/32>10.2.0.1/32",
					   "2001:db8::1/128>2001:db8::2/128" };
	static const struct {
		struct packet k;
		enum way way;
	} packets[] = {
		{ { "10.1.0.1", "10.2.0.1", U, 80, 0 }, MAIN },
		{ { NULL, "10.2.0.1", U, 80, 0 }, MAIN },
		{ { "10.1.0.1", "10.2.0.1", T, 80, 0 }, TUNNEL },
		{ { "10.1.0.2", "10.2.0.1", T, 80, 0 }, TUNNEL },
	};
	struct children children = kit_children(led, 2);
	struct children beside = kit_children(out, 2);
	struct own v[2];
	struct own_list own = own_addresses(v);
	const struct lead_host host = { .own = &own, .beside = beside.v, .n_beside = 2 };
	struct rule_list l = { .n = 0 };

	ck_assert_int_eq(lead_rules(&l, children.v, children.n, &host), OK);
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++)
		ck_assert_int_eq(judge(&l, &packets[i].k, true), packets[i].way);
	for (size_t i = 0; i < l.n; i++)
		ck_assert_int_eq(l.v[i].from.addr.family, AF_INET);
	rule_list_free(&l);
	children_free(&beside);
	children_free(&children);
}
END_TEST

static size_t rules_of(const struct rule_list *l, sa_family_t family)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->v[i].from.addr.family == family;
	return n;
}

/* The kernel refuses every one of them. */
START_TEST(without_ipv6_there_is_no_rule_of_it)
{
	static const char *const text[] = { "10.1.0.0/16>10.2.0.0/16",
					    "2001:db8:1::/48>2001:db8:2::/48" };
	struct children children = kit_children(text, 2);
	struct own v[2];
	struct own_list own = own_addresses(v);
	struct lead_host host = { .own = &own, .routed = true, .has6 = true };
	struct rule_list with = { .n = 0 };
	struct rule_list without = { .n = 0 };

	ck_assert_int_eq(lead_rules(&with, children.v, children.n, &host), OK);
	ck_assert_uint_gt(rules_of(&with, AF_INET6), 3);
	host.has6 = false;
	for (size_t i = 0; i < children.n; i++)
		children.v[i].without6 = true;
	ck_assert_int_eq(lead_rules(&without, children.v, children.n, &host), OK);
	ck_assert_uint_eq(rules_of(&without, AF_INET6), 0);
	ck_assert_uint_eq(rules_of(&without, AF_INET), rules_of(&with, AF_INET));
	rule_list_free(&with);
	rule_list_free(&without);
	children_free(&children);
}
END_TEST

START_TEST(a_device_gets_routes_with_dead_ones_behind_and_never_to_everything)
{
	static const char *const text[] = {
		"10.1.0.0/16,2001:db8:1::/64>10.2.0.0/16,0.0.0.0/0,2001:db8:2::/64+kernel%ipsec0"
	};
	struct children c = kit_children(text, 1);
	const struct own_list own = { .n = 0 };
	struct route_list l = { .n = 0 };

	ck_assert_int_eq(lead_device_routes(&l, &c.v[0], &own, 7), OK);
	ck_assert_uint_eq(l.n, 4);
	for (size_t i = 0; i < l.n; i++) {
		ck_assert(l.v[i].main);
		ck_assert(l.v[i].to.bits > 0);
		ck_assert_int_eq(l.v[i].dead, i % 2 == 1);
		ck_assert_uint_eq(l.v[i].device, i % 2 == 1 ? 0 : 7);
	}
	route_list_free(&l);
	children_free(&c);
}
END_TEST

UNIT("xfrm/lead")
{
	tcase_add_test(tc, beside_devices_our_outer_packets_have_a_way_of_their_own);
	tcase_add_test(tc, a_device_gets_routes_with_dead_ones_behind_and_never_to_everything);
	tcase_add_loop_test(tc, packets_go_where_they_shall, 0,
			    (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tc, errors_with_their_mark_go_into_the_tun);
	tcase_add_test(tc, no_children_no_rules);
	tcase_add_test(tc, transport_mode_of_the_kernel_inside_a_wider_tunnel_stays_out);
	tcase_add_test(tc, without_ipv6_there_is_no_rule_of_it);
	tcase_add_test(tc, a_remote_network_has_one_route_with_a_source_if_any_child_has_one);
}
