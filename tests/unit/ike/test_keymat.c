/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers were computed with Python's hmac and hashlib from the formulas of RFC
 * 7296 2.13, 2.14, 2.17 and 2.18: Ni = 10..2f, Nr = 80..a7, g^ir[i] = 7i + 3, SPIs a1a2a3a4a5a6a7a8
 * and b1b2b3b4b5b6b7b8.
 */
#include "ike/keymat.h"

#include "ike/wire.h"
#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

static uint8_t ni[32], nr[40], g_ir[32];

static struct keymat_seed seed_of_the_numbers(void)
{
	for (size_t i = 0; i < sizeof(ni); i++)
		ni[i] = (uint8_t)(0x10 + i);
	for (size_t i = 0; i < sizeof(nr); i++)
		nr[i] = (uint8_t)(0x80 + i);
	for (size_t i = 0; i < sizeof(g_ir); i++)
		g_ir[i] = (uint8_t)(7 * i + 3);
	return (struct keymat_seed){
		.g_ir = span_of(g_ir, sizeof(g_ir)),
		.ni = span_of(ni, sizeof(ni)),
		.nr = span_of(nr, sizeof(nr)),
		.spi_i = UINT64_C(0xa1a2a3a4a5a6a7a8),
		.spi_r = UINT64_C(0xb1b2b3b4b5b6b7b8),
	};
}

static struct suite suite_of(const char *encr, const char *integ, const char *prf)
{
	return (struct suite){ .encr = encr_by_keyword(encr),
			       .integ = integ ? integ_by_keyword(integ) : NULL,
			       .prf = prf_by_keyword(prf) };
}

START_TEST(ike_keys_with_aead_are_those_of_the_formula)
{
	struct keymat_seed seed = seed_of_the_numbers();
	struct suite s = suite_of("aes256gcm16", NULL, "prfsha256");
	struct ike_keys k;

	ck_assert_int_eq(keymat_ike(&s, &seed, &k), OK);
	hex_expect("866c0c2f663f27ce886fedc11b0cc9921fccf06fde9509a7730c80123217497b",
		   key_span(&k.d));
	hex_expect("", key_span(&k.ai));
	hex_expect("", key_span(&k.ar));
	hex_expect("106e71bcdbbd235d27d89c38648c48111c93e9ba373bdf074a70b824b9162f9c 4aa536d5",
		   key_span(&k.ei));
	hex_expect("8fb186d09024ad8344b7f053e8c647ab9ec3b576238e33182edef188a3e86b61 e4bcc5c9",
		   key_span(&k.er));
	hex_expect("37d5a98199578a38d9e3e1dbb1470a27376c00d6daf3ceedd293238693c51ea7",
		   key_span(&k.pi));
	hex_expect("e8e0b83be9908428092a1b0399dcca6c30b8efaadde27a06db67423f6449ccf0",
		   key_span(&k.pr));
}
END_TEST

START_TEST(ike_keys_with_integrity_are_those_of_the_formula)
{
	struct keymat_seed seed = seed_of_the_numbers();
	struct suite s = suite_of("aes256", "sha384", "prfsha384");
	struct ike_keys k;

	ck_assert_int_eq(keymat_ike(&s, &seed, &k), OK);
	hex_expect("a4dd0a0b7152320f75dd8d868085096f22da48f72482333bc5d9bf2a076ad2bb"
		   "97eb5cf2d7dba189264979274cf068d2",
		   key_span(&k.d));
	hex_expect("6a936b7683bfb066f6e692b3bc06d565bac97d46de94ae3c28ebaeea20b88fc4"
		   "df253dc891b6930206589b9d06bc4fdb",
		   key_span(&k.ai));
	hex_expect("eeb616e2bf9a21d13b8bc79ab67ced91b8f0bdeb3900354843bb83ffa3b057a1"
		   "db3abb743366c9dfa5e624d01080d1ab",
		   key_span(&k.ar));
	hex_expect("03c34a8edd893c338b74c1b71cbf5bb097ff23589cac679e7b6197d5f6896559",
		   key_span(&k.ei));
	hex_expect("ece5ca8012257f8c9f953d8a73bea51c9abaf8444796f85b1604007342db0a5e",
		   key_span(&k.er));
	hex_expect("64f00edfcf177f11de270bcd46eb16851768f49367f9ed40391d3595e8dbd71e"
		   "a976fc7fae35204f7a4932d01f97cfcd",
		   key_span(&k.pi));
	hex_expect("71e38841d0ff6188a3b00fcb9182548a29e5f6a85dd6975f0629ae1a65f8bcb4"
		   "c4a4a43d551e1db9fdb39e1d17bcf146",
		   key_span(&k.pr));
}
END_TEST

