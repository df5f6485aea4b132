/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of inner packets that do not fit: pieces, answers, and the MTU that decides. */
#include <string.h>

#include "esp/checksum.h"
#include "esp/fragment.h"
#include "esp/icmp.h"
#include "esp/mtu.h"
#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

static struct inner parsed(struct span p)
{
	struct inner in;

	ck_assert_int_eq(inner_parse(p, &in), OK);
	return in;
}

/* ---- fragments ---- */

START_TEST(pieces_are_the_whole)
{
	uint8_t buf[4000], piece_buf[4000], whole[4000] = { 0 };
	size_t len = 1400 + (size_t)_i * 37, payload = len - IP4_HEAD_MIN, got = 0;
	struct span p = kit_udp(buf, len, "10.1.0.1", "10.2.0.1");
	struct inner in = parsed(p);
	struct cutter c;
	bool last = false;
	uint16_t mtu = (uint16_t)(576 + _i * 11);

	ck_assert_int_eq(cutter_init(&c, p, &in, mtu), OK);
	for (;;) {
		struct wr w = wr_into(piece_buf, sizeof(piece_buf));
		struct inner pin;

		if (!cutter_next(&c, &w))
			break;
		ck_assert(!last);
		ck_assert_uint_le(wr_len(&w), mtu);
		pin = parsed(wr_done(&w));
		ck_assert(kit_v4_sum_ok(wr_done(&w)));
		ck_assert_uint_eq(pin.frag_at, got);
		ck_assert_uint_eq(pin.flow.proto, PROTO_UDP);
		ck_assert_uint_eq((unsigned)(piece_buf[4] << 8 | piece_buf[5]), 0x1234);
		memcpy(whole + got, piece_buf + pin.head_len, (size_t)pin.len - pin.head_len);
		got += (size_t)pin.len - pin.head_len;
		last = !pin.more;
	}
	ck_assert(last);
	ck_assert_uint_eq(got, payload);
	ck_assert_int_eq(memcmp(whole, buf + IP4_HEAD_MIN, payload), 0);
}
END_TEST

START_TEST(a_fragment_is_cut_again_at_its_own_place)
{
	uint8_t buf[820], piece_buf[820];
	struct span p = kit_udp(buf, 820, "10.1.0.1", "10.2.0.1");
	struct inner in, pin;
	struct cutter c;
	struct wr w = wr_into(piece_buf, sizeof(piece_buf));

	buf[6] = 0x20;
	buf[7] = 100; /* offset 800, more to come */
	kit_fix_v4(buf);
	in = parsed(p);
	ck_assert_int_eq(cutter_init(&c, p, &in, 420), OK);
	ck_assert(cutter_next(&c, &w));
	pin = parsed(wr_done(&w));
	ck_assert_uint_eq(pin.frag_at, 800);
	ck_assert(pin.more);
	w = wr_into(piece_buf, sizeof(piece_buf));
	ck_assert(cutter_next(&c, &w));
	pin = parsed(wr_done(&w));
	ck_assert_uint_eq(pin.frag_at, 1200);
	ck_assert(pin.more);
	ck_assert(!cutter_next(&c, &w));
}
END_TEST

START_TEST(only_copied_options_go_with_later_pieces)
{
	/* Record route (7, not copied) of 7, NOP, router alert (148, copied) of 4. */
	static const uint8_t options[12] = { 7, 7, 4, 0, 0, 0, 0, 1, 148, 4, 0, 0 };
	uint8_t buf[1000], piece_buf[1000];
	struct span p = kit_udp(buf, 1000, "10.1.0.1", "10.2.0.1");
	struct inner in, pin;
	struct cutter c;
	struct wr w = wr_into(piece_buf, sizeof(piece_buf));

	buf[0] = 0x48;
	memcpy(buf + 20, options, sizeof(options));
	kit_fix_v4(buf);
	in = parsed(p);
	ck_assert_int_eq(cutter_init(&c, p, &in, 576), OK);
	ck_assert(cutter_next(&c, &w));
	pin = parsed(wr_done(&w));
	ck_assert_uint_eq(pin.head_len, 32);
	ck_assert_int_eq(memcmp(piece_buf + 20, options, 12), 0);
	w = wr_into(piece_buf, sizeof(piece_buf));
	ck_assert(cutter_next(&c, &w));
	pin = parsed(wr_done(&w));
	ck_assert_uint_eq(pin.head_len, 24);
	ck_assert_int_eq(memcmp(piece_buf + 20, options + 8, 4), 0);
	ck_assert(kit_v4_sum_ok(wr_done(&w)));
}
END_TEST

