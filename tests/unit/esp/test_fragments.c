/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments and selectors with ports, through whole gateways: what shows no ports never takes an SA
 * that its datagram would not take. And fragments that are nobody's concern pass.
 */
#include <string.h>

#include "esp/fragment.h"
#include "esp/outer.h"
#include "esp/reassemble.h"
#include "tests/unit/esp/gateway.h"
#include "tests/unit/unit.h"

enum { WHOLE = 3000, PIECE = 1240, ID = 0x12345678 };

static const struct {
	const char *left, *right, *left_net, *right_net;
} side[] = {
	{ "10.1.0.1", "10.2.0.1", "10.1.0.0/16", "10.2.0.0/16" },
	{ "2001:db8:1::1", "2001:db8:2::1", "2001:db8:1::/48", "2001:db8:2::/48" },
};

/* A child for all between the networks (SPI_B), and one for that port alone (SPI_A); no port: only
 * the first. */
static void children(struct gateway *left, struct gateway *right, int family, uint16_t port)
{
	for (int narrow = 0; narrow <= (port != 0); narrow++) {
		uint32_t spi = narrow ? SPI_A : SPI_B;
		struct kit_sa k;

		for (int in = 0; in < 2; in++) {
			kit_sa_make(&k, &kit_suites[0], in ? SA_IN : SA_OUT, spi);
			k.local = kit_ts(side[family].left_net);
			k.remote = kit_ts(side[family].right_net);
			if (narrow) {
				k.remote.proto = PROTO_UDP;
				k.remote.port_lo = k.remote.port_hi = port;
			}
			if (in)
				kit_sa_mirror(&k);
			ck_assert_int_eq(gateway_command(in ? right : left, SA_INSTALL, &k), OK);
		}
	}
}

/* Bytes `at` to `at + len` of the payload of an IPv6 packet, as a fragment. */
static struct span piece_v6(uint8_t *to, struct span p, size_t at, size_t len)
{
	struct wr w = wr_into(to, IP6_HEAD_LEN + 8 + len);
	bool more = IP6_HEAD_LEN + at + len < p.len;

	wr_span(&w, span_head(p, IP6_HEAD_LEN));
	wr_u8(&w, p.p[6]);
	wr_u8(&w, 0);
	wr_u16(&w, (uint16_t)(at | more));
	wr_u32(&w, ID);
	wr_span(&w, span_head(span_tail(p, IP6_HEAD_LEN + at), len));
	ck_assert(wr_ok(&w));
	to[4] = (uint8_t)((8 + len) >> 8);
	to[5] = (uint8_t)(8 + len);
	to[6] = PROTO_FRAGMENT;
	return wr_done(&w);
}

/* The next piece of `p`; empty when there is none left. */
static struct span piece_of(uint8_t *to, struct span p, size_t nth)
{
	bool v6 = p.p[0] >> 4 == 6;
	size_t head = v6 ? IP6_HEAD_LEN : IP4_HEAD_MIN, at = nth * PIECE, rest;
	struct inner in = kit_parsed(p);
	struct wr w = wr_into(to, PIECE + 60);
	struct cutter c;

	if (at >= p.len - head)
		return SPAN_EMPTY;
	rest = p.len - head - at;
	if (v6)
		return piece_v6(to, p, at, rest < PIECE ? rest : PIECE);
	ck_assert_int_eq(cutter_init(&c, p, &in, PIECE + IP4_HEAD_MIN), OK);
	c.at = at;
	ck_assert(cutter_next(&c, &w));
	return wr_done(&w);
}

static uint32_t spi_of(const uint8_t *b)
{
	struct rd r = rd_from(span_of(b, 4));

	return rd_u32(&r);
}

/* What comes there makes up p, in pieces for any link. */
static void whole_of_pieces(int fd, struct span p)
{
	struct reassembler r = { .bytes = 0 };
	uint8_t got[WHOLE], all[DATAGRAM_MAX];
	struct wr w = wr_into(all, sizeof(all));
	bool complete = false;

	while (!complete) {
		ssize_t n = gateway_get(fd, got, sizeof(got));
		struct inner in;

		ck_assert_int_gt(n, IP6_HEAD_LEN);
		ck_assert_int_le(n, IP6_MTU_MIN);
		in = kit_parsed(span_of(got, (size_t)n));
		ck_assert(in.fragment);
		complete = reassembler_add(&r, span_of(got, (size_t)n), &in, 1, &w);
	}
	ck_assert(span_eq(wr_done(&w), p));
	reassembler_free(&r);
}

