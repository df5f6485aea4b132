/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include <stdio.h>
#include <string.h>

#include "crypto/prf.h"
#include "tests/unit/crypto/hex.h"
#include "tests/unit/crypto/seal_vectors.h"
#include "tests/unit/unit.h"

enum { BLOCK = 16 };

/* A vector with its storage: what a seal_text points into. */
struct mac_case {
	const struct encr *encr;
	const struct integ *integ;
	struct sealer *sealer;
	struct hex iv;
	struct hex aad;
	struct hex suffix;
	struct hex text;
	struct hex icv;
};

static struct hex integ_key(const struct integ *integ)
{
	struct hex key = { .len = integ->key_len };

	for (size_t i = 0; i < key.len; i++)
		key.b[i] = (uint8_t)(0x40 + i);
	return key;
}

static void case_begin(struct mac_case *c, const struct mac_vector *v, const char *text)
{
	const struct hex key = hex(v->key);
	struct hex mac_key;

	c->encr = encr_by_keyword(v->encr);
	c->integ = integ_by_keyword(v->integ);
	c->iv = hex(v->iv);
	c->aad = hex(v->aad);
	c->suffix = hex(v->suffix);
	c->text = hex(text);
	c->icv = hex(v->icv);
	mac_key = integ_key(c->integ);
	ck_assert_int_eq(
		sealer_new(c->encr, c->integ, hex_span(&key), hex_span(&mac_key), &c->sealer), OK);
}

static struct seal_text case_text(struct mac_case *c)
{
	return (struct seal_text){
		.aad = hex_span(&c->aad),
		.suffix = hex_span(&c->suffix),
		.iv = c->iv.b,
		.text = c->text.b,
		.text_len = c->text.len,
		.icv = c->icv.b,
	};
}

START_TEST(seals_as_the_vector_says)
{
	const struct mac_vector *v = &mac_vectors[_i];
	struct mac_case c;
	struct seal_text t;

	case_begin(&c, v, v->text);
	memset(c.icv.b, 0, c.icv.len);
	t = case_text(&c);
	ck_assert_int_eq(seal(c.sealer, &t), OK);
	hex_expect(v->sealed, hex_span(&c.text));
	hex_expect(v->icv, hex_span(&c.icv));
	ck_assert_uint_eq(c.icv.len, seal_icv_len(c.encr, c.integ));
	ck_assert_uint_eq(c.icv.b[c.icv.len], 0); /* not a byte more of the MAC */
	sealer_free(c.sealer);
}
END_TEST

START_TEST(opens_what_the_vector_sealed)
{
	const struct mac_vector *v = &mac_vectors[_i];
	struct mac_case c;
	struct seal_text t;

	case_begin(&c, v, v->sealed);
	t = case_text(&c);
	ck_assert_int_eq(unseal(c.sealer, &t), OK);
	hex_expect(v->text, hex_span(&c.text));
	sealer_free(c.sealer);
}
END_TEST

static struct hex *part_of(struct mac_case *c, int part)
{
	struct hex *const parts[] = { &c->icv, &c->text, &c->aad, &c->iv, &c->suffix };

	return parts[part];
}

enum { N_PARTS = 5 };

/* The text must come back as it came in: what the MAC does not vouch for is never deciphered. */
START_TEST(one_bit_turned_anywhere_is_refused_undeciphered)
{
	const struct mac_vector *v = &mac_vectors[_i];
	struct mac_case c;

	case_begin(&c, v, v->sealed);
	for (int part = 0; part < N_PARTS; part++) {
		struct hex *h = part_of(&c, part);

		for (size_t bit = 0; bit < 8 * h->len; bit++) {
			const struct seal_text t = case_text(&c);
			struct hex before;

			h->b[bit / 8] = (uint8_t)(h->b[bit / 8] ^ 1 << bit % 8);
			before = c.text;
			ck_assert_int_eq(unseal(c.sealer, &t), ERR_ICV);
			ck_assert_mem_eq(c.text.b, before.b, c.text.len);
			h->b[bit / 8] = (uint8_t)(h->b[bit / 8] ^ 1 << bit % 8);
		}
	}
	ck_assert_int_eq(unseal(c.sealer, &(struct seal_text){ .aad = hex_span(&c.aad),
							       .suffix = hex_span(&c.suffix),
							       .iv = c.iv.b,
							       .text = c.text.b,
							       .text_len = c.text.len,
							       .icv = c.icv.b }),
			 OK);
	sealer_free(c.sealer);
}
END_TEST

