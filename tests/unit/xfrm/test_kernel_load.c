/* SPDX-License-Identifier: Apache-2.0 */
/* Many SAs: what a command costs us does not grow with what others have. Compared is processor time
 * with processor time of the same run, with wide bounds: what walked over everything was above them
 * by a factor of ten and more.
 */
#include <string.h>
#include <time.h>

#include "tests/unit/xfrm/kit.h"
#include "tests/unit/xfrm/quick.h"
#include "xfrm/kernel.h"
#include "xfrm/kernel_inner.h"

enum {
	REQID = SA_REQID_BASE + 1,
	GCM_16 = 20,
	BATCHES = 20,
	BATCH = 150, /* pairs of halves */
	EDGE = 4,    /* so many of the batches at either end are compared */
	RAGGED = 8,  /* halves of 30 x 2 networks */
};

struct load {
	struct quick q;
	struct netlink nl;
	struct kernel *k;
	struct ts local;
	struct ts remote;
	struct sa_done done;
};

static uint64_t cpu_us(void)
{
	struct timespec t;

	ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct addr v4(uint32_t a)
{
	struct addr v = { .family = AF_INET };

	a = htonl(a);
	memcpy(v.b, &a, sizeof(a));
	return v;
}

static struct ts range(uint32_t lo, uint32_t hi)
{
	return (struct ts){ .port_hi = UINT16_MAX, .lo = v4(lo), .hi = v4(hi) };
}

static void load_begin(struct load *l)
{
	const char *text = "10.1.0.0/16>10.128.0.0/9";
	struct children c = kit_children(&text, 1);
	char why[HOST_WHY_MAX];

	*l = (struct load){ .local = range(0x0a010000, 0x0a01ffff) };
	c.v[0].reqid = REQID;
	c.v[0].plane = PLANE_KERNEL;
	ck_assert_int_eq(netlink_over(&l->nl, &quick_ops, &l->q), OK);
	ck_assert_int_eq(kernel_over(&l->nl, &l->k), OK);
	ck_assert_int_eq(kernel_traps_set(l->k, c.v, 1, false, why), OK);
	children_free(&c);
}

static void load_end(struct load *l)
{
	kernel_close(l->k);
	netlink_close(&l->nl);
	quick_free(&l->q);
}

/* The peer of this number, whose networks are l->remote. */
static void command(struct load *l, enum sa_op op, enum sa_dir dir, uint32_t peer)
{
	struct sa_cmd cmd = {
		.op = op,
		.ticket = 1,
		.sa = { .dir = dir,
			.plane = PLANE_KERNEL,
			.spi = 0x10000 + peer,
			.child_id = peer + 1,
			.reqid = REQID,
			.path = { .local.addr = v4(0xc0000201),
				  .remote.addr = v4(0xc6000000 + peer) },
			.replay_window = 64,
			.encr_id = GCM_16,
			.encr_key_bits = 128,
			.encr_key = { .len = 20 },
			.local = { .n = 1, .v = &l->local },
			.remote = { .n = 1, .v = &l->remote } },
	};

	kernel_command(l->k, &cmd, &l->done);
}

static void pair(struct load *l, enum sa_op op, uint32_t peer)
{
	static const enum sa_dir dirs[] = { SA_IN, SA_OUT };

	l->remote = range(0x0a800000 + peer, 0x0a800000 + peer);
	for (size_t i = 0; i < 2; i++) {
		command(l, op, dirs[i], peer);
		ck_assert_msg(l->done.err == OK, "%s", l->done.why);
	}
}

static uint64_t settle_us(struct load *l)
{
	const struct settle s = { .all = false };
	char why[HOST_WHY_MAX];
	uint64_t from = cpu_us();

	ck_assert_int_eq(kernel_settle(l->k, &s, why), OK);
	return cpu_us() - from;
}

static uint64_t least(const uint64_t *v)
{
	uint64_t min = v[0];

	for (size_t i = 1; i < EDGE; i++)
		min = v[i] < min ? v[i] : min;
	return min;
}

START_TEST(the_last_of_many_costs_what_the_first_did)
{
	struct load l;
	uint64_t us[BATCHES];
	uint64_t all;
	uint64_t took;

	load_begin(&l);
	all = cpu_us();
	for (uint32_t b = 0; b < BATCHES; b++) {
		us[b] = cpu_us();
		for (uint32_t i = 0; i < BATCH; i++)
			pair(&l, SA_INSTALL, b * BATCH + i);
		us[b] = cpu_us() - us[b];
	}
	all = cpu_us() - all;
	ck_assert_uint_eq(l.k->halves.n, 2 * BATCHES * BATCH);
	ck_assert_msg(least(&us[BATCHES - EDGE]) < 4 * least(us), "%llu us, then %llu us",
		      (unsigned long long)least(us),
		      (unsigned long long)least(&us[BATCHES - EDGE]));
	took = settle_us(&l);
	ck_assert_msg(took < 2 * all, "reading all takes %llu us, installing %llu us",
		      (unsigned long long)took, (unsigned long long)all);
	took = cpu_us();
	for (uint32_t i = 0; i < BATCH; i++)
		pair(&l, SA_REMOVE, 7 * i);
	took = cpu_us() - took;
	ck_assert_msg(took < 4 * least(us), "removal takes %llu us", (unsigned long long)took);
	ck_assert_uint_eq(l.k->halves.n, 2 * BATCHES * BATCH - 2 * BATCH);
	load_end(&l);
}
END_TEST

/* Without the first and the last address it is 30 networks; two of ours. */
static void ragged(struct load *l, uint32_t peer)
{
	uint32_t net = 0x0a800000 + (peer << 15);

	l->local = range(0x0a010000, 0x0a010002);
	l->remote = range(net + 1, net + 0x7ffe);
}

START_TEST(ragged_selectors_cost_no_more_to_read_than_to_install)
{
	struct load l;
	uint64_t all;
	uint64_t took;

	load_begin(&l);
	all = cpu_us();
	for (uint32_t i = 0; i < RAGGED; i++) {
		ragged(&l, i);
		command(&l, SA_INSTALL, i % 2 == 0 ? SA_IN : SA_OUT, i);
		ck_assert_msg(l.done.err == OK, "%s", l.done.why);
	}
	all = cpu_us() - all;
	took = settle_us(&l);
	ck_assert_msg(took < 5 * all, "reading all takes %llu us, installing %llu us",
		      (unsigned long long)took, (unsigned long long)all);
	load_end(&l);
}
END_TEST

/* And when some of them go, there is room again. */
START_TEST(the_peers_of_one_child_have_a_share_of_all_policies)
{
	struct load l;
	uint32_t n = 0;

	load_begin(&l);
	do {
		ck_assert_uint_lt(n, 1000);
		ragged(&l, n % 256);
		/* Policies are the same where selectors are. */
		l.local = range(0x0a010000 + 4 * (n / 256), 0x0a010002 + 4 * (n / 256));
		command(&l, SA_INSTALL, SA_IN, n++);
	} while (l.done.err == OK);
	ck_assert_int_eq(l.done.err, ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(l.done.why, "its share"));
	ck_assert_uint_gt(l.k->policies.n, POLICY_FLOW_SLOTS / 5);
	ck_assert_uint_lt(l.k->policies.n, POLICY_FLOW_SLOTS / 3);
	command(&l, SA_INSTALL, SA_IN, n - 1);
	ck_assert_int_eq(l.done.err, ERR_LIMIT);
	command(&l, SA_REMOVE, SA_IN, 0);
	ck_assert_int_eq(l.done.err, OK);
	command(&l, SA_INSTALL, SA_IN, n - 1);
	ck_assert_msg(l.done.err == OK, "%s", l.done.why);
	load_end(&l);
}
END_TEST

UNIT("xfrm/kernel_load")
{
	tcase_add_test(tc, the_last_of_many_costs_what_the_first_did);
	tcase_add_test(tc, ragged_selectors_cost_no_more_to_read_than_to_install);
	tcase_add_test(tc, the_peers_of_one_child_have_a_share_of_all_policies);
}
