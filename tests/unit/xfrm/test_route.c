/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/route.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "tests/unit/xfrm/kit.h"

static struct route example(void)
{
	struct route r = { .device = 1, .mtu = 1380 };

	ck_assert(net_parse("10.2.0.0/16", &r.to));
	ck_assert(addr_parse("10.1.0.1", &r.source));
	return r;
}

/* ip route add 10.2.0.0/16 dev lo table 5050 proto 80 metric 1024 src 10.1.0.1 mtu 1380
 * (where the metrics are not yet marked as nested, which they are today) */
static const char by_iproute2[] = "021000000050fd0100000000"
				  "080001000a020000"
				  "08000f00ba130000"
				  "0800060000040000"
				  "080007000a010001"
				  "0800040001000000"
				  "0c0008800800020064050000";

START_TEST(putting_says_what_iproute2_says)
{
	struct route r = example();
	struct ask a = route_ask_put(&r);

	kit_expect(&a, RTM_NEWROUTE, by_iproute2);
}
END_TEST

START_TEST(what_was_written_is_read)
{
	struct route r = example();
	struct ask a = route_ask_put(&r);
	struct nlmsghdr *m = kit_answer(&a, RTM_NEWROUTE);
	struct route got;

	ck_assert_int_eq(route_read(m, &got), OK);
	ck_assert(addr_eq(&got.to.addr, &r.to.addr) && got.to.bits == 16);
	ck_assert(addr_eq(&got.source, &r.source));
	ck_assert_uint_eq(got.device, 1);
	ck_assert_uint_eq(got.mtu, 1380);
	free(m);
}
END_TEST

static const struct {
	uint32_t table;
	uint8_t protocol;
	uint32_t flags;
} foreign[] = {
	{ RT_TABLE_MAIN, RTPROT_STATIC, 0 },
	{ RT_TABLE_LOCAL, HOST_PROTOCOL, 0 },
	{ HOST_TABLE, RTPROT_STATIC, 0 },
	{ HOST_TABLE, HOST_PROTOCOL, RTM_F_CLONED },
	{ 0, HOST_PROTOCOL, 0 },
};

START_TEST(another_table_or_protocol_is_foreign)
{
	const struct rtmsg h = { .rtm_family = AF_INET,
				 .rtm_protocol = foreign[_i].protocol,
				 .rtm_flags = foreign[_i].flags };
	struct ask a = ask_new(RTM_NEWROUTE, 0);
	struct nlmsghdr *m;
	struct route got;

	ask_header(&a, &h, sizeof(h));
	if (foreign[_i].table != 0)
		ask_u32(&a, RTA_TABLE, foreign[_i].table);
	m = kit_answer(&a, RTM_NEWROUTE);
	ck_assert_int_eq(route_read(m, &got), ERR_NOT_FOUND);
	free(m);
}
END_TEST

static const struct {
	uint8_t family;
	uint8_t dst_len;
	size_t addr_len;
} wrong[] = { { AF_INET, 33, 4 },
	      { AF_INET, 8, 16 },
	      { AF_INET6, 129, 16 },
	      { AF_INET6, 8, 4 },
	      { AF_INET, 8, 3 } };

START_TEST(an_address_that_does_not_fit_is_an_error)
{
	static const uint8_t bytes[16] = { 10 };
	const struct rtmsg h = { .rtm_family = wrong[_i].family,
				 .rtm_dst_len = wrong[_i].dst_len,
				 .rtm_protocol = HOST_PROTOCOL };
	struct ask a = ask_new(RTM_NEWROUTE, 0);
	struct nlmsghdr *m;
	struct route got;

	ask_header(&a, &h, sizeof(h));
	ask_u32(&a, RTA_TABLE, HOST_TABLE);
	ask_bytes(&a, RTA_DST, bytes, wrong[_i].addr_len);
	m = kit_answer(&a, RTM_NEWROUTE);
	ck_assert_int_eq(route_read(m, &got), ERR_SYNTAX);
	free(m);
}
END_TEST

#define N_OF(v) (int)(sizeof(v) / sizeof((v)[0]))

UNIT("xfrm/route")
{
	tcase_add_test(tc, putting_says_what_iproute2_says);
	tcase_add_test(tc, what_was_written_is_read);
	tcase_add_loop_test(tc, another_table_or_protocol_is_foreign, 0, N_OF(foreign));
	tcase_add_loop_test(tc, an_address_that_does_not_fit_is_an_error, 0, N_OF(wrong));
}
