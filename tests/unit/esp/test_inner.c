/* SPDX-License-Identifier: Apache-2.0 */
/* Inner packets: what is read of good ones, and every way of lying about lengths and headers
 * (CVE-2022-34718 and its kin). */
#include "esp/inner.h"

#include <string.h>

#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

START_TEST(good_packets_are_read)
{
	uint8_t buf[200];
	struct inner in;
	struct addr a;

	ck_assert_int_eq(inner_parse(kit_udp(buf, 60, "10.1.0.1", "10.2.0.1"), &in), OK);
	a = kit_addr("10.2.0.1");
	ck_assert_uint_eq(in.version, 4);
	ck_assert_uint_eq(in.len, 60);
	ck_assert_uint_eq(in.l4_at, 20);
	ck_assert(addr_eq(&in.flow.dst, &a));
	ck_assert(in.flow.ports_known && in.flow.sport == 1000 && in.flow.dport == 2000 &&
		  in.flow.proto == PROTO_UDP);
	ck_assert(!in.fragment && !in.df);

	ck_assert_int_eq(inner_parse(kit_udp(buf, 100, "2001:db8:1::1", "2001:db8:2::1"), &in), OK);
	ck_assert_uint_eq(in.version, 6);
	ck_assert_uint_eq(in.len, 100);
	ck_assert_uint_eq(in.l4_at, 40);
	ck_assert(in.flow.ports_known && in.flow.dport == 2000 && in.df);
}
END_TEST

/* One byte of a good IPv4 UDP packet of 60 bytes is changed. */
static const struct {
	const char *why;
	size_t at;
	uint8_t to;
	enum err e;
} v4[] = {
	{ "version 0", 0, 0x05, ERR_SYNTAX },
	{ "version 5", 0, 0x55, ERR_SYNTAX },
	{ "version 15", 0, 0xf5, ERR_SYNTAX },
	{ "header length 0", 0, 0x40, ERR_SYNTAX },
	{ "header length 16", 0, 0x44, ERR_SYNTAX },
	{ "header length 60 leaves no ports", 0, 0x4f, ERR_SYNTAX },
	{ "header length 56 leaves ports", 0, 0x4e, OK },
	{ "total length under the header", 3, 19, ERR_SYNTAX },
	{ "total length 0", 3, 0, ERR_SYNTAX },
	{ "total length cuts the ports", 3, 23, ERR_SYNTAX },
	{ "total length leaves the ports alone", 3, 24, OK },
	{ "total length over the packet", 3, 61, ERR_SYNTAX },
	{ "total length far over the packet", 2, 0xff, ERR_SYNTAX },
	{ "more fragments", 6, 0x20, OK },
	{ "the last fragment", 7, 0x10, OK },
	{ "an offset that ends beyond 65535", 6, 0x1f, OK },
};

START_TEST(ipv4_lengths_must_fit_in_each_other)
{
	uint8_t buf[60];
	struct inner in;

	kit_udp(buf, sizeof(buf), "10.1.0.1", "10.2.0.1");
	buf[v4[_i].at] = v4[_i].to;
	ck_assert_msg(inner_parse(span_of(buf, sizeof(buf)), &in) == v4[_i].e, "%s", v4[_i].why);
}
END_TEST

START_TEST(fragments_beyond_65535_are_refused)
{
	uint8_t buf[60];
	struct inner in;

	kit_udp(buf, sizeof(buf), "10.1.0.1", "10.2.0.1");
	buf[6] = 0x1f;
	buf[7] = 0xff; /* offset 65528 and 40 bytes more */
	ck_assert_int_eq(inner_parse(span_of(buf, sizeof(buf)), &in), ERR_SYNTAX);
	buf[7] = 0xfa; /* 65488 + 40 */
	ck_assert_int_eq(inner_parse(span_of(buf, sizeof(buf)), &in), OK);
	ck_assert(in.fragment && in.frag_at == 65488 && !in.flow.ports_known);
	buf[6] = 0x20;
	buf[7] = 0;
	buf[3] = 59; /* not the last, and not whole units of 8 */
	ck_assert_int_eq(inner_parse(span_of(buf, sizeof(buf)), &in), ERR_SYNTAX);
}
END_TEST

