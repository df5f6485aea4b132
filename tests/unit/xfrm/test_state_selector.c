/* SPDX-License-Identifier: Apache-2.0 */
/* What an inbound state of a tunnel takes: the smallest networks around its selectors. */
#include <linux/xfrm.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/attr.h"
#include "xfrm/state.h"

enum { GCM_16 = 20 };

static const struct {
	const char *child;
	const char *src; /* "": any */
	const char *dst;
} arrivals[] = {
	{ "10.1.0.0/24>10.2.0.7", "10.2.0.7/32", "10.1.0.0/24" },
	{ "10.1.0.0/24,10.1.1.0/24>10.2.0.1-10.2.0.6", "10.2.0.0/29", "10.1.0.0/23" },
	{ "0.0.0.0/0>10.2.0.0/24@tcp=80", "10.2.0.0/24", "0.0.0.0/0" },
	{ "2001:db8::1,2001:db8::2>2001:db8:ffff::/48", "2001:db8:ffff::/48", "2001:db8::/126" },
	{ "10.0.0.0/8,200.0.0.0/8>10.2.0.0/24", "10.2.0.0/24", "0.0.0.0/0" },
	{ "10.1.0.0/24,2001:db8::/64>10.2.0.0/24,2001:db8:2::/64", "", "" },
};

static void selector_net(const xfrm_address_t *a, uint16_t family, uint8_t bits, const char *want)
{
	struct net n = { .addr = attr_addr(a, family), .bits = bits };
	char text[NET_TEXT_MAX];

	if (want[0] == '\0')
		ck_assert_int_eq(family, AF_UNSPEC);
	else
		ck_assert_str_eq(net_text(&n, text), want);
}

START_TEST(a_tunnel_takes_what_its_selectors_cover)
{
	struct children c = kit_children(&arrivals[_i].child, 1);
	struct sa_desc d = { .dir = SA_IN,
			     .spi = 0x1002,
			     .encr_id = GCM_16,
			     .encr_key_bits = 128,
			     .encr_key = { .len = 20 } };
	struct xfrm_usersa_info u;
	struct ask a;
	struct nlmsghdr *m;

	ck_assert(addr_parse("192.0.2.1", &d.path.local.addr));
	ck_assert(addr_parse("192.0.2.2", &d.path.remote.addr));
	d.local = c.v[0].local;
	d.remote = c.v[0].remote;
	a = state_ask_add(&d, &(struct state_extra){ .if_id = 0 });
	m = kit_answer(&a, XFRM_MSG_NEWSA);
	memcpy(&u, nlmsg_data(m), sizeof(u));
	selector_net(&u.sel.saddr, u.sel.family, u.sel.prefixlen_s, arrivals[_i].src);
	selector_net(&u.sel.daddr, u.sel.family, u.sel.prefixlen_d, arrivals[_i].dst);
	free(m);
	children_free(&c);
}
END_TEST

UNIT("xfrm/state_selector")
{
	tcase_add_loop_test(tc, a_tunnel_takes_what_its_selectors_cover, 0,
			    (int)(sizeof(arrivals) / sizeof(arrivals[0])));
}