START_TEST(what_must_not_be_cut_is_not)
{
	uint8_t buf[1000];
	struct span p = kit_udp(buf, 1000, "10.1.0.1", "10.2.0.1");
	struct inner in = parsed(p);
	struct cutter c;

	ck_assert_int_eq(cutter_init(&c, p, &in, 27), ERR_SPACE);
	ck_assert_int_eq(cutter_init(&c, p, &in, 0), ERR_SPACE);
	ck_assert_int_eq(cutter_init(&c, p, &in, 28), OK);
	buf[6] = 0x40;
	in = parsed(p);
	ck_assert_int_eq(cutter_init(&c, p, &in, 576), ERR_UNSUPPORTED);
	p = kit_udp(buf, 1000, "2001:db8:1::1", "2001:db8:2::1");
	in = parsed(p);
	ck_assert_int_eq(cutter_init(&c, p, &in, 576), ERR_UNSUPPORTED);
}
END_TEST

/* ---- answers ---- */

START_TEST(too_big_answers_are_well_formed_v4)
{
	uint8_t buf[1500], out[ICMP_ANSWER_MAX];
	struct span p = kit_udp(buf, 1500, "10.1.0.1", "10.2.0.1");
	struct inner in = parsed(p), ain;
	struct wr w = wr_into(out, sizeof(out));

	ck_assert(icmp_may_answer(p, &in));
	ck_assert(icmp_too_big(p, &in, 1400, &w));
	ain = parsed(wr_done(&w));
	ck_assert_uint_eq(ain.len, wr_len(&w));
	ck_assert_uint_eq(ain.len, 576);
	ck_assert(kit_v4_sum_ok(wr_done(&w)));
	ck_assert_uint_eq(checksum_fold(checksum_add(0, span_tail(wr_done(&w), 20))), 0);
	ck_assert(addr_eq(&ain.flow.src, &in.flow.dst) && addr_eq(&ain.flow.dst, &in.flow.src));
	ck_assert_uint_eq(ain.flow.sport, 0x0304);
	ck_assert_uint_eq((unsigned)(out[26] << 8 | out[27]), 1400);
	ck_assert_int_eq(memcmp(out + 28, buf, 548), 0);
}
END_TEST

START_TEST(too_big_answers_are_well_formed_v6)
{
	static const uint16_t mtus[][2] = { { 1400, 1400 }, { 1200, 1280 } };
	uint8_t buf[1500], out[ICMP_ANSWER_MAX];
	struct span p = kit_udp(buf, 1500, "2001:db8:1::1", "2001:db8:2::1");
	struct inner in = parsed(p), ain;
	struct wr w = wr_into(out, sizeof(out));
	uint32_t sum;

	ck_assert(icmp_may_answer(p, &in));
	ck_assert(icmp_too_big(p, &in, mtus[_i][0], &w));
	ain = parsed(wr_done(&w));
	ck_assert_uint_eq(ain.len, 1280);
	ck_assert_uint_eq(ain.flow.proto, PROTO_ICMPV6);
	ck_assert_uint_eq(ain.flow.sport, 0x0200);
	ck_assert_uint_eq((unsigned)(out[46] << 8 | out[47]), mtus[_i][1]);
	sum = checksum_add((uint32_t)ain.len - 40 + PROTO_ICMPV6, span_of(out + 8, 32));
	ck_assert_uint_eq(checksum_fold(checksum_add(sum, span_tail(wr_done(&w), 40))), 0);
}
END_TEST

