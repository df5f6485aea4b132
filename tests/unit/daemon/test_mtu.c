/* SPDX-License-Identifier: Apache-2.0 */
/* The book of path MTUs: who is found by what, and that many cost each no more than few do. */
#include "daemon/mtu.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/unit/unit.h"

static const struct route nowhere = { .fd = { -1, -1 } };

struct told {
	size_t n;
	struct mtu_fact last;
};

static void changed(void *ctx, const struct mtu_fact *f)
{
	struct told *t = ctx;

	t->n++;
	t->last = *f;
}

/* The child of this number, which has a peer of its own. */
static struct sa_cmd outbound(enum sa_op op, unsigned int i)
{
	struct sa_cmd cmd = { .op = op, .ticket = i + 1, .sa = { .dir = SA_OUT } };
	char text[32];

	cmd.sa.spi = 0x1000 + i;
	cmd.sa.child_id = i;
	snprintf(cmd.sa.connection, sizeof cmd.sa.connection, "peer-%u", i / 4);
	snprintf(cmd.sa.child, sizeof cmd.sa.child, "net-%u", i % 4);
	snprintf(text, sizeof text, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
	ck_assert(addr_parse(text, &cmd.sa.path.remote.addr));
	return cmd;
}

static bool is_known(struct mtu_book *b, const struct sa_cmd *cmd, uint16_t path)
{
	struct mtu_fact f;

	return mtu_of(b, cmd->sa.connection, cmd->sa.child, &f) && f.path == path;
}

static void begins(struct mtu_book **b, struct told *t)
{
	*t = (struct told){ .n = 0 };
	ck_assert_int_eq(mtu_new(&nowhere, changed, t, b), OK);
}

START_TEST(the_newest_of_a_child_counts)
{
	struct sa_cmd old = outbound(SA_INSTALL, 1), next = outbound(SA_INSTALL, 2);
	struct addr was = next.sa.path.remote.addr;
	struct addr elsewhere = outbound(SA_MOVE, 3).sa.path.remote.addr;
	struct mtu_book *b;
	struct told t;

	begins(&b, &t);
	memcpy(next.sa.child, old.sa.child, sizeof next.sa.child);
	mtu_sa(b, &old);
	mtu_path(b, PLANE_USER, &old.sa.path.remote.addr, 1400);
	mtu_sa(b, &next);
	ck_assert(is_known(b, &next, 1400)); /* nothing is known of the next one yet */
	mtu_path(b, PLANE_KERNEL, &next.sa.path.remote.addr, 1300);
	ck_assert(is_known(b, &next, 1400));
	mtu_path(b, PLANE_USER, &next.sa.path.remote.addr, 1300);
	ck_assert(is_known(b, &next, 1300));
	ck_assert_uint_eq(t.n, 2);
	next.op = SA_MOVE;
	next.sa.path.remote.addr = elsewhere;
	mtu_sa(b, &next);
	mtu_path(b, PLANE_USER, &was, 1200);
	ck_assert(is_known(b, &next, 1300));
	mtu_path(b, PLANE_USER, &elsewhere, 1200);
	ck_assert(is_known(b, &next, 1200));
	next.op = SA_REMOVE;
	mtu_sa(b, &next);
	ck_assert(is_known(b, &old, 1400));
	mtu_clear(b, PLANE_KERNEL);
	ck_assert(is_known(b, &old, 1400));
	mtu_clear(b, PLANE_USER);
	ck_assert(!is_known(b, &old, 1400));
	mtu_free(b);
}
END_TEST

static double processor(void)
{
	struct timespec t;

	ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cost_of(unsigned int n)
{
	double begin = processor();
	struct mtu_book *b;
	struct told t;

	begins(&b, &t);
	for (unsigned int i = 0; i < n; i++) {
		struct sa_cmd cmd = outbound(SA_CLAIM, i);

		mtu_sa(b, &cmd);
		mtu_path(b, PLANE_USER, &cmd.sa.path.remote.addr, 1400);
		ck_assert(is_known(b, &cmd, 1400));
	}
	ck_assert_uint_eq(t.n, n);
	for (unsigned int i = 0; i < n; i++) {
		struct sa_cmd cmd = outbound(SA_REMOVE, i);

		mtu_sa(b, &cmd);
		ck_assert(!is_known(b, &cmd, 1400));
	}
	mtu_free(b);
	return processor() - begin;
}

/* Twenty times as many, and sixty times the time at most: it would be four hundred. */
START_TEST(many_cost_each_what_few_cost)
{
	double few = cost_of(1000), many = cost_of(20000);

	ck_assert_msg(many < 60 * few, "1000 take %f s, 20000 %f s", few, many);
}
END_TEST

UNIT("daemon/mtu")
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_newest_of_a_child_counts);
	tcase_add_test(tc, many_cost_each_what_few_cost);
}
