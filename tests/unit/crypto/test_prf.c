/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prf.h"

#include <string.h>

#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

static struct hex repeated(uint8_t byte, size_t len)
{
	struct hex h = { .len = len };

	memset(h.b, byte, len);
	return h;
}

/* Bytes as the RFCs write them: in hexadecimal, or one byte many times. */
struct bytes {
	const char *hex;
	uint8_t byte;
	size_t times;
};

struct hmac_case {
	struct bytes key;
	struct bytes text;
	const char *sha1;
	const char *sha256;
	const char *sha384;
	const char *sha512;
};

/* RFC 4231 4.2 to 4.8 (without 4.6, which cuts); for SHA-1 RFC 2202 3, and Python's hmac with the
 * keys of 131 bytes */
static const struct hmac_case hmac_cases[] = {
	{
		.key = { .byte = 0x0b, .times = 20 },
		.text = { .hex = "4869205468657265" },
		.sha1 = "b617318655057264e28bc0b6fb378c8ef146be00",
		.sha256 = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
		.sha384 = "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
			  "faea9ea9076ede7f4af152e8b2fa9cb6",
		.sha512 = "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
			  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
	},
	{
		.key = { .hex = "4a656665" },
		.text = { .hex = "7768617420646f2079612077616e7420666f72206e6f7468696e673f" },
		.sha1 = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
		.sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		.sha384 = "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
			  "8e2240ca5e69e2c78b3239ecfab21649",
		.sha512 = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
			  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
	},
	{
		.key = { .byte = 0xaa, .times = 20 },
		.text = { .byte = 0xdd, .times = 50 },
		.sha1 = "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
		.sha256 = "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
		.sha384 = "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b"
			  "2a5ab39dc13814b94e3ab6e101a34f27",
		.sha512 = "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
			  "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
	},
	{
		.key = { .hex = "0102030405060708090a0b0c0d0e0f10111213141516171819" },
		.text = { .byte = 0xcd, .times = 50 },
		.sha1 = "4c9007f4026250c6bc8414f9bf50c86c2d7235da",
		.sha256 = "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
		.sha384 = "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e"
			  "6801dd23c4a7d679ccf8a386c674cffb",
		.sha512 = "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
			  "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
	},
	{
		.key = { .byte = 0xaa, .times = 131 },
		.text = { .hex = "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
				 "65204b6579202d2048617368204b6579204669727374" },
		.sha1 = "90d0dace1c1bdc957339307803160335bde6df2b",
		.sha256 = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		.sha384 = "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
			  "0c2ef6ab4030fe8296248df163f44952",
		.sha512 = "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
			  "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
	},
	{
		.key = { .byte = 0xaa, .times = 131 },
		.text = { .hex = "5468697320697320612074657374207573696e672061206c6172676572207468"
				 "616e20626c6f636b2d73697a65206b657920616e642061206c61726765722074"
				 "68616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565"
				 "647320746f20626520686173686564206265666f7265206265696e6720757365"
				 "642062792074686520484d414320616c676f726974686d2e" },
		.sha1 = "217e44bb08b6e06a2d6c30f3cb9f537f97c63356",
		.sha256 = "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
		.sha384 = "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5"
			  "a678cc31e799176d3860e6110c46523e",
		.sha512 = "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
			  "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
	},
};

enum { N_HMAC_CASES = sizeof(hmac_cases) / sizeof(hmac_cases[0]) };

static struct hex bytes_of(const struct bytes *b)
{
	return b->hex ? hex(b->hex) : repeated(b->byte, b->times);
}

static void expect_prf(const char *keyword, const struct hmac_case *c, const char *want)
{
	const struct prf *prf = prf_by_keyword(keyword);
	const struct hex key = bytes_of(&c->key), text = bytes_of(&c->text);
	const struct span whole = hex_span(&text);
	struct key out;

	ck_assert_int_eq(prf_compute(prf, hex_span(&key), &whole, 1, &out), OK);
	hex_expect(want, key_span(&out));
	ck_assert_uint_eq(out.len, prf->len);
	/* cut in three anywhere, it is the same text */
	for (size_t at = 0; at <= whole.len; at++) {
		const struct span parts[] = { span_head(whole, at), SPAN_EMPTY,
					      span_tail(whole, at) };

		ck_assert_int_eq(prf_compute(prf, hex_span(&key), parts, 3, &out), OK);
		hex_expect(want, key_span(&out));
	}
}

START_TEST(prfs_are_those_of_rfc_4231)
{
	const struct hmac_case *c = &hmac_cases[_i];

	expect_prf("prfsha256", c, c->sha256);
	expect_prf("prfsha384", c, c->sha384);
	expect_prf("prfsha512", c, c->sha512);
	expect_prf("prfsha1", c, c->sha1);
}
END_TEST

/* RFC 4493 4 (full length of what RFC 4494 5 has cut); RFC 4615 4, keys of other lengths; the last
 * two, of no bytes and of 48, from a cipher written from FIPS 197 in Python. */
