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

struct gateway {
	struct esp *esp;
	struct heard heard;
	int tun;		/* our end: write = the machine sends, read = the machine gets */
	int net;
	int tun_theirs;
	int net_theirs;
};

static void pair(int *ours, int *theirs)
{
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd), 0);
	*ours = fd[0];
	*theirs = fd[1];
}

static void gateway_up(struct gateway *g)
{
	struct esp_env env = { .n_workers = 1, .raw4_fd = -1, .raw6_fd = -1, .to_engine = to_engine, .event = event, .ctx = &g->heard };

	memset(g, 0, sizeof(*g));
	pair(&g->tun, &g->tun_theirs);
	pair(&g->net, &g->net_theirs);
	env.tun_fd[0] = g->tun_theirs;
	env.udp4_fd[0] = g->net_theirs;
	env.udp6_fd[0] = -1;
	ck_assert_int_eq(esp_new(&env, &g->esp), OK);
	ck_assert_int_eq(esp_start(g->esp), OK);
}

static void gateway_down(struct gateway *g)
{
	esp_free(g->esp);
	close(g->tun);
	close(g->net);
	close(g->tun_theirs);
	close(g->net_theirs);
}

static ssize_t get(int fd, uint8_t *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, PATIENCE_MS) == 1 ? read(fd, buf, size) : -1;
}

static enum err command(struct gateway *g, enum sa_op op, const struct kit_sa *k)
{
	struct sa_cmd cmd = { .ticket = 7, .op = op, .sa = k->d };
	struct sa_done done;

	esp_command(g->esp, &cmd, 0, &done);
	ck_assert_uint_eq(done.ticket, 7);
	return done.err;
}

START_TEST(a_packet_goes_through_two_gateways)
{
	struct gateway left, right;
	struct kit_sa out, in;
	uint8_t buf[2048], got[2048];
	struct span p = kit_udp(buf, 100, "10.1.0.1", "10.2.0.1");
	ssize_t n;

	gateway_up(&left);
	gateway_up(&right);
	kit_sa_make(&out, &kit_suites[_i], SA_OUT, SPI_A);
	kit_sa_make(&in, &kit_suites[_i], SA_IN, SPI_A);
	kit_sa_mirror(&in);
	ck_assert_int_eq(command(&left, SA_INSTALL, &out), OK);
	ck_assert_int_eq(command(&right, SA_INSTALL, &in), OK);

	ck_assert_int_eq(write(left.tun, p.p, p.len), (ssize_t)p.len);
	n = get(left.net, got, sizeof(got));
	ck_assert_int_gt(n, 100);
	ck_assert_int_eq(write(right.net, got, (size_t)n), n);
	n = get(right.tun, got, sizeof(got));
	ck_assert_int_eq(n, 100);
	ck_assert(span_eq(span_of(got, (size_t)n), p));
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

UNIT("esp/worker")
{
	tcase_add_loop_test(tc, a_packet_goes_through_two_gateways, 0, KIT_SUITES);
}