static const struct {
	const char *why;
	const char *src, *dst;
	uint8_t proto, type;
	bool may;
} answers[] = {
	{ "UDP", "10.1.0.1", "10.2.0.1", PROTO_UDP, 0, true },
	{ "echo", "10.1.0.1", "10.2.0.1", PROTO_ICMP, 8, true },
	{ "unreachable", "10.1.0.1", "10.2.0.1", PROTO_ICMP, 3, false },
	{ "source quench", "10.1.0.1", "10.2.0.1", PROTO_ICMP, 4, false },
	{ "redirect", "10.1.0.1", "10.2.0.1", PROTO_ICMP, 5, false },
	{ "time exceeded", "10.1.0.1", "10.2.0.1", PROTO_ICMP, 11, false },
	{ "parameter problem", "10.1.0.1", "10.2.0.1", PROTO_ICMP, 12, false },
	{ "to multicast", "10.1.0.1", "224.0.0.5", PROTO_UDP, 0, false },
	{ "to broadcast", "10.1.0.1", "255.255.255.255", PROTO_UDP, 0, false },
	{ "from nobody", "0.0.0.0", "10.2.0.1", PROTO_UDP, 0, false },
	{ "ICMPv6 echo", "2001:db8:1::1", "2001:db8:2::1", PROTO_ICMPV6, 128, true },
	{ "ICMPv6 error", "2001:db8:1::1", "2001:db8:2::1", PROTO_ICMPV6, 2, false },
	{ "ICMPv6 unknown error", "2001:db8:1::1", "2001:db8:2::1", PROTO_ICMPV6, 127, false },
	{ "to IPv6 multicast", "2001:db8:1::1", "ff02::1", PROTO_UDP, 0, false },
	{ "from IPv6 nobody", "::", "2001:db8:2::1", PROTO_UDP, 0, false },
};

START_TEST(errors_and_crowds_are_not_answered)
{
	uint8_t buf[100];
	struct span p = kit_udp(buf, 100, answers[_i].src, answers[_i].dst);
	struct inner in = parsed(p);

	buf[in.version == 4 ? 9 : 6] = answers[_i].proto;
	buf[in.l4_at] = answers[_i].type;
	in = parsed(p);
	ck_assert_msg(icmp_may_answer(p, &in) == answers[_i].may, "%s", answers[_i].why);
}
END_TEST

START_TEST(later_fragments_are_not_answered)
{
	uint8_t buf[100];
	struct span p = kit_udp(buf, 100, "10.1.0.1", "10.2.0.1");
	struct inner in;

	buf[7] = 8;
	in = parsed(p);
	ck_assert(!icmp_may_answer(p, &in));
}
END_TEST

/* ---- MTU ---- */

static size_t outer_of(const struct shape *s, sa_family_t family, bool encap, size_t inner_len)
{
	return (family == AF_INET6 ? 40u : 20u) + (encap ? 8u : 0u) +
	       shape_sealed_len(s, inner_len);
}

START_TEST(inner_mtu_is_exact)
{
	struct kit_sa k;
	struct shape s;

	kit_sa_make(&k, &kit_suites[_i], SA_OUT, 0x1000);
	for (int v6 = 0; v6 < 2; v6++) {
		for (int encap = 0; encap < 2; encap++) {
			sa_family_t family = v6 ? AF_INET6 : AF_INET;

			k.d.path.remote.addr = kit_addr(v6 ? "2001:db8::2" : "192.0.2.2");
			k.d.encap = encap;
			ck_assert_int_eq(shape_from_desc(&k.d, &s), OK);
			for (uint16_t path = 576; path <= 9000; path = (uint16_t)(path + 1)) {
				uint16_t inner = esp_inner_mtu(&k.d, path);

				ck_assert_uint_le(outer_of(&s, family, encap, inner), path);
				ck_assert_uint_gt(outer_of(&s, family, encap, inner + 1u), path);
			}
			for (uint16_t path = 0; path < 40; path++)
				ck_assert_uint_eq(esp_inner_mtu(&k.d, path), 0);
		}
	}
}
END_TEST