START_TEST(what_follows_the_packet_is_padding)
{
	uint8_t buf[300] = { 0 };
	struct inner in;

	kit_udp(buf, 60, "10.1.0.1", "10.2.0.1");
	ck_assert_int_eq(inner_parse(span_of(buf, sizeof(buf)), &in), OK);
	ck_assert_uint_eq(in.len, 60);
	kit_udp(buf, 80, "2001:db8:1::1", "2001:db8:2::1");
	ck_assert_int_eq(inner_parse(span_of(buf, sizeof(buf)), &in), OK);
	ck_assert_uint_eq(in.len, 80);
}
END_TEST

START_TEST(every_cut_of_a_packet_is_refused)
{
	uint8_t buf[100];
	struct inner in;

	kit_udp(buf, 100, _i ? "2001:db8:1::1" : "10.1.0.1", _i ? "2001:db8:2::1" : "10.2.0.1");
	for (size_t len = 0; len < 100; len++)
		ck_assert_int_eq(inner_parse(span_of(buf, len), &in), ERR_SYNTAX);
}
END_TEST

/* IPv6: what stands behind the header, 24 bytes and the rest zero, payload length as given. */
static const struct {
	const char *why;
	uint8_t next;
	uint8_t payload[24];
	uint16_t payload_len;
	enum err e;
	uint8_t proto;
	bool ports;
} v6[] = {
	{ "hop by hop, then UDP", 0, { 17, 0, 1, 4, 0, 0, 0, 0, 1, 2, 3, 4 }, 16, OK, 17, true },
	{ "destination options of 16, then UDP",
	  60,
	  { 17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4 },
	  24,
	  OK,
	  17,
	  true },
	{ "extension length over the packet", 60, { 17, 2 }, 16, ERR_SYNTAX, 0, false },
	{ "extension length of 2048", 60, { 17, 255 }, 24, ERR_SYNTAX, 0, false },
	{ "extension cut in its first bytes", 60, { 17 }, 1, ERR_SYNTAX, 0, false },
	{ "hop by hop not first", 60, { 0, 0, 0, 0, 0, 0, 0, 0, 17, 0 }, 24, ERR_SYNTAX, 0, false },
	{ "routing header type 0", 43, { 17, 0, 0, 1 }, 24, ERR_SYNTAX, 0, false },
	{ "routing header type 4", 43, { 17, 0, 4, 0, 0, 0, 0, 0, 1, 2, 3, 4 }, 24, OK, 17, true },
	{ "first fragment", 44, { 17, 0, 0, 1, 0, 0, 0, 7, 1, 2, 3, 4 }, 24, OK, 17, true },
	{ "later fragment hides its ports",
	  44,
	  { 17, 0, 0, 8, 0, 0, 0, 7, 1, 2, 3, 4 },
	  24,
	  OK,
	  17,
	  false },
	{ "atomic fragment", 44, { 17, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3, 4 }, 24, OK, 17, true },
	{ "first fragment without its ports",
	  44,
	  { 17, 0, 0, 1, 0, 0, 0, 7 },
	  8,
	  ERR_SYNTAX,
	  0,
	  false },
	{ "first fragment with half a chain",
	  44,
	  { 60, 0, 0, 1, 0, 0, 0, 7, 17, 1 },
	  16,
	  ERR_SYNTAX,
	  0,
	  false },
	{ "fragment not of whole units",
	  44,
	  { 17, 0, 0, 1, 0, 0, 0, 7, 1, 2, 3, 4 },
	  20,
	  ERR_SYNTAX,
	  0,
	  false },
	{ "fragment in a fragment",
	  44,
	  { 44, 0, 0, 1, 0, 0, 0, 7, 17, 0, 0, 0, 0, 0, 0, 7 },
	  24,
	  ERR_SYNTAX,
	  0,
	  false },
	{ "fragment that ends beyond 65535",
	  44,
	  { 17, 0, 0xff, 0xf8, 0, 0, 0, 7 },
	  24,
	  ERR_SYNTAX,
	  0,
	  false },
	{ "fragment header cut", 44, { 17, 0, 0 }, 3, ERR_SYNTAX, 0, false },
	{ "ESP is a protocol to selectors", 50, { 0 }, 8, OK, 50, false },
	{ "AH too", 51, { 17, 1 }, 24, OK, 51, false },
	{ "no next header", 59, { 0 }, 8, OK, 59, false },
	{ "ICMPv6", 58, { 128, 0 }, 8, OK, 58, true },
	{ "ICMPv6 of one byte", 58, { 128 }, 1, ERR_SYNTAX, 0, false },
	{ "UDP of three bytes", 17, { 1, 2, 3 }, 3, ERR_SYNTAX, 0, false },
	{ "payload length 0", 17, { 0 }, 0, ERR_SYNTAX, 0, false },
	{ "payload length over the packet", 17, { 0 }, 25, ERR_SYNTAX, 0, false },
	{ "payload length over 65535 - 40", 17, { 0 }, 65500, ERR_SYNTAX, 0, false },
};

