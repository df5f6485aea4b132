/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value.h"
#include "tests/unit/unit.h"

START_TEST(numbers_are_digits_alone_and_saturate)
{
	uint64_t v;

	ck_assert(value_number("0", &v) && v == 0);
	ck_assert(value_number("65535", &v) && v == 65535);
	ck_assert(value_number("18446744073709551615", &v) && v == UINT64_MAX);
	ck_assert(value_number("18446744073709551616", &v) && v == UINT64_MAX);
	ck_assert(!value_number("", &v) && v == 0);
	ck_assert(!value_number("-1", &v) && v == 0);
	ck_assert(!value_number("+1", &v) && v == 0);
	ck_assert(!value_number("1 ", &v) && v == 0);
	ck_assert(!value_number("0x10", &v) && v == 0);
}
END_TEST

START_TEST(times_have_a_unit)
{
	uint64_t v;

	ck_assert(value_seconds("30s", &v) && v == 30);
	ck_assert(value_seconds("5m", &v) && v == 300);
	ck_assert(value_seconds("2h", &v) && v == 7200);
	ck_assert(value_seconds("1d", &v) && v == 86400);
	ck_assert(value_seconds("0", &v) && v == 0);
	ck_assert(value_seconds("18446744073709551615d", &v) && v == UINT64_MAX);
	ck_assert(!value_seconds("30", &v) && v == 0);
	ck_assert(!value_seconds("s", &v) && v == 0);
	ck_assert(!value_seconds("30 s", &v) && v == 0);
	ck_assert(!value_seconds("30S", &v) && v == 0);
	ck_assert(!value_seconds("1h30m", &v) && v == 0);
	ck_assert(!value_seconds("", &v) && v == 0);
}
END_TEST

START_TEST(yes_is_yes_and_no_is_no)
{
	bool b;

	ck_assert(value_yes_no("yes", &b) && b);
	ck_assert(value_yes_no("no", &b) && !b);
	ck_assert(!value_yes_no("true", &b) && !b);
	ck_assert(!value_yes_no("Yes", &b) && !b);
	ck_assert(!value_yes_no("", &b) && !b);
}
END_TEST

START_TEST(names_fit_into_commands_and_logs)
{
	ck_assert(value_is_name("office"));
	ck_assert(value_is_name("0-a_b.c"));
	ck_assert(value_is_name("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"));
	ck_assert(
		!value_is_name("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"));
	ck_assert(!value_is_name(""));
	ck_assert(!value_is_name("-v"));
	ck_assert(!value_is_name(".."));
	ck_assert(!value_is_name("a/b"));
	ck_assert(!value_is_name("a b"));
	ck_assert(!value_is_name("\303\244"));
}
END_TEST

START_TEST(devices_are_what_the_kernel_takes)
{
	ck_assert(value_is_device("postern0"));
	ck_assert(value_is_device("fifteen-letters"));
	ck_assert(!value_is_device("sixteen--letters"));
	ck_assert(!value_is_device(""));
	ck_assert(!value_is_device("."));
	ck_assert(!value_is_device(".."));
	ck_assert(!value_is_device("a/b"));
	ck_assert(!value_is_device("eth0:1"));
	ck_assert(!value_is_device("tun%d"));
}
END_TEST

START_TEST(hosts_are_names_and_never_addresses_with_a_slip)
{
	ck_assert(value_is_host("gw"));
	ck_assert(value_is_host("gw.example.org"));
	ck_assert(value_is_host("4500.example.org"));
	ck_assert(value_is_host("a-b.example"));
	ck_assert(!value_is_host("203.0.113.256"));
	ck_assert(!value_is_host("gw.example.org."));
	ck_assert(!value_is_host(".gw"));
	ck_assert(!value_is_host("a..b"));
	ck_assert(!value_is_host("-a.example"));
	ck_assert(!value_is_host("a-.example"));
	ck_assert(!value_is_host("a-"));
	ck_assert(!value_is_host(""));
	ck_assert(!value_is_host("a_b"));
	ck_assert(!value_is_host(
		"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg.org"));
}
END_TEST

UNIT("conf/value")
{
	tcase_add_test(tc, numbers_are_digits_alone_and_saturate);
	tcase_add_test(tc, times_have_a_unit);
	tcase_add_test(tc, yes_is_yes_and_no_is_no);
	tcase_add_test(tc, names_fit_into_commands_and_logs);
	tcase_add_test(tc, devices_are_what_the_kernel_takes);
	tcase_add_test(tc, hosts_are_names_and_never_addresses_with_a_slip);
}
