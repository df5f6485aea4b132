/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/selector.h"
#include "tests/unit/unit.h"

static const struct {
	const char *text;
	const char *shown;
} good[] = {
	{ "10.1.0.0/16", "10.1.0.0/16" },
	{ "10.1.0.7", "10.1.0.7/32" },
	{ "0.0.0.0/0", "0.0.0.0/0" },
	{ "2001:db8::/32", "2001:db8::/32" },
	{ "::1", "::1/128" },
	{ "10.1.0.1-10.1.0.9", "10.1.0.1-10.1.0.9" },
	{ "10.1.0.0-10.1.255.255", "10.1.0.0/16" },
	{ "10.1.0.7-10.1.0.7", "10.1.0.7/32" },
	{ "10.1.0.0/16[tcp]", "10.1.0.0/16 tcp" },
	{ "10.1.0.0/16[TCP/443]", "10.1.0.0/16 tcp/443" },
	{ "10.1.0.0/16 tcp/443", "10.1.0.0/16 tcp/443" },
	{ "10.1.0.1-10.1.0.9[udp/5000-5010]", "10.1.0.1-10.1.0.9 udp/5000-5010" },
	{ "10.1.0.0/16[6/22]", "10.1.0.0/16 tcp/22" },
	{ "10.1.0.0/16[47]", "10.1.0.0/16 gre" },
	{ "10.1.0.0/16[255]", "10.1.0.0/16 255" },
	{ "10.1.0.0/16[udp/0-65535]", "10.1.0.0/16 udp" },
	{ "10.1.0.0/16[any]", "10.1.0.0/16" },
	{ "10.1.0.0/16[icmp/8]", "10.1.0.0/16 icmp/8.0-8.255" },
	{ "10.1.0.0/16[icmp/3.4]", "10.1.0.0/16 icmp/3.4" },
	{ "2001:db8::/32[icmp6/128-129]", "2001:db8::/32 icmp6/128.0-129.255" },
	{ "2001:db8::/32[tcp/443]", "2001:db8::/32 tcp/443" },
	{ "10.1.0.0/16[tcp/opaque]", "10.1.0.0/16 tcp/opaque" },
	{ "2001:db8::/32 udp/OPAQUE", "2001:db8::/32 udp/opaque" },
};

static const char *const bad[] = {
	"",
	" ",
	"-",
	"/",
	"[",
	"]",
	"[tcp]",
	"10.1.0.0/16[",
	"10.1.0.0/16]",
	"10.1.0.0/16[tcp]x",
	"10.1.0.0/16[tcp][udp]",
	"10.1.0.0/16[tcp/]x",
	"10.1.0.0/16[tcp/1/2]",
	"10.1.0.0/16[any/1]",
	"10.1.0.0/16[256]",
	"10.1.0.0/16[-1]",
	"10.1.0.0/16[tcp/1-]",
	"10.1.0.0/16[tcp/-1]",
	"10.1.0.0/16[tcp/1-2-3]",
	"10.1.0.0/16[tcp/opaque-443]",
	"10.1.0.0/16[tcp/65535-0]",
	"10.1.0.0/16[icmp/opaque]",
	"10.1.0.0/16[gre/opaque]",
	"10.1.0.0/16[icmp/8.]",
	"10.1.0.0/16[icmp/.8]",
	"10.1.0.0/16[icmp/8.256]",
	"10.1.0.0/016",
	"10.1.0.0/ 16",
	"10.1.0.0/16 tcp 443",
	"2001:db8::/32[icmp]",
	"010.1.0.0/16",
	"10.1.0.0/16-10.2.0.0",
	"10.1.0.1-",
	"-10.1.0.1",
	"10.1/16",
	"1.2.3.4.5",
};

START_TEST(a_selector_is_shown_as_it_is_meant)
{
	char fact[WORDS_MAX];
	char hint[WORDS_MAX];
	char text[TS_TEXT_MAX];
	struct ts t;

	ck_assert_int_eq(selector_parse(good[_i].text, &t, fact, hint), OK);
	ck_assert_str_eq(ts_text(&t, text), good[_i].shown);
}
END_TEST

START_TEST(what_is_no_selector_is_explained)
{
	char fact[WORDS_MAX] = "";
	char hint[WORDS_MAX] = "";
	struct ts t;

	ck_assert_int_eq(selector_parse(bad[_i], &t, fact, hint), ERR_CONFIG);
	ck_assert_str_ne(fact, "");
	ck_assert_int_eq(t.lo.family, AF_UNSPEC);
}
END_TEST

START_TEST(an_endless_selector_is_refused)
{
	char fact[WORDS_MAX];
	char hint[WORDS_MAX];
	char text[5000];
	struct ts t;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i + 1 < sizeof(text) ? '1' : '\0';
	ck_assert_int_eq(selector_parse(text, &t, fact, hint), ERR_CONFIG);
}
END_TEST

UNIT("conf/selector")
{
	tcase_add_loop_test(tc, a_selector_is_shown_as_it_is_meant, 0,
			    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, what_is_no_selector_is_explained, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, an_endless_selector_is_refused);
}