/* Its sender cut the datagram: all of it takes the SA of its port, and the peer's gateway gives it
 * out whole, or as IPv6 wants it in pieces again. */
START_TEST(fragments_take_the_sa_of_their_port)
{
	struct gateway left, right;
	uint8_t buf[WHOLE], piece[PIECE + 60], got[WHOLE + 200];
	struct span p = kit_udp(buf, WHOLE, side[_i].left, side[_i].right), s;
	ssize_t n;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	children(&left, &right, _i, 2000);
	for (size_t i = 0; (s = piece_of(piece, p, i)).len > 0; i++) {
		ck_assert(gateway_silent(left.net[0]));
		gateway_put(left.tun[0], s);
	}
	n = gateway_get(left.net[0], got, sizeof(got));
	ck_assert_int_gt(n, WHOLE);
	ck_assert_uint_eq(spi_of(got), SPI_A);
	gateway_put(right.net[0], span_of(got, (size_t)n));
	if (_i == 0) {
		ck_assert_int_eq(gateway_get(right.tun[0], got, sizeof(got)), WHOLE);
		ck_assert(span_eq(span_tail(span_of(got, WHOLE), 40), span_tail(p, 40)));
	} else {
		whole_of_pieces(right.tun[0], p);
	}
	ck_assert(gateway_silent(left.net[0]));
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

/* The one of another port takes the other SA, which may carry pieces. */
START_TEST(fragments_of_another_port_do_not)
{
	struct gateway left, right;
	uint8_t buf[WHOLE], piece[PIECE + 60], got[WHOLE + 200];
	struct span p = kit_udp(buf, WHOLE, side[_i].left, side[_i].right), s;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	children(&left, &right, _i, 2001);
	for (size_t i = 0; (s = piece_of(piece, p, i)).len > 0; i++)
		gateway_put(left.tun[0], s);
	for (int i = 0; i < (_i ? 1 : 3); i++) {
		ssize_t n = gateway_get(left.net[0], got, sizeof(got));

		ck_assert_int_gt(n, 0);
		ck_assert_uint_eq(spi_of(got), SPI_B);
		gateway_put(right.net[0], span_of(got, (size_t)n));
		ck_assert_int_gt(gateway_get(right.tun[0], got, sizeof(got)), 0);
	}
	ck_assert(gateway_silent(left.net[0]));
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

/* A later fragment alone, or with others that overlap, goes nowhere. */
START_TEST(what_does_not_become_whole_takes_no_sa)
{
	struct gateway left;
	uint8_t buf[WHOLE], piece[PIECE + 60];
	struct span p = kit_udp(buf, WHOLE, side[_i].left, side[_i].right);

	gateway_up(&left, 1);
	children(&left, &left, _i, 2000);
	gateway_put(left.tun[0], piece_of(piece, p, 1));
	gateway_put(left.tun[0], piece_of(piece, p, 1));
	gateway_dropped(&left, DROP_FRAGMENT, 1);
	gateway_put(left.tun[0], piece_of(piece, p, 0));
	gateway_put(left.tun[0], piece_of(piece, p, 2));
	gateway_put(left.tun[0], kit_udp(buf, 100, side[_i].left, side[_i].right));
	/* The last one comes, and nothing before it. */
	ck_assert_int_gt(gateway_get(left.net[0], buf, sizeof(buf)), 0);
	ck_assert(gateway_silent(left.net[0]));
	gateway_down(&left);
}
END_TEST

/* Where no port decides they pass as they are: an IPv6 fragment inside of ESP is one like any. */
START_TEST(without_ports_fragments_pass_as_they_come)
{
	struct gateway left, right;
	uint8_t buf[WHOLE], piece[PIECE + 60], got[WHOLE + 200];
	struct span p = kit_udp(buf, WHOLE, side[_i].left, side[_i].right), s;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	children(&left, &right, _i, 0);
	for (size_t i = 0; (s = piece_of(piece, p, i)).len > 0; i++) {
		ssize_t n;

		gateway_put(left.tun[0], s);
		n = gateway_get(left.net[0], got, sizeof(got));
		ck_assert_int_gt(n, 0);
		gateway_put(right.net[0], span_of(got, (size_t)n));
		ck_assert_int_eq(gateway_get(right.tun[0], got, sizeof(got)), (ssize_t)s.len);
		ck_assert(span_eq(span_of(got, s.len), s));
	}
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

/* A peer that sends pieces by an SA of one port: its gateway took them on trust, we do not. */
START_TEST(pieces_that_arrive_by_a_port_are_dropped)
{
	struct gateway left, right;
	uint8_t buf[WHOLE], piece[PIECE + 60], got[WHOLE + 200];
	struct span p = kit_udp(buf, WHOLE, side[_i].left, side[_i].right);
	struct kit_sa k;
	ssize_t n;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI_A);
	k.local = kit_ts(side[_i].left_net);
	k.remote = kit_ts(side[_i].right_net);
	ck_assert_int_eq(gateway_command(&left, SA_INSTALL, &k), OK);
	k.d.dir = SA_IN;
	k.remote.proto = PROTO_UDP;
	k.remote.port_lo = k.remote.port_hi = 2000;
	kit_sa_mirror(&k);
	ck_assert_int_eq(gateway_command(&right, SA_INSTALL, &k), OK);
	gateway_put(left.tun[0], piece_of(piece, p, 1));
	n = gateway_get(left.net[0], got, sizeof(got));
	ck_assert_int_gt(n, 0);
	gateway_put(right.net[0], span_of(got, (size_t)n));
	gateway_dropped(&right, DROP_FRAGMENT, 1);
	ck_assert(gateway_silent(right.tun[0]));
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

/* What may be cut is cut behind ESP where the peer asks for ports: its first piece would be taken
 * and the others not. */
START_TEST(by_a_port_nothing_is_cut_before_esp)
{
	struct gateway left;
	uint8_t buf[WHOLE], got[WHOLE + 200];

	gateway_up(&left, 1);
	children(&left, &left, 0, 2000);
	gateway_put(left.tun[0], kit_udp(buf, WHOLE, side[0].left, side[0].right));
	ck_assert_int_gt(gateway_get(left.net[0], got, sizeof(got)), WHOLE);
	ck_assert_uint_eq(spi_of(got), SPI_A);
	gateway_down(&left);
}
END_TEST

/* Devices are of different peers, who may have the same addresses. */
START_TEST(fragments_of_two_devices_do_not_mix)
{
	struct reassembler r = { .bytes = 0 };
	uint8_t buf[WHOLE], piece[PIECE + 60], all[DATAGRAM_MAX];
	struct span p = kit_udp(buf, WHOLE, side[_i].left, side[_i].right), s;
	struct wr w = wr_into(all, sizeof(all));
	int n_whole = 0;

	for (uint32_t n = 0; n < 3; n++) {
		struct inner in;

		s = piece_of(piece, p, n);
		in = kit_parsed(s);
		r.from = n == 1;
		ck_assert(!reassembler_add(&r, s, &in, 1, &w));
	}
	for (uint32_t n = 0; n < 3; n++) {
		struct inner in;

		s = piece_of(piece, p, n);
		in = kit_parsed(s);
		r.from = n != 1;
		n_whole += reassembler_add(&r, s, &in, 1, &w);
	}
	ck_assert_int_eq(n_whole, 2);
	ck_assert_uint_eq(wr_len(&w), 2 * WHOLE);
	reassembler_free(&r);
}
END_TEST

UNIT("esp/fragments")
{
	tcase_add_loop_test(tc, fragments_of_two_devices_do_not_mix, 0, 2);
	tcase_add_loop_test(tc, fragments_take_the_sa_of_their_port, 0, 2);
	tcase_add_loop_test(tc, fragments_of_another_port_do_not, 0, 2);
	tcase_add_loop_test(tc, what_does_not_become_whole_takes_no_sa, 0, 2);
	tcase_add_loop_test(tc, without_ports_fragments_pass_as_they_come, 0, 2);
	tcase_add_loop_test(tc, pieces_that_arrive_by_a_port_are_dropped, 0, 2);
	tcase_add_test(tc, by_a_port_nothing_is_cut_before_esp);
}
