/* SPDX-License-Identifier: Apache-2.0 */
/* What the host does for children of both planes, side by side. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/lead.h"
#include "xfrm/plan.h"
#include "xfrm/share.h"

enum { OF_USER, OF_TUNNEL, OF_TRANSPORT, OF_USER_TRANSPORT, OF_DEVICE, N_CHILDREN };

static const char *const text[N_CHILDREN] = {
	[OF_USER] = "10.1.0.0/16,2001:db8:1::/64>10.2.0.0/16,2001:db8:2::/64",
	[OF_TUNNEL] = "10.1.0.0/16,2001:db8:1::/64>10.3.0.0/16,2001:db8:3::/64",
	[OF_TRANSPORT] = "192.0.2.1/32,2001:db8:f::1/128>192.0.2.2/32,2001:db8:f::2/128",
	[OF_USER_TRANSPORT] = "192.0.2.1/32>192.0.2.3/32",
	[OF_DEVICE] = "10.1.0.0/16>10.4.0.0/16+kernel%ipsec0",
};

static struct children planes(void)
{
	struct children c = kit_children(text, N_CHILDREN);

	c.v[OF_TUNNEL].plane = PLANE_KERNEL;
	c.v[OF_TRANSPORT].plane = PLANE_KERNEL;
	c.v[OF_TRANSPORT].mode = SA_TRANSPORT;
	c.v[OF_USER_TRANSPORT].mode = SA_TRANSPORT;
	return c;
}

START_TEST(only_transport_of_the_kernel_is_not_led_to_the_device)
{
	struct children c = planes();

	ck_assert(share_has(SHARE_LED, &c.v[OF_USER]));
	ck_assert(share_has(SHARE_LED, &c.v[OF_TUNNEL]));
	ck_assert(!share_has(SHARE_LED, &c.v[OF_TRANSPORT]));
	ck_assert(share_has(SHARE_LED, &c.v[OF_USER_TRANSPORT]));
	ck_assert(!share_has(SHARE_LED, &c.v[OF_DEVICE]));
	children_free(&c);
}
END_TEST

START_TEST(only_what_goes_into_a_device_opens_the_guards)
{
	struct children c = planes();

	ck_assert(share_has(SHARE_DEVICE, &c.v[OF_USER]));
	ck_assert(!share_has(SHARE_DEVICE, &c.v[OF_TUNNEL]));
	ck_assert(!share_has(SHARE_DEVICE, &c.v[OF_TRANSPORT]));
	ck_assert(share_has(SHARE_DEVICE, &c.v[OF_USER_TRANSPORT]));
	ck_assert(share_has(SHARE_DEVICE, &c.v[OF_DEVICE]));
	ck_assert(share_has(SHARE_ROUTED, &c.v[OF_DEVICE]));
	ck_assert(!share_has(SHARE_ROUTED, &c.v[OF_USER]));
	children_free(&c);
}
END_TEST

START_TEST(what_is_picked_keeps_its_order)
{
	struct children c = planes();
	size_t n;
	struct host_child *v = share_pick(SHARE_LED, c.v, c.n, &n);

	ck_assert_uint_eq(n, 3);
	ck_assert_ptr_eq(v[0].remote.v, c.v[OF_USER].remote.v);
	ck_assert_ptr_eq(v[1].remote.v, c.v[OF_TUNNEL].remote.v);
	ck_assert_ptr_eq(v[2].remote.v, c.v[OF_USER_TRANSPORT].remote.v);
	free(v);
	v = share_pick(SHARE_DEVICE, NULL, 0, &n);
	ck_assert_ptr_nonnull(v);
	ck_assert_uint_eq(n, 0);
	free(v);
	children_free(&c);
}
END_TEST

/* A policy of the plan that takes packets to this network (IPv6, /64). */
static bool plan_names(const struct policy_list *l, const char *net, uint8_t dir, uint8_t action)
{
	struct net n;

	ck_assert(net_parse(net, &n));
	for (size_t i = 0; i < l->n; i++) {
		const struct policy *p = &l->v[i];

		if (p->dir == dir && p->action == action && p->sel.prefixlen_d == n.bits &&
		    memcmp(&p->sel.daddr, n.addr.b, sizeof(n.addr.b)) == 0)
			return true;
	}
	return false;
}

/* The guard of local IPv6 packets is lifted for userspace alone; all are guarded. */
START_TEST(the_guard_of_a_child_of_the_kernel_is_never_lifted)
{
	struct children c = planes();
	const struct own_list own = { .n = 0 };
	struct policy_list lifts = { .n = 0 }, guards = { .n = 0 };
	size_t n;
	struct host_child *user = share_pick(SHARE_DEVICE, c.v, c.n, &n);

	ck_assert_int_eq(plan_plane(&lifts, user, n, 42), OK);
	ck_assert_int_eq(plan_guards(&guards, c.v, c.n, &own), OK);
	ck_assert(plan_names(&lifts, "2001:db8:2::/64", XFRM_POLICY_OUT, XFRM_POLICY_ALLOW));
	ck_assert(!plan_names(&lifts, "2001:db8:3::/64", XFRM_POLICY_OUT, XFRM_POLICY_ALLOW));
	ck_assert(!plan_names(&lifts, "2001:db8:f::2/128", XFRM_POLICY_OUT, XFRM_POLICY_ALLOW));
	ck_assert(plan_names(&guards, "2001:db8:2::/64", XFRM_POLICY_OUT, XFRM_POLICY_BLOCK));
	ck_assert(plan_names(&guards, "2001:db8:3::/64", XFRM_POLICY_OUT, XFRM_POLICY_BLOCK));
	ck_assert(plan_names(&guards, "2001:db8:f::2/128", XFRM_POLICY_OUT, XFRM_POLICY_BLOCK));
	policy_list_free(&lifts);
	policy_list_free(&guards);
	free(user);
	children_free(&c);
}
END_TEST

UNIT("xfrm/share")
{
	tcase_add_test(tc, only_transport_of_the_kernel_is_not_led_to_the_device);
	tcase_add_test(tc, only_what_goes_into_a_device_opens_the_guards);
	tcase_add_test(tc, what_is_picked_keeps_its_order);
	tcase_add_test(tc, the_guard_of_a_child_of_the_kernel_is_never_lifted);
}
