/* SPDX-License-Identifier: Apache-2.0 */
/* The steering program on a real reuseport group on loopback: the kernel is the judge of what it
 * means. */
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sadesc.h"
#include "daemon/steer.h"
#include "tests/unit/unit.h"

enum {
	N_WORKERS = 3,
	KERNELS = N_WORKERS + 1,
	N_MEMBERS = KERNELS + 1 + 2, /* the engine's others come last */
	DATAGRAM = 64
};

struct group {
	int member[N_MEMBERS];
	int sender;
	uint16_t port;
};

static int member_new(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	return fd;
}

/* Without a program. */
static struct group group_bare(void)
{
	struct group g;
	struct sockaddr_in in;
	socklen_t len = sizeof in;

	g.member[0] = member_new(0);
	ck_assert_int_eq(getsockname(g.member[0], (struct sockaddr *)&in, &len), 0);
	g.port = ntohs(in.sin_port);
	for (int i = 1; i < N_MEMBERS; i++)
		g.member[i] = member_new(g.port);
	g.sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return g;
}

/* `kernel`: one member is for the kernel's ESP; else the engine's others come one before. */
static struct group group_new(bool kernel)
{
	struct group g = group_bare();

	ck_assert_int_eq(steer_attach(g.member[0], N_WORKERS, kernel), OK);
	return g;
}

static void group_free(struct group *g)
{
	for (int i = 0; i < N_MEMBERS; i++)
		close(g->member[i]);
	close(g->sender);
}

/* Which member gets it. Loopback delivers within sendto, so there is nothing to wait for. */
static int receiver_of(const struct group *g, const uint8_t *bytes, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(g->port) };
	uint8_t buf[DATAGRAM];
	int got = -1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(sendto(g->sender, bytes, len, 0, (struct sockaddr *)&to, sizeof to),
			 (ssize_t)len);
	for (int i = 0; i < N_MEMBERS; i++) {
		if (recv(g->member[i], buf, sizeof buf, MSG_DONTWAIT) >= 0) {
			ck_assert_int_eq(got, -1);
			got = i;
		}
	}
	return got;
}

static int receiver_of_spi(const struct group *g, uint32_t spi)
{
	uint8_t d[DATAGRAM] = { 0 };
	struct wr w = wr_into(d, sizeof d);

	wr_u32(&w, spi);
	return receiver_of(g, d, sizeof d);
}

START_TEST(ike_and_short_datagrams_go_to_the_engine)
{
	static const uint8_t ike[DATAGRAM] = { 0, 0, 0, 0, 0xff, 0xff };
	static const uint8_t keepalive[] = { 0xff };
	static const uint8_t shorts[] = { 0xff, 0xff, 0xff };
	struct group g = group_new(_i == 1);

	ck_assert_int_eq(receiver_of(&g, ike, sizeof ike), 0);
	ck_assert_int_eq(receiver_of(&g, ike, 4), 0);
	ck_assert_int_eq(receiver_of(&g, keepalive, sizeof keepalive), 0);
	ck_assert_int_eq(receiver_of(&g, shorts, sizeof shorts), 0);
	ck_assert_int_eq(receiver_of(&g, shorts, 0), 0);
	group_free(&g);
}
END_TEST

START_TEST(esp_goes_to_the_worker_that_owns_its_spi)
{
	struct group g = group_new(_i == 1);

	for (unsigned int owner = 0; owner < SPI_OWNERS; owner++)
		ck_assert_int_eq(receiver_of_spi(&g, spi_user((uint8_t)owner, 0xa5, 0x1234)),
				 1 + (int)(owner % N_WORKERS));
	group_free(&g);
}
END_TEST

START_TEST(esp_of_the_kernels_plane_goes_to_its_own_member_or_to_the_engine)
{
	struct group g = group_new(_i == 1);
	int wanted = _i == 1 ? KERNELS : 0;

	ck_assert_int_eq(receiver_of_spi(&g, 256), wanted);
	ck_assert_int_eq(receiver_of_spi(&g, 1), wanted);
	ck_assert_int_eq(receiver_of_spi(&g, 0x7fffffff), wanted);
	group_free(&g);
}
END_TEST

START_TEST(a_socket_that_drops_all_queues_nothing)
{
	struct group g = group_new(true);

	ck_assert_int_eq(receiver_of_spi(&g, 256), KERNELS);
	ck_assert_int_eq(steer_drop_all(g.member[KERNELS]), OK);
	ck_assert_int_eq(receiver_of_spi(&g, 256), -1);
	group_free(&g);
}
END_TEST

static const struct {
	uint8_t spi_r, next, exchange;
	enum ike_queue queue;
} messages[] = {
	{ 0, 33, 34, QUEUE_FIRST },  { 0, 43, 34, QUEUE_FIRST }, { 0, 0, 34, QUEUE_FIRST },
	{ 0, 41, 34, QUEUE_COOKIE }, { 1, 33, 34, QUEUE_SA },	 { 1, 41, 34, QUEUE_SA },
	{ 0, 46, 35, QUEUE_SA },     { 1, 46, 35, QUEUE_SA },	 { 1, 46, 37, QUEUE_SA },
};

