/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "tests/unit/xfrm/kernel_world.h"

static uint32_t a_device(const struct addr *own, enum sa_offload want)
{
	(void)own;
	return want == OFFLOAD_NO ? 0 : 3;
}

static const struct {
	enum sa_offload want;
	enum model_fault fault; /* of the first request that asks for it */
	enum err err;
	enum sa_offload given;
} offloads[] = {
	{ OFFLOAD_NO, FAULT_NONE, OK, OFFLOAD_NO },
	{ OFFLOAD_AUTO, FAULT_NONE, OK, OFFLOAD_CRYPTO },
	{ OFFLOAD_CRYPTO, FAULT_NONE, OK, OFFLOAD_CRYPTO },
	{ OFFLOAD_PACKET, FAULT_NONE, OK, OFFLOAD_PACKET },
	{ OFFLOAD_AUTO, FAULT_REFUSE, OK, OFFLOAD_NO },
	{ OFFLOAD_CRYPTO, FAULT_REFUSE, ERR_SYSTEM, OFFLOAD_NO },
	{ OFFLOAD_PACKET, FAULT_REFUSE, ERR_SYSTEM, OFFLOAD_NO },
};

START_TEST(offload_is_what_the_kernel_gave)
{
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_OUT, 0x1002);

	w->k->device = a_device;
	cmd.sa.offload = offloads[_i].want;
	model_arm(w->m, offloads[_i].fault, EINVAL, 0);
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, offloads[_i].err);
	ck_assert_int_eq((int)w->given, offloads[_i].given);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

static const struct {
	enum model_fault fault; /* of the question for what was given, behind the request */
	int error;
	const char *why;
} unread[] = {
	{ FAULT_SILENT, 0, "cannot read the state" },
	{ FAULT_LOST, 0, "cannot read the state" },
	{ FAULT_REFUSE, EPERM, "Operation not permitted" },
};

START_TEST(an_offload_that_cannot_be_read_is_not_blamed_on_the_device)
{
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_OUT, 0x1002);

	w->k->device = a_device;
	cmd.sa.offload = OFFLOAD_CRYPTO;
	model_arm(w->m, unread[_i].fault, unread[_i].error, 1);
	world_run(w, &cmd);
	ck_assert_int_ne(w->err, OK);
	ck_assert_int_ne(w->err, ERR_UNSUPPORTED);
	ck_assert_msg(strstr(w->why, unread[_i].why) != NULL, "%s", w->why);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

START_TEST(an_offload_that_nobody_insists_on_need_not_be_read)
{
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_OUT, 0x1002);

	w->k->device = a_device;
	cmd.sa.offload = OFFLOAD_AUTO;
	model_arm(w->m, unread[_i].fault, unread[_i].error, 1);
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert_int_eq((int)w->given, OFFLOAD_NO);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

START_TEST(offload_written_out_is_refused_without_a_device)
{
	static const enum sa_offload written[] = { OFFLOAD_CRYPTO, OFFLOAD_PACKET };
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_OUT, 0x1002);

	cmd.sa.offload = written[_i];
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_UNSUPPORTED);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel_offload")
{
	tcase_add_loop_test(tc, offload_is_what_the_kernel_gave, 0, 7);
	tcase_add_loop_test(tc, an_offload_that_cannot_be_read_is_not_blamed_on_the_device, 0, 3);
	tcase_add_loop_test(tc, an_offload_that_nobody_insists_on_need_not_be_read, 0, 3);
	tcase_add_loop_test(tc, offload_written_out_is_refused_without_a_device, 0, 2);
}
