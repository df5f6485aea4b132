/* SPDX-License-Identifier: Apache-2.0 */
/* Outer headers: what a raw socket delivers, and what is asked of the kernel for what we send. */
#include "esp/outer.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp/tx.h"
#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

/* 20 bytes of header from 192.0.2.1 to 192.0.2.2, TOS 3, and four of payload. */
static const uint8_t raw4[24] = { 0x45, 3, 0, 24, 0,   0, 0x40, 0, 64, 50, 0, 0,
				  192,	0, 2, 1,  192, 0, 2,	2, 1,  2,  3, 4 };

static const struct {
	const char *why;
	uint8_t first;
	size_t len;
	bool good;
	size_t payload_len;
} headers[] = {
	{ "a plain header", 0x45, 24, true, 4 },
	{ "options up to the end", 0x46, 24, true, 0 },
	{ "nothing but a header", 0x45, 20, true, 0 },
	{ "a header cut", 0x45, 19, false, 0 },
	{ "nothing", 0x45, 0, false, 0 },
	{ "a length under 20", 0x44, 24, false, 0 },
	{ "a length of 0", 0x40, 24, false, 0 },
	{ "options beyond the end", 0x47, 24, false, 0 },
	{ "the longest header", 0x4f, 24, false, 0 },
	{ "IPv6", 0x65, 24, false, 0 },
};

START_TEST(raw_sockets_give_a_header_that_is_taken_off)
{
	struct addr from = kit_addr("192.0.2.1"), to = kit_addr("192.0.2.2");
	uint8_t b[sizeof(raw4)];
	struct esp_datagram d;
	struct outer_sock s;
	struct rx rx;
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
	s = outer_sock_of(fd[1], OUTER_RAW4);
	ck_assert(s.bare);
	ck_assert_int_eq(rx_init(&rx), OK);
	memcpy(b, raw4, sizeof(b));
	b[0] = headers[_i].first;
	ck_assert_int_eq(rx_fill(&rx, &s), 0);
	ck_assert_int_eq(send(fd[0], b, headers[_i].len, 0), (ssize_t)headers[_i].len);
	ck_assert_int_eq(rx_fill(&rx, &s), 1);
	ck_assert_msg(rx_datagram(&rx, &s, 0, &d) == headers[_i].good, "%s", headers[_i].why);
	if (headers[_i].good) {
		ck_assert_uint_eq(d.len, headers[_i].payload_len);
		ck_assert_uint_eq(d.tos, 3);
		ck_assert_uint_eq(d.ttl, 64);
		ck_assert(addr_eq(&d.path.remote.addr, &from));
		ck_assert(addr_eq(&d.path.local.addr, &to));
	}
	rx_free(&rx);
	close(fd[0]);
	close(fd[1]);
}
END_TEST

/* The body of the control message, or NULL. */
static const void *control_of(struct msghdr *h, int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return CMSG_DATA(c);
	return NULL;
}

static const struct {
	enum outer_kind kind;
	const char *local, *remote;
	uint16_t port;
} ways[] = {
	{ OUTER_UDP4, "192.0.2.1", "192.0.2.2", 4501 },
	{ OUTER_RAW4, "192.0.2.1", "192.0.2.2", 0 },
	{ OUTER_UDP6, "2001:db8::1", "2001:db8::2", 4501 },
	{ OUTER_RAW6, "2001:db8::1", "2001:db8::2", 0 },
};

START_TEST(packets_leave_from_the_address_of_their_path)
{
	struct outer_sock s = { .fd = 5, .kind = ways[_i].kind };
	struct path path = { kit_endpoint(ways[_i].local, 4500),
			     kit_endpoint(ways[_i].remote, 4501) };
	struct endpoint to, want = kit_endpoint(ways[_i].remote, ways[_i].port);
	bool v6 = path.local.addr.family == AF_INET6;
	struct msghdr h = { 0 };
	struct envelope e;
	int tos;

	outer_address(&h, &e, &s, &path, &(struct outer_head){ .tos = 0xb9 });
	ck_assert(endpoint_from_sockaddr(&to, h.msg_name));
	ck_assert(endpoint_eq(&to, &want));
	memcpy(&tos, control_of(&h, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS),
	       sizeof(tos));
	ck_assert_int_eq(tos, 0xb9);
	if (v6) {
		struct in6_pktinfo info;

		memcpy(&info, control_of(&h, IPPROTO_IPV6, IPV6_PKTINFO), sizeof(info));
		ck_assert_int_eq(memcmp(&info.ipi6_addr, path.local.addr.b, 16), 0);
		ck_assert_uint_eq(info.ipi6_ifindex, 0);
	} else {
		struct in_pktinfo info;

		memcpy(&info, control_of(&h, IPPROTO_IP, IP_PKTINFO), sizeof(info));
		ck_assert_int_eq(memcmp(&info.ipi_spec_dst, path.local.addr.b, 4), 0);
		ck_assert_int_eq(info.ipi_ifindex, 0);
	}
}
END_TEST

