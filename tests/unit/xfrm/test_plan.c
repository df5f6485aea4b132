/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of policies, judged as the kernel judges packets: the best priority that matches decides.
 */
#include "xfrm/plan.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"

/* What is on the links of the host: a private network of each family, and a public one. */
static struct own links[] = {
	{ { AF_INET, { 192, 168, 5, 1 } }, 24 },
	{ { AF_INET, { 198, 51, 100, 1 } }, 24 },
	{ { AF_INET6, { 0xfd, 0, 0, 5, [15] = 1 } }, 64 },
};
static const struct own_list own = { .v = links, .n = 3 };

struct packet {
	const char *src;
	const char *dst;
	uint8_t proto;
	uint16_t sport;
	uint16_t dport;
};

static bool side_matches(const xfrm_address_t *a, uint8_t bits, const char *text,
			 sa_family_t family)
{
	struct net n = { .addr = { .family = family }, .bits = bits };
	struct addr one;

	ck_assert(addr_parse(text, &one));
	memcpy(n.addr.b, a, addr_len(&n.addr));
	return one.family == family && net_contains(&n, &one);
}

static bool matches(const struct policy *p, uint8_t dir, const struct packet *k)
{
	const struct xfrm_selector *s = &p->sel;

	return p->dir == dir && side_matches(&s->saddr, s->prefixlen_s, k->src, s->family) &&
	       side_matches(&s->daddr, s->prefixlen_d, k->dst, s->family) &&
	       (s->proto == 0 || s->proto == k->proto) &&
	       ((s->sport ^ htons(k->sport)) & s->sport_mask) == 0 &&
	       ((s->dport ^ htons(k->dport)) & s->dport_mask) == 0;
}

/* Without marks and devices, as for the plan of guards. */
static bool blocked(const struct policy_list *l, uint8_t dir, const struct packet *k)
{
	const struct policy *best = NULL;

	for (size_t i = 0; i < l->n; i++) {
		if (matches(&l->v[i], dir, k) &&
		    (best == NULL || l->v[i].priority < best->priority))
			best = &l->v[i];
	}
	return best != NULL && best->action == XFRM_POLICY_BLOCK;
}

enum { T = IPPROTO_TCP, U = IPPROTO_UDP, I = IPPROTO_ICMP, I6 = IPPROTO_ICMPV6, ANY_DIR = 9 };

