/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that wait at a trap leave when its child can send. */
#include <string.h>

#include "tests/unit/xfrm/kernel_world.h"

/* Those that wait at traps of this reqid; `woken` of the others has to stay 0. */
static unsigned int traps_woken(const struct world *w, uint32_t reqid)
{
	const struct addr nowhere = flow_trap_dst();
	unsigned int n = 0;

	for (size_t i = 0; i < w->m->n_policies; i++) {
		const struct model_policy *p = &w->m->policies[i];

		if (!p->has_tmpl || memcmp(&p->tmpl.id.daddr.a4, nowhere.b, 4) != 0)
			continue;
		if (p->tmpl.reqid == reqid)
			n += p->woken;
		else
			ck_assert_uint_eq(p->woken, 0);
	}
	return n;
}

START_TEST(packets_that_wait_look_again_as_soon_as_their_child_can_send)
{
	struct world *w = world_new();

	world_half_up(w);
	ck_assert_uint_eq(traps_woken(w, REQID), 0);
	world_simply(w, SA_INSTALL, SA_OUT, 0x1002);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert_uint_gt(traps_woken(w, REQID), 0);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel_trap")
{
	tcase_add_test(tc, packets_that_wait_look_again_as_soon_as_their_child_can_send);
}
