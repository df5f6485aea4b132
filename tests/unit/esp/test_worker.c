/* SPDX-License-Identifier: Apache-2.0 */
/* Whole gateways on socketpairs: packets go in at one TUN and come out of the other. */
#include "esp/esp.h"

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp/arrive.h"
#include "tests/unit/esp/gateway.h"
#include "tests/unit/unit.h"

START_TEST(a_packet_goes_through_two_gateways)
{
	struct gateway left, right;
	uint8_t buf[2048], got[2048];
	struct span p = kit_udp(buf, 100, "10.1.0.1", "10.2.0.1");
	ssize_t n;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	gateway_tunnel(&left, &right, _i, SPI_A);
	gateway_put(left.tun[0], p);
	n = gateway_get(left.net[0], got, sizeof(got));
	ck_assert_int_gt(n, 100);
	gateway_put(right.net[0], span_of(got, (size_t)n));
	n = gateway_get(right.tun[0], got, sizeof(got));
	ck_assert_int_eq(n, 100);
	ck_assert(span_eq(span_of(got, (size_t)n), p));
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

START_TEST(foreign_packets_are_handed_to_their_owner)
{
	struct gateway left, right;
	uint8_t buf[2048], got[2048];
	struct span p = kit_udp(buf, 100, "10.1.0.1", "10.2.0.1");
	uint32_t spi = spi_user((uint8_t)_i, 5, 77);
	ssize_t n;

	gateway_up(&left, 1);
	gateway_up(&right, 2);
	gateway_tunnel(&left, &right, 0, spi);
	/* Whichever socket it comes to, it comes out of the owner's TUN queue. Owners beyond the
	 * workers wrap. */
	for (int sock = 0; sock < 2; sock++) {
		gateway_put(left.tun[0], p);
		n = gateway_get(left.net[0], got, sizeof(got));
		gateway_put(right.net[sock], span_of(got, (size_t)n));
		ck_assert_int_eq(gateway_get(right.tun[_i % 2], got, sizeof(got)), 100);
	}
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

START_TEST(raw_and_encapsulated_packets_are_taken_by_one_sa)
{
	static const uint8_t outer[24] = { 0x46, 0, 0, 0, 0,   0, 0x40, 0, 64,	50, 0, 0,
					   192,	 0, 2, 1, 192, 0, 2,	2, 148, 4,  0, 0 };
	struct gateway left, right;
	uint8_t buf[2048], got[2048];
	struct span p = kit_udp(buf, 100, "10.1.0.1", "10.2.0.1");

	gateway_up(&left, 1);
	gateway_up(&right, 2);
	gateway_tunnel(&left, &right, 0, spi_user(1, 0, 3));
	for (int i = 0; i < 4; i++) {
		ssize_t n;

		gateway_put(left.tun[0], p);
		/* A raw IPv4 socket gives the header too, here with an option. */
		memcpy(got, outer, sizeof(outer));
		n = gateway_get(left.net[0], got + sizeof(outer), sizeof(got) - sizeof(outer));
		if (i % 2)
			gateway_put(right.raw, span_of(got, (size_t)n + sizeof(outer)));
		else
			gateway_put(right.net[1], span_of(got + sizeof(outer), (size_t)n));
		ck_assert_int_eq(gateway_get(right.tun[1], got, sizeof(got)), 100);
	}
	gateway_put(right.raw, span_of(outer, 23));
	gateway_put(right.raw, span_of(outer, 24));
	gateway_dropped(&right, DROP_SHORT, 2);
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

START_TEST(without_encapsulation_packets_leave_by_the_raw_socket)
{
	struct gateway left;
	struct kit_sa k;
	uint8_t buf[200], got[2048];

	gateway_up(&left, 1);
	kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI_A);
	k.d.encap = false;
	ck_assert_int_eq(gateway_command(&left, SA_INSTALL, &k), OK);
	gateway_put(left.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	ck_assert_int_gt(gateway_get(left.raw, got, sizeof(got)), 100);
	k.d.encap = true;
	ck_assert_int_eq(gateway_command(&left, SA_MOVE, &k), OK);
	gateway_put(left.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	ck_assert_int_gt(gateway_get(left.net[0], got, sizeof(got)), 100);
	gateway_down(&left);
}
END_TEST

/* RFC 3948: 0 to 8 bytes of everything that the marker could be. */
START_TEST(markers_sort_what_comes_to_port_4500)
{
	static const struct {
		uint8_t b[9];
		uint8_t len;
		enum arrival want;
	} cases[] = {
		{ { 0 }, 0, ARRIVAL_JUNK },
		{ { 0xff }, 1, ARRIVAL_KEEPALIVE },
		{ { 0xfe }, 1, ARRIVAL_JUNK },
		{ { 0 }, 1, ARRIVAL_JUNK },
		{ { 0xff, 0xff }, 2, ARRIVAL_JUNK },
		{ { 0, 0, 0 }, 3, ARRIVAL_JUNK },
		{ { 0 }, 4, ARRIVAL_JUNK },
		{ { 0xff, 0xff, 0xff, 0xff }, 4, ARRIVAL_JUNK },
		{ { 0, 0, 0, 0, 1 }, 5, ARRIVAL_IKE },
		{ { 0, 0, 0, 1, 1 }, 5, ARRIVAL_ESP },
		{ { 0xff, 0xff, 0xff, 0xff, 0xff }, 5, ARRIVAL_ESP },
		{ { 0, 0, 0, 0, 0, 0, 0, 0 }, 8, ARRIVAL_IKE },
		{ { 0x80, 0, 0, 0, 0, 0, 0, 0 }, 8, ARRIVAL_ESP },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(arrival_of(span_of(cases[i].b, cases[i].len)), cases[i].want);
}
END_TEST

START_TEST(ike_goes_to_the_engine_and_junk_nowhere)
{
	struct gateway g;
	static const uint8_t ike[40] = { 0, 0, 0, 0, 1, 2 }, keepalive[] = { 0xff },
			     junk[] = { 1, 2 }, esp[60] = { 0x80, 1, 2, 3 };

	gateway_up(&g, 1);
	gateway_put(g.net[0], span_of(keepalive, 1));
	gateway_put(g.net[0], span_of(junk, 2));
	/* The slot is taken, but by another SPI. */
	gateway_tunnel(NULL, &g, 0, 0x80990203);
	gateway_put(g.net[0], span_of(esp, sizeof(esp)));
	gateway_put(g.net[0], span_of(ike, sizeof(ike)));
	for (int i = 0; i < PATIENCE_MS && atomic_load(&g.heard.n_ike) == 0; i++)
		poll(NULL, 0, 1);
	ck_assert_int_eq(atomic_load(&g.heard.n_ike), 1);
	gateway_dropped(&g, DROP_SHORT, 1);
	gateway_dropped(&g, DROP_SPI, 1);
	ck_assert(gateway_silent(g.tun[0]));
	ck_assert(gateway_silent(g.net[0]));
	gateway_down(&g);
}
END_TEST

START_TEST(a_packet_of_no_sa_is_an_acquire_and_nothing_else)
{
	struct gateway g;
	uint8_t buf[200];

	gateway_up(&g, 1);
	for (int i = 0; i < 10; i++)
		gateway_put(g.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	gateway_dropped(&g, DROP_NO_SA, 10);
	gateway_events(&g, 1, PLANE_ACQUIRE);
	gateway_put(g.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.2"));
	gateway_events(&g, 2, PLANE_ACQUIRE);
	ck_assert(gateway_silent(g.net[0]));
	gateway_down(&g);
}
END_TEST

START_TEST(too_long_packets_are_cut_or_answered)
{
	struct gateway left, right;
	uint8_t buf[3000], got[3000];
	struct span p = kit_udp(buf, 3000, "10.1.0.1", "10.2.0.1");
	ssize_t n;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	gateway_tunnel(&left, &right, 0, SPI_A);
	gateway_put(left.tun[0], p);
	for (int i = 0; i < 3; i++) {
		n = gateway_get(left.net[0], got, sizeof(got));
		ck_assert_int_le(n, 1472);
		gateway_put(right.net[0], span_of(got, (size_t)n));
		n = gateway_get(right.tun[0], got, sizeof(got));
		ck_assert_int_le(n, 1438);
		ck_assert_int_eq((got[6] & 0x20) != 0, i < 2);
	}
	buf[6] = 0x40; /* DF */
	kit_fix_v4(buf);
	gateway_put(left.tun[0], p);
	ck_assert_int_eq(gateway_get(left.tun[0], got, sizeof(got)), 576);
	ck_assert_uint_eq((unsigned)(got[26] << 8 | got[27]), 1438);
	ck_assert(gateway_silent(left.net[0]));
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

START_TEST(a_spent_sa_is_told_once)
{
	struct gateway left;
	struct kit_sa k;
	uint8_t buf[200], got[2048];

	gateway_up(&left, 1);
	kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI_A);
	k.d.packet_limit = 1;
	ck_assert_int_eq(gateway_command(&left, SA_INSTALL, &k), OK);
	for (int i = 0; i < 5; i++)
		gateway_put(left.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	ck_assert_int_gt(gateway_get(left.net[0], got, sizeof(got)), 100);
	gateway_dropped(&left, DROP_LIMIT, 4);
	gateway_events(&left, 1, PLANE_EXPIRE);
	ck_assert(gateway_silent(left.net[0]));
	gateway_down(&left);
}
END_TEST

/* Once for all its packets, and it goes on. */
START_TEST(a_soft_limit_is_told_and_stops_nothing)
{
	struct gateway left;
	struct kit_sa k;
	uint8_t buf[200], got[2048];

	gateway_up(&left, 1);
	kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI_A);
	*(_i ? &k.d.byte_soft : &k.d.packet_soft) = _i ? 150 : 2;
	ck_assert_int_eq(gateway_command(&left, SA_INSTALL, &k), OK);
	for (int i = 0; i < 5; i++) {
		gateway_put(left.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
		ck_assert_int_gt(gateway_get(left.net[0], got, sizeof(got)), 100);
	}
	gateway_events(&left, 1, PLANE_EXPIRE);
	gateway_down(&left);
}
END_TEST

START_TEST(commands_answer_as_the_contract_says)
{
	struct gateway g;
	struct kit_sa in, out;

	gateway_up(&g, 1);
	kit_sa_make(&in, &kit_suites[0], SA_IN, SPI_A);
	kit_sa_make(&out, &kit_suites[0], SA_OUT, 0x1234);
	ck_assert_int_eq(gateway_command(&g, SA_REMOVE, &in), ERR_NOT_FOUND);
	ck_assert_int_eq(gateway_command(&g, SA_INSTALL, &in), OK);
	ck_assert_int_eq(gateway_command(&g, SA_INSTALL, &in), ERR_EXISTS);
	in.d.spi = spi_user(5, 9, spi_slot(SPI_A));
	ck_assert_int_eq(gateway_command(&g, SA_INSTALL, &in), ERR_EXISTS);
	in.d.spi = 0x1000;
	ck_assert_int_eq(gateway_command(&g, SA_INSTALL, &in), ERR_CONFIG);
	in.d.spi = SPI_B;
	in.d.encr_id = 3;
	ck_assert_int_eq(gateway_command(&g, SA_INSTALL, &in), ERR_UNSUPPORTED);
	ck_assert_int_eq(gateway_command(&g, SA_INSTALL, &out), OK);
	ck_assert_int_eq(gateway_command(&g, SA_INSTALL, &out), ERR_EXISTS);
	ck_assert_int_eq(gateway_command(&g, SA_QUERY, &out), OK);
	out.d.path.remote.addr = kit_addr("192.0.2.77");
	out.d.child_id = 2;
	ck_assert_int_eq(gateway_command(&g, SA_QUERY, &out), ERR_NOT_FOUND);
	ck_assert_int_eq(gateway_command(&g, SA_INSTALL, &out), OK);
	out.d.child_id = 1;
	ck_assert_int_eq(gateway_command(&g, SA_REMOVE, &out), OK);
	ck_assert_int_eq(gateway_command(&g, SA_REMOVE, &out), ERR_NOT_FOUND);
	out.d.child_id = 0;
	ck_assert_int_eq(gateway_command(&g, SA_REMOVE, &out), OK);
	esp_flush(g.esp);
	in.d.spi = SPI_A;
	ck_assert_int_eq(gateway_command(&g, SA_QUERY, &in), ERR_NOT_FOUND);
	gateway_down(&g);
}
END_TEST

START_TEST(environments_that_cannot_be_are_refused)
{
	struct esp_env env = { .n_workers = 0,
			       .to_engine = gateway_to_engine,
			       .event = gateway_event };
	struct esp *e;

	ck_assert_int_eq(esp_new(&env, &e), ERR_UNSUPPORTED);
	env.n_workers = ESP_WORKERS_MAX + 1;
	ck_assert_int_eq(esp_new(&env, &e), ERR_UNSUPPORTED);
	env.n_workers = 1;
	env.tun_fd[0] = -1;
	ck_assert_int_eq(esp_new(&env, &e), ERR_SYSTEM);
	ck_assert_ptr_null(e);
	esp_free(NULL);
}
END_TEST

UNIT("esp/worker")
{
	tcase_add_loop_test(tc, a_packet_goes_through_two_gateways, 0, KIT_SUITES);
	tcase_add_loop_test(tc, foreign_packets_are_handed_to_their_owner, 0, 4);
	tcase_add_test(tc, raw_and_encapsulated_packets_are_taken_by_one_sa);
	tcase_add_test(tc, without_encapsulation_packets_leave_by_the_raw_socket);
	tcase_add_test(tc, markers_sort_what_comes_to_port_4500);
	tcase_add_test(tc, ike_goes_to_the_engine_and_junk_nowhere);
	tcase_add_test(tc, a_packet_of_no_sa_is_an_acquire_and_nothing_else);
	tcase_add_test(tc, too_long_packets_are_cut_or_answered);
	tcase_add_test(tc, a_spent_sa_is_told_once);
	tcase_add_loop_test(tc, a_soft_limit_is_told_and_stops_nothing, 0, 2);
	tcase_add_test(tc, commands_answer_as_the_contract_says);
	tcase_add_test(tc, environments_that_cannot_be_are_refused);
}