/* The right ICV of a text, whatever its length: what somebody with the key could make. XCBC is no
 * PRF of ours; false. */
static bool icv_make(struct mac_case *c, size_t text_len)
{
	const struct hex key = integ_key(c->integ);
	const struct span parts[] = { hex_span(&c->aad), hex_span(&c->iv),
				      span_of(c->text.b, text_len), hex_span(&c->suffix) };
	const struct prf *prf;
	char keyword[16];
	struct key mac;

	(void)snprintf(keyword, sizeof(keyword), "prf%s", c->integ->keyword);
	prf = prf_by_keyword(keyword);
	if (!prf)
		return false;
	ck_assert_int_eq(prf_compute(prf, hex_span(&key), parts, 4, &mac), OK);
	memcpy(c->icv.b, mac.b, c->integ->icv_len);
	return true;
}

/* Not a whole number of blocks: refused as not authentic, also with a MAC that fits. */
START_TEST(a_text_of_half_blocks_is_refused)
{
	const struct mac_vector *v = &mac_vectors[_i];
	struct mac_case c;

	case_begin(&c, v, v->sealed);
	for (size_t len = 0; len <= c.text.len + BLOCK; len++) {
		const bool half = len % c.encr->block_len != 0;
		struct seal_text t = case_text(&c);

		t.text_len = len;
		memset(c.icv.b, 0, c.icv.len);
		ck_assert_int_eq(unseal(c.sealer, &t), ERR_ICV);
		if (icv_make(&c, len))
			ck_assert_int_eq(unseal(c.sealer, &t), half ? ERR_ICV : OK);
		ck_assert_int_eq(seal(c.sealer, &t), half ? ERR_CRYPTO : OK);
	}
	sealer_free(c.sealer);
}
END_TEST

START_TEST(many_packets_go_through_one_sealer)
{
	const struct mac_vector *v = &mac_vectors[_i];
	struct mac_case c;

	case_begin(&c, v, v->text);
	for (int n = 0; n < 5; n++) {
		struct seal_text t;

		c.text = hex(v->text);
		t = case_text(&c);
		ck_assert_int_eq(seal(c.sealer, &t), OK);
		hex_expect(v->sealed, hex_span(&c.text));
		hex_expect(v->icv, hex_span(&c.icv));
		c.icv.b[0] ^= 1;
		ck_assert_int_eq(unseal(c.sealer, &t), ERR_ICV);
		c.icv.b[0] ^= 1;
		ck_assert_int_eq(unseal(c.sealer, &t), OK);
		hex_expect(v->text, hex_span(&c.text));
	}
	sealer_free(c.sealer);
}
END_TEST

START_TEST(keys_of_wrong_length_make_no_sealer)
{
	static const uint8_t key[KEY_MAX + 1];
	const struct encr *encr = encr_by_keyword(mac_vectors[_i].encr);
	const struct integ *integ = integ_by_keyword(mac_vectors[_i].integ);
	const size_t right = (size_t)encr->key_len + encr->salt_len;
	struct sealer *s;

	for (size_t len = 0; len <= KEY_MAX + 1; len++) {
		ck_assert_int_eq(sealer_new(encr, integ, span_of(key, len),
					    span_of(key, integ->key_len), &s) == OK,
				 len == right);
		sealer_free(s);
		ck_assert_int_eq(sealer_new(encr, integ, span_of(key, right), span_of(key, len),
					    &s) == OK,
				 len == integ->key_len);
		sealer_free(s);
	}
	/* no integrity at all */
	ck_assert_int_ne(sealer_new(encr, NULL, span_of(key, right), SPAN_EMPTY, &s), OK);
	ck_assert_ptr_null(s);
}
END_TEST

/* SP 800-38A appendix C: a counter, enciphered. Never twice the same, not the counter, not what the
 * text's own key would make of it, and the same again in another sealer of the same key (so that
 * counters alone tell). */