START_TEST(a_rekey_starts_from_the_old_key_with_the_old_prf)
{
	struct keymat_seed seed = seed_of_the_numbers();
	struct suite s = suite_of("aes256", "sha384", "prfsha384");
	struct ike_keys old, k;

	ck_assert_int_eq(keymat_ike(&s, &seed, &old), OK);
	s = suite_of("aes256gcm16", NULL, "prfsha256");
	ck_assert_int_eq(keymat_ike_rekey(&s, prf_by_keyword("prfsha384"), &old.d, &seed, &k), OK);
	hex_expect("a6591a5272b8ae2a6d5fdebc5bceb3e9da27d1f159fc925c1ea3bbc551c00c41",
		   key_span(&k.d));
}
END_TEST

START_TEST(child_keys_come_in_the_order_of_the_rfc)
{
	struct keymat_seed seed = seed_of_the_numbers();
	struct suite ike = suite_of("aes256gcm16", NULL, "prfsha256");
	struct suite esp = { .encr = encr_by_keyword("aes256gcm16") };
	struct ike_keys k;
	struct child_keys c;

	ck_assert_int_eq(keymat_ike(&ike, &seed, &k), OK);
	seed.g_ir = SPAN_EMPTY;
	ck_assert_int_eq(keymat_child(&esp, ike.prf, &k.d, &seed, &c), OK);
	hex_expect("13fab27782acd4f9d6f622b300452b55ee7513a46e64d8975a1f76c098795e6f 2c21901e",
		   key_span(&c.i_encr));
	hex_expect("9c40cd675aa3093a2fc54a36e633b9d999fe7d726880eea2ea9626f215fa9b1c eaa7ebe0",
		   key_span(&c.r_encr));
	ck_assert_uint_eq(c.i_integ.len, 0);
	ck_assert_uint_eq(c.r_integ.len, 0);
}
END_TEST

START_TEST(child_keys_with_pfs_begin_with_the_new_secret)
{
	struct keymat_seed seed = seed_of_the_numbers();
	struct suite ike = suite_of("aes256gcm16", NULL, "prfsha256");
	struct suite esp = suite_of("aes128", "sha256", "prfsha256");
	struct ike_keys k;
	struct child_keys c;

	ck_assert_int_eq(keymat_ike(&ike, &seed, &k), OK);
	ck_assert_int_eq(keymat_child(&esp, ike.prf, &k.d, &seed, &c), OK);
	hex_expect("c2a60fdd88905e0a3dc5e15666a8afa3", key_span(&c.i_encr));
	hex_expect("4f903ead3c972c8ebad97ff4112d779dc4806b04e0abe652eed3d3be72413a52",
		   key_span(&c.i_integ));
	hex_expect("6b0409ebd8ed9c47aafa0611d288a66c", key_span(&c.r_encr));
	hex_expect("7d32a24ecda6f830a1559ab9bffadb7ee706a62f4b8d2409bb412053e958eefe",
		   key_span(&c.r_integ));
}
END_TEST

