/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments that are forwarded have no ports, and guards of ports hold them back all the same. */
#include "xfrm/plan.h"

#include <arpa/inet.h>

#include "tests/unit/xfrm/kit.h"

static const struct {
	const char *child;
	bool guarded; /* fragments have a guard of their own */
} cases[] = {
	{ "10.1.0.0/16>10.2.0.0/16", false },
	{ "10.1.0.0/16>10.2.0.0/16@tcp", false },
	{ "10.1.0.0/16>10.2.0.0/16@tcp=443", true },
	{ "2001:db8:1::/64>2001:db8:2::/64@udp=443", true },
};

/* With both ports 0, as the kernel has them. */
static const struct policy *of_pieces(const struct policy_list *l, uint8_t dir, uint8_t action)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct xfrm_selector *s = &l->v[i].sel;

		if (l->v[i].dir == dir && l->v[i].action == action && s->sport == 0 &&
		    s->dport == 0 && s->sport_mask == 0xffff && s->dport_mask == 0xffff)
			return &l->v[i];
	}
	return NULL;
}

START_TEST(a_port_guards_fragments_too)
{
	const struct own_list none = { .n = 0 };
	struct children k = kit_children(&cases[_i].child, 1);
	struct policy_list l = { .n = 0 };

	ck_assert_int_eq(plan_guards(&l, k.v, k.n, &none), OK);
	for (uint8_t dir = XFRM_POLICY_IN; dir <= XFRM_POLICY_FWD; dir++)
		ck_assert((of_pieces(&l, dir, XFRM_POLICY_BLOCK) != NULL) == cases[_i].guarded);
	policy_list_free(&l);
	children_free(&k);
}
END_TEST

UNIT("xfrm/plan-pieces")
{
	tcase_add_loop_test(tc, a_port_guards_fragments_too, 0, 4);
}