/* Out as written; in and forward the other way round (unless `dir` says one). */
static const struct guard_case {
	const char *name;
	const char *child[3];
	size_t n;
	struct packet k;
	uint8_t dir;
	bool blocked;
} cases[] = {
	{ "sites",
	  { "10.1.0.0/16>10.2.0.0/16" },
	  1,
	  { "10.1.0.1", "10.2.0.1", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "beside",
	  { "10.1.0.0/16>10.2.0.0/16" },
	  1,
	  { "10.1.0.1", "10.3.0.1", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "v6",
	  { "2001:db8:1::/64>2001:db8:2::/64" },
	  1,
	  { "2001:db8:1::1", "2001:db8:2::1", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "families do not mix",
	  { "10.1.0.0/16>2001:db8:2::/64" },
	  1,
	  { "10.1.0.1", "10.2.0.1", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "range",
	  { "10.1.0.5-10.1.0.9>10.2.0.0/16" },
	  1,
	  { "10.1.0.9", "10.2.0.1", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "beside range",
	  { "10.1.0.5-10.1.0.9>10.2.0.0/16" },
	  1,
	  { "10.1.0.10", "10.2.0.1", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "port",
	  { "10.1.0.0/16>10.2.0.0/16@tcp=443" },
	  1,
	  { "10.1.0.1", "10.2.0.1", T, 1, 443 },
	  ANY_DIR,
	  true },
	{ "other port",
	  { "10.1.0.0/16>10.2.0.0/16@tcp=443" },
	  1,
	  { "10.1.0.1", "10.2.0.1", T, 1, 80 },
	  ANY_DIR,
	  false },
	{ "other protocol",
	  { "10.1.0.0/16>10.2.0.0/16@tcp=443" },
	  1,
	  { "10.1.0.1", "10.2.0.1", U, 1, 443 },
	  ANY_DIR,
	  false },
	{ "port range",
	  { "10.1.0.0/16>10.2.0.0/16@tcp=80-90" },
	  1,
	  { "10.1.0.1", "10.2.0.1", T, 1, 85 },
	  ANY_DIR,
	  true },
	{ "port range is widened",
	  { "10.1.0.0/16>10.2.0.0/16@tcp=80-90" },
	  1,
	  { "10.1.0.1", "10.2.0.1", T, 1, 99 },
	  ANY_DIR,
	  true },
	{ "our port",
	  { "10.1.0.0/16@udp=53>10.2.0.0/16" },
	  1,
	  { "10.1.0.1", "10.2.0.1", U, 53, 9 },
	  ANY_DIR,
	  true },
	{ "not our port",
	  { "10.1.0.0/16@udp=53>10.2.0.0/16" },
	  1,
	  { "10.1.0.1", "10.2.0.1", U, 54, 9 },
	  ANY_DIR,
	  false },
	{ "icmp types are widened",
	  { "10.1.0.0/16@icmp=2048>10.2.0.0/16" },
	  1,
	  { "10.1.0.1", "10.2.0.1", I, 3, 0 },
	  ANY_DIR,
	  true },
	{ "protocols that differ cover nothing",
	  { "10.1.0.0/16@tcp>10.2.0.0/16@udp" },
	  1,
	  { "10.1.0.1", "10.2.0.1", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "everything",
	  { "10.1.0.0/16>0.0.0.0/0" },
	  1,
	  { "10.1.0.1", "8.8.8.8", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "local to local",
	  { "10.1.0.0/16>0.0.0.0/0" },
	  1,
	  { "10.1.0.1", "10.1.3.4", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "local to other local",
	  { "10.1.0.0/16,10.5.0.0/16>10.0.0.0/8" },
	  1,
	  { "10.1.0.1", "10.5.3.4", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "hub",
	  { "0.0.0.0/0>10.2.0.0/16" },
	  1,
	  { "8.8.8.8", "10.2.0.1", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "equal sides stay guarded",
	  { "10.0.0.0/8>10.0.0.0/8" },
	  1,
	  { "10.0.0.1", "10.1.0.1", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "any to any stays guarded",
	  { "0.0.0.0/0>0.0.0.0/0" },
	  1,
	  { "10.0.0.1", "10.1.0.1", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "narrow child in a wide exception",
	  { "10.0.0.0/8>0.0.0.0/0", "10.1.0.0/16>10.2.0.0/16" },
	  2,
	  { "10.1.0.1", "10.2.0.1", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "wide exception beside it",
	  { "10.0.0.0/8>0.0.0.0/0", "10.1.0.0/16>10.2.0.0/16" },
	  2,
	  { "10.1.0.1", "10.3.0.1", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "port in a wide exception",
	  { "10.0.0.0/8>0.0.0.0/0", "10.0.0.0/8>10.0.0.0/8@tcp=5" },
	  2,
	  { "10.1.0.1", "10.2.0.1", T, 1, 5 },
	  XFRM_POLICY_OUT,
	  true },
	{ "multicast",
	  { "10.1.0.0/16>0.0.0.0/0" },
	  1,
	  { "10.1.0.1", "224.0.0.251", U, 5353, 5353 },
	  XFRM_POLICY_OUT,
	  false },
	{ "multicast that is wanted",
	  { "10.1.0.0/16>0.0.0.0/0", "10.1.0.0/16>239.1.0.0/16" },
	  2,
	  { "10.1.0.1", "239.1.0.1", U, 1, 1 },
	  XFRM_POLICY_OUT,
	  true },
	{ "broadcast",
	  { "10.1.0.0/16>0.0.0.0/0" },
	  1,
	  { "10.1.0.1", "255.255.255.255", U, 68, 67 },
	  XFRM_POLICY_OUT,
	  false },
	{ "dhcp renewal",
	  { "10.1.0.0/16>0.0.0.0/0" },
	  1,
	  { "10.1.0.1", "192.0.2.1", U, 68, 67 },
	  ANY_DIR,
	  false },
	{ "no dhcp from elsewhere",
	  { "10.1.0.0/16>10.2.0.0/16" },
	  1,
	  { "10.1.0.1", "10.2.0.1", U, 68, 67 },
	  ANY_DIR,
	  true },
	{ "link-local v4",
	  { "10.1.0.0/16>0.0.0.0/0" },
	  1,
	  { "10.1.0.1", "169.254.1.1", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "link-local v6",
	  { "::/0>::/1", "::/0>8000::/1" },
	  2,
	  { "fe80::1", "fe80::2", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "multicast v6",
	  { "2001:db8:1::/64>::/0" },
	  1,
	  { "2001:db8:1::1", "ff02::1", U, 1, 2 },
	  XFRM_POLICY_OUT,
	  false },
	{ "neighbours between hosts",
	  { "2001:db8::1/128>2001:db8::2/128" },
	  1,
	  { "2001:db8::1", "2001:db8::2", I6, 135, 0 },
	  XFRM_POLICY_OUT,
	  false },
	{ "advertisement",
	  { "2001:db8::1/128>2001:db8::2/128" },
	  1,
	  { "2001:db8::1", "2001:db8::2", I6, 136, 0 },
	  XFRM_POLICY_IN,
	  false },
	{ "no neighbours past us",
	  { "2001:db8::1/128>2001:db8::2/128" },
	  1,
	  { "2001:db8::1", "2001:db8::2", I6, 135, 0 },
	  XFRM_POLICY_FWD,
	  true },
	{ "echo is no neighbour",
	  { "2001:db8::1/128>2001:db8::2/128" },
	  1,
	  { "2001:db8::1", "2001:db8::2", I6, 128, 0 },
	  ANY_DIR,
	  true },
	{ "a private network on the link",
	  { "10.1.0.0/16>0.0.0.0/0" },
	  1,
	  { "10.1.0.1", "192.168.5.9", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "a private network on the link, v6",
	  { "2001:db8:1::/64>::/0" },
	  1,
	  { "2001:db8:1::1", "fd00:5::9", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "a public network on the link",
	  { "10.1.0.0/16>0.0.0.0/0" },
	  1,
	  { "10.1.0.1", "198.51.100.9", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "a network on the link that a child names",
	  { "10.1.0.0/16>0.0.0.0/0", "10.1.0.0/16>192.168.0.0/16" },
	  2,
	  { "10.1.0.1", "192.168.5.9", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "a network on the link, and less than everything",
	  { "10.1.0.0/16>128.0.0.0/1" },
	  1,
	  { "10.1.0.1", "192.168.5.9", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "a child inside of an exception keeps its own",
	  { "10.0.0.0/8>0.0.0.0/0", "10.1.0.0/16>10.0.0.0/9" },
	  2,
	  { "10.1.0.1", "10.1.0.9", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "and its guard",
	  { "10.0.0.0/8>0.0.0.0/0", "10.1.0.0/16>10.0.0.0/9" },
	  2,
	  { "10.1.0.1", "10.2.0.9", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "local to local beside a remote within the local",
	  { "10.0.0.0/8>0.0.0.0/0", "10.0.0.0/8>10.7.0.0/16" },
	  2,
	  { "10.1.0.1", "10.7.0.1", T, 1, 2 },
	  ANY_DIR,
	  true },
	{ "an exception of a range",
	  { "10.1.0.0/16>0.0.0.1-255.255.255.254" },
	  1,
	  { "10.1.0.1", "10.1.0.9", T, 1, 2 },
	  ANY_DIR,
	  false },
	{ "a range beside it",
	  { "10.1.0.0/16>0.0.0.1-255.255.255.254" },
	  1,
	  { "10.1.0.1", "10.2.0.9", T, 1, 2 },
	  ANY_DIR,
	  true },
};

static struct packet turned(const struct packet *k)
{
	/* The type of ICMP stays in the source port whatever the direction. */
	bool icmp = k->proto == I || k->proto == I6;

	return (struct packet){ .src = k->dst,
				.dst = k->src,
				.proto = k->proto,
				.sport = icmp ? k->sport : k->dport,
				.dport = icmp ? k->dport : k->sport };
}

START_TEST(guards_stop_what_they_shall_and_no_more)
{
	const struct guard_case *c = &cases[_i];
	struct children children = kit_children(c->child, c->n);
	struct policy_list l = { .n = 0 };
	struct packet back = turned(&c->k);

	ck_assert_int_eq(plan_guards(&l, children.v, children.n, &own), OK);
	for (uint8_t dir = XFRM_POLICY_IN; dir <= XFRM_POLICY_FWD; dir++) {
		bool got = blocked(&l, dir, dir == XFRM_POLICY_OUT ? &c->k : &back);

		if (c->dir == ANY_DIR || c->dir == dir)
			ck_assert_msg(got == c->blocked, "%s: %s", c->name, policy_dir_text(dir));
	}
	policy_list_free(&l);
	children_free(&children);
}
END_TEST

START_TEST(lockdown_makes_no_exception_for_links)
{
	static const char *const text[] = { "10.1.0.0/16>0.0.0.0/0" };
	const struct packet k = { "10.1.0.1", "192.168.5.9", T, 1, 2 };
	struct children children = kit_children(text, 1);
	struct policy_list l = { .n = 0 };

	children.v[0].lockdown = true;
	ck_assert_int_eq(plan_guards(&l, children.v, children.n, &own), OK);
	ck_assert(blocked(&l, XFRM_POLICY_OUT, &k));
	policy_list_free(&l);
	children_free(&children);
}
END_TEST

START_TEST(a_plan_has_nothing_twice)
{
	static const char *const text[] = { "10.1.0.0/16>10.2.0.0/16,10.2.0.0/16",
					    "10.1.0.0/16>10.2.0.0/16,0.0.0.0/0" };
	struct children children = kit_children(text, 2);
	struct policy_list l = { .n = 0 };

	ck_assert_int_eq(plan_guards(&l, children.v, children.n, &own), OK);
	for (size_t i = 1; i < l.n; i++)
		ck_assert_int_lt(policy_cmp(&l.v[i - 1], &l.v[i]), 0);
	policy_list_free(&l);
	children_free(&children);
}
END_TEST

START_TEST(no_children_no_guards)
{
	struct policy_list l = { .n = 0 };

	ck_assert_int_eq(plan_guards(&l, NULL, 0, &own), OK);
	ck_assert_uint_eq(l.n, 0);
	policy_list_free(&l);
}
END_TEST

/* 254 networks on either side are more than the tables are allowed to hold. */
START_TEST(too_many_pairs_are_refused)
{
	static const char *const text[] = {
		"2001:db8::1-2001:db8:ffff:ffff:ffff:ffff:ffff:fffe>2001:db9::1-2001:db9:ffff:ffff:ffff:ffff:ffff:fffe"
	};
	struct children children = kit_children(text, 1);
	struct policy_list l = { .n = 0 };

	ck_assert_int_eq(plan_guards(&l, children.v, children.n, &own), ERR_LIMIT);
	policy_list_free(&l);
	children_free(&children);
}
END_TEST

/* The plane opens by device, by mark, or (IPv6, local) where rules stand in: nothing that any
 * packet has. */
START_TEST(the_plane_opens_nothing_without_a_device_or_a_mark)
{
	static const char *const text[] = { "10.1.0.0/16,2001:db8:1::/64>0.0.0.0/0,::/0" };
	struct children children = kit_children(text, 1);
	struct policy_list l = { .n = 0 };

	ck_assert_int_eq(plan_plane(&l, children.v, children.n, 42), OK);
	ck_assert_uint_eq(l.n, 10);
	for (size_t i = 0; i < l.n; i++) {
		const struct policy *p = &l.v[i];

		ck_assert(p->sel.ifindex == 42 ||
			  (p->mark.m == HOST_MARK_MASK && p->mark.v == HOST_MARK_INNER) ||
			  (p->mark.m == HOST_MARK_LIFT && p->sel.prefixlen_s == 64));
	}
	policy_list_free(&l);
	children_free(&children);
}
END_TEST

#define N_OF(v) (int)(sizeof(v) / sizeof((v)[0]))

/* It would take the whole host; the device is its guard. A narrower one has both. */
START_TEST(everything_by_a_device_has_no_guards_of_policies)
{
	static const char *const all[] = { "0.0.0.0/0,::/0>0.0.0.0/0,::/0+kernel%ipsec0" };
	static const char *const some[] = { "10.1.0.0/16>0.0.0.0/0+kernel%ipsec0" };
	const struct own_list nowhere = { .n = 0 };
	struct children children = kit_children(all, 1);
	struct policy_list l = { .n = 0 };

	ck_assert_int_eq(plan_guards(&l, children.v, children.n, &nowhere), OK);
	ck_assert_uint_eq(l.n, 0);
	ck_assert_int_eq(plan_device(&l, &children.v[0], 7), OK);
	ck_assert_uint_eq(l.n, 0);
	children_free(&children);
	children = kit_children(some, 1);
	ck_assert(plan_device(&l, &children.v[0], 0) == OK && l.n == 0);
	ck_assert(plan_device(&l, &children.v[0], 7) == OK && l.n == 2);
	for (size_t i = 0; i < l.n; i++) {
		ck_assert_int_eq(l.v[i].sel.ifindex, 7);
		ck_assert_uint_eq(l.v[i].action, XFRM_POLICY_ALLOW);
		ck_assert_uint_ne(l.v[i].dir, XFRM_POLICY_IN);
	}
	l.n = 0;
	ck_assert_int_eq(plan_guards(&l, children.v, children.n, &nowhere), OK);
	ck_assert_uint_gt(l.n, 0);
	policy_list_free(&l);
	children_free(&children);
}
END_TEST

UNIT("xfrm/plan")
{
	tcase_add_test(tc, everything_by_a_device_has_no_guards_of_policies);
	tcase_add_loop_test(tc, guards_stop_what_they_shall_and_no_more, 0, N_OF(cases));
	tcase_add_test(tc, lockdown_makes_no_exception_for_links);
	tcase_add_test(tc, a_plan_has_nothing_twice);
	tcase_add_test(tc, no_children_no_guards);
	tcase_add_test(tc, too_many_pairs_are_refused);
	tcase_add_test(tc, the_plane_opens_nothing_without_a_device_or_a_mark);
}
