/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of children's own: what comes from one goes by its child's SA alone, and what that brings
 * goes into it alone, whatever the selectors say. */
#include "esp/device.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/esp/gateway.h"
#include "tests/unit/unit.h"

enum { NUMBER = 0x50000001 };

/* Our end; the other one is the gateway's. */
static int device_give(struct gateway *g, uint32_t if_id)
{
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd), 0);
	ck_assert_int_eq(esp_device(g->esp, if_id, &fd[1]), OK);
	return fd[0];
}

/* gateway_tunnel, with the SAs of both ends in their own device. */
static void device_tunnel(struct gateway *left, struct gateway *right, uint32_t spi)
{
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[0], SA_OUT, spi);
	k.d.if_id = NUMBER;
	ck_assert_int_eq(gateway_command(left, SA_INSTALL, &k), OK);
	kit_sa_make(&k, &kit_suites[0], SA_IN, spi);
	kit_sa_mirror(&k);
	k.d.if_id = NUMBER;
	ck_assert_int_eq(gateway_command(right, SA_INSTALL, &k), OK);
}

START_TEST(a_packet_goes_from_device_to_device)
{
	struct gateway left, right;
	uint8_t buf[2048], got[2048];
	struct span p = kit_udp(buf, 100, "10.1.0.1", "10.2.0.1");
	int out, in;
	ssize_t n;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	out = device_give(&left, NUMBER);
	in = device_give(&right, NUMBER);
	device_tunnel(&left, &right, SPI_A);
	gateway_put(out, p);
	n = gateway_get(left.net[0], got, sizeof(got));
	ck_assert_int_gt(n, 100);
	gateway_put(right.net[0], span_of(got, (size_t)n));
	ck_assert_int_eq(gateway_get(in, got, sizeof(got)), 100);
	ck_assert(gateway_silent(right.tun[0]));
	gateway_down(&left);
	gateway_down(&right);
	close(out);
	close(in);
}
END_TEST

START_TEST(the_shared_device_has_no_part_in_it)
{
	struct gateway left, right;
	uint8_t buf[2048];
	struct span p = kit_udp(buf, 100, "10.1.0.1", "10.2.0.1");
	int own;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	own = device_give(&left, NUMBER);
	device_tunnel(&left, &right, SPI_A);
	gateway_put(left.tun[0], p);
	gateway_dropped(&left, DROP_NO_SA, 1);
	ck_assert(gateway_silent(left.net[0]));
	gateway_down(&left);
	gateway_down(&right);
	close(own);
}
END_TEST

START_TEST(sas_of_others_do_not_carry_what_comes_from_a_device)
{
	struct gateway left, right;
	uint8_t buf[2048];
	struct span p = kit_udp(buf, 100, "10.1.0.1", "10.2.0.1");
	int own;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	own = device_give(&left, NUMBER);
	gateway_tunnel(&left, &right, 0, SPI_A);
	gateway_put(own, p);
	gateway_events(&left, 1, PLANE_ACQUIRE);
	gateway_dropped(&left, DROP_NO_SA, 1);
	ck_assert(gateway_silent(left.net[0]));
	gateway_down(&left);
	gateway_down(&right);
	close(own);
}
END_TEST

START_TEST(without_its_device_nothing_comes_out_anywhere)
{
	struct gateway left, right;
	uint8_t buf[2048], got[2048];
	struct span p = kit_udp(buf, 100, "10.1.0.1", "10.2.0.1");
	int out;
	ssize_t n;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	out = device_give(&left, NUMBER);
	device_tunnel(&left, &right, SPI_A);
	gateway_put(out, p);
	n = gateway_get(left.net[0], got, sizeof(got));
	gateway_put(right.net[0], span_of(got, (size_t)n));
	gateway_dropped(&right, DROP_SEND, 1);
	ck_assert(gateway_silent(right.tun[0]));
	gateway_down(&left);
	gateway_down(&right);
	close(out);
}
END_TEST

/* The monitor made the device anew: the old queues lead nowhere. */
START_TEST(a_new_device_of_the_same_number_takes_the_place)
{
	struct gateway left, right;
	uint8_t buf[2048], got[2048];
	struct span p = kit_udp(buf, 100, "10.1.0.1", "10.2.0.1");
	int old, new;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	old = device_give(&left, NUMBER);
	new = device_give(&left, NUMBER);
	device_tunnel(&left, &right, SPI_A);
	gateway_put(new, p);
	ck_assert_int_gt(gateway_get(left.net[0], got, sizeof(got)), 100);
	ck_assert_int_lt(write(old, p.p, p.len), 0);
	ck_assert_int_eq(esp_device(left.esp, NUMBER, NULL), OK);
	ck_assert_int_lt(write(new, p.p, p.len), 0);
	gateway_down(&left);
	gateway_down(&right);
	close(old);
	close(new);
}
END_TEST

START_TEST(there_is_room_for_many_and_an_end_of_it)
{
	struct gateway g;
	int fd[2];

	gateway_up(&g, 1);
	for (uint32_t i = 1; i <= ESP_DEVICES_MAX; i++)
		close(device_give(&g, i));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd), 0);
	ck_assert_int_eq(esp_device(g.esp, ESP_DEVICES_MAX + 1, &fd[1]), ERR_LIMIT);
	ck_assert_int_eq(esp_device(g.esp, 7, NULL), OK);
	close(fd[0]);
	close(device_give(&g, ESP_DEVICES_MAX + 1));
	gateway_down(&g);
}
END_TEST

/* Reloads that each bring a device and take the one before away. */
START_TEST(what_goes_gives_its_place_back)
{
	const uint32_t stays = 1;
	struct gateway g;

	gateway_up(&g, 1);
	close(device_give(&g, stays));
	for (uint32_t i = 2; i <= 3 * ESP_DEVICES_MAX; i++) {
		close(device_give(&g, i));
		esp_devices_keep(g.esp, (const uint32_t[]){ stays, i }, 2);
	}
	esp_devices_keep(g.esp, &stays, 1);
	for (uint32_t i = 2; i <= ESP_DEVICES_MAX; i++)
		close(device_give(&g, i));
	gateway_down(&g);
}
END_TEST

/* A queue that nobody reads any more would swallow its share of the packets. */
START_TEST(what_goes_lets_go_of_its_queues)
{
	struct gateway g;
	char one;
	int fd;

	gateway_up(&g, 1);
	fd = device_give(&g, NUMBER);
	ck_assert_int_eq(recv(fd, &one, 1, MSG_DONTWAIT), -1);
	esp_devices_keep(g.esp, NULL, 0);
	ck_assert_int_eq(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	close(fd);
	gateway_down(&g);
}
END_TEST

UNIT("esp/device")
{
	tcase_add_test(tc, a_packet_goes_from_device_to_device);
	tcase_add_test(tc, the_shared_device_has_no_part_in_it);
	tcase_add_test(tc, sas_of_others_do_not_carry_what_comes_from_a_device);
	tcase_add_test(tc, without_its_device_nothing_comes_out_anywhere);
	tcase_add_test(tc, what_goes_gives_its_place_back);
	tcase_add_test(tc, what_goes_lets_go_of_its_queues);
	tcase_add_test(tc, a_new_device_of_the_same_number_takes_the_place);
	tcase_add_test(tc, there_is_room_for_many_and_an_end_of_it);
}
