/* SPDX-License-Identifier: Apache-2.0 */
/* What is told when a kernel does not take our tables. */
#include "xfrm/nft_table.h"

#include <errno.h>
#include <netlink/msg.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/plan.h"

/* A kernel that answers a transaction with a number: `inet postern`, then `inet postern-held`. */
struct refuser {
	int errors[2];
	size_t asked;
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} answer;
	bool waiting;
};

static ssize_t refuser_send(void *ctx, const void *p, size_t len)
{
	struct refuser *r = ctx;
	struct nlmsghdr h;
	uint32_t last = 0;
	size_t at = 0;

	/* The last message but one is acknowledged. */
	for (uint32_t seq = 0; at + sizeof(h) <= len; at += NLMSG_ALIGN(h.nlmsg_len)) {
		memcpy(&h, (const uint8_t *)p + at, sizeof(h));
		last = seq;
		seq = h.nlmsg_seq;
	}
	ck_assert_uint_lt(r->asked, 2);
	r->answer.h = (struct nlmsghdr){ .nlmsg_len = sizeof(r->answer),
					 .nlmsg_type = NLMSG_ERROR,
					 .nlmsg_seq = last,
					 .nlmsg_pid = NETLINK_MODEL_PORT };
	r->answer.e.error = -r->errors[r->asked++];
	r->waiting = true;
	return (ssize_t)len;
}

static ssize_t refuser_receive(void *ctx, void *p, size_t size)
{
	struct refuser *r = ctx;

	if (!r->waiting) {
		errno = EAGAIN;
		return -1;
	}
	ck_assert_uint_le(sizeof(r->answer), size);
	memcpy(p, &r->answer, sizeof(r->answer));
	r->waiting = false;
	return sizeof(r->answer);
}

static const struct netlink_ops ops = { .send = refuser_send, .receive = refuser_receive };

struct said {
	enum err err;
	char lacks[HOST_WHY_MAX];
	char why[HOST_WHY_MAX];
};

static void apply(struct refuser *r, const char *child, struct said *got)
{
	const struct own_list own = { .n = 0 };
	struct policy_list guards = { .n = 0 };
	struct children c = kit_children(&child, 1);
	struct netlink nl;

	ck_assert_int_eq(netlink_over(&nl, &ops, r), OK);
	ck_assert_int_eq(plan_guards(&guards, c.v, 1, &own), OK);
	*got = (struct said){ .lacks = "what was" };
	got->err = nft_table_apply(&nl, &(struct nft_plan){ .tun = "postern0", .guards = &guards },
				   got->lacks, got->why);
	policy_list_free(&guards);
	netlink_close(&nl);
	children_free(&c);
}

static const struct {
	const char *child;
	int error;
	const char *told; /* NULL: nothing */
} helds[] = {
	{ "2001:db8:1::/64>2001:db8:2::/64", 0, NULL },
	{ "2001:db8:1::/64>2001:db8:2::/64", EOPNOTSUPP, "Operation not supported" },
	{ "2001:db8:1::/64>2001:db8:2::/64", EINVAL, "Invalid argument" },
	{ "2001:db8:1::/64>2001:db8:2::/64", EPERM, "Operation not permitted" },
	/* nothing would stand in it */
	{ "10.1.0.0/16>10.2.0.0/16", EOPNOTSUPP, NULL },
};

START_TEST(a_held_table_that_does_not_stand_is_told_and_done_without)
{
	struct refuser r = { .errors = { 0, helds[_i].error } };
	struct said got;

	apply(&r, helds[_i].child, &got);
	ck_assert_int_eq(got.err, OK);
	ck_assert_str_eq(got.why, "");
	ck_assert_uint_eq(r.asked, 2);
	if (helds[_i].told == NULL) {
		ck_assert_str_eq(got.lacks, "");
	} else {
		ck_assert_msg(strstr(got.lacks, "inet postern-held") != NULL, "%s", got.lacks);
		ck_assert_msg(strstr(got.lacks, helds[_i].told) != NULL, "%s", got.lacks);
	}
}
END_TEST

START_TEST(another_error_of_the_held_table_is_a_failure)
{
	struct refuser r = { .errors = { 0, ENOMEM } };
	struct said got;

	apply(&r, "2001:db8:1::/64>2001:db8:2::/64", &got);
	ck_assert_int_eq(got.err, ERR_NOMEM);
	ck_assert_str_eq(got.lacks, "");
}
END_TEST

static const struct {
	int error;
	enum err err;
	bool lacks; /* all of nftables */
} tables[] = {
	{ EOPNOTSUPP, ERR_UNSUPPORTED, true },
	{ EINVAL, ERR_UNSUPPORTED, false },
	{ ENOENT, ERR_UNSUPPORTED, false },
	{ EPERM, ERR_DENIED, false },
};

START_TEST(what_is_told_of_our_table_fits_the_error)
{
	struct refuser r = { .errors = { tables[_i].error, 0 } };
	struct said got;

	apply(&r, "2001:db8:1::/64>2001:db8:2::/64", &got);
	ck_assert_int_eq(got.err, tables[_i].err);
	ck_assert_uint_eq(r.asked, 1);
	ck_assert_msg((strstr(got.why, "lacks nftables") != NULL) == tables[_i].lacks, "%s",
		      got.why);
	ck_assert_msg(strstr(got.why, strerror(tables[_i].error)) != NULL, "%s", got.why);
}
END_TEST

UNIT("xfrm/nft_table")
{
	tcase_add_loop_test(tc, a_held_table_that_does_not_stand_is_told_and_done_without, 0,
			    sizeof(helds) / sizeof(helds[0]));
	tcase_add_test(tc, another_error_of_the_held_table_is_a_failure);
	tcase_add_loop_test(tc, what_is_told_of_our_table_fits_the_error, 0,
			    sizeof(tables) / sizeof(tables[0]));
}