START_TEST(ivs_are_unique_and_tell_nothing_of_the_counter)
{
	enum { N = 150 };
	static uint8_t iv[N][BLOCK];
	const struct mac_vector *v = &mac_vectors[_i];
	struct mac_case c, again;
	uint8_t same[BLOCK], zero[BLOCK] = { 0 };

	case_begin(&c, v, v->text);
	case_begin(&again, v, v->text);
	for (size_t n = 0; n < N; n++) {
		ck_assert_int_eq(sealer_iv(c.sealer, n, iv[n]), OK);
		for (size_t m = 0; m < n; m++)
			ck_assert_mem_ne(iv[m], iv[n], BLOCK);
		ck_assert_mem_ne(iv[n], zero, 8);
		ck_assert_int_eq(sealer_iv(again.sealer, n, same), OK);
		ck_assert_mem_eq(same, iv[n], BLOCK);
	}
	/* AES under the text's key of the block of counter 0 is CBC of a zero block with a zero IV
	 */
	memset(c.iv.b, 0, BLOCK);
	memset(c.text.b, 0, BLOCK);
	c.text.len = BLOCK;
	ck_assert_int_eq(seal(c.sealer, &(struct seal_text){ .iv = c.iv.b,
							     .text = c.text.b,
							     .text_len = BLOCK,
							     .icv = c.icv.b }),
			 OK);
	ck_assert_mem_ne(c.text.b, iv[0], BLOCK);
	sealer_free(again.sealer);
	sealer_free(c.sealer);
}
END_TEST

START_TEST(ctr_has_the_counter_for_its_iv)
{
	struct mac_case c;
	uint8_t iv[8];

	case_begin(&c, &mac_vectors[_i], "");
	ck_assert_uint_eq(c.encr->iv_len, sizeof(iv));
	ck_assert_int_eq(sealer_iv(c.sealer, 0x0102030405060708, iv), OK);
	hex_expect("0102030405060708", span_of(iv, sizeof(iv)));
	sealer_free(c.sealer);
}
END_TEST

/* There and back under every MAC, and not with any bit of the ICV turned. */
START_TEST(every_integrity_guards_every_cipher)
{
	struct mac_vector v = mac_vectors[_i];
	const struct integ *integ;

	for (size_t i = 0; (integ = integ_row(i)) != NULL; i++) {
		struct mac_case c;
		struct seal_text t;

		v.integ = integ->keyword;
		case_begin(&c, &v, v.text);
		t = case_text(&c);
		ck_assert_int_eq(seal(c.sealer, &t), OK);
		hex_expect(v.sealed, hex_span(&c.text));
		for (size_t bit = 0; bit < 8u * integ->icv_len; bit++) {
			c.icv.b[bit / 8] = (uint8_t)(c.icv.b[bit / 8] ^ 1 << bit % 8);
			ck_assert_int_eq(unseal(c.sealer, &t), ERR_ICV);
			c.icv.b[bit / 8] = (uint8_t)(c.icv.b[bit / 8] ^ 1 << bit % 8);
		}
		ck_assert_int_eq(unseal(c.sealer, &t), OK);
		hex_expect(v.text, hex_span(&c.text));
		sealer_free(c.sealer);
	}
}
END_TEST

START_TEST(every_integrity_has_a_vector)
{
	const struct integ *row;

	for (size_t i = 0; (row = integ_row(i)) != NULL; i++) {
		size_t n = 0;

		for (size_t k = 0; k < N_MAC_VECTORS; k++)
			n += strcmp(mac_vectors[k].integ, row->keyword) == 0;
		ck_assert_msg(n > 0, "%s", row->keyword);
	}
}
END_TEST

UNIT("crypto/seal_mac")
{
	tcase_add_loop_test(tc, seals_as_the_vector_says, 0, N_MAC_VECTORS);
	tcase_add_loop_test(tc, opens_what_the_vector_sealed, 0, N_MAC_VECTORS);
	tcase_add_loop_test(tc, one_bit_turned_anywhere_is_refused_undeciphered, 0, N_MAC_VECTORS);
	tcase_add_loop_test(tc, a_text_of_half_blocks_is_refused, 0, N_MAC_VECTORS);
	tcase_add_loop_test(tc, many_packets_go_through_one_sealer, 0, N_MAC_VECTORS);
	tcase_add_loop_test(tc, keys_of_wrong_length_make_no_sealer, 0, N_MAC_VECTORS);
	tcase_add_loop_test(tc, ivs_are_unique_and_tell_nothing_of_the_counter, 0, N_CBC_VECTORS);
	tcase_add_loop_test(tc, ctr_has_the_counter_for_its_iv, N_CBC_VECTORS, N_MAC_VECTORS);
	tcase_add_loop_test(tc, every_integrity_guards_every_cipher, 0, N_MAC_VECTORS);
	tcase_add_test(tc, every_integrity_has_a_vector);
}