START_TEST(ipv6_chains_are_walked_or_refused)
{
	uint8_t buf[64] = { 0x60 };
	struct inner in;

	buf[4] = (uint8_t)(v6[_i].payload_len >> 8);
	buf[5] = (uint8_t)v6[_i].payload_len;
	buf[6] = v6[_i].next;
	buf[8] = 0x20;
	buf[24] = 0x20;
	memcpy(buf + 40, v6[_i].payload, sizeof(v6[_i].payload));
	ck_assert_msg(inner_parse(span_of(buf, sizeof(buf)), &in) == v6[_i].e, "%s", v6[_i].why);
	if (v6[_i].e != OK)
		return;
	ck_assert_msg(in.flow.proto == v6[_i].proto, "%s", v6[_i].why);
	ck_assert_msg(in.flow.ports_known == v6[_i].ports, "%s", v6[_i].why);
	ck_assert_uint_eq(in.len, 40 + v6[_i].payload_len);
}
END_TEST

START_TEST(chains_end)
{
	uint8_t buf[40 + 8 * 1000] = { 0x60 };
	struct inner in;

	for (size_t n = 1; n < 1000; n += n < 20 ? 1 : 97) {
		buf[4] = (uint8_t)(8 * n >> 8);
		buf[5] = (uint8_t)(8 * n);
		buf[6] = PROTO_DSTOPTS;
		for (size_t i = 0; i + 1 < n; i++)
			buf[40 + 8 * i] = i + 2 < n ? PROTO_DSTOPTS : PROTO_UDP;
		buf[40 + 8 * (n - 1)] = 1;
		ck_assert_int_eq(inner_parse(span_of(buf, 40 + 8 * n), &in),
				 n > 1 && n - 1 < 8 ? OK : ERR_SYNTAX);
	}
}
END_TEST

START_TEST(mapped_addresses_are_refused)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 10, 1, 0, 1 };
	uint8_t buf[60];
	struct span p = kit_udp(buf, sizeof(buf), "2001:db8:1::1", "2001:db8:2::1");
	struct inner in;

	memcpy(buf + (_i ? 8 : 24), mapped, sizeof(mapped));
	ck_assert_int_eq(inner_parse(p, &in), ERR_SYNTAX);
}
END_TEST

START_TEST(icmp_type_and_code_stand_in_the_ports)
{
	uint8_t buf[28] = { 0x45, 0,  0, 28, 0, 0,  0, 0, 64, PROTO_ICMP, 0,
			    0,	  10, 1, 0,  1, 10, 2, 0, 1,  8,	  3 };
	struct inner in;

	ck_assert_int_eq(inner_parse(span_of(buf, sizeof(buf)), &in), OK);
	ck_assert_uint_eq(in.flow.sport, 0x0803);
	ck_assert_uint_eq(in.flow.dport, 0x0803);
}
END_TEST

UNIT("esp/inner")
{
	tcase_add_test(tc, good_packets_are_read);
	tcase_add_loop_test(tc, ipv4_lengths_must_fit_in_each_other, 0,
			    (int)(sizeof(v4) / sizeof(v4[0])));
	tcase_add_test(tc, fragments_beyond_65535_are_refused);
	tcase_add_test(tc, what_follows_the_packet_is_padding);
	tcase_add_loop_test(tc, every_cut_of_a_packet_is_refused, 0, 2);
	tcase_add_loop_test(tc, ipv6_chains_are_walked_or_refused, 0,
			    (int)(sizeof(v6) / sizeof(v6[0])));
	tcase_add_test(tc, chains_end);
	tcase_add_loop_test(tc, mapped_addresses_are_refused, 0, 2);
	tcase_add_test(tc, icmp_type_and_code_stand_in_the_ports);
}
