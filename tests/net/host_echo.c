/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/net/host_echo.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"

enum {
	PACKET_MAX = 65536,
	V4_LEN = 20,
	V6_LEN = 40,
	ICMP_LEN = 16,
	V4_REQUEST = 8,
	V4_REPLY = 0,
	V6_REQUEST = 128,
	V6_REPLY = 129,
	HOPS = 64,
};

static uint32_t sum(uint32_t acc, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		acc += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	return acc;
}

static void put_checksum(uint8_t *at, uint32_t acc)
{
	while (acc >> 16 != 0)
		acc = (acc & 0xffff) + (acc >> 16);
	at[0] = (uint8_t)(~acc >> 8);
	at[1] = (uint8_t)~acc;
}

static void icmp_seal(uint8_t *p, size_t len, size_t header, bool v6)
{
	uint8_t *icmp = p + header;
	uint32_t acc = 0;

	icmp[2] = icmp[3] = 0;
	if (v6)
		acc = sum((uint32_t)(len - header) + IPPROTO_ICMPV6, p + 8, 32);
	put_checksum(icmp + 2, sum(acc, icmp, len - header));
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t t = a[i];

		a[i] = b[i];
		b[i] = t;
	}
}

enum echo echo_answer(int fd)
{
	static const struct {
		size_t header, at, len, proto;
		uint8_t icmp, request, reply;
	} kinds[] = {
		{ V4_LEN, 12, 4, 9, IPPROTO_ICMP, V4_REQUEST, V4_REPLY },
		{ V6_LEN, 8, 16, 6, IPPROTO_ICMPV6, V6_REQUEST, V6_REPLY },
	};
	static uint8_t p[PACKET_MAX];
	ssize_t n = read(fd, p, sizeof(p));
	bool v6 = n > 0 && p[0] >> 4 == 6;
	size_t header = kinds[v6].header;

	if (n < (ssize_t)(header + 8) || p[kinds[v6].proto] != kinds[v6].icmp)
		return ECHO_NOTHING;
	if (p[header] == kinds[v6].reply)
		return ECHO_REPLY;
	if (p[header] != kinds[v6].request)
		return ECHO_NOTHING;
	swap(p + kinds[v6].at, p + kinds[v6].at + kinds[v6].len, kinds[v6].len);
	p[header] = kinds[v6].reply;
	icmp_seal(p, (size_t)n, header, v6);
	return write(fd, p, (size_t)n) == n ? ECHO_ANSWERED : ECHO_NOTHING;
}

static size_t header_put(uint8_t *p, const struct addr *from, const struct addr *to)
{
	bool v6 = from->family == AF_INET6;

	if (v6) {
		p[0] = 0x60;
		p[5] = ICMP_LEN;
		p[6] = IPPROTO_ICMPV6;
		p[7] = HOPS;
	} else {
		p[0] = 0x45;
		p[3] = V4_LEN + ICMP_LEN;
		p[8] = HOPS;
		p[9] = IPPROTO_ICMP;
	}
	memcpy(p + (v6 ? 8 : 12), from->b, addr_len(from));
	memcpy(p + (v6 ? 24 : 16), to->b, addr_len(to));
	if (!v6)
		put_checksum(p + 10, sum(0, p, V4_LEN));
	return v6 ? V6_LEN : V4_LEN;
}

bool echo_ask(int fd, const char *line)
{
	uint8_t p[V6_LEN + ICMP_LEN] = { 0 };
	char source[64];
	char target[64];
	struct addr from;
	struct addr to;
	size_t header;

	if (sscanf(line, "ping %63s %63s", source, target) != 2 || !addr_parse(source, &from) ||
	    !addr_parse(target, &to))
		return false;
	header = header_put(p, &from, &to);
	p[header] = from.family == AF_INET6 ? V6_REQUEST : V4_REQUEST;
	p[header + 4] = 0x70;
	icmp_seal(p, header + ICMP_LEN, header, from.family == AF_INET6);
	return write(fd, p, header + ICMP_LEN) == (ssize_t)(header + ICMP_LEN);
}
