/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/policy_set.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "tests/unit/xfrm/model.h"
#include "xfrm/host.h"

/* The requests for one policy: the dump, the policy, the question whether it stands. */
enum { AT_READ_BACK = 2 };

struct scene {
	struct model *m;
	struct netlink nl;
	struct policy_list wanted;
	char why[HOST_WHY_MAX];
};

static void scene_make(struct scene *s)
{
	struct policy p = { .priority = policy_priority(0, POLICY_GUARDS),
			    .dir = XFRM_POLICY_OUT,
			    .action = XFRM_POLICY_BLOCK };
	struct net src, dst;

	*s = (struct scene){ .m = model_new() };
	ck_assert_ptr_nonnull(s->m);
	ck_assert_int_eq(netlink_over(&s->nl, &model_ops, s->m), OK);
	ck_assert(net_parse("10.1.0.0/16", &src) && net_parse("10.2.0.0/16", &dst));
	p.sel = policy_selector(&src, &dst, 0);
	ck_assert_int_eq(policy_list_add(&s->wanted, &p), OK);
}

static void scene_end(struct scene *s)
{
	policy_list_free(&s->wanted);
	netlink_close(&s->nl);
	model_free(s->m);
}

static enum err apply(struct scene *s)
{
	const struct policy_set set = { .nl = &s->nl, .section = POLICY_OF_GUARD };

	s->why[0] = '\0';
	return policy_set_apply(&set, &s->wanted, s->why);
}

static const struct {
	enum model_fault fault;
	int error;
	enum err err;
} faults[] = {
	{ FAULT_SILENT, 0, ERR_NO_ANSWER },
	{ FAULT_LOST, 0, ERR_BUSY },
	{ FAULT_REFUSE, EPERM, ERR_DENIED },
	{ FAULT_SEND, ENOMEM, ERR_NOMEM },
};

START_TEST(a_guard_that_cannot_be_read_back_goes_and_the_reason_is_told)
{
	struct scene s;

	scene_make(&s);
	model_arm(s.m, faults[_i].fault, faults[_i].error, AT_READ_BACK);
	ck_assert_int_eq(apply(&s), faults[_i].err);
	ck_assert_msg(strstr(s.why, "cannot read back") != NULL, "%s", s.why);
	ck_assert_uint_eq(s.m->n_policies, 0);
	model_arm(s.m, FAULT_NONE, 0, -1);
	ck_assert_int_eq(apply(&s), OK);
	ck_assert_uint_eq(s.m->n_policies, 1);
	scene_end(&s);
}
END_TEST

START_TEST(a_guard_with_another_index_is_tried_with_the_next)
{
	struct scene s;

	scene_make(&s);
	model_arm(s.m, FAULT_INDEX, 0, AT_READ_BACK - 1);
	ck_assert_int_eq(apply(&s), OK);
	ck_assert_str_eq(s.why, "");
	ck_assert_uint_eq(s.m->n_policies, 1);
	ck_assert_uint_eq(s.m->policies[0].u.index,
			  policy_index(POLICY_OF_GUARD, 1, XFRM_POLICY_OUT));
	model_arm(s.m, FAULT_NONE, 0, -1);
	s.m->n_policies = 0;
	model_arm(s.m, FAULT_INDEX, 0, 0);
	s.m->lasting = 100;
	ck_assert_int_eq(apply(&s), ERR_LIMIT);
	ck_assert_uint_eq(s.m->n_policies, 0);
	scene_end(&s);
}
END_TEST

UNIT("xfrm/policy_set")
{
	tcase_add_loop_test(tc, a_guard_that_cannot_be_read_back_goes_and_the_reason_is_told, 0,
			    sizeof(faults) / sizeof(faults[0]));
	tcase_add_test(tc, a_guard_with_another_index_is_tried_with_the_next);
}
