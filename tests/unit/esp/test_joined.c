/* SPDX-License-Identifier: Apache-2.0 */
/* Whole gateways of which each is a host of its own, in transport mode. */
#include <poll.h>
#include <string.h>

#include "esp/fragment.h"
#include "esp/worker.h"
#include "tests/unit/esp/gateway.h"
#include "tests/unit/unit.h"

static void joined(struct gateway *left, struct gateway *right, const char *a, const char *b)
{
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI_A);
	kit_sa_join(&k, a, b);
	ck_assert_int_eq(gateway_command(left, SA_INSTALL, &k), OK);
	kit_sa_make(&k, &kit_suites[0], SA_IN, SPI_A);
	kit_sa_join(&k, a, b);
	kit_sa_mirror(&k);
	ck_assert_int_eq(gateway_command(right, SA_INSTALL, &k), OK);
}

/* Between two hosts, in transport mode: the sender's kernel cut the packet, and it comes out whole;
 * only the two hosts are joined. */
START_TEST(fragments_of_a_host_come_out_whole)
{
	struct gateway left, right;
	uint8_t buf[3000], piece[1500], got[3200];
	struct span p = kit_udp(buf, 3000, "192.0.2.1", "192.0.2.2");
	struct cutter c;
	struct inner in;
	ssize_t n;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	joined(&left, &right, "192.0.2.1", "192.0.2.2");
	ck_assert_int_eq(inner_parse(p, &in), OK);
	ck_assert_int_eq(cutter_init(&c, p, &in, 1400), OK);
	for (;;) {
		struct wr w = wr_into(piece, sizeof(piece));

		if (!cutter_next(&c, &w))
			break;
		ck_assert(gateway_silent(left.net[0]));
		gateway_put(left.tun[0], wr_done(&w));
	}
	n = gateway_get(left.net[0], got, sizeof(got));
	ck_assert_int_gt(n, 3000 - 20);
	gateway_put(right.net[0], span_of(got, (size_t)n));
	ck_assert_int_eq(gateway_get(right.tun[0], got, sizeof(got)), 3000);
	ck_assert(span_eq(span_of(got + 20, 2980), span_tail(p, 20)));
	gateway_put(left.tun[0], kit_udp(buf, 100, "192.0.2.1", "192.0.2.3"));
	gateway_dropped(&left, DROP_NO_SA, 1);
	ck_assert(gateway_silent(left.net[0]));
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

START_TEST(a_host_that_wants_to_know_its_mtu_is_told)
{
	struct gateway left, right;
	uint8_t buf[1500], got[3000];
	struct span p = kit_udp(buf, 1459, "192.0.2.1", "192.0.2.2");

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	joined(&left, &right, "192.0.2.1", "192.0.2.2");
	buf[6] = 0x40; /* DF */
	kit_fix_v4(buf);
	gateway_put(left.tun[0], p);
	ck_assert_int_eq(gateway_get(left.tun[0], got, sizeof(got)), 576);
	/* 1500 - 28 - 8 - 8 - 16 - 2, and the 20 of the header that is outside. */
	ck_assert_uint_eq((unsigned)(got[26] << 8 | got[27]), 1458);
	ck_assert(gateway_silent(left.net[0]));
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

START_TEST(in_transport_mode_only_ports_move)
{
	struct gateway g;
	struct kit_sa k;

	gateway_up(&g, 1);
	kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI_A);
	kit_sa_join(&k, "192.0.2.1", "192.0.2.2");
	ck_assert_int_eq(gateway_command(&g, SA_INSTALL, &k), OK);
	k.d.path.remote.port = 1234;
	ck_assert_int_eq(gateway_command(&g, SA_MOVE, &k), OK);
	k.d.path.remote.addr = kit_addr("192.0.2.3");
	ck_assert_int_eq(gateway_command(&g, SA_MOVE, &k), ERR_UNSUPPORTED);
	gateway_down(&g);
}
END_TEST

/* The first packet of a connection comes through, later than it would have. */
START_TEST(packets_that_ask_for_a_child_wait_for_it)
{
	struct gateway left;
	struct kit_sa k;
	uint8_t buf[200], got[2048];

	gateway_up(&left, 2);
	esp_hold(left.esp, true);
	for (int i = 0; i < 5; i++)
		gateway_put(left.tun[i % 2], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	gateway_put(left.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.9.0.1"));
	/* One worker may report a flow that another one has reported. */
	for (int i = 0; i < PATIENCE_MS && atomic_load(&left.heard.n_events) < 3; i++)
		poll(NULL, 0, 1);
	ck_assert_int_eq(atomic_load(&left.heard.n_events), 3);
	kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI_A);
	ck_assert_int_eq(gateway_command(&left, SA_INSTALL, &k), OK);
	for (int i = 0; i < 3; i++)
		ck_assert_int_gt(gateway_get(left.net[0], got, sizeof(got)), 100);
	for (int i = 0; i < 2; i++)
		ck_assert_int_gt(gateway_get(left.net[1], got, sizeof(got)), 100);
	gateway_down(&left);
}
END_TEST

START_TEST(the_hold_has_bounds_and_the_oldest_goes)
{
	struct hold h = { .n = 0 };
	uint8_t b[HOLD_BYTES] = { 0 };
	size_t lost = 0;

	for (unsigned i = 0; i < 100; i++) {
		b[0] = (uint8_t)i;
		lost += hold_put(&h, span_of(b, 100), 0, 1 + i);
	}
	ck_assert_uint_eq(h.n, HOLD_PACKETS);
	ck_assert_uint_eq(lost, 100 - HOLD_PACKETS);
	ck_assert_uint_eq(h.v[0].p[0], 100 - HOLD_PACKETS);
	ck_assert_uint_eq(hold_expire(&h, 100 + HOLD_SECONDS * NS_PER_S), HOLD_PACKETS - 1);
	ck_assert_uint_eq(h.n, 1);
	ck_assert_uint_eq(hold_put(&h, span_of(b, HOLD_BYTES), 0, 200), 1);
	ck_assert_uint_eq(h.n, 1);
	ck_assert_uint_eq(h.bytes, HOLD_BYTES);
	ck_assert_uint_eq(hold_put(&h, span_of(b, 0), 0, 200), 1);
	ck_assert_uint_eq(hold_expire(&h, 201 + HOLD_SECONDS * NS_PER_S), 1);
	ck_assert_uint_eq(h.bytes, 0);
	hold_free(&h);
}
END_TEST

/* RFC 7296 2.23: told for the engine to ask there; the SA itself goes nowhere. */
START_TEST(a_peer_whose_packets_come_from_elsewhere_is_told)
{
	static const struct {
		const char *from;
		uint16_t port;
		bool encap;
		int s; /* when, seconds */
		int want;
	} cases[] = {
		{ "192.0.2.2", 4500, true, 1, 0 },  /* where it is */
		{ "192.0.2.2", 1024, true, 2, 1 },  /* another port */
		{ "192.0.2.2", 1024, true, 3, 1 },  /* not so soon again */
		{ "192.0.2.2", 1024, true, 4, 2 },  /* it may have got lost */
		{ "192.0.2.9", 4500, true, 10, 3 }, /* another address */
		{ "192.0.2.9", 0, true, 20, 3 },    /* raw ESP: there is no NAT */
		{ "192.0.2.9", 4500, false, 30, 3 },
		{ "0.0.0.0", 4500, true, 40, 3 }, /* the socket did not say */
	};
	struct heard heard = { .n_ike = 0 };
	struct plane plane = { .env = { .event = gateway_event, .ctx = &heard } };
	struct worker w = { .plane = &plane };
	struct kit_sa k;
	struct sa *sa;

	kit_sa_make(&k, &kit_suites[0], SA_IN, SPI_A);
	ck_assert_int_eq(esp_sa_new(&k.d, NULL, &sa), OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct path path = { k.d.path.local, kit_endpoint(cases[i].from, cases[i].port) };

		w.now = (mono_ns)cases[i].s * NS_PER_S;
		sa->encap = cases[i].encap;
		worker_tell_elsewhere(&w, sa, &path);
		ck_assert_msg(atomic_load(&heard.n_events) == cases[i].want, "%zu", i);
	}
	ck_assert_int_eq(atomic_load(&heard.last_kind), PLANE_MAPPING);
	ck_assert(endpoint_eq(&sa->path.remote, &k.d.path.remote));
	esp_sa_free(sa);
}
END_TEST

struct silence {
	int ms;	     /* a packet goes out */
	int came_ms; /* the last one that came in until then */
	int want;    /* told so often */
};
static const struct silence silences[2][10] = {
	{
		{ 1000, 0, 0 },
		{ 1100, 0, 0 },
		{ 2000, 1050, 0 }, /* one has come meanwhile */
		{ 2900, 1050, 0 }, /* not a second yet */
		{ 3000, 1050, 0 }, /* not looked at */
		{ 3150, 1050, 1 },
		{ 3500, 1050, 1 },
		{ 4150, 1050, 2 },  /* and again */
		{ 60000, 4200, 2 }, /* what came answered the last one, however long ago */
		{ 61000, 4200, 3 },
	},
	/* Another peer may take over. */
	{
		{ 1000, 0, 0 },
		{ 1080, 1050, 0 },
		{ 1200, 1050, 0 },
		{ 1379, 1050, 0 },
		{ 1460, 1050, 1 },
		{ 2400, 1050, 1 },
		{ 2460, 1050, 2 },
		{ 3460, 3000, 2 },
		{ 3600, 3500, 2 },
		{ 3900, 3500, 3 },
	},
};

/* By the SA of the other direction, which is looked at a few times a second. */
START_TEST(packets_out_without_any_in_are_told)
{
	const struct silence *cases = silences[_i];
	struct heard heard = { .n_ike = 0 };
	struct plane plane = { .env = { .event = gateway_event, .ctx = &heard } };
	struct worker w = { .plane = &plane };
	struct kit_sa out, in;
	struct sa *sa, *twin;

	kit_sa_make(&in, &kit_suites[0], SA_IN, SPI_A);
	kit_sa_make(&out, &kit_suites[0], SA_OUT, SPI_A ^ 1);
	out.d.twin_spi = SPI_A;
	out.d.priority = (uint8_t)_i;
	ck_assert_int_eq(sad_new(1, &plane.sad), OK);
	ck_assert_int_eq(sad_install(plane.sad, &in.d, 0), OK);
	ck_assert_int_eq(esp_sa_new(&out.d, NULL, &sa), OK);
	twin = sad_in(plane.sad, SPI_A);
	ck_assert_ptr_nonnull(twin);
	for (size_t i = 0; i < sizeof(silences[0]) / sizeof(silences[0][0]); i++) {
		w.now = (mono_ns)cases[i].ms * NS_PER_MS;
		atomic_store(&twin->tally->stats.last_ns, (uint64_t)cases[i].came_ms * NS_PER_MS);
		worker_tell_silent(&w, sa);
		ck_assert_msg(atomic_load(&heard.n_events) == cases[i].want, "%zu", i);
	}
	ck_assert_int_eq(atomic_load(&heard.last_kind), PLANE_SILENT);
	esp_sa_free(sa);
	sad_free(plane.sad);
}
END_TEST

UNIT("esp/joined")
{
	tcase_add_test(tc, packets_that_ask_for_a_child_wait_for_it);
	tcase_add_test(tc, the_hold_has_bounds_and_the_oldest_goes);
	tcase_add_test(tc, a_peer_whose_packets_come_from_elsewhere_is_told);
	tcase_add_loop_test(tc, packets_out_without_any_in_are_told, 0, 2);
	tcase_add_test(tc, fragments_of_a_host_come_out_whole);
	tcase_add_test(tc, a_host_that_wants_to_know_its_mtu_is_told);
	tcase_add_test(tc, in_transport_mode_only_ports_move);
}