static const struct {
	struct bytes key;
	struct bytes text;
	const char *out;
} cmac_cases[] = {
	{ { .hex = "2b7e151628aed2a6abf7158809cf4f3c" },
	  { .hex = "" },
	  "bb1d6929e95937287fa37d129b756746" },
	{ { .hex = "2b7e151628aed2a6abf7158809cf4f3c" },
	  { .hex = "6bc1bee22e409f96e93d7e117393172a" },
	  "070a16b46b4d4144f79bdd9dd04a287c" },
	{ { .hex = "2b7e151628aed2a6abf7158809cf4f3c" },
	  { .hex = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411" },
	  "dfa66747de9ae63030ca32611497c827" },
	{ { .hex = "2b7e151628aed2a6abf7158809cf4f3c" },
	  { .hex = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
		   "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710" },
	  "51f0bebf7e3b9d92fc49741779363cfe" },
	{ { .hex = "000102030405060708090a0b0c0d0e0fedcb" },
	  { .hex = "000102030405060708090a0b0c0d0e0f10111213" },
	  "84a348a4a45d235babfffc0d2b4da09a" },
	{ { .hex = "000102030405060708090a0b0c0d0e0f" },
	  { .hex = "000102030405060708090a0b0c0d0e0f10111213" },
	  "980ae87b5f4c9c5214f5b6a8455e4c2d" },
	{ { .hex = "00010203040506070809" },
	  { .hex = "000102030405060708090a0b0c0d0e0f10111213" },
	  "290d9e112edb09ee141fcf64c0b72f3d" },
	{ { .hex = "" }, { .hex = "74657874" }, "1b319eef5b394461a05c1e75803eb20b" },
	{ { .byte = 0x0b, .times = 48 },
	  { .hex = "4869205468657265" },
	  "28551820998270aaac6ea4c12b8abcbd" },
};

enum { N_CMAC_CASES = sizeof(cmac_cases) / sizeof(cmac_cases[0]) };

START_TEST(cmac_is_that_of_rfc_4493_and_4615)
{
	const struct hex key = bytes_of(&cmac_cases[_i].key), text = bytes_of(&cmac_cases[_i].text);
	const struct span whole = hex_span(&text);
	struct key out;

	for (size_t at = 0; at <= whole.len; at++) {
		const struct span parts[] = { span_head(whole, at), SPAN_EMPTY,
					      span_tail(whole, at) };

		ck_assert_int_eq(
			prf_compute(prf_find(PRF_AES128_CMAC), hex_span(&key), parts, 3, &out), OK);
		hex_expect(cmac_cases[_i].out, key_span(&out));
	}
}
END_TEST

START_TEST(a_prf_takes_an_empty_key)
{
	const struct span text = span_str("text");
	struct key none, zero;
	static const uint8_t zeros[32];

	/* HMAC fills its key with zeros, so that these are one */
	ck_assert_int_eq(prf_compute(prf_find(PRF_HMAC_SHA2_256), SPAN_EMPTY, &text, 1, &none), OK);
	ck_assert_int_eq(
		prf_compute(prf_find(PRF_HMAC_SHA2_256), span_of(zeros, 32), &text, 1, &zero), OK);
	ck_assert_mem_eq(none.b, zero.b, 32);
}
END_TEST

static void expect_plus(const struct prf *prf, struct span key, const struct span seed[static 3],
			struct span want, uint8_t *buf)
{
	struct wr w = wr_into(buf, want.len);

	ck_assert_int_eq(prf_plus(prf, key, seed, 3, &w), OK);
	ck_assert(wr_ok(&w) && wr_left(&w) == 0);
	ck_assert_mem_eq(buf, want.p, want.len);
}

/* T1 = prf(K, S | 1), T2 = prf(K, T1 | S | 2), ... (RFC 7296 2.13), step by step. */
START_TEST(prf_plus_is_the_chain_of_its_definition)
{
	const struct prf *prf = prf_row((size_t)_i);
	const struct span seed[] = { span_str("Ni"), span_str("Nr"), span_str("SPIi SPIr") };
	const struct span key = span_str("SKEYSEED");
	struct key block = { 0 };
	uint8_t chain[255 * 64], out[255 * 64];
	const size_t max = 255u * prf->len;
	struct wr w = wr_into(chain, max);

	for (unsigned int n = 1; n <= 255; n++) {
		const uint8_t round = (uint8_t)n;
		const struct key last = block;
		const struct span parts[] = {
			key_span(&last), seed[0], seed[1], seed[2], span_of(&round, 1),
		};

		ck_assert_int_eq(prf_compute(prf, key, parts, 5, &block), OK);
		wr_span(&w, key_span(&block));
	}
	for (size_t len = 0; len <= max; len += len < 200 ? 1 : 1021) {
		memset(out, 0xa5, sizeof(out));
		expect_plus(prf, key, seed, span_of(chain, len), out);
		if (len < sizeof(out))
			ck_assert_uint_eq(out[len], 0xa5);
	}
	expect_plus(prf, key, seed, span_of(chain, max), out);
}
END_TEST

START_TEST(prf_plus_ends_after_255_rounds)
{
	const struct prf *prf = prf_row((size_t)_i);
	const struct span seed = span_str("seed");
	uint8_t out[255 * 64 + 1] = { 0 };
	struct wr w = wr_into(out, 255u * prf->len + 1u);

	ck_assert_int_eq(prf_plus(prf, seed, &seed, 1, &w), ERR_LIMIT);
	ck_assert_uint_eq(wr_len(&w), 0);
}
END_TEST

START_TEST(prf_plus_gives_what_others_give)
{
	static const struct {
		const char *keyword;
		const char *out;
	} cases[] = {
		{ "prfsha256", "38b8b931295db563923b501e0b4af0ee4ff67b3dc89e8d023163c0c2e0391d2f"
			       "86babb916c499fcccc7083c94a8dac411b997c4eb29e6b29b9bdbaa44a128e58"
			       "c1904e87d927c1033cee253fab283df2c099e8fd2f107c3943a864188e8477a7"
			       "e5ad6b27" },
		{ "prfsha384", "7b28a9b7af40cc9898b602b78db58f1d7a266799097bfcb806c8ee94c8462ca4"
			       "4ce9fceb3e1a9fbcac1e1dc914dd1f458ebe33777618b23f0d3d563c9e0278f8"
			       "bae744ab5290c31d5bb9786f40c754a8eeff6d5b793a91e445741e698ad70a94"
			       "06b94fd1" },
		{ "prfsha512", "a85cd55de558fa0c44f14936b9adfbfc32cf8744a6f46955960f7084a1ebceac"
			       "9d2e67394d7daaf27f716b9a9a82d043abcc98d37c8f0d87e93fb20a4c88f038"
			       "59ddef87c9720e466312352c36c090d2fc0e6838f624d058d5b794ae768b65dd"
			       "ecb41e8f" },
		{ "prfsha1", "3e7c6735d7fdcada16fe689d2bc940df2932bd3aaa464944c3faa1a79cc22ed4"
			     "8f58b9d099854ff3a9a1a5060764f8d184a7918565fd315e8a1b9f3fb5793476"
			     "1bcf33fa512611bb6b9ddbdf98f9c1e7b57c5753a96ad54fe137857104b5ed39"
			     "11e64aaf" },
		{ "prfaescmac", "81a6ccdaeaa364c3ccd1995dddcfd061b561aec9d056aa88da1a5c38c5e7eecd"
				"f313bb66b07af4a8f17f8a33bcf27dd459534077afd356fd92d9cc7ebb86d069"
				"498b092ecac2cb9e452776e56a53785fa070f6763d6a5c72d2c1bf260c09582b"
				"c74ab8a8" },
	};
	const struct hex seed = hex("000102030405060708090a0b0c0d0e0f"), key = repeated(0x0b, 20);
	const struct span parts = hex_span(&seed);
	uint8_t out[101];
	struct wr w = wr_into(out, sizeof(out));

	wr_u8(&w, 0x5a); /* what stands there already stays */
	ck_assert_int_eq(prf_plus(prf_by_keyword(cases[_i].keyword), hex_span(&key), &parts, 1, &w),
			 OK);
	ck_assert_uint_eq(out[0], 0x5a);
	hex_expect(cases[_i].out, span_tail(wr_done(&w), 1));
}
END_TEST

/* FIPS 180, "abc" and the empty text */
START_TEST(hashes_are_those_of_fips_180)
{
	const struct span abc[] = { span_str("a"), SPAN_EMPTY, span_str("bc") };
	uint8_t out[32];

	ck_assert_int_eq(hash_sha1(abc, 3, out), OK);
	hex_expect("a9993e364706816aba3e25717850c26c9cd0d89d", span_of(out, 20));
	ck_assert_int_eq(hash_sha1(NULL, 0, out), OK);
	hex_expect("da39a3ee5e6b4b0d3255bfef95601890afd80709", span_of(out, 20));
	ck_assert_int_eq(hash_sha256(abc, 3, out), OK);
	hex_expect("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		   span_of(out, 32));
	ck_assert_int_eq(hash_sha256(NULL, 0, out), OK);
	hex_expect("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		   span_of(out, 32));
}
END_TEST

UNIT("crypto/prf")
{
	tcase_add_loop_test(tc, prfs_are_those_of_rfc_4231, 0, N_HMAC_CASES);
	tcase_add_loop_test(tc, cmac_is_that_of_rfc_4493_and_4615, 0, N_CMAC_CASES);
	tcase_add_test(tc, a_prf_takes_an_empty_key);
	tcase_add_loop_test(tc, prf_plus_is_the_chain_of_its_definition, 0, 5);
	tcase_add_loop_test(tc, prf_plus_ends_after_255_rounds, 0, 5);
	tcase_add_loop_test(tc, prf_plus_gives_what_others_give, 0, 5);
	tcase_add_test(tc, hashes_are_those_of_fips_180);
}
