/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/whose.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "tests/unit/xfrm/kit.h"

static struct addr address(const char *s)
{
	struct addr a;

	ck_assert(addr_parse(s, &a));
	return a;
}

/* ip route get 192.0.2.1 mark 0x50000000; ip -6 route get 2001:db8::1 mark 0x50000000 (which sets a
 * flag beside) */
START_TEST(it_is_asked_as_our_outer_packets_are_routed)
{
	const struct addr a4 = address("192.0.2.1"), a6 = address("2001:db8::1");
	struct ask four = whose_request(&a4);
	struct ask six = whose_request(&a6);

	kit_expect(&four, RTM_GETROUTE,
		   "022000000000000000000000"
		   "08000100c0000201"
		   "0800100000000050");
	kit_expect(&six, RTM_GETROUTE,
		   "0a8000000000000000000000"
		   "1400010020010db8000000000000000000000001"
		   "0800100000000050");
}
END_TEST

static const struct {
	uint8_t type;
	enum whose whose;
} types[] = {
	{ RTN_LOCAL, WHOSE_OURS },	  { RTN_BROADCAST, WHOSE_MANY },
	{ RTN_ANYCAST, WHOSE_MANY },	  { RTN_MULTICAST, WHOSE_MANY },
	{ RTN_UNICAST, WHOSE_OTHER },	  { RTN_BLACKHOLE, WHOSE_OTHER },
	{ RTN_UNREACHABLE, WHOSE_OTHER }, { RTN_PROHIBIT, WHOSE_OTHER },
};
enum { N_TYPES = sizeof types / sizeof types[0] };

static struct nlmsghdr *answer_of(uint8_t type)
{
	const struct rtmsg h = { .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_type = type };
	struct ask a = ask_new(RTM_NEWROUTE, 0);

	ask_header(&a, &h, sizeof(h));
	return kit_answer(&a, RTM_NEWROUTE);
}

START_TEST(the_type_of_the_route_says_it)
{
	struct nlmsghdr *m = answer_of(types[_i].type);
	struct nlmsghdr *cut = kit_cut(m, NLMSG_HDRLEN + 4);

	ck_assert_int_eq(whose_read(m), types[_i].whose);
	ck_assert_int_eq(whose_read(cut), WHOSE_UNKNOWN);
	m->nlmsg_type = RTM_DELROUTE;
	ck_assert_int_eq(whose_read(m), WHOSE_UNKNOWN);
	free(cut);
	free(m);
}
END_TEST

/* A kernel that answers with an error, or not at all. */
struct liar {
	int error;
	uint32_t seq;
	bool asked;
};

static ssize_t hear(void *ctx, const void *p, size_t len)
{
	struct liar *l = ctx;
	struct nlmsghdr h;

	memcpy(&h, p, sizeof(h));
	l->seq = h.nlmsg_seq;
	l->asked = true;
	return (ssize_t)len;
}

static ssize_t say(void *ctx, void *p, size_t size)
{
	struct liar *l = ctx;
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} m = { .h = { .nlmsg_len = sizeof(m),
		       .nlmsg_type = NLMSG_ERROR,
		       .nlmsg_seq = l->seq,
		       .nlmsg_pid = NETLINK_MODEL_PORT },
		.e = { .error = -l->error } };

	if (!l->asked || l->error == 0 || size < sizeof(m)) {
		errno = EAGAIN;
		return -1;
	}
	l->asked = false;
	memcpy(p, &m, sizeof(m));
	return sizeof(m);
}

static const struct {
	int error;
	enum whose whose;
} errors[] = { { ENETUNREACH, WHOSE_OTHER }, { EHOSTUNREACH, WHOSE_OTHER },
	       { EACCES, WHOSE_OTHER },	     { EAFNOSUPPORT, WHOSE_OTHER },
	       { ENOMEM, WHOSE_UNKNOWN },    { EPERM, WHOSE_UNKNOWN },
	       { 0, WHOSE_UNKNOWN } };
enum { N_ERRORS = sizeof errors / sizeof errors[0] };

/* What is ours is always found; without an answer nobody knows. */
START_TEST(an_address_without_a_way_is_none_of_ours)
{
	static const struct netlink_ops ops = { .send = hear, .receive = say };
	const struct addr a = address("192.0.2.1");
	struct liar l = { .error = errors[_i].error };
	struct netlink nl;

	ck_assert_int_eq(netlink_over(&nl, &ops, &l), OK);
	ck_assert_int_eq(whose_ask(&nl, &a), errors[_i].whose);
	netlink_close(&nl);
}
END_TEST

/* The machine that runs this has a loopback, and no privilege is needed to ask. */
START_TEST(this_machine_knows_its_own)
{
	const struct addr own = address("127.0.0.1"), many = address("224.0.0.5");
	struct netlink nl;

	ck_assert_int_eq(netlink_open(&nl, NETLINK_ROUTE), OK);
	ck_assert_int_eq(whose_ask(&nl, &own), WHOSE_OURS);
	ck_assert_int_ne(whose_ask(&nl, &many), WHOSE_OURS);
	netlink_close(&nl);
}
END_TEST

UNIT("xfrm/whose")
{
	tcase_add_test(tc, it_is_asked_as_our_outer_packets_are_routed);
	tcase_add_loop_test(tc, the_type_of_the_route_says_it, 0, N_TYPES);
	tcase_add_loop_test(tc, an_address_without_a_way_is_none_of_ours, 0, N_ERRORS);
	tcase_add_test(tc, this_machine_knows_its_own);
}
