/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include <string.h>

#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

/* The nonce of a vector is cut into salt (its first four bytes, which stand behind the key) and IV.
 */
struct vector {
	const char *keyword;
	const char *key; /* key | salt */
	const char *iv;
	const char *aad;
	const char *text;
	const char *sealed;
	const char *icv;
};

#define SUNSCREEN                                                                                \
	"4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a2049" \
	"6620492063"                                                                             \
	"6f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c" \
	"2073756e"                                                                               \
	"73637265656e20776f756c642062652069742e"

static const struct vector vectors[] = {
	/* McGrew and Viega, The Galois/Counter Mode of Operation, appendix B: test cases 1, 2, 4 */
	{ "aes128gcm16", "00000000000000000000000000000000 00000000", "0000000000000000", "", "",
	  "", "58e2fccefa7e3061367f1d57a4e7455a" },
	{ "aes128gcm16", "00000000000000000000000000000000 00000000", "0000000000000000", "",
	  "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
	  "ab6e47d42cec13bdf53a67b21257bddf" },
	{ "aes128gcm16", "feffe9928665731c6d6a8f9467308308 cafebabe", "facedbaddecaf888",
	  "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	  "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	  "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
	  "5bc94fbc3221a5db94fae95ae7121a47" },
	/* the same: test cases 13, 14, 16 */
	{ "aes256gcm16",
	  "0000000000000000000000000000000000000000000000000000000000000000 00000000",
	  "0000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
	{ "aes256gcm16",
	  "0000000000000000000000000000000000000000000000000000000000000000 00000000",
	  "0000000000000000", "", "00000000000000000000000000000000",
	  "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919" },
	{ "aes256gcm16",
	  "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308 cafebabe",
	  "facedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
	  "76fc6ece0f4e1768cddf8853bb2d551b" },
	/* RFC 7634 appendix A: an ESP packet; appendix B: an IKEv2 message */
	{ "chacha20poly1305",
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f a0a1a2a3",
	  "1011121314151617", "0102030400000005",
	  "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10"
	  "0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
	  "2425262728292a2b2c2d2e2f303132333435363701020204",
	  "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6"
	  "14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3"
	  "cbec163fac469b502773f6fb94e664da9165b82829f641e0",
	  "76aaa8266b7fb0f7b11b369907e1ad43" },
	{ "chacha20poly1305",
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f a0a1a2a3",
	  "1011121314151617", "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029",
	  "0000000c000040010000000a00", "610394701f8d017f7c12924889",
	  "6b71bfe25236efd7cdc67066906315b2" },
	/* RFC 8439 2.8.2 */
	{ "chacha20poly1305",
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f 07000000",
	  "4041424344454647", "50515253c0c1c2c3c4c5c6c7", SUNSCREEN,
	  "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
	  "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
	  "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
	  "3ff4def08e4b7a9de576d26586cec64b6116",
	  "1ae10b594f09e26a7e902ecbd0600691" },
};

enum { N_VECTORS = sizeof(vectors) / sizeof(vectors[0]), ICV_LEN = 16 };

/* A vector with its storage: what a seal_text points into. */
struct aead_case {
	struct sealer *sealer;
	struct hex iv;
	struct hex aad;
	struct hex text;
	uint8_t icv[ICV_LEN];
};

static void case_begin(struct aead_case *c, const struct vector *v, const char *text)
{
	const struct hex key = hex(v->key);

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
	const struct vector *v = &vectors[_i];
	struct aead_case c;
	struct seal_text t;

	case_begin(&c, v, v->text);
	t = case_text(&c);
	ck_assert_int_eq(seal(c.sealer, &t), OK);
	hex_expect(v->sealed, hex_span(&c.text));
	hex_expect(v->icv, span_of(c.icv, ICV_LEN));
	sealer_free(c.sealer);
}
END_TEST

static void case_sealed(struct aead_case *c, const struct vector *v)
{
	const struct hex icv = hex(v->icv);

	case_begin(c, v, v->sealed);
	memcpy(c->icv, icv.b, ICV_LEN);
}

START_TEST(opens_what_the_vector_sealed)
{
	const struct vector *v = &vectors[_i];
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
static void expect_refused(const struct vector *v, struct aead_case *c, uint8_t *byte, int bit)
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
		return i < ICV_LEN ? &c->icv[i] : NULL;
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
	const struct vector *v = &vectors[_i];
	struct aead_case c;

	for (int part = 0; part < 4; part++) {
		for (size_t i = 0;; i++) {
			uint8_t *byte;

			case_sealed(&c, v);
			byte = part_byte(&c, part, i);
			if (byte)
				expect_refused(v, &c, byte, (int)i % 8);
			sealer_free(c.sealer);
			if (!byte)
				break;
		}
	}
}
END_TEST

START_TEST(a_text_cut_or_grown_is_refused)
{
	const struct vector *v = &vectors[_i];
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
	const struct vector *v = &vectors[_i];
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
		ck_assert_mem_eq(one.icv, fresh.icv, ICV_LEN);
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
	const struct encr *encr = encr_by_keyword(vectors[_i].keyword);
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

START_TEST(the_iv_is_the_counter)
{
	struct aead_case c;
	uint8_t iv[8];

	case_begin(&c, &vectors[_i], "");
	ck_assert_int_eq(sealer_iv(c.sealer, 0x0102030405060708, iv), OK);
	hex_expect("0102030405060708", span_of(iv, sizeof(iv)));
	sealer_free(c.sealer);
}
END_TEST

UNIT("crypto/seal_aead")
{
	tcase_add_loop_test(tc, seals_as_the_vector_says, 0, N_VECTORS);
	tcase_add_loop_test(tc, opens_what_the_vector_sealed, 0, N_VECTORS);
	tcase_add_loop_test(tc, one_bit_turned_anywhere_is_refused, 0, N_VECTORS);
	tcase_add_loop_test(tc, a_text_cut_or_grown_is_refused, 0, N_VECTORS);
	tcase_add_loop_test(tc, many_packets_through_one_sealer_differ_by_their_iv_alone, 0,
			    N_VECTORS);
	tcase_add_loop_test(tc, keys_of_wrong_length_make_no_sealer, 0, N_VECTORS);
	tcase_add_loop_test(tc, the_iv_is_the_counter, 0, N_VECTORS);
}
