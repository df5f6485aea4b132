/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/addr.h"
#include "tests/unit/unit.h"

static const struct {
	const char *text;
	const char *shown; /* NULL: refused */
} networks[] = {
	{ "10.0.0.0/8", "10.0.0.0/8" },
	{ "0.0.0.0/0", "0.0.0.0/0" },
	{ "::/0", "::/0" },
	{ "192.0.2.1", "192.0.2.1/32" },
	{ "2001:db8::1", "2001:db8::1/128" },
	{ "2001:db8::/33", "2001:db8::/33" },
	{ "192.0.2.128/25", "192.0.2.128/25" },
	{ "10.0.0.1/8", NULL },
	{ "192.0.2.129/25", NULL },
	{ "2001:db8::1/64", NULL },
	{ "10.0.0.0/33", NULL },
	{ "2001:db8::/129", NULL },
	{ "10.0.0.0/", NULL },
	{ "10.0.0.0/08", NULL },
	{ "10.0.0.0/+8", NULL },
	{ "10.0.0.0/8 ", NULL },
	{ "10.0.0.0/8/8", NULL },
	{ "10.0.0.0/4294967304", NULL },
	{ "/8", NULL },
	{ "", NULL },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555/8", NULL },
};

START_TEST(networks_are_read_and_shown)
{
	char buf[NET_TEXT_MAX];
	struct net n;
	bool good = net_parse(networks[_i].text, &n);

	ck_assert_int_eq(good, networks[_i].shown != NULL);
	if (good)
		ck_assert_str_eq(net_text(&n, buf), networks[_i].shown);
}
END_TEST

static struct net net_of(const char *s)
{
	struct net n;

	ck_assert_msg(net_parse(s, &n), "%s is no network", s);
	return n;
}

static const struct {
	const char *a, *b;
	bool overlap;
} pairs[] = {
	{ "10.0.0.0/8", "10.1.0.0/16", true },
	{ "10.0.0.0/8", "11.0.0.0/8", false },
	{ "0.0.0.0/0", "192.0.2.1", true },
	{ "0.0.0.0/0", "::/0", false },
	{ "2001:db8::/32", "2001:db8:ffff::/48", true },
	{ "192.0.2.0/25", "192.0.2.128/25", false },
	{ "192.0.2.1", "192.0.2.1", true },
};

START_TEST(overlap_is_known_both_ways)
{
	struct net a = net_of(pairs[_i].a);
	struct net b = net_of(pairs[_i].b);

	ck_assert_int_eq(net_overlap(&a, &b), pairs[_i].overlap);
	ck_assert_int_eq(net_overlap(&b, &a), pairs[_i].overlap);
}
END_TEST

START_TEST(a_network_contains_its_ends_and_not_their_neighbours)
{
	static const struct {
		const char *addr;
		bool inside;
	} cases[] = {
		{ "10.15.255.255", false }, { "10.16.0.0", true }, { "10.31.255.255", true },
		{ "10.32.0.0", false },	    { "::a10:0", false },
	};
	struct net n = net_of("10.16.0.0/12");
	struct addr a;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert(addr_parse(cases[i].addr, &a));
		ck_assert_int_eq(net_contains(&n, &a), cases[i].inside);
	}
	a = (struct addr){ .family = AF_UNSPEC };
	ck_assert(!net_contains(&n, &a));
}
END_TEST

static const struct {
	const char *a, *b;
	unsigned int bits;
} common[] = {
	{ "10.1.0.0", "10.1.0.0", 32 },	      { "10.1.0.0", "10.1.0.1", 31 },
	{ "10.1.0.0", "10.1.255.255", 16 },   { "0.0.0.0", "128.0.0.0", 0 },
	{ "2001:db8::", "2001:db8::", 128 },  { "2001:db8::", "2001:db8::8000", 112 },
	{ "2001:db8::", "2001:db9::ff", 31 },
};

START_TEST(two_addresses_share_their_leading_bits)
{
	struct addr a, b;

	ck_assert(addr_parse(common[_i].a, &a) && addr_parse(common[_i].b, &b));
	ck_assert_uint_eq(addr_common_bits(&a, &b), common[_i].bits);
	ck_assert_uint_eq(addr_common_bits(&b, &a), common[_i].bits);
}
END_TEST

/* Ranges against counting: the last six bits of an address are a space that can be tried whole. */

enum { SPACE = 64, BITS = 6 };

static struct addr nth(sa_family_t family, unsigned int last, uint8_t fill)
{
	struct addr a = { .family = family };

	memset(a.b, fill, addr_len(&a));
	a.b[addr_len(&a) - 1] = (uint8_t)((fill & 0xc0) | last);
	return a;
}

/* The fewest networks that make up exactly lo..hi: dynamic programming over where the next one
 * begins. */
static size_t fewest(unsigned int lo, unsigned int hi)
{
	size_t best[SPACE + 1];

	best[hi + 1] = 0;
	for (unsigned int at = hi + 1; at-- > lo;) {
		best[at] = SIZE_MAX;
		for (unsigned int size = 1; size <= SPACE && at % size == 0 && at + size <= hi + 1;
		     size *= 2)
			if (best[at + size] + 1 < best[at])
				best[at] = best[at + size] + 1;
	}
	return best[lo];
}

