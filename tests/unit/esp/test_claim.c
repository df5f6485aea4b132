/* SPDX-License-Identifier: Apache-2.0 */
/* SAs that outlive the engine that had them put in. */
#include <check.h>

#include "esp/ledger.h"
#include "tests/unit/esp/gateway.h"
#include "tests/unit/unit.h"

/* Gateway and the two halves of one child, put in with these numbers. */
struct scene {
	struct gateway g;
	struct kit_sa in, out;
};

static enum err command(struct scene *s, enum sa_op op, const struct kit_sa *k, uint64_t install)
{
	struct sa_cmd cmd = { .ticket = install, .op = op, .install = install, .sa = k->d };
	struct sa_done done;

	cmd.sa.local.v = (struct ts *)&k->local;
	cmd.sa.remote.v = (struct ts *)&k->remote;
	esp_command(s->g.esp, &cmd, &done);
	return done.err;
}

static void up(struct scene *s)
{
	gateway_up(&s->g, 1);
	kit_sa_make(&s->in, &kit_suites[0], SA_IN, SPI_A);
	kit_sa_make(&s->out, &kit_suites[0], SA_OUT, SPI_B);
	ck_assert_int_eq(command(s, SA_INSTALL, &s->in, 10), OK);
	ck_assert_int_eq(command(s, SA_INSTALL, &s->out, 11), OK);
}

static void sweep(struct scene *s)
{
	ck_assert_int_eq(command(s, SA_SWEEP, &s->in, 0), OK);
}

START_TEST(who_was_put_in_by_this_engine_stays)
{
	struct scene s;

	up(&s);
	sweep(&s);
	ck_assert_int_eq(command(&s, SA_QUERY, &s.in, 0), OK);
	ck_assert_int_eq(command(&s, SA_QUERY, &s.out, 0), OK);
	gateway_down(&s.g);
}
END_TEST

START_TEST(who_is_claimed_stays_and_who_is_not_goes)
{
	struct scene s;

	up(&s);
	esp_unclaim(s.g.esp);
	ck_assert_int_eq(command(&s, SA_CLAIM, _i ? &s.out : &s.in, 0), OK);
	sweep(&s);
	ck_assert_int_eq(command(&s, SA_QUERY, &s.in, 0), _i ? ERR_NOT_FOUND : OK);
	ck_assert_int_eq(command(&s, SA_QUERY, &s.out, 0), _i ? OK : ERR_NOT_FOUND);
	gateway_down(&s.g);
}
END_TEST

START_TEST(who_is_claimed_as_something_else_is_not_there)
{
	struct scene s;
	struct kit_sa k;

	up(&s);
	esp_unclaim(s.g.esp);
	k = s.in;
	k.d.child_id++;
	ck_assert_int_eq(command(&s, SA_CLAIM, &k, 0), ERR_NOT_FOUND);
	k = s.in;
	k.remote = kit_ts("10.9.0.0/16");
	ck_assert_int_eq(command(&s, SA_CLAIM, &k, 0), ERR_NOT_FOUND);
	k = s.in;
	k.d.spi++;
	ck_assert_int_eq(command(&s, SA_CLAIM, &k, 0), ERR_NOT_FOUND);
	sweep(&s);
	ck_assert_int_eq(command(&s, SA_QUERY, &s.in, 0), ERR_NOT_FOUND);
	gateway_down(&s.g);
}
END_TEST

/* Its sequence numbers would begin anew. */
START_TEST(nothing_is_put_in_twice_for_one_engine_after_the_other)
{
	struct scene s;

	up(&s);
	esp_unclaim(s.g.esp);
	ck_assert_int_eq(command(&s, SA_INSTALL, &s.in, 10), OK); /* it is there */
	ck_assert_int_eq(command(&s, SA_REMOVE, &s.out, 0), OK);
	ck_assert_int_eq(command(&s, SA_INSTALL, &s.out, 11), ERR_NOT_FOUND);
	ck_assert_int_eq(command(&s, SA_QUERY, &s.out, 0), ERR_NOT_FOUND);
	ck_assert_int_eq(command(&s, SA_INSTALL, &s.out, 12), OK); /* this came never */
	sweep(&s);
	ck_assert_int_eq(command(&s, SA_QUERY, &s.in, 0), OK);
	ck_assert_int_eq(command(&s, SA_QUERY, &s.out, 0), OK);
	gateway_down(&s.g);
}
END_TEST

