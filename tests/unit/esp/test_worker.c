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
#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

enum { PATIENCE_MS = 5000, SPI_A = 0x80010001, SPI_B = 0x80020002 };

struct heard {
	_Atomic int n_ike;
	_Atomic int n_events;
	_Atomic int last_kind;
};

static void to_engine(void *ctx, const struct path *p, struct span d)
{
	struct heard *h = ctx;

	(void)p;
	if (d.len > 0)
		atomic_fetch_add(&h->n_ike, 1);
}

static void event(void *ctx, const struct plane_event *ev)
{
	struct heard *h = ctx;

	atomic_store(&h->last_kind, (int)ev->kind);
	atomic_fetch_add(&h->n_events, 1);
}

/* A gateway with one worker, or with two that share nothing but the SAs. */
struct gateway {
	struct esp *esp;
	struct heard heard;
	int n;
	int tun[2], net[2],
		raw; /* our ends: tun is what the machine sends and gets, net the network */
	int theirs[5];
};

static int pair(int *ours)
{
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd), 0);
	*ours = fd[0];
	return fd[1];
}

static void gateway_up(struct gateway *g, int n_workers)
{
	struct esp_env env = { .n_workers = (uint8_t)n_workers,
			       .raw6_fd = -1,
			       .to_engine = to_engine,
			       .event = event,
			       .ctx = &g->heard };

	memset(g, 0, sizeof(*g));
	g->n = n_workers;
	for (int i = 0; i < n_workers; i++) {
		env.tun_fd[i] = g->theirs[2 * i] = pair(&g->tun[i]);
		env.udp4_fd[i] = g->theirs[2 * i + 1] = pair(&g->net[i]);
		env.udp6_fd[i] = -1;
	}
	env.raw4_fd = g->theirs[4] = pair(&g->raw);
	ck_assert_int_eq(esp_new(&env, &g->esp), OK);
	ck_assert_int_eq(esp_start(g->esp), OK);
}

static void gateway_down(struct gateway *g)
{
	esp_free(g->esp);
	for (int i = 0; i < g->n; i++) {
		close(g->tun[i]);
		close(g->net[i]);
	}
	close(g->raw);
	for (int i = 0; i < 5; i++)
		if (g->theirs[i] > 0)
			close(g->theirs[i]);
}

static ssize_t get(int fd, uint8_t *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, PATIENCE_MS) == 1 ? read(fd, buf, size) : -1;
}

static void put(int fd, struct span s)
{
	ck_assert_int_eq(write(fd, s.p, s.len), (ssize_t)s.len);
}

static bool nothing_at(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

static enum err command(struct gateway *g, enum sa_op op, const struct kit_sa *k)
{
	struct sa_cmd cmd = { .ticket = 7, .op = op, .sa = k->d };
	struct sa_done done;

	esp_command(g->esp, &cmd, &done);
	ck_assert_uint_eq(done.ticket, 7);
	return done.err;
}

/* An outbound SA at `left`, its inbound side at `right`. */
static void tunnel(struct gateway *left, struct gateway *right, int suite, uint32_t spi)
{
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[suite], SA_OUT, spi);
	if (left)
		ck_assert_int_eq(command(left, SA_INSTALL, &k), OK);
	kit_sa_make(&k, &kit_suites[suite], SA_IN, spi);
	kit_sa_mirror(&k);
	if (right)
		ck_assert_int_eq(command(right, SA_INSTALL, &k), OK);
}

/* Waits until the worker has dropped something for this reason. */
static void dropped(struct gateway *g, enum drop why, uint64_t n)
{
	struct esp_drops d;

	for (int i = 0; i < PATIENCE_MS; i++) {
		esp_drops(g->esp, &d);
		if (d.n[why] >= n)
			break;
		poll(NULL, 0, 1);
	}
	ck_assert_msg(d.n[why] == n, "%s: %lu", drop_name(why), (unsigned long)d.n[why]);
}

