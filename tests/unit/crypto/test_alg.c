/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/alg.h"

#include <string.h>

#include "base/secret.h"
#include "crypto/prf.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "tests/unit/unit.h"

/* Of all 65 536 numbers of each type those of the tables are found and no other (CVE-2014-9221: a
 * number of one's own, meant for inside, could be had from the wire). */
START_TEST(the_tables_and_no_other_number_are_found)
{
	size_t n_encr = 0, n_integ = 0, n_prf = 0;

	for (unsigned int id = 0; id <= UINT16_MAX; id++) {
		for (unsigned int bits = 0; bits <= 520; bits++)
			n_encr += encr_find((uint16_t)id, (uint16_t)bits) != NULL;
		n_integ += integ_find((uint16_t)id) != NULL;
		n_prf += prf_find((uint16_t)id) != NULL;
	}
	ck_assert_uint_eq(n_encr, 25);
	ck_assert_uint_eq(n_integ, 6);
	ck_assert_uint_eq(n_prf, 5);
}
END_TEST

/* RFC 3602 2.1, RFC 4106 8.4: AES must say its key's length; RFC 7634 2: ChaCha20 must not. */
START_TEST(key_length_attributes_are_those_of_the_rfcs)
{
	static const uint16_t aes[] = { ENCR_AES_CBC,	 ENCR_AES_CTR,	  ENCR_AES_CCM_8,
					ENCR_AES_CCM_12, ENCR_AES_CCM_16, ENCR_AES_GCM_8,
					ENCR_AES_GCM_12, ENCR_AES_GCM_16 };

	for (size_t i = 0; i < sizeof(aes) / sizeof(aes[0]); i++)
		for (unsigned int bits = 0; bits <= UINT16_MAX; bits++)
			ck_assert_int_eq(encr_find(aes[i], (uint16_t)bits) != NULL,
					 bits == 128 || bits == 192 || bits == 256);
	ck_assert_ptr_null(encr_find(ENCR_CHACHA20_POLY1305, 256));
	ck_assert_ptr_nonnull(encr_find(ENCR_CHACHA20_POLY1305, 0));
}
END_TEST

START_TEST(encryption_rows_hold_together)
{
	const struct encr *r;
	size_t i;

	for (i = 0; (r = encr_row(i)) != NULL; i++) {
		ck_assert_ptr_eq(encr_find(r->id, r->key_bits), r);
		ck_assert_ptr_eq(encr_by_keyword(r->keyword), r);
		ck_assert_uint_le((size_t)r->key_len + r->salt_len, KEY_MAX);
		ck_assert_int_eq(r->aead, r->icv_len != 0);
		if (r->key_bits)
			ck_assert_uint_eq(r->key_bits, 8u * r->key_len);
		ck_assert_uint_eq(seal_icv_len(r, NULL), r->icv_len);
		ck_assert_int_eq(r->weak, r->icv_len == 8);
	}
	ck_assert_uint_eq(i, 25);
	ck_assert_ptr_null(encr_row(i + 1));
}
END_TEST

START_TEST(integrity_and_prf_rows_hold_together)
{
	const struct integ *integ;
	const struct prf *prf;

	for (size_t i = 0; (integ = integ_row(i)) != NULL; i++) {
		ck_assert_ptr_eq(integ_find(integ->id), integ);
		ck_assert_ptr_eq(integ_by_keyword(integ->keyword), integ);
		ck_assert_uint_le(integ->key_len, KEY_MAX);
		ck_assert_uint_lt(integ->icv_len, integ->key_len);
		ck_assert_int_eq(integ->weak, strcmp(integ->keyword, "sha1") == 0);
		ck_assert_uint_eq(seal_icv_len(encr_by_keyword("aes256"), integ), integ->icv_len);
	}
	for (size_t i = 0; (prf = prf_row(i)) != NULL; i++) {
		ck_assert_ptr_eq(prf_find(prf->id), prf);
		ck_assert_ptr_eq(prf_by_keyword(prf->keyword), prf);
		ck_assert_uint_le(prf->len, KEY_MAX);
		ck_assert_uint_eq(prf->nonce_len, prf->id == PRF_AES128_CMAC ? 8 : 0);
		ck_assert_int_eq(prf->weak, strcmp(prf->keyword, "prfsha1") == 0);
	}
}
END_TEST