/* In transport mode the packet's own header is the one outside. */
START_TEST(transport_mtu_is_exact)
{
	struct kit_sa k;
	struct shape s;

	kit_sa_make(&k, &kit_suites[_i], SA_OUT, 0x1000);
	ck_assert_int_eq(shape_from_desc(&k.d, &s), OK);
	for (size_t head = 20; head <= 60; head += 4) {
		for (size_t udp = 0; udp <= 8; udp += 8) {
			for (uint16_t path = 576; path <= 9000; path = (uint16_t)(path + 7)) {
				size_t mtu = mtu_transport(&s, head, udp > 0, path);

				ck_assert_uint_le(head + udp + shape_sealed_len(&s, mtu - head),
						  path);
				ck_assert_uint_gt(head + udp + shape_sealed_len(&s, mtu - head + 1),
						  path);
			}
			ck_assert_uint_eq(mtu_transport(&s, head, udp > 0, 30), 0);
		}
	}
}
END_TEST

START_TEST(inner_mtu_of_known_cases)
{
	static const struct {
		int suite;
		bool v6, encap;
		uint16_t want, transport;
	} cases[] = {
		{ 0, false, true, 1438, 1458 }, /* 1500 - 20 - 8 - 8 - 8 - 16 - 2, and 1440 is a
					     multiple of 4 */
		{ 0, false, false, 1446, 1466 },
		{ 0, true, true, 1418, 1458 },
		{ 0, true, false, 1426, 1466 },
		{ 3, false, true, 1422, 1442 }, /* 1500 - 28 - 8 - 16 - 16: 89 blocks = 1424, less
					     2 */
		{ 4, false, true, 1422, 1442 }, /* 1424 is 89 blocks */
		{ 5, false, true, 1406, 1426 }, /* 1416: 88 blocks = 1408 */
	};
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[cases[_i].suite], SA_OUT, 0x1000);
	k.d.encap = cases[_i].encap;
	if (cases[_i].v6)
		k.d.path.remote.addr = kit_addr("2001:db8::2");
	ck_assert_uint_eq(esp_inner_mtu(&k.d, 1500), cases[_i].want);
	k.d.mode = SA_TRANSPORT;
	ck_assert_uint_eq(esp_inner_mtu(&k.d, 1500), cases[_i].transport);
	k.d.encr_id = 3;
	ck_assert_uint_eq(esp_inner_mtu(&k.d, 1500), 0);
}
END_TEST

START_TEST(path_mtus_stay_in_bounds)
{
	ck_assert_uint_eq(mtu_bounded(AF_INET, 68), 552);
	ck_assert_uint_eq(mtu_bounded(AF_INET6, 68), 1280);
	ck_assert_uint_eq(mtu_bounded(AF_INET, 1400), 1400);
	ck_assert_uint_eq(mtu_bounded(AF_INET, 1000000), 65535);
	for (size_t len = 0; len < 70000; len += 7) {
		ck_assert_uint_ge(mtu_step_down(AF_INET, len), 552);
		ck_assert(mtu_step_down(AF_INET, len) < len || len <= 552);
		ck_assert(mtu_step_down(AF_INET6, len) < len || len <= 1280);
	}
}
END_TEST

UNIT("esp/fit")
{
	tcase_add_loop_test(tc, pieces_are_the_whole, 0, 40);
	tcase_add_test(tc, a_fragment_is_cut_again_at_its_own_place);
	tcase_add_test(tc, only_copied_options_go_with_later_pieces);
	tcase_add_test(tc, what_must_not_be_cut_is_not);
	tcase_add_test(tc, too_big_answers_are_well_formed_v4);
	tcase_add_loop_test(tc, too_big_answers_are_well_formed_v6, 0, 2);
	tcase_add_loop_test(tc, errors_and_crowds_are_not_answered, 0,
			    (int)(sizeof(answers) / sizeof(answers[0])));
	tcase_add_test(tc, later_fragments_are_not_answered);
	tcase_add_loop_test(tc, inner_mtu_is_exact, 0, KIT_SUITES);
	tcase_add_loop_test(tc, transport_mtu_is_exact, 0, KIT_SUITES);
	tcase_add_loop_test(tc, inner_mtu_of_known_cases, 0, 7);
	tcase_add_test(tc, path_mtus_stay_in_bounds);
}