/* A hop limit and a flow label are asked of the kernel when there is one. */
START_TEST(hop_limit_and_flow_label_go_along)
{
	struct outer_sock s = { .fd = 5, .kind = ways[_i].kind };
	struct path path = { kit_endpoint(ways[_i].local, 4500),
			     kit_endpoint(ways[_i].remote, 4501) };
	bool v6 = path.local.addr.family == AF_INET6;
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP, kind = v6 ? IPV6_HOPLIMIT : IP_TTL, ttl;
	struct msghdr h = { 0 };
	struct envelope e;
	uint8_t label[4];

	outer_address(&h, &e, &s, &path, &(struct outer_head){ .ttl = 9, .label = 0xabcde });
	memcpy(&ttl, control_of(&h, level, kind), sizeof(ttl));
	ck_assert_int_eq(ttl, 9);
	ck_assert(v6 == (control_of(&h, IPPROTO_IPV6, 11) != NULL)); /* IPV6_FLOWINFO */
	if (v6) {
		memcpy(label, control_of(&h, IPPROTO_IPV6, 11), sizeof(label));
		ck_assert_mem_eq(label, "\x00\x0a\xbc\xde", 4);
	}
	ck_assert_uint_le(h.msg_controllen, CONTROL_MAX);
	outer_address(&h, &e, &s, &path, &(struct outer_head){ .tos = 1 });
	ck_assert_ptr_null(control_of(&h, level, kind));
	ck_assert_ptr_null(control_of(&h, IPPROTO_IPV6, 11));
}
END_TEST

START_TEST(without_a_local_address_the_kernel_chooses)
{
	struct outer_sock s = { .fd = 5, .kind = OUTER_UDP4 };
	struct path path = { .remote = kit_endpoint("192.0.2.2", 4500) };
	struct msghdr h = { 0 };
	struct envelope e;

	outer_address(&h, &e, &s, &path, &(struct outer_head){ 0 });
	ck_assert_ptr_null(control_of(&h, IPPROTO_IP, IP_PKTINFO));
	ck_assert_ptr_nonnull(control_of(&h, IPPROTO_IP, IP_TOS));
}
END_TEST

/* What the kernel would write beside a datagram is read. */
START_TEST(addresses_and_marks_are_read_from_control_messages)
{
	bool v6 = _i;
	struct outer_sock s = { .fd = -1, .kind = v6 ? OUTER_UDP6 : OUTER_UDP4, .port = 4500 };
	struct path path = { kit_endpoint(v6 ? "2001:db8::1" : "192.0.2.1", 4500),
			     kit_endpoint(v6 ? "2001:db8::2" : "192.0.2.2", 4999) };
	struct envelope e;
	struct esp_datagram d;
	struct rx rx = { 0 };
	uint8_t b[8] = { 0 };

	/* Sent and received forms are one with IPv6. With IPv4 the destination has another place,
	 * and the TOS is one byte. */
	outer_address(&rx.m[0].msg_hdr, &e, &s, &path, &(struct outer_head){ .tos = 0x2f });
	rx.iov[0] = (struct iovec){ b, sizeof(b) };
	rx.m[0].msg_len = sizeof(b);
	if (!v6) {
		struct cmsghdr *tos = CMSG_FIRSTHDR(&rx.m[0].msg_hdr);
		struct cmsghdr *info = CMSG_NXTHDR(&rx.m[0].msg_hdr, tos);
		struct in_pktinfo i = { 0 };

		tos->cmsg_len = CMSG_LEN(1);
		*CMSG_DATA(tos) = 0x2f;
		memcpy(&i.ipi_addr, path.local.addr.b, 4);
		memcpy(CMSG_DATA(info), &i, sizeof(i));
	}
	ck_assert(rx_datagram(&rx, &s, 0, &d));
	ck_assert(path_eq(&d.path, &path));
	ck_assert_uint_eq(d.tos, 0x2f);
	rx.m[0].msg_hdr.msg_flags = MSG_TRUNC;
	ck_assert(!rx_datagram(&rx, &s, 0, &d));
}
END_TEST

START_TEST(a_full_batch_is_sent_in_order_and_a_dead_socket_loses_it)
{
	struct path path = { .remote = kit_endpoint("192.0.2.2", 4500) };
	struct outer_sock s;
	struct tx tx;
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
	s = outer_sock_of(fd[1], OUTER_UDP4);
	ck_assert_int_eq(tx_init(&tx), OK);
	for (uint8_t round = 0; round < 2; round++) {
		for (uint8_t i = 0; i < BATCH; i++) {
			struct wr w = tx_room(&tx);

			wr_u8(&w, i);
			ck_assert_int_eq(tx_add(&tx, wr_done(&w), &s, &path,
						&(struct outer_head){ 0 }),
					 i == BATCH - 1);
		}
		/* The queue of a socketpair is shorter than the batch: read as much as came. */
		tx_flush(&tx, &s);
		for (uint8_t i = 0; round == 0 && i < BATCH - tx.lost; i++) {
			uint8_t got;

			ck_assert_int_eq(recv(fd[0], &got, 1, MSG_DONTWAIT), 1);
			ck_assert_uint_eq(got, i);
		}
		if (round == 0)
			close(fd[0]);
		else
			ck_assert_uint_eq(tx.lost, BATCH);
		ck_assert_int_eq(tx.n, 0);
		tx.lost = 0;
	}
	tx_free(&tx);
	close(fd[1]);
}
END_TEST

UNIT("esp/outer")
{
	tcase_add_loop_test(tc, raw_sockets_give_a_header_that_is_taken_off, 0,
			    (int)(sizeof(headers) / sizeof(headers[0])));
	tcase_add_loop_test(tc, packets_leave_from_the_address_of_their_path, 0, 4);
	tcase_add_loop_test(tc, hop_limit_and_flow_label_go_along, 0, 4);
	tcase_add_test(tc, without_a_local_address_the_kernel_chooses);
	tcase_add_loop_test(tc, addresses_and_marks_are_read_from_control_messages, 0, 2);
	tcase_add_test(tc, a_full_batch_is_sent_in_order_and_a_dead_socket_loses_it);
}
