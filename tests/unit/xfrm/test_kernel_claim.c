/* SPDX-License-Identifier: Apache-2.0 */
/* Halves in the kernel that outlive the engine that had them put in. */
#include "tests/unit/unit.h"
#include "tests/unit/xfrm/kernel_world.h"

enum { SPI_IN = 0x1001, SPI_OUT = 0x1002, LATER_IN = 0x1011, LATER_OUT = 0x1012 };

static void give(struct world *w, enum sa_op op, enum sa_dir dir, uint32_t spi, uint64_t install)
{
	struct sa_cmd cmd = world_cmd(w, op, dir, spi);

	cmd.install = install;
	world_run(w, &cmd);
}

static void expect(struct world *w, size_t halves)
{
	ck_assert_uint_eq(w->k->halves.n, halves);
	ck_assert_ptr_null(world_wrong(w));
}

START_TEST(who_was_put_in_by_this_engine_stays)
{
	struct world *w = world_new();

	world_up(w);
	give(w, SA_SWEEP, SA_IN, 0, 0);
	ck_assert_int_eq(w->err, OK);
	expect(w, 2);
	world_free(w);
}
END_TEST

START_TEST(who_is_claimed_stays_and_who_is_not_goes)
{
	struct world *w = world_new();

	world_up_twice(w);
	kernel_unclaim(w->k);
	give(w, SA_CLAIM, SA_IN, LATER_IN, 0);
	ck_assert_int_eq(w->err, OK);
	give(w, SA_CLAIM, SA_OUT, LATER_OUT, 0);
	ck_assert_int_eq(w->err, OK);
	expect(w, 4);
	give(w, SA_SWEEP, SA_IN, 0, 0);
	ck_assert_int_eq(w->err, OK);
	expect(w, 2);
	give(w, SA_QUERY, SA_IN, SPI_IN, 0);
	ck_assert_int_eq(w->err, ERR_NOT_FOUND);
	give(w, SA_QUERY, SA_OUT, LATER_OUT, 0);
	ck_assert_int_eq(w->err, OK);
	world_free(w);
}
END_TEST

START_TEST(who_is_claimed_as_something_else_is_not_there)
{
	struct world *w = world_new();
	struct sa_cmd cmd;

	world_up(w);
	kernel_unclaim(w->k);
	cmd = world_cmd(w, SA_CLAIM, SA_IN, SPI_IN);
	cmd.sa.mode = SA_TRANSPORT;
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_NOT_FOUND);
	cmd = world_cmd(w, SA_CLAIM, SA_IN, SPI_IN);
	cmd.sa.local = w->children.v[1].local;
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_NOT_FOUND);
	world_free(w);
}
END_TEST

/* Its sequence numbers would begin anew. */
START_TEST(nothing_is_put_in_twice_for_one_engine_after_the_other)
{
	struct world *w = world_new();

	world_trapped(w);
	give(w, SA_INSTALL, SA_IN, SPI_IN, 10);
	give(w, SA_INSTALL, SA_OUT, SPI_OUT, 11);
	ck_assert_int_eq(w->err, OK);
	kernel_unclaim(w->k);
	give(w, SA_INSTALL, SA_IN, SPI_IN, 10);
	ck_assert_int_eq(w->err, OK);
	give(w, SA_REMOVE, SA_OUT, SPI_OUT, 0);
	give(w, SA_INSTALL, SA_OUT, SPI_OUT, 11);
	ck_assert_int_eq(w->err, ERR_NOT_FOUND);
	expect(w, 1);
	give(w, SA_INSTALL, SA_OUT, SPI_OUT, 12);
	ck_assert_int_eq(w->err, OK);
	give(w, SA_SWEEP, SA_IN, 0, 0);
	expect(w, 2);
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel-claim")
{
	tcase_add_test(tc, who_was_put_in_by_this_engine_stays);
	tcase_add_test(tc, who_is_claimed_stays_and_who_is_not_goes);
	tcase_add_test(tc, who_is_claimed_as_something_else_is_not_there);
	tcase_add_test(tc, nothing_is_put_in_twice_for_one_engine_after_the_other);
}
