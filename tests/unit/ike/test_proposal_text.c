/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/unit/ike/sa_payload.h"
#include "tests/unit/unit.h"

/* clang-format off */
static const struct {
	const char *policy;
	uint8_t protocol;
	struct prop props[PROP_MAX];
	const char *offered, *differs;
} explained[] = {
	{ "modern", 1, { { 1, 0, { GCM(256), P256, M1024 } } },
	  "aes256gcm16; prfsha256; MODP-1024",
	  "all but the group fits: peer offers MODP-1024, wanted x25519, ecp384, ecp256 or modp3072" },
	{ "modern", 1, { { 1, 0, { CBC(256), CBC(160), I256, P256, X25519 } } },
	  "aes256 AES-CBC-160; sha256; prfsha256; x25519",
	  "all but the encryption fits: peer offers aes256, AES-CBC-160, wanted aes256gcm16, aes128gcm16 or " "chacha20poly1305" },
	{ "modern", 1, { { 1, 0, { TDES, I1, P1, M1024 } } }, "3DES; sha1; prfsha1; MODP-1024",
	  "encryption: peer offers 3DES, wanted aes256gcm16, aes128gcm16 or chacha20poly1305; PRF: peer offers prfsha1, " "wanted prfsha384 or prfsha256; group: peer offers MODP-1024, wanted x25519, ecp384, ecp256 or modp3072" },
	/* the nearest of several */
	{ "modern", 1, { { 1, 0, { TDES, I1, P1, M1024 } }, { 1, 0, { GCM(256), P256, M2048 } } },
	  "3DES; sha1; prfsha1; MODP-1024 | aes256gcm16; prfsha256; modp2048",
	  "all but the group fits: peer offers modp2048, wanted x25519, ecp384, ecp256 or modp3072" },
	{ "modern", 1, { { 1, 0, { GCM(256), X25519 } } }, "aes256gcm16; x25519",
	  "all but the PRF fits: peer offers none, wanted prfsha384 or prfsha256" },
	{ "compatible", 1, { { 1, 0, { CBC(256), I1, P256, X25519 } } },
	  "aes256; sha1; prfsha256; x25519",
	  "all but the integrity fits: peer offers sha1, wanted sha256, sha384 or sha512" },
	{ "modern", 1, { { 1, 0, { GCM(256), P256, X25519, { 7, 35, 0 } } } },
	  "aes256gcm16; prfsha256; x25519; 7/35",
	  "every proposal demands a type of transform that is not known here" },
	{ "modern", 1, { { 1, 4, { GCM(256), P256, X25519 } } }, "aes256gcm16; prfsha256; x25519",
	  "every proposal has an SPI of a wrong size" },
	{ "modern", 3, { { 3, 4, { GCM(256), X25519, NOESN } } }, "aes256gcm16; x25519; noesn",
	  "all but the group fits: peer offers x25519, wanted none" },
	{ "modern", 3, { { 2, 4, { I256, NOESN } } }, "AH sha256; noesn",
	  "no proposal is for ESP" },
	{ "modern", 1, { { 1, 0, { { T_ENCR, 65000, 77 }, P256, X25519 } } },
	  "1/65000; prfsha256; x25519",
	  "all but the encryption fits: peer offers 1/65000, wanted aes256gcm16, aes128gcm16 or chacha20poly1305" },
	{ "modern", 1, { { 1, 0, { GCM(256), P256, X25519 } } }, "aes256gcm16; prfsha256; x25519",
	  "one of the proposals fits" },
};
/* clang-format on */
enum { N_EXPLAINED = sizeof(explained) / sizeof(explained[0]) };

START_TEST(a_refusal_says_what_differs)
{
	struct proposal_want want = want_of(explained[_i].policy, explained[_i].protocol);
	struct proposal_texts t;

	proposal_explain(sa_of(explained[_i].props), &want, &t);
	ck_assert_str_eq(t.offered, explained[_i].offered);
	ck_assert_str_eq(t.differs, explained[_i].differs);
}
END_TEST

START_TEST(what_is_wanted_is_said_type_by_type)
{
	struct proposal_want want = want_of("modern", PROTO_IKE);
	char text[PROPOSAL_TEXT_MAX];

	proposal_wanted_text(&want, text, sizeof(text));
	ck_assert_str_eq(text, "aes256gcm16 aes128gcm16 chacha20poly1305; prfsha384 prfsha256; "
			       "x25519 ecp384 ecp256 modp3072");
	want = want_of("compatible", PROTO_ESP);
	proposal_wanted_text(&want, text, sizeof(text));
	ck_assert_str_eq(
		text,
		"aes256gcm16 aes128gcm16 chacha20poly1305 aes256 aes128; sha256 sha384 sha512; esn noesn");
}
END_TEST

START_TEST(texts_are_cut_between_words_and_end_in_dots)
{
	struct proposal_want want = want_of("modern", PROTO_IKE);
	char text[PROPOSAL_TEXT_MAX];
	struct proposal_texts t;
	static uint8_t buf[8192];
	struct wr w = wr_into(buf, sizeof(buf));
	struct offer_proposal p = { .number = 1, .protocol = PROTO_IKE };
	struct offer_pen pen = offer_begin_proposal(&w, &p, true);

	for (size_t size = 1; size < sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		proposal_wanted_text(&want, text, size);
		ck_assert_uint_lt(strlen(text), size);
		ck_assert_int_eq(text[size], 'x');
	}
	proposal_wanted_text(&want, text, 32);
	ck_assert_str_eq(text, "aes256gcm16 aes128gcm16 ...");
	for (uint16_t id = 1000; id < 1200; id++)
		offer_add_transform(&pen, T_ENCR, id, 0);
	offer_end_proposal(&pen);
	proposal_explain(wr_done(&w), &want, &t);
	ck_assert_uint_lt(strlen(t.offered), PROPOSAL_TEXT_MAX);
	ck_assert_str_eq(t.offered + strlen(t.offered) - 3, "...");
	ck_assert_str_eq(t.differs + strlen(t.differs) - 3, "...");
	proposal_explain(span_str("no SA payload"), &want, &t);
	ck_assert_str_eq(t.offered, "");
	ck_assert_str_eq(t.differs, "the SA payload is malformed");
}
END_TEST

UNIT("ike/proposal_text")
{
	tcase_add_loop_test(tc, a_refusal_says_what_differs, 0, N_EXPLAINED);
	tcase_add_test(tc, what_is_wanted_is_said_type_by_type);
	tcase_add_test(tc, texts_are_cut_between_words_and_end_in_dots);
}
