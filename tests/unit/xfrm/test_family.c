/* SPDX-License-Identifier: Apache-2.0 */
/* Whose IPv6 is left out, on hosts and devices that have none. */
#include "xfrm/family.h"

#include <string.h>

#include "tests/unit/xfrm/kit.h"

enum { NONE, OFF, ON }; /* IPv6 on a device */

static const struct {
	const char *child;
	const char *interface;
	enum sa_plane plane;
	enum sa_mode mode;
	int lo, tun, own;
	bool left_out;
	const char *words;
} cases[] = {
	{ "10.1.0.0/16>10.2.0.0/16", "", PLANE_USER, SA_TUNNEL, NONE, NONE, NONE, false, "" },
	{ "2001:db8::/64>2001:db8:1::/64", "", PLANE_USER, SA_TUNNEL, ON, ON, ON, false, "" },
	{ "2001:db8::/64>2001:db8:1::/64", "", PLANE_USER, SA_TUNNEL, ON, ON, OFF, false, "" },
	{ "2001:db8::/64>2001:db8:1::/64", "", PLANE_USER, SA_TUNNEL, ON, OFF, ON, true,
	  "switched off on the device postern0" },
	{ "2001:db8::/64>2001:db8:1::/64", "ipsec0", PLANE_USER, SA_TUNNEL, ON, ON, OFF, true,
	  "switched off on the device ipsec0" },
	{ "2001:db8::/64>2001:db8:1::/64", "ipsec0", PLANE_KERNEL, SA_TUNNEL, ON, OFF, ON, false,
	  "" },
	{ "2001:db8::/64>2001:db8:1::/64", "", PLANE_KERNEL, SA_TUNNEL, NONE, NONE, NONE, true,
	  "this host has no IPv6" },
	{ "2001:db8::1/128>2001:db8::2/128", "", PLANE_KERNEL, SA_TRANSPORT, ON, OFF, OFF, false,
	  "" },
};
enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

static struct iface device(const char *name, int is)
{
	struct iface i = { .has6 = is != NONE, .off6 = is == OFF };

	snprintf(i.name, sizeof(i.name), "%s", name);
	return i;
}

START_TEST(what_a_device_cannot_take_is_left_out_and_told)
{
	struct iface v[] = { device("lo", cases[_i].lo), device("postern0", cases[_i].tun),
			     device("ipsec0", cases[_i].own) };
	const struct iface_list all = { .v = v, .n = 3 };
	struct children c = kit_children(&cases[_i].child, 1);
	char words[HOST_WHY_MAX] = "old";

	snprintf(c.v[0].interface, sizeof(c.v[0].interface), "%s", cases[_i].interface);
	c.v[0].plane = cases[_i].plane;
	c.v[0].mode = cases[_i].mode;
	ck_assert_int_eq(family_left_out(&all, "postern0", &c.v[0]), cases[_i].left_out);
	family_words(&all, "postern0", c.v, 1, words);
	ck_assert(cases[_i].words[0] != '\0' ? strstr(words, cases[_i].words) != NULL
					     : words[0] == '\0');
	ck_assert_int_eq(family_has6(&all), cases[_i].lo != NONE);
	children_free(&c);
}
END_TEST

/* An address is as good as a selector. */
START_TEST(an_address_of_the_device_counts)
{
	static const char *const text[] = { "10.1.0.0/16>10.2.0.0/16" };
	struct iface v[] = { device("ipsec0", OFF) };
	const struct iface_list all = { .v = v, .n = 1 };
	struct children c = kit_children(text, 1);
	struct net address = { .bits = 64 };

	ck_assert(addr_parse("2001:db8:ff::1", &address.addr));
	snprintf(c.v[0].interface, sizeof(c.v[0].interface), "ipsec0");
	ck_assert(!family_left_out(&all, "postern0", &c.v[0]));
	c.v[0].addresses = &address;
	c.v[0].n_addresses = 1;
	ck_assert(family_left_out(&all, "postern0", &c.v[0]));
	c.v[0].addresses = NULL;
	children_free(&c);
}
END_TEST

UNIT("xfrm/family")
{
	tcase_add_loop_test(tc, what_a_device_cannot_take_is_left_out_and_told, 0, N_CASES);
	tcase_add_test(tc, an_address_of_the_device_counts);
}
