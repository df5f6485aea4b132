/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation after the other fails where userspace ESP is set up and told what to carry: it
 * says so, and carries what it carried. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/esp/gateway.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/rejected.h"
#include "tests/unit/unit.h"

enum { ALLOCATIONS_MAX = 2000, SPI_C = 0x80030003 };

/* A packet from the machine left to the machine right. */
static void one_through(struct gateway *left, struct gateway *right)
{
	uint8_t buf[200], got[300];
	ssize_t n;

	gateway_put(left->tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	n = gateway_get(left->net[0], got, sizeof(got));
	ck_assert_int_gt(n, 100);
	gateway_put(right->net[0], span_of(got, (size_t)n));
	ck_assert_int_eq(gateway_get(right->tun[0], got, sizeof(got)), 100);
}

START_TEST(what_cannot_be_installed_is_not_there_and_the_rest_is)
{
	const enum sa_dir dir = _i ? SA_IN : SA_OUT;
	struct gateway left, right;
	struct kit_sa k;
	struct sa_cmd cmd;
	struct sa_done done;
	bool failed;
	size_t n = 0, lacked = 0;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	gateway_tunnel(&left, &right, 0, SPI_A);
	kit_sa_make(&k, &kit_suites[0], dir, SPI_C);
	k.remote = kit_ts("10.2.0.0/20"); /* of another shape: the index grows */
	if (dir == SA_IN)
		kit_sa_mirror(&k);
	cmd = (struct sa_cmd){ .op = SA_INSTALL, .sa = k.d };
	do {
		struct gateway *g = dir == SA_IN ? &right : &left;

		ck_assert_uint_lt(++n, ALLOCATIONS_MAX);
		failing_arm(n); /* libcheck allocates, too */
		esp_command(g->esp, &cmd, &done);
		failed = failing_disarm();
		if (done.err != OK) /* the crypto library can do without one of them */
			ck_assert(failed && done.err == ERR_NOMEM);
		lacked += done.err != OK;
		ck_assert_int_eq(gateway_command(g, SA_REMOVE, &k),
				 done.err == OK ? OK : ERR_NOT_FOUND);
		one_through(&left, &right);
	} while (failed);
	ck_assert(n > 5 && lacked >= n - 2);
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

START_TEST(a_plane_is_whole_or_not_there)
{
	int tun[2], net[2], raw[2];
	struct heard heard = { 0 };
	struct esp_env env = { .n_workers = 1,
			       .raw6_fd = -1,
			       .udp6_fd = { -1 },
			       .to_engine = gateway_to_engine,
			       .event = gateway_event,
			       .ctx = &heard };
	size_t before = 0, n = 0;
	bool failed;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, tun), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, net), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, raw), 0);
	env.tun_fd[0] = tun[0];
	env.udp4_fd[0] = net[0];
	env.raw4_fd = raw[0];
	do {
		struct esp *esp = NULL;
		enum err e;

		ck_assert_uint_lt(++n, ALLOCATIONS_MAX);
		failing_arm(n);
		e = esp_new(&env, &esp);
		failed = failing_disarm();
		ck_assert_int_eq(e, failed ? ERR_NOMEM : OK);
		if (e == OK)
			esp_free(esp);
		if (n == 1)
			before = rejected_in_use();
	} while (failed);
	ck_assert_uint_le(rejected_in_use(), before + REJECTED_NOISE);
	ck_assert_uint_gt(n, 3);
	for (int i = 0; i < 2; i++) {
		close(tun[i]);
		close(net[i]);
		close(raw[i]);
	}
}
END_TEST

UNIT("memory/esp")
{
	tcase_add_loop_test(tc, what_cannot_be_installed_is_not_there_and_the_rest_is, 0, 2);
	tcase_add_test(tc, a_plane_is_whole_or_not_there);
}
