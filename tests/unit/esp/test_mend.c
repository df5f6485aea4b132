/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums in transport mode behind a NAT: mended from the addresses that the peers have to those
 * that are seen here (RFC 7296 2.23.1, RFC 3948 3.1.2), never made right when they were wrong. */
#include <stdlib.h>
#include <string.h>

#include "esp/checksum.h"
#include "esp/inner.h"
#include "esp/transport.h"
#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

static uint32_t seed = 1;

static uint32_t chance(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static void random_addr(struct addr *a, sa_family_t family)
{
	*a = (struct addr){ .family = family };
	for (size_t i = 0; i < addr_len(a); i++)
		a->b[i] = (uint8_t)(chance(3) ? chance(256) : 255 * chance(2));
	a->b[0] = family == AF_INET ? 10 : 0x20;
}

static const struct {
	uint8_t proto;
	uint8_t sum_at; /* 0: has none */
} protos[] = {
	{ PROTO_TCP, 16 }, { PROTO_UDP, 6 },	{ PROTO_UDPLITE, 6 },
	{ PROTO_DCCP, 6 }, { PROTO_ICMPV6, 2 }, { PROTO_SCTP, 0 },
	{ 47, 0 },	   { PROTO_ICMP, 0 },
};

enum { N_PROTOS = sizeof(protos) / sizeof(protos[0]) };

struct mended {
	uint8_t b[200];
	struct span p;
	struct inner in;
	size_t sum_at;
	uint8_t proto;
};

/* A random packet from src to dst. Its checksum is right. */
static void random_packet(struct mended *m, int i, const struct addr *src, const struct addr *dst)
{
	struct transport_head h = { .src = *src, .dst = *dst, .next = protos[i].proto };
	struct wr w = wr_into(m->b, sizeof(m->b));
	uint8_t body[120];
	size_t len = 20 + chance(100);
	uint16_t sum;

	for (size_t k = 0; k < len; k++)
		body[k] = (uint8_t)chance(chance(2) ? 256 : 1);
	ck_assert(transport_rebuild(&h, span_of(body, len), &w));
	m->p = wr_done(&w);
	m->in = kit_parsed(m->p);
	m->proto = protos[i].proto;
	m->sum_at = m->in.l4_at + (size_t)protos[i].sum_at;
	if (protos[i].sum_at == 0)
		return;
	wr_fill_u16(&w, m->sum_at, 0);
	sum = kit_upper_sum(m->p, m->proto, src, dst);
	wr_fill_u16(&w, m->sum_at, m->proto == PROTO_UDP && sum == 0 ? 0xffff : sum);
}

static bool mends(int i, bool v6)
{
	return protos[i].sum_at > 0 && (protos[i].proto != PROTO_ICMPV6 || v6);
}

/* Against a full computation, 20000 packets of each protocol. */
START_TEST(mended_checksums_are_those_of_the_new_addresses)
{
	for (int round = 0; round < 20000; round++) {
		sa_family_t family = round % 2 ? AF_INET6 : AF_INET;
		struct addr src, dst, new_src, new_dst;
		uint8_t before[200];
		struct mended m;

		random_addr(&src, family);
		random_addr(&dst, family);
		random_addr(&new_src, family);
		random_addr(&new_dst, family);
		if (chance(3) == 0)
			new_dst = dst;
		random_packet(&m, _i, &src, &dst);
		memcpy(before, m.b, m.p.len);
		transport_mend(m.b, &m.in, &src, &new_src);
		transport_mend(m.b, &m.in, &dst, &new_dst);
		if (mends(_i, round % 2))
			ck_assert_uint_eq(kit_upper_sum(m.p, m.proto, &new_src, &new_dst), 0);
		else
			ck_assert(memcmp(before, m.b, m.p.len) == 0);
		if (m.proto == PROTO_UDP)
			ck_assert(m.b[m.sum_at] != 0 || m.b[m.sum_at + 1] != 0);
	}
}
END_TEST

START_TEST(a_checksum_that_was_wrong_stays_wrong)
{
	struct addr src = kit_addr("10.0.0.1"), dst = kit_addr("192.0.2.2"),
		    seen = kit_addr("203.0.113.7");

	for (int round = 0; round < 1000; round++) {
		struct mended m;

		random_packet(&m, _i, &src, &dst);
		m.b[m.p.len - 1] ^= 1;
		transport_mend(m.b, &m.in, &src, &seen);
		ck_assert_uint_ne(kit_upper_sum(m.p, m.proto, &seen, &dst), 0);
	}
}
END_TEST

START_TEST(no_checksum_stays_none)
{
	struct addr was = kit_addr("192.0.2.1"), is = kit_addr("203.0.113.7");
	uint8_t b[100], before[100];
	struct span p = kit_udp(b, 100, "192.0.2.1", "192.0.2.2");
	struct inner in = kit_parsed(p);

	memcpy(before, b, 100);
	transport_mend(b, &in, &was, &is);
	ck_assert(memcmp(before, b, 100) == 0);
	/* And of another family nothing is mended. */
	b[26] = 1;
	memcpy(before, b, 100);
	is = kit_addr("2001:db8::1");
	transport_mend(b, &in, &was, &is);
	ck_assert(memcmp(before, b, 100) == 0);
}
END_TEST

/* RFC 768: a sum that comes out as zero is sent as its other form, for zero means none. */
START_TEST(a_mended_checksum_is_never_none)
{
	struct addr was = kit_addr("192.0.2.1"), is = kit_addr("203.0.113.7");
	uint8_t b[100] = { 0 };
	struct span p = kit_udp(b, 100, "192.0.2.1", "192.0.2.2");
	struct inner in = kit_parsed(p);
	struct wr w = wr_into(b, sizeof(b));

	(void)wr_take(&w, sizeof(b));
	wr_fill_u16(&w, 50, 0);
	wr_fill_u16(&w, 50, kit_upper_sum(p, PROTO_UDP, &is, &in.flow.dst));
	ck_assert_uint_eq(kit_upper_sum(p, PROTO_UDP, &is, &in.flow.dst), 0);
	wr_fill_u16(&w, 26, kit_upper_sum(p, PROTO_UDP, &was, &in.flow.dst));
	transport_mend(b, &in, &was, &is);
	ck_assert_uint_eq(b[26], 0xff);
	ck_assert_uint_eq(b[27], 0xff);
}
END_TEST

UNIT("esp/mend")
{
	tcase_add_loop_test(tc, mended_checksums_are_those_of_the_new_addresses, 0, N_PROTOS);
	tcase_add_loop_test(tc, a_checksum_that_was_wrong_stays_wrong, 0, 2);
	tcase_add_test(tc, no_checksum_stays_none);
	tcase_add_test(tc, a_mended_checksum_is_never_none);
}
