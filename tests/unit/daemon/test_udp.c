/* SPDX-License-Identifier: Apache-2.0 */
/* What comes to port 4500 and what leaves it, over loopback: the kernel delivers within the call.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/route.h"
#include "daemon/steer.h"
#include "daemon/udp.h"
#include "tests/unit/unit.h"

struct world {
	struct loop *loop;
	struct loop_timer end;
	struct udp *udp;
	struct sockaddr_in at; /* our socket */
	int peer;
	struct sockaddr_in peer_at;
	int n;
	int n_before; /* udp_begin */
	struct path path;
	uint8_t got[128];
	size_t len;
};

static void on_message(void *ctx, const struct path *p, struct span d)
{
	struct world *w = ctx;

	w->n++;
	w->path = *p;
	w->len = d.len < sizeof w->got ? d.len : sizeof w->got;
	memcpy(w->got, d.p, w->len);
}

static void stop(void *ctx)
{
	loop_stop(ctx, 0);
}

static int loopback_socket(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;
	socklen_t len = sizeof *at;

	*at = (struct sockaddr_in){ .sin_family = AF_INET };
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)at, sizeof *at), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static void world_new(struct world *w, enum sock_kind kind)
{
	memset(w, 0, sizeof *w);
	ck_assert_int_eq(loop_new(&w->loop), OK);
	ck_assert_int_eq(udp_new(w->loop, on_message, w, &w->udp), OK);
	ck_assert_int_eq(udp_add(w->udp, kind, QUEUE_SA, loopback_socket(&w->at)), OK);
	ck_assert_int_eq(udp_begin(w->udp), OK);
	w->peer = loopback_socket(&w->peer_at);
}

static void world_free(struct world *w)
{
	udp_free(w->udp);
	loop_free(w->loop);
	close(w->peer);
}

static void arrives(struct world *w, const void *bytes, size_t len)
{
	w->end = (struct loop_timer){ .fire = stop, .ctx = w->loop };
	ck_assert_int_eq(sendto(w->peer, bytes, len, 0, (struct sockaddr *)&w->at, sizeof w->at),
			 (ssize_t)len);
	loop_timer_set(w->loop, &w->end, mono_now());
	ck_assert_int_eq(loop_run(w->loop), 0);
}

static void begin(void *ctx)
{
	struct world *w = ctx;

	ck_assert_int_eq(udp_begin(w->udp), OK);
	w->n_before = w->n;
	loop_timer_set(w->loop, &w->end, mono_now() + 1); /* after another turn */
}

/* What came before is read then. */
START_TEST(nothing_is_read_before_it_begins)
{
	struct world w;
	struct loop_timer at = { .fire = begin, .ctx = &w };

	world_new(&w, SOCK_IKE4);
	udp_free(w.udp);
	ck_assert_int_eq(udp_new(w.loop, on_message, &w, &w.udp), OK);
	ck_assert_int_eq(udp_add(w.udp, SOCK_IKE4, QUEUE_SA, loopback_socket(&w.at)), OK);
	loop_timer_set(w.loop, &at, mono_now());
	arrives(&w, "ike", 3);
	ck_assert_int_eq(w.n_before, 0);
	ck_assert_int_eq(w.n, 1);
	world_free(&w);
}
END_TEST

START_TEST(on_4500_the_marker_is_cut_off)
{
	struct world w;

	world_new(&w, SOCK_NAT4);
	arrives(&w, "\0\0\0\0ike", 7);
	ck_assert_int_eq(w.n, 1);
	ck_assert_uint_eq(w.len, 3);
	ck_assert_int_eq(memcmp(w.got, "ike", 3), 0);
	ck_assert_uint_eq(w.path.local.port, 4500);
	ck_assert_uint_eq(w.path.remote.port, ntohs(w.peer_at.sin_port));
	ck_assert_int_eq(memcmp(w.path.local.addr.b, &w.at.sin_addr, 4), 0);
	ck_assert_int_eq(memcmp(w.path.remote.addr.b, &w.peer_at.sin_addr, 4), 0);
	world_free(&w);
}
END_TEST