static void check_range(sa_family_t family, uint8_t fill, unsigned int lo, unsigned int hi)
{
	struct addr a = nth(family, lo, fill);
	struct addr b = nth(family, hi, fill);
	struct net out[2 * BITS];
	size_t n = net_from_range(&a, &b, out, 2 * BITS);

	ck_assert_uint_eq(n, fewest(lo, hi));
	for (unsigned int x = 0; x < SPACE; x++) {
		struct addr at = nth(family, x, fill);
		size_t hits = 0;

		for (size_t i = 0; i < n; i++)
			hits += net_contains(&out[i], &at) ? 1 : 0;
		ck_assert_uint_eq(hits, x >= lo && x <= hi ? 1 : 0);
	}
}

/* Filled with ones the space ends at the last address there is, and an increment would wrap. */
START_TEST(a_range_is_cut_into_the_fewest_networks)
{
	unsigned int lo = (unsigned int)_i;

	for (unsigned int hi = lo; hi < SPACE; hi++) {
		check_range(AF_INET, 0x0a, lo, hi);
		check_range(AF_INET, 0xff, lo, hi);
		check_range(AF_INET6, 0xff, lo, hi);
	}
}
END_TEST

START_TEST(the_widest_and_the_most_ragged_range)
{
	struct addr lo, hi;
	struct net out[254];

	ck_assert(addr_parse("::", &lo) &&
		  addr_parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &hi));
	ck_assert_uint_eq(net_from_range(&lo, &hi, out, 1), 1);
	ck_assert_uint_eq(out[0].bits, 0);
	ck_assert(addr_parse("::1", &lo) &&
		  addr_parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", &hi));
	ck_assert_uint_eq(net_from_range(&lo, &hi, out, 254), 254);
	ck_assert(addr_parse("0.0.0.1", &lo) && addr_parse("255.255.255.254", &hi));
	ck_assert_uint_eq(net_from_range(&lo, &hi, out, 254), 62);
}
END_TEST

START_TEST(more_than_fits_is_counted_and_not_written)
{
	struct addr lo, hi;
	struct net out[3] = { { .bits = 0 } };

	ck_assert(addr_parse("10.0.0.1", &lo) && addr_parse("10.0.0.14", &hi));
	ck_assert_uint_eq(net_from_range(&lo, &hi, out, 2), 6);
	ck_assert_uint_eq(out[1].bits, 31);
	ck_assert_uint_eq(out[2].bits, 0);
	ck_assert_uint_eq(net_from_range(&lo, &hi, NULL, 0), 6);
}
END_TEST

START_TEST(what_is_no_range_has_no_networks)
{
	struct addr v4, v6, low;
	struct addr none = { .family = AF_UNSPEC };

	ck_assert(addr_parse("10.0.0.9", &v4) && addr_parse("2001:db8::", &v6) &&
		  addr_parse("10.0.0.1", &low));
	ck_assert_uint_eq(net_from_range(&v4, &low, NULL, 0), 0);
	ck_assert_uint_eq(net_from_range(&v4, &v6, NULL, 0), 0);
	ck_assert_uint_eq(net_from_range(&none, &none, NULL, 0), 0);
}
END_TEST

static const struct {
	const char *text;
	bool host;
} hosts[] = {
	{ "192.0.2.1", true },
	{ "10.0.0.1", true },
	{ "169.254.1.1", true },
	{ "2001:db8::1", true },
	{ "fe80::1", true },
	{ "0.0.0.0", false },
	{ "0.1.2.3", false },
	{ "127.0.0.1", false },
	{ "127.255.0.1", false },
	{ "224.0.0.5", false },
	{ "255.255.255.255", false },
	{ "240.0.0.1", false },
	{ "223.255.255.1", true },
	{ "::", false },
	{ "::1", false },
	{ "::2", true },
	{ "ff02::1", false },
};
enum { N_HOSTS = sizeof hosts / sizeof hosts[0] };

START_TEST(only_some_addresses_are_those_of_one_machine)
{
	const struct addr none = { .family = AF_UNSPEC };
	struct addr a;

	ck_assert(addr_parse(hosts[_i].text, &a));
	ck_assert_msg(addr_is_host(&a) == hosts[_i].host, "%s", hosts[_i].text);
	ck_assert(!addr_is_host(&none));
}
END_TEST

UNIT("base/net")
{
	tcase_add_loop_test(tc, only_some_addresses_are_those_of_one_machine, 0, N_HOSTS);
	tcase_add_loop_test(tc, networks_are_read_and_shown, 0,
			    sizeof(networks) / sizeof(networks[0]));
	tcase_add_loop_test(tc, overlap_is_known_both_ways, 0, sizeof(pairs) / sizeof(pairs[0]));
	tcase_add_loop_test(tc, two_addresses_share_their_leading_bits, 0,
			    sizeof(common) / sizeof(common[0]));
	tcase_add_test(tc, a_network_contains_its_ends_and_not_their_neighbours);
	tcase_add_loop_test(tc, a_range_is_cut_into_the_fewest_networks, 0, SPACE);
	tcase_add_test(tc, the_widest_and_the_most_ragged_range);
	tcase_add_test(tc, more_than_fits_is_counted_and_not_written);
	tcase_add_test(tc, what_is_no_range_has_no_networks);
}
