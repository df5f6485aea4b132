/* SPDX-License-Identifier: Apache-2.0 */
/* The peer chooses the selectors, up to 255 for each side, and the process that cuts them has one
 * thread: what the worst lists cost is held against what a harmless one does.
 */
#include <time.h>

#include "tests/unit/unit.h"
#include "xfrm/flow.h"

enum { MANY = TS_MAX - 1 };

static uint64_t cpu_ns(void)
{
	struct timespec t;

	ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct ts between(const char *lo, const char *hi, uint8_t proto)
{
	struct ts t = { .proto = proto, .port_hi = UINT16_MAX };

	ck_assert(addr_parse(lo, &t.lo) && addr_parse(hi, &t.hi));
	return t;
}

/* What it costs to cut the two lists into the policies of one half. */
static uint64_t cost(struct ts *local, struct ts *remote, enum err want, size_t n)
{
	struct sa_desc d = { .dir = SA_OUT, .spi = 0x1002, .reqid = SA_REQID_BASE + 7 };
	struct flow_list l = { .n = 0 };
	uint64_t began;

	ck_assert(addr_parse("192.0.2.1", &d.path.local.addr));
	ck_assert(addr_parse("192.0.2.2", &d.path.remote.addr));
	d.local = (struct ts_list){ .n = MANY + 1, .v = local };
	d.remote = (struct ts_list){ .n = MANY + 1, .v = remote };
	began = cpu_ns();
	ck_assert_int_eq(flow_list_fill(&l, &d), want);
	began = cpu_ns() - began;
	ck_assert_uint_eq(l.n, n);
	flow_list_free(&l);
	return began;
}

/* 255 hosts, and a server. The pairs of the two lists that have no packet are as many as below. */
static uint64_t harmless(void)
{
	struct ts local[MANY + 1];
	struct ts remote[MANY + 1];

	for (unsigned int i = 0; i <= MANY; i++) {
		local[i] = between("10.1.0.0", "10.1.0.0", IPPROTO_TCP);
		local[i].lo.b[3] = local[i].hi.b[3] = (uint8_t)i;
		remote[i] = between("10.2.0.0", "10.2.0.0", i == 0 ? IPPROTO_TCP : IPPROTO_UDP);
	}
	return cost(local, remote, OK, MANY + 1);
}

/* As ragged as a range can be, 254 times on each side: it is 254 networks. And one pair that has
 * packets, without which nothing is negotiated. */
START_TEST(ragged_ranges_cost_no_more_than_what_is_harmless)
{
	static const struct {
		uint8_t proto;
		uint16_t local, remote; /* the first port, or type and code, of all */
		enum err err;
		size_t n;
	} rows[] = {
		{ IPPROTO_ICMPV6, 1 << 8, 2 << 8, OK, 1 },
		{ IPPROTO_ICMPV6, 1 << 8, 1 << 8, ERR_LIMIT, 0 },
		{ IPPROTO_TCP, 1 << 8, 2 << 8, ERR_LIMIT, 0 },
	};
	enum { TIMES = 200 };
	struct ts local[MANY + 1];
	struct ts remote[MANY + 1];
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; i < MANY; i++) {
		local[i] = between("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 0);
		local[i].proto = rows[_i].proto;
		remote[i] = local[i];
		local[i].port_lo = local[i].port_hi = (uint16_t)(rows[_i].local + i);
		remote[i].port_lo = remote[i].port_hi = (uint16_t)(rows[_i].remote + i);
	}
	local[MANY] = remote[MANY] = between("fd00::1", "fd00::1", IPPROTO_UDP);
	for (int i = 0; i < 5; i++) {
		uint64_t took = harmless();

		least = took < least ? took : least;
	}
	ck_assert_uint_lt(cost(local, remote, rows[_i].err, rows[_i].n), TIMES * least);
}
END_TEST

/* Each pair has one packet at least, and there are more than 64000 of them. */
START_TEST(many_pairs_that_meet_end_at_a_limit)
{
	struct ts local[MANY + 1];
	struct ts remote[MANY + 1];

	for (unsigned int i = 0; i <= MANY; i++) {
		local[i] = between("10.1.0.1", "10.1.0.1", IPPROTO_UDP);
		remote[i] = between("10.2.0.1", "10.2.0.1", IPPROTO_UDP);
		local[i].port_lo = local[i].port_hi = (uint16_t)(1000 + i);
		remote[i].port_lo = remote[i].port_hi = (uint16_t)(1000 + i);
	}
	(void)cost(local, remote, ERR_LIMIT, 0);
}
END_TEST

UNIT("xfrm/flow_cost")
{
	tcase_add_loop_test(tc, ragged_ranges_cost_no_more_than_what_is_harmless, 0, 3);
	tcase_add_test(tc, many_pairs_that_meet_end_at_a_limit);
}