START_TEST(on_500_nothing_is_cut_off)
{
	struct world w;

	world_new(&w, SOCK_IKE4);
	arrives(&w, "\0\0\0\0ike", 7);
	ck_assert_uint_eq(w.len, 7);
	ck_assert_uint_eq(w.path.local.port, 500);
	world_free(&w);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	uint64_t keepalives;
} silent[] = {
	{ "\xff", 1, 1 }, /* keepalive */
	{ "", 0, 0 },
	{ "\0", 1, 0 },
	{ "\0\0\0", 3, 0 },
	{ "\0\0\0\0", 4, 0 },		 /* a marker and nothing behind it */
	{ "\x80\x01\x02\x03spi", 7, 0 }, /* ESP */
	{ "\xff\xff\xff\xff", 4, 0 },
};

/* What is no message of IKE on 4500 touches nothing. */
START_TEST(what_is_not_ike_on_4500_goes_nowhere)
{
	struct world w;

	world_new(&w, SOCK_NAT4);
	arrives(&w, silent[_i].bytes, silent[_i].len);
	ck_assert_int_eq(w.n, 0);
	ck_assert_uint_eq(udp_stats(w.udp)->keepalives, silent[_i].keepalives);
	ck_assert_uint_eq(udp_stats(w.udp)->received, 1);
	world_free(&w);
}
END_TEST

static struct path path_to_peer(const struct world *w, uint16_t local_port)
{
	struct path p = { .local.port = local_port };

	ck_assert(endpoint_from_sockaddr(&p.remote, (const struct sockaddr *)&w->peer_at));
	p.local.addr = p.remote.addr;
	p.local.addr.b[3] = 7; /* 127.0.0.7 is ours as well */
	return p;
}

START_TEST(an_answer_leaves_from_the_address_that_was_asked)
{
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	uint8_t got[64];
	struct world w;
	struct path p;

	world_new(&w, SOCK_NAT4);
	/* A socket of all addresses, as the monitor makes it. */
	udp_free(w.udp);
	ck_assert_int_eq(udp_new(w.loop, on_message, &w, &w.udp), OK);
	ck_assert_int_eq(udp_add(w.udp, SOCK_NAT4, QUEUE_SA,
				 socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
			 OK);
	p = path_to_peer(&w, 4500);
	ck_assert_int_eq(udp_send(w.udp, &p, true, span_str("ike")), OK);
	ck_assert_int_eq(
		recvfrom(w.peer, got, sizeof got, MSG_DONTWAIT, (struct sockaddr *)&from, &len), 7);
	ck_assert_int_eq(memcmp(got, "\0\0\0\0ike", 7), 0);
	ck_assert_uint_eq(ntohl(from.sin_addr.s_addr), INADDR_LOOPBACK + 6);
	p.local.port = 500;
	ck_assert_int_eq(udp_send(w.udp, &p, false, span_str("ike")), ERR_UNSUPPORTED);
	world_free(&w);
}
END_TEST

START_TEST(the_routing_knows_our_address_and_the_mtu)
{
	const struct addr to = { .family = AF_INET, .b = { 127, 0, 0, 9 } };
	struct route r = { .fd = { socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), -1 } };
	const struct addr v6 = { .family = AF_INET6, .b = { 0x20, 0x01, 0x0d, 0xb8 } };
	struct addr local;

	ck_assert(route_local(&r, &to, &local));
	ck_assert_int_eq(memcmp(local.b, "\x7f\0\0\1", 4), 0);
	ck_assert_uint_ge(route_mtu(&r, &to), 1280);
	ck_assert(!route_local(&r, &v6, &local));
	ck_assert_uint_eq(route_mtu(&r, &v6), 0);
	close(r.fd[0]);
}
END_TEST

UNIT("daemon/udp")
{
	tcase_add_test(tc, nothing_is_read_before_it_begins);
	tcase_add_test(tc, on_4500_the_marker_is_cut_off);
	tcase_add_test(tc, on_500_nothing_is_cut_off);
	tcase_add_loop_test(tc, what_is_not_ike_on_4500_goes_nowhere, 0,
			    sizeof silent / sizeof silent[0]);
	tcase_add_test(tc, an_answer_leaves_from_the_address_that_was_asked);
	tcase_add_test(tc, the_routing_knows_our_address_and_the_mtu);
}