/* An IKE header and a little more, at `at`. */
static int receiver_of_message(const struct group *g, size_t i, size_t at)
{
	uint8_t d[DATAGRAM] = { 0 };

	d[at] = 0x77; /* initiator's SPI */
	d[at + 8 + i % 8] = messages[i].spi_r;
	d[at + 16] = messages[i].next;
	d[at + 17] = 0x20;
	d[at + 18] = messages[i].exchange;
	return receiver_of(g, d, sizeof d);
}

START_TEST(who_begins_has_a_queue_of_his_own)
{
	static const uint8_t cut[28] = { 1 };
	struct group nat = group_new(_i == 1), ike = group_bare();
	int first = _i == 1 ? KERNELS + 1 : KERNELS;

	ck_assert_int_eq(steer_attach_ike(ike.member[0]), OK);
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
		enum ike_queue q = messages[i].queue;

		ck_assert_int_eq(receiver_of_message(&ike, i, 0), (int)q);
		ck_assert_int_eq(receiver_of_message(&nat, i, 4),
				 q == QUEUE_SA ? 0 : first + (int)q - QUEUE_FIRST);
	}
	for (size_t len = 0; len < sizeof cut; len++)
		ck_assert_int_eq(receiver_of(&ike, cut, len), QUEUE_SA);
	group_free(&nat);
	group_free(&ike);
}
END_TEST

/* Does what a raw socket would be given for this SPI pass its filter? A pair of local sockets
 * stands for it, for filters are the same on all. */
static bool raw_passes(bool v6, uint32_t spi, uint8_t options)
{
	uint8_t d[DATAGRAM + 60] = { 0 };
	struct wr w = wr_into(d, sizeof d);
	int fd[2];
	bool passes;

	if (!v6) {
		wr_u8(&w, (uint8_t)(0x45 + options));
		wr_zero(&w, 19u + 4u * options);
	}
	wr_u32(&w, spi);
	wr_zero(&w, DATAGRAM - 4);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd), 0);
	ck_assert_int_eq(steer_raw(fd[1], v6), OK);
	ck_assert_int_eq(send(fd[0], d, wr_done(&w).len, 0), (ssize_t)wr_done(&w).len);
	passes = recv(fd[1], d, sizeof d, MSG_DONTWAIT) == (ssize_t)wr_done(&w).len;
	close(fd[0]);
	close(fd[1]);
	return passes;
}

START_TEST(raw_sockets_hear_esp_of_userspace_alone)
{
	for (int v6 = 0; v6 < 2; v6++) {
		ck_assert(raw_passes(v6 == 1, SPI_USER_BIT, 0));
		ck_assert(raw_passes(v6 == 1, spi_user(127, 255, 65535), 0));
		ck_assert(!raw_passes(v6 == 1, 256, 0));
		ck_assert(!raw_passes(v6 == 1, 0x7fffffff, 0));
	}
	ck_assert(raw_passes(false, SPI_USER_BIT, 10));
	ck_assert(!raw_passes(false, 0x7fffffff, 10));
}
END_TEST

/* The monitor keeps a duplicate of each member for this. */
START_TEST(a_member_that_is_closed_elsewhere_keeps_its_number)
{
	struct group g = group_new(true);
	int kept = dup(g.member[1]);

	close(g.member[1]);
	g.member[1] = kept;
	ck_assert_int_eq(receiver_of_spi(&g, spi_user(0, 0, 1)), 1);
	ck_assert_int_eq(receiver_of_spi(&g, spi_user(2, 0, 1)), 3);
	group_free(&g);
}
END_TEST

START_TEST(a_group_without_workers_is_refused)
{
	int fd = member_new(0);

	ck_assert_int_eq(steer_attach(fd, 0, false), ERR_CONFIG);
	close(fd);
}
END_TEST

UNIT("daemon/steer")
{
	tcase_add_loop_test(tc, ike_and_short_datagrams_go_to_the_engine, 0, 2);
	tcase_add_loop_test(tc, who_begins_has_a_queue_of_his_own, 0, 2);
	tcase_add_loop_test(tc, esp_goes_to_the_worker_that_owns_its_spi, 0, 2);
	tcase_add_loop_test(tc, esp_of_the_kernels_plane_goes_to_its_own_member_or_to_the_engine, 0,
			    2);
	tcase_add_test(tc, raw_sockets_hear_esp_of_userspace_alone);
	tcase_add_test(tc, a_socket_that_drops_all_queues_nothing);
	tcase_add_test(tc, a_member_that_is_closed_elsewhere_keeps_its_number);
	tcase_add_test(tc, a_group_without_workers_is_refused);
}
