/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/names.h"

#include <string.h>

#include "base/sadesc.h"
#include "crypto/alg.h"
#include "tests/unit/unit.h"

#define BITS 8u

/* The other folder's table is the judge: the kernel gets key and salt in one, and AEAD's ICV. */
START_TEST(every_cipher_that_we_negotiate_has_its_row)
{
	const struct encr *e;

	for (size_t i = 0; (e = encr_row(i)) != NULL; i++) {
		const struct name_encr *n = names_encr(e->id, e->key_bits);

		ck_assert_ptr_nonnull(n);
		ck_assert_uint_eq(n->keymat_bits, (unsigned int)(e->key_len + e->salt_len) * BITS);
		ck_assert_uint_eq(n->icv_bits, (e->aead ? e->icv_len : 0u) * BITS);
	}
}
END_TEST

START_TEST(every_mac_that_we_negotiate_has_its_row)
{
	const struct integ *m;

	for (size_t i = 0; (m = integ_row(i)) != NULL; i++) {
		const struct name_integ *n = names_integ(m->id);

		ck_assert_ptr_nonnull(n);
		ck_assert_uint_eq(n->key_bits, (unsigned int)m->key_len * BITS);
		ck_assert_uint_eq(n->icv_bits, (unsigned int)m->icv_len * BITS);
	}
}
END_TEST

/* The probe tries every row: what we do not negotiate is not worth loading modules. */
START_TEST(nothing_else_is_tried)
{
	const struct name_encr *e;
	const struct name_integ *m;

	for (size_t i = 0; (e = names_encr_row(i)) != NULL; i++)
		ck_assert_ptr_nonnull(encr_find(e->id, e->key_bits));
	for (size_t i = 0; (m = names_integ_row(i)) != NULL; i++)
		ck_assert_ptr_nonnull(integ_find(m->id));
}
END_TEST

/* The probe stops asking for a name that is missing, so its rows have to stand together; the text
 * belongs to the name. */
START_TEST(rows_of_one_name_stand_together)
{
	const struct name_encr *a;
	const struct name_encr *b;

	for (size_t i = 0; (a = names_encr_row(i)) != NULL; i++) {
		bool apart = false;

		for (size_t j = i + 1; (b = names_encr_row(j)) != NULL; j++) {
			bool same = strcmp(a->kernel, b->kernel) == 0;

			ck_assert(!(same && apart));
			ck_assert_int_eq(same, strcmp(a->text, b->text) == 0);
			ck_assert(a->id != b->id || a->key_bits != b->key_bits);
			apart = apart || !same;
		}
	}
}
END_TEST

START_TEST(what_the_kernel_has_fits_into_the_answer)
{
	size_t n_encr = 0;
	size_t n_integ = 0;

	while (names_encr_row(n_encr) != NULL)
		n_encr++;
	while (names_integ_row(n_integ) != NULL)
		n_integ++;
	ck_assert_uint_le(n_encr, PLANE_ENCR_MAX);
	ck_assert_uint_le(n_integ, PLANE_INTEG_MAX);
	ck_assert_ptr_null(names_encr(12, 64));
	ck_assert_ptr_null(names_integ(0));
}
END_TEST

UNIT("xfrm/names")
{
	tcase_add_test(tc, every_cipher_that_we_negotiate_has_its_row);
	tcase_add_test(tc, every_mac_that_we_negotiate_has_its_row);
	tcase_add_test(tc, nothing_else_is_tried);
	tcase_add_test(tc, rows_of_one_name_stand_together);
	tcase_add_test(tc, what_the_kernel_has_fits_into_the_answer);
}