/* An engine that asks anew while its first command still waits gives it twice to one process. */
START_TEST(what_is_given_twice_is_there_once)
{
	struct scene s;
	struct kit_sa k;
	struct sa_cmd cmd = { .op = SA_INSTALL, .ticket = 20, .install = 12 };
	struct sa_done done;

	up(&s);
	esp_unclaim(s.g.esp);
	kit_sa_make(&k, &kit_suites[0], SA_IN, SPI_A + 1);
	ck_assert_int_eq(command(&s, SA_INSTALL, &k, 12), OK);
	cmd.sa = k.d;
	cmd.sa.local.v = &k.local;
	cmd.sa.remote.v = &k.remote;
	esp_command(s.g.esp, &cmd, &done);
	ck_assert_int_eq(done.err, OK);
	ck_assert_int_eq(command(&s, SA_REMOVE, &k, 0), OK);
	ck_assert_int_eq(command(&s, SA_QUERY, &k, 0), ERR_NOT_FOUND);
	gateway_down(&s.g);
}
END_TEST

/* By an engine that was taken over: whatever the one after it puts in would count as done. */
START_TEST(no_number_is_of_times_to_come)
{
	struct scene s;
	struct kit_sa k;

	up(&s);
	kit_sa_make(&k, &kit_suites[0], SA_IN, SPI_A + 1);
	ck_assert_int_eq(command(&s, SA_INSTALL, &k, UINT64_MAX), ERR_DENIED);
	ck_assert_int_eq(command(&s, SA_QUERY, &k, 0), ERR_NOT_FOUND);
	esp_unclaim(s.g.esp);
	ck_assert_int_eq(command(&s, SA_INSTALL, &k, 12), OK);
	ck_assert_int_eq(command(&s, SA_QUERY, &k, 0), OK);
	gateway_down(&s.g);
}
END_TEST

/* ... nor by a process that was: what it has left is not believed. */
START_TEST(no_number_that_was_left_is_of_times_to_come)
{
	static _Alignas(4096) uint8_t memory[1 << 20]; /* as a mapping is */
	const struct esp_memory m = { .p = memory, .size = sizeof(memory) };
	struct esp_kept kept;
	struct scene s;
	struct ledger l;

	ck_assert_int_eq(ledger_open(&l, &m), OK);
	ledger_set_installed(&l, UINT64_MAX);
	ledger_commit(&l);
	ledger_close(&l);
	gateway_up(&s.g, 1);
	ck_assert_int_eq(esp_keep(s.g.esp, &m, &kept), OK);
	esp_unclaim(s.g.esp);
	kit_sa_make(&s.in, &kit_suites[0], SA_IN, SPI_A);
	ck_assert_int_eq(command(&s, SA_INSTALL, &s.in, 12), OK);
	gateway_down(&s.g);
	ck_assert_int_eq(ledger_open(&l, &m), OK);
	ck_assert_uint_eq(ledger_installed(&l), 12);
	ledger_close(&l);
}
END_TEST

/* It does not know what another one before it has carried out. */
START_TEST(what_is_given_again_to_a_new_process_is_not_put_in)
{
	struct scene s;
	struct sa_cmd cmd = { .op = SA_INSTALL, .ticket = 20, .install = 9 };
	struct sa_done done;

	gateway_up(&s.g, 1);
	kit_sa_make(&s.in, &kit_suites[0], SA_IN, SPI_A);
	esp_unclaim(s.g.esp);
	cmd.sa = s.in.d;
	esp_command(s.g.esp, &cmd, &done);
	ck_assert_int_eq(done.err, ERR_NOT_FOUND);
	ck_assert_int_eq(command(&s, SA_QUERY, &s.in, 0), ERR_NOT_FOUND);
	ck_assert_int_eq(command(&s, SA_INSTALL, &s.in, 21), OK); /* this is a new one */
	esp_command(s.g.esp, &cmd, &done);
	ck_assert_int_eq(done.err, OK); /* it is there */
	gateway_down(&s.g);
}
END_TEST

UNIT("esp/claim")
{
	tcase_add_test(tc, who_was_put_in_by_this_engine_stays);
	tcase_add_loop_test(tc, who_is_claimed_stays_and_who_is_not_goes, 0, 2);
	tcase_add_test(tc, who_is_claimed_as_something_else_is_not_there);
	tcase_add_test(tc, what_is_given_twice_is_there_once);
	tcase_add_test(tc, no_number_is_of_times_to_come);
	tcase_add_test(tc, no_number_that_was_left_is_of_times_to_come);
	tcase_add_test(tc, what_is_given_again_to_a_new_process_is_not_put_in);
	tcase_add_test(tc, nothing_is_put_in_twice_for_one_engine_after_the_other);
}
