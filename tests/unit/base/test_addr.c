/* SPDX-License-Identifier: Apache-2.0 */
#include "base/addr.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct addr addr_of(const char *s)
{
	struct addr a;

	ck_assert_msg(addr_parse(s, &a), "%s is no address", s);
	return a;
}

static const struct {
	const char *text;
	const char *shown; /* NULL: refused */
} addresses[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "0.0.0.0", "0.0.0.0" },
	{ "::", "::" },
	{ "2001:DB8:0:0::1", "2001:db8::1" },
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "", NULL },
	{ "192.0.2", NULL },
	{ "192.0.2.256", NULL },
	{ "192.0.2.1 ", NULL },
	{ " 192.0.2.1", NULL },
	{ "192.0.2.1:500", NULL },
	{ "0xc0000201", NULL },
	{ "fe80::1%lo", NULL },
	{ "2001:db8:::1", NULL },
	{ "gw.example.org", NULL },
};

START_TEST(addresses_are_read_and_shown)
{
	char buf[ADDR_TEXT_MAX];
	struct addr a;
	bool good = addr_parse(addresses[_i].text, &a);

	ck_assert_int_eq(good, addresses[_i].shown != NULL);
	ck_assert_str_eq(addr_text(&a, buf), good ? addresses[_i].shown : "-");
	ck_assert_int_eq(a.family == AF_UNSPEC, !good);
}
END_TEST

START_TEST(only_four_and_sixteen_bytes_are_an_address)
{
	static const uint8_t b[20] = { 1, 2, 3 };
	struct addr a;

	for (size_t len = 0; len <= sizeof(b); len++) {
		ck_assert_int_eq(addr_from_span(&a, span_of(b, len)), len == 4 || len == 16);
		ck_assert_uint_eq(addr_len(&a), len == 4 || len == 16 ? len : 0);
		ck_assert_uint_eq(addr_span(&a).len, addr_len(&a));
	}
}
END_TEST

START_TEST(unused_bytes_are_zero)
{
	static const uint8_t zero[12];
	struct addr a;

	memset(&a, 0xff, sizeof(a));
	ck_assert(addr_parse("255.255.255.255", &a));
	ck_assert_mem_eq(a.b + 4, zero, sizeof(zero));
}
END_TEST

START_TEST(any_is_unspecified)
{
	struct addr v4 = addr_of("0.0.0.0");
	struct addr v6 = addr_of("::");
	struct addr one = addr_of("0.0.0.1");
	struct addr none = { .family = AF_UNSPEC };

	ck_assert(addr_is_any(&v4) && addr_is_any(&v6) && addr_is_any(&none));
	ck_assert(!addr_is_any(&one));
	ck_assert(!addr_eq(&v4, &v6));
}
END_TEST

START_TEST(endpoints_show_their_port)
{
	char buf[ENDPOINT_TEXT_MAX];
	struct endpoint e = { addr_of("192.0.2.1"), 500 };

	ck_assert_str_eq(endpoint_text(&e, buf), "192.0.2.1:500");
	e.addr = addr_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	e.port = 65535;
	ck_assert_str_eq(endpoint_text(&e, buf), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	e.addr.family = AF_UNSPEC;
	ck_assert_str_eq(endpoint_text(&e, buf), "-:65535");
}
END_TEST

START_TEST(endpoints_survive_the_socket_interface)
{
	static const char *const texts[] = { "192.0.2.1", "2001:db8::1" };
	struct endpoint e = { addr_of(texts[_i]), 4500 };
	struct endpoint back;
	struct sockaddr_storage ss;

	ck_assert_uint_gt(endpoint_to_sockaddr(&e, &ss), 0);
	ck_assert(endpoint_from_sockaddr(&back, (struct sockaddr *)&ss));
	ck_assert(endpoint_eq(&e, &back));
}
END_TEST

START_TEST(a_mapped_sender_is_an_ipv4_sender)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct endpoint e;

	memcpy(&in6.sin6_addr, mapped, sizeof(mapped));
	ck_assert(endpoint_from_sockaddr(&e, (struct sockaddr *)&in6));
	ck_assert_int_eq(e.addr.family, AF_INET);
}
END_TEST

START_TEST(an_unknown_family_is_no_endpoint)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNIX };
	struct endpoint e;

	ck_assert(!endpoint_from_sockaddr(&e, (struct sockaddr *)&ss));
	ck_assert_int_eq(e.addr.family, AF_UNSPEC);
	ck_assert_uint_eq(endpoint_to_sockaddr(&e, &ss), 0);
}
END_TEST

START_TEST(paths_differ_by_each_end)
{
	struct path a = { { addr_of("192.0.2.1"), 500 }, { addr_of("192.0.2.2"), 500 } };
	struct path b = a;

	ck_assert(path_eq(&a, &b));
	b.local.port = 4500;
	ck_assert(!path_eq(&a, &b));
	b = a;
	b.remote.addr = addr_of("192.0.2.3");
	ck_assert(!path_eq(&a, &b));
}
END_TEST

UNIT("base/addr")
{
	tcase_add_loop_test(tc, addresses_are_read_and_shown, 0,
			    sizeof(addresses) / sizeof(addresses[0]));
	tcase_add_test(tc, only_four_and_sixteen_bytes_are_an_address);
	tcase_add_test(tc, unused_bytes_are_zero);
	tcase_add_test(tc, any_is_unspecified);
	tcase_add_test(tc, endpoints_show_their_port);
	tcase_add_loop_test(tc, endpoints_survive_the_socket_interface, 0, 2);
	tcase_add_test(tc, a_mapped_sender_is_an_ipv4_sender);
	tcase_add_test(tc, an_unknown_family_is_no_endpoint);
	tcase_add_test(tc, paths_differ_by_each_end);
}
