/* SPDX-License-Identifier: Apache-2.0 */
/* The main job: two engines, one tunnel. */
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

START_TEST(psk_brings_up_one_pair)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert_ptr_nonnull(pair_note(p, LEFT, IKE_NOTE_UP));
	ck_assert_ptr_nonnull(pair_note(p, RIGHT, IKE_NOTE_UP));
	ck_assert(pair_note(p, RIGHT, IKE_NOTE_UP)->downgrade_protected);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	ck_assert_uint_eq(p->n_sent, 4);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-up")
{
	tcase_add_test(tc, psk_brings_up_one_pair);
}
