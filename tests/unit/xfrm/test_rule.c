/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/rule.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "tests/unit/xfrm/kit.h"

static struct net net_of(const char *text)
{
	struct net n;

	ck_assert(net_parse(text, &n));
	return n;
}

static struct rule lookup(void)
{
	return (struct rule){
		.priority = 5051,
		.action = FR_ACT_TO_TBL,
		.proto = IPPROTO_TCP,
		.from = net_of("10.1.0.0/16"),
		.to = net_of("10.2.0.0/16"),
		.sport_lo = 80,
		.sport_hi = 80,
		.dport_lo = 1000,
		.dport_hi = 2000,
		.mark = HOST_MARK_OUTER,
		.mask = HOST_MARK_MASK,
	};
}

static struct rule jump(void)
{
	return (struct rule){
		.priority = 5053,
		.action = FR_ACT_GOTO,
		.from = net_of("::/1"),
		.to = { .addr = { .family = AF_INET6 } },
		.sport_hi = UINT16_MAX,
		.dport_hi = UINT16_MAX,
		.target = 5057,
	};
}

/* ip rule add from 10.1.0.0/16 to 10.2.0.0/16 ipproto tcp sport 80 dport 1000-2000 \
 *	fwmark 0x50000000/0x70000000 lookup 5050 pref 5051 protocol 80 */
static const char lookup_by_iproute2[] = "021010000000000100000000"
					 "080002000a010000"
					 "080001000a020000"
					 "0500160006000000"
					 "0800170050005000"
					 "08001800e803d007"
					 "08000a0000000050"
					 "0800100000000070"
					 "08000f00ba130000"
					 "08000600bb130000"
					 "0500150050000000";

/* ip -6 rule add from ::/1 goto 5057 pref 5053 protocol 80 */
static const char jump_by_iproute2[] = "0a0001000000000200000000"
				       "1400020000000000000000000000000000000000"
				       "08000400c1130000"
				       "08000600bd130000"
				       "0500150050000000";

START_TEST(adding_a_lookup_says_what_iproute2_says)
{
	struct rule r = lookup();
	struct ask a = rule_ask_add(&r);

	kit_expect(&a, RTM_NEWRULE, lookup_by_iproute2);
}
END_TEST

START_TEST(adding_a_jump_says_what_iproute2_says)
{
	struct rule r = jump();
	struct ask a = rule_ask_add(&r);

	kit_expect(&a, RTM_NEWRULE, jump_by_iproute2);
}
END_TEST

/* With all that it is known by, our protocol number too: so nobody else's is hit. */
START_TEST(deleting_names_everything)
{
	struct rule r = lookup();
	struct ask a = rule_ask_delete(&r);

	kit_expect(&a, RTM_DELRULE, lookup_by_iproute2);
}
END_TEST

START_TEST(what_was_written_is_read)
{
	struct rule r = _i == 0 ? lookup() : jump();
	struct ask a = rule_ask_add(&r);
	struct nlmsghdr *m = kit_answer(&a, RTM_NEWRULE);
	struct rule got;

	ck_assert_int_eq(rule_read(m, &got), OK);
	ck_assert_int_eq(rule_cmp(&r, &got), 0);
	free(m);
}
END_TEST

START_TEST(a_rule_of_another_protocol_is_foreign)
{
	const struct fib_rule_hdr h = { .family = AF_INET, .action = FR_ACT_TO_TBL };
	struct ask a = ask_new(RTM_NEWRULE, 0);
	struct nlmsghdr *m;
	struct rule got;

	ask_header(&a, &h, sizeof(h));
	ask_u32(&a, FRA_PRIORITY, HOST_RULE_PRIORITY);
	ask_u32(&a, FRA_TABLE, HOST_TABLE);
	if (_i == 1)
		ask_u8(&a, FRA_PROTOCOL, RTPROT_STATIC);
	m = kit_answer(&a, RTM_NEWRULE);
	ck_assert_int_eq(rule_read(m, &got), ERR_NOT_FOUND);
	free(m);
}
END_TEST

/* Lengths of prefixes that no address has, addresses of another size than the family's. */
static const struct {
	uint8_t family;
	uint8_t src_len;
	size_t addr_len;
} wrong[] = { { AF_INET, 33, 4 }, { AF_INET, 8, 16 }, { AF_INET6, 129, 16 },
	      { AF_INET6, 8, 4 }, { AF_INET, 8, 0 },  { AF_INET, 8, 3 },
	      { 0, 8, 4 } };

START_TEST(an_address_that_does_not_fit_is_an_error)
{
	static const uint8_t bytes[16] = { 10 };
	const struct fib_rule_hdr h = { .family = wrong[_i].family, .src_len = wrong[_i].src_len };
	struct ask a = ask_new(RTM_NEWRULE, 0);
	struct nlmsghdr *m;
	struct rule got;

	ask_header(&a, &h, sizeof(h));
	ask_u8(&a, FRA_PROTOCOL, HOST_PROTOCOL);
	if (wrong[_i].addr_len > 0)
		ask_bytes(&a, FRA_SRC, bytes, wrong[_i].addr_len);
	m = kit_answer(&a, RTM_NEWRULE);
	ck_assert_int_eq(rule_read(m, &got), ERR_SYNTAX);
	free(m);
}
END_TEST

START_TEST(the_target_of_jumps_is_added_first)
{
	struct rule_list l = { .n = 0 };
	struct rule end = jump();
	struct rule r = jump();

	end.action = FR_ACT_NOP;
	end.priority = r.target;
	ck_assert_int_eq(rule_list_add(&l, &r), OK);
	ck_assert_int_eq(rule_list_add(&l, &end), OK);
	ck_assert_int_eq(rule_list_add(&l, &r), OK);
	rule_list_settle(&l);
	ck_assert_uint_eq(l.n, 2);
	ck_assert_int_eq(l.v[0].action, FR_ACT_NOP);
	rule_list_free(&l);
}
END_TEST

UNIT("xfrm/rule")
{
	tcase_add_test(tc, adding_a_lookup_says_what_iproute2_says);
	tcase_add_test(tc, adding_a_jump_says_what_iproute2_says);
	tcase_add_test(tc, deleting_names_everything);
	tcase_add_loop_test(tc, what_was_written_is_read, 0, 2);
	tcase_add_loop_test(tc, a_rule_of_another_protocol_is_foreign, 0, 2);
	tcase_add_loop_test(tc, an_address_that_does_not_fit_is_an_error, 0,
			    (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tc, the_target_of_jumps_is_added_first);
}