/* Every row can be used: an algorithm that is offered and then not there has crashed others
 * (CVE-2016-3071). */
START_TEST(every_row_works)
{
	static const uint8_t zero[KEY_MAX];
	const struct integ *integ;
	const struct encr *encr;
	const struct prf *prf;
	struct sealer *s;
	struct key out;

	for (size_t i = 0; (encr = encr_row(i)) != NULL; i++) {
		for (size_t j = 0; (integ = integ_row(j)) != NULL; j++) {
			const struct integ *with = encr->aead ? NULL : integ;

			ck_assert_int_eq(
				sealer_new(encr, with,
					   span_of(zero, (size_t)encr->key_len + encr->salt_len),
					   span_of(zero, with ? with->key_len : 0), &s),
				OK);
			sealer_free(s);
		}
	}
	for (size_t i = 0; (prf = prf_row(i)) != NULL; i++)
		ck_assert_int_eq(prf_compute(prf, SPAN_EMPTY, NULL, 0, &out), OK);
}
END_TEST

START_TEST(names_are_known_also_of_what_is_refused)
{
	ck_assert_str_eq(transform_name(T_ENCR, 3), "3DES");
	ck_assert_str_eq(transform_name(T_ENCR, 20), "AES-GCM-16");
	ck_assert_str_eq(transform_name(T_PRF, 5), "HMAC-SHA2-256");
	ck_assert_str_eq(transform_name(T_INTEG, 1), "HMAC-MD5-96");
	ck_assert_str_eq(transform_name(T_KE, 2), "MODP-1024");
	ck_assert_str_eq(transform_name(T_KE, 31), "Curve25519");
	ck_assert_str_eq(transform_name(T_ESN, 1), "ESN");
	ck_assert_ptr_null(transform_name(T_KE, 1025));
	ck_assert_ptr_null(transform_name(T_ENCR, 0));
	ck_assert_ptr_null(transform_name((enum transform_type)6, 1));
}
END_TEST

START_TEST(rows_and_names_agree)
{
	const struct encr *encr;
	const struct ke_group *ke;
	const struct integ *integ;
	const struct prf *prf;

	for (size_t i = 0; (ke = ke_row(i)) != NULL; i++)
		ck_assert_str_eq(transform_name(T_KE, ke->id), ke->name);
	for (size_t i = 0; (integ = integ_row(i)) != NULL; i++)
		ck_assert_str_eq(transform_name(T_INTEG, integ->id), integ->name);
	for (size_t i = 0; (prf = prf_row(i)) != NULL; i++)
		ck_assert_str_eq(transform_name(T_PRF, prf->id), prf->name);
	for (size_t i = 0; (encr = encr_row(i)) != NULL; i++) {
		const char *name = transform_name(T_ENCR, encr->id);

		ck_assert_int_eq(strncmp(name, encr->name, strlen(name)), 0);
	}
}
END_TEST

static bool half_fill(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0xa5, len / 2);
	return false;
}

START_TEST(without_randomness_nothing_looks_random)
{
	const struct random broken = { .fill = half_fill };
	const uint8_t zero[32] = { 0 };
	uint8_t b[32];

	memset(b, 0x5a, sizeof(b));
	ck_assert(!random_fill(&broken, b, sizeof(b)));
	ck_assert_mem_eq(b, zero, sizeof(b));
}
END_TEST

START_TEST(the_system_gives_other_bytes_each_time)
{
	const struct random r = random_system();
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	ck_assert(random_fill(&r, a, sizeof(a)));
	ck_assert(random_fill(&r, b, sizeof(b)));
	ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

UNIT("crypto/alg")
{
	tcase_add_test(tc, the_tables_and_no_other_number_are_found);
	tcase_add_test(tc, key_length_attributes_are_those_of_the_rfcs);
	tcase_add_test(tc, encryption_rows_hold_together);
	tcase_add_test(tc, integrity_and_prf_rows_hold_together);
	tcase_add_test(tc, every_row_works);
	tcase_add_test(tc, names_are_known_also_of_what_is_refused);
	tcase_add_test(tc, rows_and_names_agree);
	tcase_add_test(tc, without_randomness_nothing_looks_random);
	tcase_add_test(tc, the_system_gives_other_bytes_each_time);
}
