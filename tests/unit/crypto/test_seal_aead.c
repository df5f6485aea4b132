/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include <string.h>

#include "tests/unit/crypto/hex.h"
#include "tests/unit/crypto/seal_vectors.h"
#include "tests/unit/unit.h"

enum { ICV_MAX = 16 };

/* A vector with its storage: what a seal_text points into. */
struct aead_case {
	struct sealer *sealer;
	struct hex iv;
	struct hex aad;
	struct hex text;
	size_t icv_len;
	uint8_t icv[ICV_MAX + 1];
};

static void case_begin(struct aead_case *c, const struct aead_vector *v, const char *text)
{
	const struct hex key = hex(v->key);

	c->icv_len = encr_by_keyword(v->keyword)->icv_len;
	memset(c->icv, 0, sizeof(c->icv));
	c->iv = hex(v->iv);
	c->aad = hex(v->aad);
	c->text = hex(text);
	ck_assert_int_eq(sealer_new(encr_by_keyword(v->keyword), NULL, hex_span(&key), SPAN_EMPTY,
				    &c->sealer),
			 OK);
}

static struct seal_text case_text(struct aead_case *c)
{
	return (struct seal_text){
		.aad = hex_span(&c->aad),
		.iv = c->iv.b,
		.text = c->text.b,
		.text_len = c->text.len,
		.icv = c->icv,
	};
}

START_TEST(seals_as_the_vector_says)
{
	const struct aead_vector *v = &aead_vectors[_i];
	struct aead_case c;
	struct seal_text t;

	case_begin(&c, v, v->text);
	t = case_text(&c);
	ck_assert_int_eq(seal(c.sealer, &t), OK);
	hex_expect(v->sealed, hex_span(&c.text));
	hex_expect(v->icv, span_of(c.icv, c.icv_len));
	ck_assert_uint_eq(c.icv[c.icv_len], 0); /* not a byte more */
	sealer_free(c.sealer);
}
END_TEST

static void case_sealed(struct aead_case *c, const struct aead_vector *v)
{
	const struct hex icv = hex(v->icv);

	case_begin(c, v, v->sealed);
	ck_assert_uint_eq(icv.len, c->icv_len);
	memcpy(c->icv, icv.b, icv.len);
}

START_TEST(opens_what_the_vector_sealed)
{
	const struct aead_vector *v = &aead_vectors[_i];
	struct aead_case c;
	struct seal_text t;

	case_sealed(&c, v);
	t = case_text(&c);
	ck_assert_int_eq(unseal(c.sealer, &t), OK);
	hex_expect(v->text, hex_span(&c.text));
	sealer_free(c.sealer);
}
END_TEST

/* Opens with one bit of `part` turned over; the text must come out unusable, and the sealer
 * unharmed. */
static void expect_refused(const struct aead_vector *v, struct aead_case *c, uint8_t *byte, int bit)
{
	struct seal_text t = case_text(c);
	struct aead_case again;

	*byte = (uint8_t)(*byte ^ 1 << bit);
	ck_assert_int_eq(unseal(c->sealer, &t), ERR_ICV);
	for (size_t i = 0; i < c->text.len; i++)
		ck_assert_uint_eq(c->text.b[i], 0);
	case_sealed(&again, v);
	t = case_text(&again);
	ck_assert_int_eq(unseal(c->sealer, &t), OK);
	hex_expect(v->text, hex_span(&again.text));
	sealer_free(again.sealer);
}

/* part 0: ICV, 1: text, 2: additional data, 3: IV */
static uint8_t *part_byte(struct aead_case *c, int part, size_t i)
{
	switch (part) {
	case 0:
		return i < c->icv_len ? &c->icv[i] : NULL;
	case 1:
		return i < c->text.len ? &c->text.b[i] : NULL;
	case 2:
		return i < c->aad.len ? &c->aad.b[i] : NULL;
	default:
		return i < c->iv.len ? &c->iv.b[i] : NULL;
	}
}

START_TEST(one_bit_turned_anywhere_is_refused)
{
	const struct aead_vector *v = &aead_vectors[_i];
	struct aead_case c;

	for (int part = 0; part < 4; part++) {
		for (size_t i = 0;; i++) {
			uint8_t *byte;

			case_sealed(&c, v);
			byte = part_byte(&c, part, i / 8);
			if (byte)
				expect_refused(v, &c, byte, (int)(i % 8));
			sealer_free(c.sealer);
			if (!byte)
				break;
		}
	}
}
END_TEST

START_TEST(a_text_cut_or_grown_is_refused)
{
	const struct aead_vector *v = &aead_vectors[_i];
	struct aead_case c;
	struct seal_text t;

	case_sealed(&c, v);
	t = case_text(&c);
	t.text_len++;
	ck_assert_int_eq(unseal(c.sealer, &t), ERR_ICV);
	sealer_free(c.sealer);
	case_sealed(&c, v);
	t = case_text(&c);
	if (t.text_len > 0) {
		t.text_len--;
		ck_assert_int_eq(unseal(c.sealer, &t), ERR_ICV);
	}
	sealer_free(c.sealer);
}
END_TEST

