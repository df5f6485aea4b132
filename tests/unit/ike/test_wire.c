/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/wire.h"

#include "tests/unit/unit.h"

START_TEST(names_are_those_of_the_registry)
{
	ck_assert_str_eq(exchange_name(X_CREATE_CHILD_SA), "CREATE_CHILD_SA");
	ck_assert_str_eq(payload_name(PL_TSI), "TSi");
	ck_assert_str_eq(notify_name(14), "NO_PROPOSAL_CHOSEN");
	ck_assert_str_eq(notify_name(16447), "IKE_SA_INIT_FULL_TRANSCRIPT_AUTH");
}
END_TEST

START_TEST(every_number_has_a_name_to_print)
{
	for (unsigned int i = 0; i <= UINT16_MAX; i++) {
		ck_assert_ptr_nonnull(notify_name((uint16_t)i));
		ck_assert_ptr_nonnull(exchange_name((uint8_t)i));
		ck_assert_ptr_nonnull(payload_name((uint8_t)i));
	}
	ck_assert_str_eq(notify_name(40000), "unknown");
	ck_assert_str_eq(exchange_name(0), "unknown");
}
END_TEST

UNIT("ike/wire")
{
	tcase_add_test(tc, names_are_those_of_the_registry);
	tcase_add_test(tc, every_number_has_a_name_to_print);
}
