/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include <string.h>

#include "crypto/prf.h"
#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

/* Ciphertexts are those of the documents named; the MACs over aad | IV | ciphertext | suffix are
 * Python's, by the key 40 41 42 ... of the algorithm's length. */
struct vector {
	const char *encr;
	const char *integ;
	const char *key;
	const char *iv;
	const char *aad;
	const char *suffix;
	const char *text;
	const char *sealed;
	const char *icv;
};

static const struct vector vectors[] = {
	/* RFC 3602 4, case 1 */
	{ "aes128", "sha256", "06a9214036b8a15b512e03d534120006",
	  "3dafba429d9eb430b422da802c9fac41", "0102030400000005", "",
	  "53696e676c6520626c6f636b206d7367", "e353779c1079aeb82708942dbe77181a",
	  "c1bc2380677d5b971d2c708241e88446" },
	/* case 2 */
	{ "aes128", "sha384", "c286696d887c9aa0611bbb3e2025a45a",
	  "562e17996d093d28ddb3ba695a2e6f58", "0102030400000005", "00000001",
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	  "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1",
	  "f9db013cec4f0a1d41dfbdab15094d3e81bde7710342b63b" },
	/* case 3 */
	{ "aes128", "sha512", "6c3ea0477630ce21a2ce334aa746c2cd",
	  "c782dc4c098c66cbd9cd27d825682c81",
	  "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029", "",
	  "5468697320697320612034382d62797465206d657373616765202865786163746c792033"
	  "2041455320626c6f636b7329",
	  "d0a02b3836451753d493665d33f0e8862dea54cdb293abc7506939276772f8d5021c1921"
	  "6bad525c8579695d83ba2684",
	  "2f65ea0f3caff2a6c1ae6b62b8539c0dc8b8d5b0ae1d0fa142f639602862c998" },
	/* case 4 */
	{ "aes128", "sha1", "56e47a38c5598974bc46903dba290349", "8ce82eefbea0da3c44699ed7db51b7d9",
	  "0102030400000005", "",
	  "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3"
	  "c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
	  "c30e32ffedc0774e6aff6af0869f71aa0f3af07a9a31a9c684db207eb0ef8e4e35907aa6"
	  "32c3ffdf868bb7b29d3d46ad83ce9f9a102ee99d49a53e87f4c3da55",
	  "375a4b2874f8a1a90e41c97c" },
	/* SP 800-38A F.2.5 */
	{ "aes256", "sha256", "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "000102030405060708090a0b0c0d0e0f", "0102030400000005", "ffffffff",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46"
	  "a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
	  "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369"
	  "a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
	  "62e30557b656f9e953c15c1b3a7e7ff5" },
	{ "aes256", "sha384", "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "000102030405060708090a0b0c0d0e0f", "", "",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46"
	  "a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
	  "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369"
	  "a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
	  "4dd68ba20e10f4c8fba26631051a13f45a8ace041f95b049" },
	{ "aes256", "sha512", "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "000102030405060708090a0b0c0d0e0f", "0102030400000005", "00000001",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46"
	  "a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
	  "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369"
	  "a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
	  "3eb1adb2677e23282ade3b82b345305ddf1af48bffb58a7f59b2e707d7e2c795" },
};

enum { N_VECTORS = sizeof(vectors) / sizeof(vectors[0]), ICV_MAX = 32, BLOCK = 16 };

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

static void case_begin(struct mac_case *c, const struct vector *v, const char *text)
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
	const struct vector *v = &vectors[_i];
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
	const struct vector *v = &vectors[_i];
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
	const struct vector *v = &vectors[_i];
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

/* The right ICV of a text, whatever its length: what somebody with the key could make. */
static void icv_make(struct mac_case *c, size_t text_len)
{
	const struct prf *const prfs[] = { prf_find(PRF_HMAC_SHA2_256), prf_find(PRF_HMAC_SHA2_384),
					   prf_find(PRF_HMAC_SHA2_512), prf_find(PRF_HMAC_SHA1) };
	const struct hex key = integ_key(c->integ);
	const struct span parts[] = { hex_span(&c->aad), hex_span(&c->iv),
				      span_of(c->text.b, text_len), hex_span(&c->suffix) };
	struct key mac;

	for (size_t i = 0; i < 4; i++) {
		if (prfs[i]->len != c->integ->key_len)
			continue;
		ck_assert_int_eq(prf_compute(prfs[i], hex_span(&key), parts, 4, &mac), OK);
		memcpy(c->icv.b, mac.b, c->integ->icv_len);
	}
}

/* Not a whole number of blocks: refused as not authentic, also with a MAC that fits. */
START_TEST(a_text_of_half_blocks_is_refused)
{
	const struct vector *v = &vectors[_i];
	struct mac_case c;

	case_begin(&c, v, v->sealed);
	for (size_t len = 0; len <= c.text.len + BLOCK; len++) {
		struct seal_text t = case_text(&c);

		t.text_len = len;
		memset(c.icv.b, 0, c.icv.len);
		ck_assert_int_eq(unseal(c.sealer, &t), ERR_ICV);
		icv_make(&c, len);
		ck_assert_int_eq(unseal(c.sealer, &t), len % BLOCK ? ERR_ICV : OK);
		ck_assert_int_eq(seal(c.sealer, &t), len % BLOCK ? ERR_CRYPTO : OK);
	}
	sealer_free(c.sealer);
}
END_TEST

START_TEST(many_packets_go_through_one_sealer)
{
	const struct vector *v = &vectors[_i];
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
	const struct encr *encr = encr_by_keyword(vectors[_i].encr);
	const struct integ *integ = integ_by_keyword(vectors[_i].integ);
	struct sealer *s;

	for (size_t len = 0; len <= KEY_MAX + 1; len++) {
		ck_assert_int_eq(sealer_new(encr, integ, span_of(key, len),
					    span_of(key, integ->key_len), &s) == OK,
				 len == encr->key_len);
		sealer_free(s);
		ck_assert_int_eq(sealer_new(encr, integ, span_of(key, encr->key_len),
					    span_of(key, len), &s) == OK,
				 len == integ->key_len);
		sealer_free(s);
	}
	/* no integrity at all */
	ck_assert_int_ne(sealer_new(encr, NULL, span_of(key, encr->key_len), SPAN_EMPTY, &s), OK);
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
	const struct vector *v = &vectors[_i];
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

UNIT("crypto/seal_mac")
{
	tcase_add_loop_test(tc, seals_as_the_vector_says, 0, N_VECTORS);
	tcase_add_loop_test(tc, opens_what_the_vector_sealed, 0, N_VECTORS);
	tcase_add_loop_test(tc, one_bit_turned_anywhere_is_refused_undeciphered, 0, N_VECTORS);
	tcase_add_loop_test(tc, a_text_of_half_blocks_is_refused, 0, N_VECTORS);
	tcase_add_loop_test(tc, many_packets_go_through_one_sealer, 0, N_VECTORS);
	tcase_add_loop_test(tc, keys_of_wrong_length_make_no_sealer, 0, N_VECTORS);
	tcase_add_loop_test(tc, ivs_are_unique_and_tell_nothing_of_the_counter, 0, N_VECTORS);
}