START_TEST(many_packets_through_one_sealer_differ_by_their_iv_alone)
{
	const struct aead_vector *v = &aead_vectors[_i];
	struct aead_case one, fresh;
	struct seal_text t, u;

	case_begin(&one, v, v->text);
	for (uint8_t n = 0; n < 4; n++) {
		const struct hex text = hex(v->text);

		case_begin(&fresh, v, v->text);
		one.text = text;
		one.iv.b[7] = fresh.iv.b[7] = n;
		t = case_text(&one);
		u = case_text(&fresh);
		ck_assert_int_eq(seal(one.sealer, &t), OK);
		ck_assert_int_eq(seal(fresh.sealer, &u), OK);
		ck_assert_mem_eq(one.icv, fresh.icv, one.icv_len);
		ck_assert_mem_eq(one.text.b, fresh.text.b, text.len);
		ck_assert_int_eq(unseal(one.sealer, &t), OK); /* both directions, turn by turn */
		ck_assert_mem_eq(one.text.b, text.b, text.len);
		sealer_free(fresh.sealer);
	}
	sealer_free(one.sealer);
}
END_TEST

START_TEST(keys_of_wrong_length_make_no_sealer)
{
	static const uint8_t key[KEY_MAX] = { 0 };
	const struct encr *encr = encr_by_keyword(aead_vectors[_i].keyword);
	const size_t right = (size_t)encr->key_len + encr->salt_len;
	struct sealer *s;

	for (size_t len = 0; len <= KEY_MAX; len++) {
		enum err e = sealer_new(encr, NULL, span_of(key, len), SPAN_EMPTY, &s);

		ck_assert_int_eq(e, len == right ? OK : ERR_CRYPTO);
		ck_assert_int_eq(s != NULL, len == right);
		sealer_free(s);
	}
	/* an integrity key, or an integrity algorithm, beside an AEAD */
	ck_assert_int_ne(sealer_new(encr, NULL, span_of(key, right), span_of(key, 32), &s), OK);
	ck_assert_ptr_null(s);
	ck_assert_int_ne(sealer_new(encr, integ_by_keyword("sha256"), span_of(key, right),
				    span_of(key, 32), &s),
			 OK);
	ck_assert_ptr_null(s);
}
END_TEST

/* The same key under a row of another ICV: CCM's first block names its length, so that nothing of
 * one is anything of the other, and GCM's shorter one never makes do for a longer. */
START_TEST(an_icv_of_another_length_is_refused)
{
	const struct aead_vector *v = &aead_vectors[_i];
	const struct encr *own = encr_by_keyword(v->keyword), *other;
	const bool ccm = own->salt_len == 3;

	for (size_t i = 0; (other = encr_row(i)) != NULL; i++) {
		struct aead_vector as = *v;
		struct aead_case c;
		struct seal_text t;

		if (!other->aead || other->key_len != own->key_len ||
		    other->salt_len != own->salt_len || other == own ||
		    (!ccm && other->icv_len <= own->icv_len))
			continue;
		as.keyword = other->keyword;
		case_begin(&c, &as, v->sealed);
		memcpy(c.icv, hex(v->icv).b, own->icv_len);
		t = case_text(&c);
		ck_assert_int_eq(unseal(c.sealer, &t), ERR_ICV);
		sealer_free(c.sealer);
	}
}
END_TEST

START_TEST(every_row_has_a_vector)
{
	const struct encr *row;

	for (size_t i = 0; (row = encr_row(i)) != NULL; i++) {
		size_t n = 0;

		for (size_t k = 0; k < N_AEAD_VECTORS; k++)
			n += strcmp(aead_vectors[k].keyword, row->keyword) == 0;
		for (size_t k = 0; k < N_MAC_VECTORS; k++)
			n += strcmp(mac_vectors[k].encr, row->keyword) == 0;
		ck_assert_msg(n > 0, "%s", row->keyword);
	}
}
END_TEST

START_TEST(the_iv_is_the_counter)
{
	struct aead_case c;
	uint8_t iv[8];

	case_begin(&c, &aead_vectors[_i], "");
	ck_assert_int_eq(sealer_iv(c.sealer, 0x0102030405060708, iv), OK);
	hex_expect("0102030405060708", span_of(iv, sizeof(iv)));
	sealer_free(c.sealer);
}
END_TEST

UNIT("crypto/seal_aead")
{
	tcase_add_loop_test(tc, seals_as_the_vector_says, 0, N_AEAD_VECTORS);
	tcase_add_loop_test(tc, opens_what_the_vector_sealed, 0, N_AEAD_VECTORS);
	tcase_add_loop_test(tc, one_bit_turned_anywhere_is_refused, 0, N_AEAD_VECTORS);
	tcase_add_loop_test(tc, a_text_cut_or_grown_is_refused, 0, N_AEAD_VECTORS);
	tcase_add_loop_test(tc, many_packets_through_one_sealer_differ_by_their_iv_alone, 0,
			    N_AEAD_VECTORS);
	tcase_add_loop_test(tc, keys_of_wrong_length_make_no_sealer, 0, N_AEAD_VECTORS);
	tcase_add_loop_test(tc, an_icv_of_another_length_is_refused, 0, N_AEAD_VECTORS);
	tcase_add_test(tc, every_row_has_a_vector);
	tcase_add_loop_test(tc, the_iv_is_the_counter, 0, N_AEAD_VECTORS);
}
