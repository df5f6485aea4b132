/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/policy.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/pair.h"

static struct net net_of(const char *text)
{
	struct net n;

	ck_assert(net_parse(text, &n));
	return n;
}

/* ip xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 proto tcp sport 80 dport 443 dir out index
 * 0x50500009 action block priority 4026531842 mark 0x60000000 mask 0x70000000 */
static const char by_iproute2[] = "0a020000000000000000000000000000"
				  "0a010000000000000000000000000000"
				  "01bbffff0050ffff"
				  "02001010"
				  "06000000"
				  "00000000"
				  "00000000"
				  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
				  "0000000000000000000000000000000000000000000000000000000000000000"
				  "0000000000000000000000000000000000000000000000000000000000000000"
				  "020000f0"
				  "09005050"
				  "01010000"
				  "00000000"
				  "0c001500"
				  "00000060"
				  "00000070";

static struct policy example(void)
{
	struct net src = net_of("10.1.0.0/16");
	struct net dst = net_of("10.2.0.0/16");
	struct policy p = {
		.sel = policy_selector(&src, &dst, IPPROTO_TCP),
		.mark = { .v = 0x60000000, .m = 0x70000000 },
		.priority = 4026531842u,
		.index = 0x50500009,
		.dir = XFRM_POLICY_OUT,
		.action = XFRM_POLICY_BLOCK,
	};

	policy_source_port(&p.sel, 80);
	policy_target_port(&p.sel, 443);
	return p;
}

START_TEST(adding_says_what_iproute2_says)
{
	struct policy p = example();
	struct ask a = policy_ask_add(&p);

	kit_expect(&a, XFRM_MSG_NEWPOLICY, by_iproute2);
}
END_TEST

START_TEST(updating_differs_in_its_type_alone)
{
	struct policy p = example();
	struct ask a = policy_ask_update(&p);

	kit_expect(&a, XFRM_MSG_UPDPOLICY, by_iproute2);
}
END_TEST

START_TEST(deleting_by_index_names_index_and_mark)
{
	struct policy p = example();
	struct ask a = policy_ask_delete_index(&p);

	kit_expect(&a, XFRM_MSG_DELPOLICY,
		   "0a020000000000000000000000000000"
		   "0a010000000000000000000000000000"
		   "01bbffff0050ffff"
		   "02001010"
		   "06000000"
		   "00000000"
		   "00000000"
		   "09005050"
		   "01000000"
		   "0c001500"
		   "00000060"
		   "00000070");
}
END_TEST

START_TEST(deleting_by_selector_names_no_index)
{
	struct policy p = example();
	struct ask a = policy_ask_delete_selector(&p);

	kit_expect(&a, XFRM_MSG_DELPOLICY,
		   "0a020000000000000000000000000000"
		   "0a010000000000000000000000000000"
		   "01bbffff0050ffff"
		   "02001010"
		   "06000000"
		   "00000000"
		   "00000000"
		   "00000000"
		   "01000000"
		   "0c001500"
		   "00000060"
		   "00000070");
}
END_TEST

START_TEST(what_was_written_is_read)
{
	struct policy p = example();
	struct ask a = policy_ask_add(&p);
	struct nlmsghdr *m = kit_answer(&a, XFRM_MSG_NEWPOLICY);
	struct policy got;

	ck_assert_int_eq(policy_read(m, &got), OK);
	ck_assert_int_eq(policy_cmp(&p, &got), 0);
	ck_assert_uint_eq(got.priority, p.priority);
	ck_assert_uint_eq(got.index, p.index);
	ck_assert_uint_eq(got.action, p.action);
	ck_assert(got.plain);
	free(m);
}
END_TEST

/* Templates, if_id: another program's, even under an index of our range. */
START_TEST(a_policy_with_templates_is_not_ours)
{
	struct policy p = example();
	const struct xfrm_user_tmpl tmpl = { .reqid = 1 };
	struct ask a = policy_ask_add(&p);
	struct nlmsghdr *m;
	struct policy got;

	ask_bytes(&a, XFRMA_TMPL, &tmpl, sizeof(tmpl));
	m = kit_answer(&a, XFRM_MSG_NEWPOLICY);
	ck_assert_int_eq(policy_read(m, &got), OK);
	ck_assert(!policy_is_ours(&got, POLICY_OF_GUARD));
	free(m);
}
END_TEST

START_TEST(a_message_cut_short_is_an_error)
{
	struct policy p = example();
	struct ask a = policy_ask_add(&p);
	struct nlmsghdr *m = kit_answer(&a, XFRM_MSG_NEWPOLICY);
	struct policy got;

	for (uint32_t len = sizeof(*m); len < NLMSG_LENGTH(sizeof(struct xfrm_userpolicy_info));
	     len++) {
		m->nlmsg_len = len;
		ck_assert_int_eq(policy_read(m, &got), ERR_SYNTAX);
	}
	free(m);
}
END_TEST

