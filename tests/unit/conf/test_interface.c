/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of children: what is wrong with one is named where it stands. */
#include <stdlib.h>

#include "tests/unit/conf/fixture.h"
#include "tests/unit/unit.h"

/* clang-format off */
static const struct {
	int line;
	const char *text;	/* replaces that line of the fixture */
	const char *problems;
} rows[] = {
	{ 13, "local = { 0.0.0.0/0, ::/0 }\nremote = { 0.0.0.0/0, ::/0 }\ninterface = ipsec0\n}\nchild z {\nlocal = 10.7.0.0/16",
	  "ok\n" },
	{ 15, "interface = a234567890123456",
	  "15:13: `a234567890123456` cannot name a device | at most 15 letters, digits, `_`, `-`, `.`\n" },
	{ 15, "interface = a/b",
	  "15:13: `a/b` cannot name a device | at most 15 letters, digits, `_`, `-`, `.`\n" },
	{ 15, "interface = postern0",
	  "15:13: `postern0` is the device of all other children | another name\n" },
	{ 15, "interface = lo",
	  "15:13: `lo` is there already | another name\n" },
	{ 15, "addresses = 10.255.0.1/30",
	  "15:13: addresses without an interface that could have them | interface = NAME\n" },
	{ 15, "interface = ipsec0\naddresses = 10.255.0.1/33",
	  "16:13: `10.255.0.1/33` is no address | 10.255.0.1/30, 2001:db8::1/64\n" },
	{ 15, "interface = ipsec0\naddresses = { 10.255.0.1/x, 0.0.0.0/0, 224.0.0.5/32, ff02::5/128 }",
	  "16:15: `10.255.0.1/x` is no address | 10.255.0.1/30, 2001:db8::1/64\n"
	  "16:29: `0.0.0.0/0` cannot be the address of a device | 10.255.0.1/30, 2001:db8::1/64\n"
	  "16:40: `224.0.0.5/32` cannot be the address of a device | 10.255.0.1/30, 2001:db8::1/64\n"
	  "16:54: `ff02::5/128` cannot be the address of a device | 10.255.0.1/30, 2001:db8::1/64\n" },
	{ 15, "interface = ipsec0\naddresses = { 10.255.0.1/30, 10.255.0.1/24 }",
	  "16:30: `10.255.0.1/24` stands twice\n" },
	{ 15, "interface = ipsec0\naddresses = { 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7, 10.0.0.8, 10.0.0.9 }",
	  "16:95: `10.0.0.9` is one too many | 8 addresses at most\n" },
	{ 15, "interface = ipsec0\n}\nchild wan {\nlocal = 10.1.0.0/16\nremote = 10.9.0.0/16\ninterface = ipsec0",
	  "20:13: `ipsec0` is the interface of another child | `office/lan` in line 12 has it: each needs its own\n" },
	{ 15, "interface = ipsec0\n}\nchild wan {\nlocal = 10.1.0.0/16\nremote = 10.2.0.0/16\ninterface = ipsec1",
	  "19:10: `ipsec0` and `ipsec1` would both get the route to 10.2.0.0/16 | line 14 has it; with 0.0.0.0/0 no route is made, and you decide\n" },
	{ 15, "interface = ipsec0\n}\nchild wan {\nlocal = 10.1.0.0/16\nremote = { 10.2.3.0/24, 10.9.0.0/16 }",
	  "ok\n" },
	{ 15, "dataplane = user\noffload = packet",
	  "16:11: the kernel alone has network cards encrypt, and `dataplane = user` is without it | dataplane = kernel, or offload = auto\n" },
	{ 15, "dataplane = user\noffload = no",
	  "ok\n" },
	{ 15, "offload = crypto",
	  "ok\n" },
	{ 15, "interface = ipsec0\noffload = yes",
	  "16:11: offload cannot be `yes` | auto, no, crypto or packet\n" },
};
/* clang-format on */

START_TEST(a_slip_about_a_device_is_named_where_it_stands)
{
	char *text = fixture_text(rows[_i].line, rows[_i].text);
	char *problems = fixture_problems(text);

	ck_assert_str_eq(problems, rows[_i].problems);
	free(problems);
	free(text);
}
END_TEST

START_TEST(addresses_keep_the_bits_of_the_host)
{
	char *text = fixture_text(
		15, "interface = ipsec0\naddresses = { 10.255.0.1/30, 2001:db8:ff::1/64 }");
	struct conf *c = fixture_load(text);
	const struct conf_child *ch = &c->connections[0].children[0];
	char shown[ADDR_TEXT_MAX];

	ck_assert_str_eq(ch->interface, "ipsec0");
	ck_assert_uint_eq(ch->n_addresses, 2);
	ck_assert_str_eq(addr_text(&ch->addresses[0].addr, shown), "10.255.0.1");
	ck_assert_uint_eq(ch->addresses[0].bits, 30);
	ck_assert_str_eq(addr_text(&ch->addresses[1].addr, shown), "2001:db8:ff::1");
	ck_assert_uint_eq(ch->addresses[1].bits, 64);
	conf_free(c);
	free(text);
}
END_TEST

UNIT("conf/interface")
{
	tcase_add_loop_test(tc, a_slip_about_a_device_is_named_where_it_stands, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, addresses_keep_the_bits_of_the_host);
}