/* Every combination that can be negotiated gets keys of the sizes that its rows say. */
START_TEST(every_suite_gets_keys_of_its_sizes)
{
	struct keymat_seed seed = seed_of_the_numbers();

	for (size_t e = 0; encr_row(e) != NULL; e++) {
		for (size_t i = 0; integ_row(i) != NULL; i++) {
			for (size_t p = 0; prf_row(p) != NULL; p++) {
				struct suite s = { .encr = encr_row(e), .prf = prf_row(p) };
				size_t encr_len = (size_t)s.encr->key_len + s.encr->salt_len,
				       integ_len;
				struct ike_keys k;
				struct child_keys c;

				s.integ = s.encr->aead ? NULL : integ_row(i);
				integ_len = s.integ != NULL ? s.integ->key_len : 0;
				ck_assert_int_eq(keymat_ike(&s, &seed, &k), OK);
				ck_assert_uint_eq(k.d.len, s.prf->len);
				ck_assert_uint_eq(k.pi.len, s.prf->len);
				ck_assert_uint_eq(k.pr.len, s.prf->len);
				ck_assert_uint_eq(k.ei.len, encr_len);
				ck_assert_uint_eq(k.er.len, encr_len);
				ck_assert_uint_eq(k.ai.len, integ_len);
				ck_assert_uint_eq(k.ar.len, integ_len);
				ck_assert_int_eq(keymat_child(&s, s.prf, &k.d, &seed, &c), OK);
				ck_assert_uint_eq(c.i_encr.len, encr_len);
				ck_assert_uint_eq(c.r_integ.len, integ_len);
			}
		}
	}
}
END_TEST

START_TEST(nonces_that_are_too_long_give_no_keys)
{
	static const uint8_t big[NONCE_MAX + 1];
	struct keymat_seed seed = seed_of_the_numbers();
	struct suite s = suite_of("aes256gcm16", NULL, "prfsha256");
	struct ike_keys k;

	seed.ni = span_of(big, sizeof(big));
	seed.nr = span_of(big, sizeof(big));
	ck_assert_int_eq(keymat_ike(&s, &seed, &k), ERR_SPACE);
	ck_assert_uint_eq(k.d.len, 0);
}
END_TEST

/* RFC 7296 2.14: of the nonces SKEYSEED has the first eight bytes each, the rest of the formulas
 * has them whole. By CMAC over a cipher written from FIPS 197. */
START_TEST(keys_by_cmac_are_those_of_the_formula)
{
	struct keymat_seed seed = seed_of_the_numbers();
	struct suite s = suite_of("aes192ctr", "aesxcbc", "prfaescmac");
	struct suite esp = suite_of("aes128ccm16", NULL, "prfaescmac");
	struct child_keys c;
	struct ike_keys k;

	ck_assert_int_eq(keymat_ike(&s, &seed, &k), OK);
	hex_expect("fc902d1a81badcc714d206a8f02f3268", key_span(&k.d));
	hex_expect("f287e44c10d09c5db914e1dacb4d1402", key_span(&k.ai));
	hex_expect("44bcbc1d9f514992f62b0c5f3bf32a43", key_span(&k.ar));
	hex_expect("acaf66ab58f439c8605a5ffdf555c9594c6d1fc188cbd629985924c3", key_span(&k.ei));
	hex_expect("c57f8e0d7ea522c0c241577505f02dd214ad9826c1a9cdc118a5e0df", key_span(&k.er));
	hex_expect("adc8a8d376b6585978aca80d681001e2", key_span(&k.pi));
	hex_expect("0fd0b5d323207405d5e792b2d11e25db", key_span(&k.pr));
	seed.g_ir = SPAN_EMPTY;
	ck_assert_int_eq(keymat_child(&esp, s.prf, &k.d, &seed, &c), OK);
	hex_expect("da414eb987383818cbb72a129b3d3d3771e5db", key_span(&c.i_encr));
	hex_expect("83d9143b2a8c811c9a59ab611d9ed20bb957fc", key_span(&c.r_encr));
}
END_TEST

UNIT("ike/keymat")
{
	tcase_add_test(tc, keys_by_cmac_are_those_of_the_formula);
	tcase_add_test(tc, ike_keys_with_aead_are_those_of_the_formula);
	tcase_add_test(tc, ike_keys_with_integrity_are_those_of_the_formula);
	tcase_add_test(tc, a_rekey_starts_from_the_old_key_with_the_old_prf);
	tcase_add_test(tc, child_keys_come_in_the_order_of_the_rfc);
	tcase_add_test(tc, child_keys_with_pfs_begin_with_the_new_secret);
	tcase_add_test(tc, every_suite_gets_keys_of_its_sizes);
	tcase_add_test(tc, nonces_that_are_too_long_give_no_keys);
}