/* The kernel lists the policies of sockets too, our own bypasses among them, as directions beyond
 * forward. */
START_TEST(the_policy_of_a_socket_is_read_and_is_not_ours)
{
	struct policy p = example();
	struct ask a;
	struct nlmsghdr *m;
	struct policy got;

	p.dir = XFRM_POLICY_FWD + 1;
	a = policy_ask_add(&p);
	m = kit_answer(&a, XFRM_MSG_NEWPOLICY);
	ck_assert_int_eq(policy_read(m, &got), OK);
	ck_assert(!policy_is_ours(&got, POLICY_OF_GUARD));
	free(m);
}
END_TEST

/* The kernel refuses an index whose low bits are not the direction. */
START_TEST(an_index_carries_its_direction_and_its_slot)
{
	static const uint32_t slots[] = { 0, 1, 77, POLICY_SLOTS - 1 };

	for (uint8_t dir = XFRM_POLICY_IN; dir <= XFRM_POLICY_FWD; dir++) {
		for (int s = POLICY_OF_GUARD; s <= POLICY_OF_PLANE; s++) {
			struct policy p = { .index = policy_index((enum policy_section)s, slots[_i],
								  dir) };
			enum policy_section section;
			uint32_t slot;

			ck_assert_uint_eq(p.index & 7, dir);
			ck_assert(policy_index_taken(&p, &section, &slot));
			ck_assert_int_eq((int)section, s);
			ck_assert_uint_eq(slot, slots[_i]);
		}
	}
}
END_TEST

static const uint32_t foreign_indexes[] = { 0,		1,	    9,		0x504ffff9,
					    0x50700001, 0xd0500001, 0xfffffff9, 0x30500001 };

START_TEST(an_index_outside_of_the_range_is_foreign)
{
	struct policy p = example();
	enum policy_section section;
	uint32_t slot;

	p.plain = true;
	p.index = foreign_indexes[_i];
	ck_assert(!policy_index_taken(&p, &section, &slot));
	ck_assert(!policy_is_ours(&p, POLICY_OF_GUARD));
	ck_assert(!policy_is_ours(&p, POLICY_OF_PLANE));
}
END_TEST

/* Somebody may have taken an index of our range by hand: the slot is taken, the policy is not ours.
 */
START_TEST(a_foreign_priority_in_our_range_is_foreign)
{
	struct policy p = example();

	p.plain = true;
	ck_assert(policy_is_ours(&p, POLICY_OF_GUARD));
	p.priority = 7;
	ck_assert(!policy_is_ours(&p, POLICY_OF_GUARD));
	p.priority = UINT32_MAX;
	ck_assert(!policy_is_ours(&p, POLICY_OF_GUARD));
}
END_TEST

START_TEST(the_narrower_guard_has_the_better_priority)
{
	uint32_t before = POLICY_PRIORITY_BEST;

	for (unsigned int narrow = PAIR_NARROW_MAX + 1; narrow-- > 0;) {
		for (int order = POLICY_FIRST; order <= POLICY_GUARDS; order++) {
			uint32_t priority = policy_priority(narrow, (enum policy_order)order);

			ck_assert_uint_gt(priority, before);
			before = priority;
		}
	}
	ck_assert_uint_le(before, POLICY_PRIORITY_WORST);
}
END_TEST

#define N_OF(v) (int)(sizeof(v) / sizeof((v)[0]))

UNIT("xfrm/policy")
{
	tcase_add_test(tc, adding_says_what_iproute2_says);
	tcase_add_test(tc, updating_differs_in_its_type_alone);
	tcase_add_test(tc, deleting_by_index_names_index_and_mark);
	tcase_add_test(tc, deleting_by_selector_names_no_index);
	tcase_add_test(tc, what_was_written_is_read);
	tcase_add_test(tc, a_policy_with_templates_is_not_ours);
	tcase_add_test(tc, a_message_cut_short_is_an_error);
	tcase_add_test(tc, the_policy_of_a_socket_is_read_and_is_not_ours);
	tcase_add_loop_test(tc, an_index_carries_its_direction_and_its_slot, 0, 4);
	tcase_add_loop_test(tc, an_index_outside_of_the_range_is_foreign, 0, N_OF(foreign_indexes));
	tcase_add_test(tc, a_foreign_priority_in_our_range_is_foreign);
	tcase_add_test(tc, the_narrower_guard_has_the_better_priority);
}
