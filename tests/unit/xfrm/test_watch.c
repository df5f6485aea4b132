/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/watch.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/policy.h"
#include "xfrm/route.h"
#include "xfrm/rule.h"

enum { OURS = 4711, OTHERS = 4712, NFT_OF = NFNL_SUBSYS_NFTABLES << 8 };

static enum host_change concerns(enum watch_kind kind, struct ask *a, uint16_t type, uint32_t port)
{
	struct nlmsghdr *m = kit_answer(a, type);
	enum host_change got;

	m->nlmsg_pid = port;
	got = watch_concerns(kind, m, OURS);
	free(m);
	return got;
}

static struct ask rule_message(void)
{
	struct rule r = { .priority = 5051, .sport_hi = UINT16_MAX, .dport_hi = UINT16_MAX };

	r.from.addr.family = AF_INET;
	r.to.addr.family = AF_INET;
	return rule_ask_add(&r);
}

START_TEST(a_rule_of_ours_that_goes_concerns_us)
{
	struct ask a = rule_message();

	ck_assert(concerns(WATCH_ROUTE, &a, RTM_DELRULE, OTHERS));
	a = rule_message();
	ck_assert(concerns(WATCH_ROUTE, &a, RTM_DELRULE, 0));
	a = rule_message();
	ck_assert_msg(!concerns(WATCH_ROUTE, &a, RTM_DELRULE, OURS), "done by ourselves");
	a = rule_message();
	ck_assert(!concerns(WATCH_ROUTE, &a, RTM_NEWRULE, OTHERS));
}
END_TEST

START_TEST(a_rule_of_others_does_not)
{
	const struct rtmsg h = { .rtm_family = AF_INET };
	struct ask a = ask_new(RTM_DELRULE, 0);

	ask_header(&a, &h, sizeof(h));
	ck_assert(!concerns(WATCH_ROUTE, &a, RTM_DELRULE, OTHERS));
}
END_TEST

START_TEST(a_route_of_ours_that_goes_concerns_us)
{
	struct route r = { .to = { .addr = { .family = AF_INET } }, .device = 1 };
	struct ask a = route_ask_put(&r);

	ck_assert(concerns(WATCH_ROUTE, &a, RTM_DELROUTE, 0));
}
END_TEST

/* The kernel tells of a policy that went by what it was deleted by, and the policy in an attribute.
 */
static struct ask policy_message(uint32_t index, uint32_t priority)
{
	const struct xfrm_userpolicy_id id = { .dir = XFRM_POLICY_OUT };
	const struct xfrm_userpolicy_info up = { .index = index, .priority = priority };
	struct ask a = ask_new(XFRM_MSG_DELPOLICY, 0);

	ask_header(&a, &id, sizeof(id));
	ask_bytes(&a, XFRMA_POLICY, &up, sizeof(up));
	return a;
}

START_TEST(a_policy_of_ours_that_goes_concerns_us)
{
	uint32_t index = policy_index(POLICY_OF_GUARD, 5, XFRM_POLICY_OUT);
	struct ask a = policy_message(index, POLICY_PRIORITY_WORST);

	ck_assert_int_eq(concerns(WATCH_POLICY, &a, XFRM_MSG_DELPOLICY, OTHERS), HOST_CHANGED);
	a = policy_message(index, POLICY_PRIORITY_WORST);
	ck_assert(!concerns(WATCH_POLICY, &a, XFRM_MSG_DELPOLICY, OURS));
	a = policy_message(index, 7);
	ck_assert(!concerns(WATCH_POLICY, &a, XFRM_MSG_DELPOLICY, OTHERS));
	a = policy_message(9, POLICY_PRIORITY_WORST);
	ck_assert(!concerns(WATCH_POLICY, &a, XFRM_MSG_DELPOLICY, OTHERS));
	a = ask_new(XFRM_MSG_FLUSHPOLICY, 0);
	ck_assert_int_eq(concerns(WATCH_POLICY, &a, XFRM_MSG_FLUSHPOLICY, OTHERS), HOST_EMPTIED);
}
END_TEST

static struct ask table_message(const char *name)
{
	const struct nfgenmsg h = { .version = NFNETLINK_V0 };
	struct ask a = ask_new(0, 0);

	ask_header(&a, &h, sizeof(h));
	if (name != NULL)
		ask_str(&a, NFTA_TABLE_NAME, name);
	return a;
}

static const struct {
	const char *table;
	uint16_t type;
	bool concerns;
} tables[] = {
	{ "postern", NFT_OF | NFT_MSG_DELTABLE, true },
	{ "postern", NFT_OF | NFT_MSG_DELCHAIN, true },
	{ "postern", NFT_OF | NFT_MSG_DELRULE, true },
	{ "postern", NFT_OF | NFT_MSG_NEWRULE, false },
	{ "posterns", NFT_OF | NFT_MSG_DELTABLE, false },
	{ "other", NFT_OF | NFT_MSG_DELTABLE, false },
	{ NULL, NFT_OF | NFT_MSG_DELTABLE, false },
	{ "postern", NFT_MSG_DELTABLE, false },
};

START_TEST(what_goes_of_our_table_concerns_us)
{
	struct ask a = table_message(tables[_i].table);

	ck_assert_int_eq(concerns(WATCH_NFT, &a, tables[_i].type, OTHERS),
			 tables[_i].concerns ? HOST_EMPTIED : HOST_SAME);
}
END_TEST

START_TEST(what_is_cut_short_does_not)
{
	static const struct {
		enum watch_kind kind;
		uint16_t type;
	} empty[] = {
		{ WATCH_ROUTE, RTM_DELRULE },
		{ WATCH_ROUTE, RTM_DELROUTE },
		{ WATCH_POLICY, XFRM_MSG_DELPOLICY },
		{ WATCH_NFT, NFT_OF | NFT_MSG_DELTABLE },
	};

	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		struct ask a = ask_new(0, 0);

		ck_assert(!concerns(empty[i].kind, &a, empty[i].type, OTHERS));
	}
}
END_TEST

UNIT("xfrm/watch")
{
	tcase_add_test(tc, a_rule_of_ours_that_goes_concerns_us);
	tcase_add_test(tc, a_rule_of_others_does_not);
	tcase_add_test(tc, a_route_of_ours_that_goes_concerns_us);
	tcase_add_test(tc, a_policy_of_ours_that_goes_concerns_us);
	tcase_add_loop_test(tc, what_goes_of_our_table_concerns_us, 0,
			    (int)(sizeof(tables) / sizeof(tables[0])));
	tcase_add_test(tc, what_is_cut_short_does_not);
}