static void events(struct gateway *g, int n, enum plane_event_kind kind)
{
	for (int i = 0; i < PATIENCE_MS && atomic_load(&g->heard.n_events) < n; i++)
		poll(NULL, 0, 1);
	ck_assert_int_eq(atomic_load(&g->heard.n_events), n);
	ck_assert_int_eq(atomic_load(&g->heard.last_kind), (int)kind);
}

START_TEST(a_packet_goes_through_two_gateways)
{
	struct gateway left, right;
	uint8_t buf[2048], got[2048];
	struct span p = kit_udp(buf, 100, "10.1.0.1", "10.2.0.1");
	ssize_t n;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	tunnel(&left, &right, _i, SPI_A);
	put(left.tun[0], p);
	n = get(left.net[0], got, sizeof(got));
	ck_assert_int_gt(n, 100);
	put(right.net[0], span_of(got, (size_t)n));
	n = get(right.tun[0], got, sizeof(got));
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
	tunnel(&left, &right, 0, spi);
	/* Whichever socket it comes to, it comes out of the owner's TUN queue. Owners beyond the
	 * workers wrap. */
	for (int sock = 0; sock < 2; sock++) {
		put(left.tun[0], p);
		n = get(left.net[0], got, sizeof(got));
		put(right.net[sock], span_of(got, (size_t)n));
		ck_assert_int_eq(get(right.tun[_i % 2], got, sizeof(got)), 100);
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
	tunnel(&left, &right, 0, spi_user(1, 0, 3));
	for (int i = 0; i < 4; i++) {
		ssize_t n;

		put(left.tun[0], p);
		/* A raw IPv4 socket gives the header too, here with an option. */
		memcpy(got, outer, sizeof(outer));
		n = get(left.net[0], got + sizeof(outer), sizeof(got) - sizeof(outer));
		if (i % 2)
			put(right.raw, span_of(got, (size_t)n + sizeof(outer)));
		else
			put(right.net[1], span_of(got + sizeof(outer), (size_t)n));
		ck_assert_int_eq(get(right.tun[1], got, sizeof(got)), 100);
	}
	put(right.raw, span_of(outer, 23));
	put(right.raw, span_of(outer, 24));
	dropped(&right, DROP_SHORT, 2);
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
	ck_assert_int_eq(command(&left, SA_INSTALL, &k), OK);
	put(left.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	ck_assert_int_gt(get(left.raw, got, sizeof(got)), 100);
	k.d.encap = true;
	ck_assert_int_eq(command(&left, SA_MOVE, &k), OK);
	put(left.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	ck_assert_int_gt(get(left.net[0], got, sizeof(got)), 100);
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
	put(g.net[0], span_of(keepalive, 1));
	put(g.net[0], span_of(junk, 2));
	/* The slot is taken, but by another SPI. */
	tunnel(NULL, &g, 0, 0x80990203);
	put(g.net[0], span_of(esp, sizeof(esp)));
	put(g.net[0], span_of(ike, sizeof(ike)));
	for (int i = 0; i < PATIENCE_MS && atomic_load(&g.heard.n_ike) == 0; i++)
		poll(NULL, 0, 1);
	ck_assert_int_eq(atomic_load(&g.heard.n_ike), 1);
	dropped(&g, DROP_SHORT, 1);
	dropped(&g, DROP_SPI, 1);
	ck_assert(nothing_at(g.tun[0]));
	ck_assert(nothing_at(g.net[0]));
	gateway_down(&g);
}
END_TEST

START_TEST(a_packet_of_no_sa_is_an_acquire_and_nothing_else)
{
	struct gateway g;
	uint8_t buf[200];

	gateway_up(&g, 1);
	for (int i = 0; i < 10; i++)
		put(g.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	dropped(&g, DROP_NO_SA, 10);
	events(&g, 1, PLANE_ACQUIRE);
	put(g.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.2"));
	events(&g, 2, PLANE_ACQUIRE);
	ck_assert(nothing_at(g.net[0]));
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
	tunnel(&left, &right, 0, SPI_A);
	put(left.tun[0], p);
	for (int i = 0; i < 3; i++) {
		n = get(left.net[0], got, sizeof(got));
		ck_assert_int_le(n, 1472);
		put(right.net[0], span_of(got, (size_t)n));
		n = get(right.tun[0], got, sizeof(got));
		ck_assert_int_le(n, 1438);
		ck_assert_int_eq((got[6] & 0x20) != 0, i < 2);
	}
	buf[6] = 0x40; /* DF */
	kit_fix_v4(buf);
	put(left.tun[0], p);
	ck_assert_int_eq(get(left.tun[0], got, sizeof(got)), 576);
	ck_assert_uint_eq((unsigned)(got[26] << 8 | got[27]), 1438);
	ck_assert(nothing_at(left.net[0]));
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
	ck_assert_int_eq(command(&left, SA_INSTALL, &k), OK);
	for (int i = 0; i < 5; i++)
		put(left.tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	ck_assert_int_gt(get(left.net[0], got, sizeof(got)), 100);
	dropped(&left, DROP_LIMIT, 4);
	events(&left, 1, PLANE_EXPIRE);
	ck_assert(nothing_at(left.net[0]));
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
	ck_assert_int_eq(command(&g, SA_REMOVE, &in), ERR_NOT_FOUND);
	ck_assert_int_eq(command(&g, SA_INSTALL, &in), OK);
	ck_assert_int_eq(command(&g, SA_INSTALL, &in), ERR_EXISTS);
	in.d.spi = spi_user(5, 9, spi_slot(SPI_A));
	ck_assert_int_eq(command(&g, SA_INSTALL, &in), ERR_EXISTS);
	in.d.spi = 0x1000;
	ck_assert_int_eq(command(&g, SA_INSTALL, &in), ERR_CONFIG);
	in.d.spi = SPI_B;
	in.d.encr_id = 3;
	ck_assert_int_eq(command(&g, SA_INSTALL, &in), ERR_UNSUPPORTED);
	ck_assert_int_eq(command(&g, SA_INSTALL, &out), OK);
	ck_assert_int_eq(command(&g, SA_INSTALL, &out), ERR_EXISTS);
	ck_assert_int_eq(command(&g, SA_QUERY, &out), OK);
	out.d.path.remote.addr = kit_addr("192.0.2.77");
	out.d.child_id = 2;
	ck_assert_int_eq(command(&g, SA_QUERY, &out), ERR_NOT_FOUND);
	ck_assert_int_eq(command(&g, SA_INSTALL, &out), OK);
	out.d.child_id = 1;
	ck_assert_int_eq(command(&g, SA_REMOVE, &out), OK);
	ck_assert_int_eq(command(&g, SA_REMOVE, &out), ERR_NOT_FOUND);
	out.d.child_id = 0;
	ck_assert_int_eq(command(&g, SA_REMOVE, &out), OK);
	esp_flush(g.esp);
	in.d.spi = SPI_A;
	ck_assert_int_eq(command(&g, SA_QUERY, &in), ERR_NOT_FOUND);
	gateway_down(&g);
}
END_TEST

START_TEST(environments_that_cannot_be_are_refused)
{
	struct esp_env env = { .n_workers = 0, .to_engine = to_engine, .event = event };
	struct esp *e;

	ck_assert_int_eq(esp_new(&env, &e), ERR_UNSUPPORTED);
	env.n_workers = ESP_WORKERS_MAX + 1;
	ck_assert_int_eq(esp_new(&env, &e), ERR_UNSUPPORTED);
	env.n_workers = 1;
	env.tun_vnet = true;
	ck_assert_int_eq(esp_new(&env, &e), ERR_UNSUPPORTED);
	env.tun_vnet = false;
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
	tcase_add_test(tc, commands_answer_as_the_contract_says);
	tcase_add_test(tc, environments_that_cannot_be_are_refused);
}
