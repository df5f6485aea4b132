/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed messages of the known-answer tests were made with Python's cryptography package. */
#include "ike/protect.h"

#include <string.h>

#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

static const struct ike_header head = {
	.spi_i = UINT64_C(0xa1a2a3a4a5a6a7a8),
	.spi_r = UINT64_C(0xb1b2b3b4b5b6b7b8),
	.version = IKE_VERSION,
	.exchange = X_INFORMATIONAL,
	.flags = FLAG_INITIATOR,
	.message_id = 3,
};
static const uint8_t chain[] = { 0, 0, 0, 12, 3, 4, 64, 9, 0x11, 0x22, 0x33, 0x44 }; /* a Notify */

static uint8_t sealed_buf[140000], plain_buf[70000];

static struct sk_keys keys_of(const char *encr, const char *integ)
{
	struct sk_keys k = { .encr = encr_by_keyword(encr),
			     .integ = integ ? integ_by_keyword(integ) : NULL };

	ck_assert_ptr_nonnull(k.encr);
	k.encr_key.len = (uint8_t)(k.encr->key_len + k.encr->salt_len);
	for (uint8_t i = 0; i < k.encr_key.len; i++)
		k.encr_key.b[i] = (uint8_t)(i + 1);
	k.integ_key.len = k.integ ? k.integ->key_len : 0;
	for (uint8_t i = 0; i < k.integ_key.len; i++)
		k.integ_key.b[i] = (uint8_t)(i + 0x41);
	return k;
}

static const struct {
	const char *encr, *integ;
} suites[] = {
	{ "aes256gcm16", NULL }, { "aes128gcm16", NULL }, { "chacha20poly1305", NULL },
	{ "aes256", "sha256" },	 { "aes128", "sha384" },  { "aes256", "sha512" },
	{ "aes128", "sha1" },
};
enum { N_SUITES = 7 };

static enum err open_datagram(const struct sk_keys *k, struct span d, struct inner *in)
{
	struct wr w = wr_into(plain_buf, sizeof(plain_buf));
	struct message m;
	enum err err = message_decode(d, &m);

	return err == OK ? protect_open(k, &m, &w, in) : err;
}

#define GCM_SK                                                                     \
	"a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e20250800000003000000452900002900000000" \
	"00000007960fecbcae98610ac1de37cc40302d70cc153fbbd10eb8a7106b82b4c5"
#define CHACHA_SK                                                                  \
	"a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e20250800000003000000452900002900000000" \
	"00000007cf5cca9eda6b474f7a1745536f6aac82cbf59f293fd58d2be1af95a5a8"
#define GCM_SKF                                                                      \
	"a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b83520250800000003000000492900002d0001000200" \
	"00000000000007960fecbcae98610ac1de37cc409ee42e3df4af844a0ab387ae3128a0fd"
#define CBC_SK                                                                       \
	"a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e202508000000030000005029000034c0c1c2c3c4" \
	"c5c6c7c8c9cacbcccdcecfac7460106ebe1b85e528337130b303b1b27edbe097dc4fc1c8b0fe9383dd95be"

START_TEST(aead_messages_are_sealed_as_rfc_5282_says)
{
	static const char *const want[] = { GCM_SK, CHACHA_SK };
	struct sk_keys k = keys_of(_i == 0 ? "aes256gcm16" : "chacha20poly1305", NULL);
	struct inner in = { .first = PL_NOTIFY, .chain = span_of(chain, sizeof(chain)) }, out;
	struct wr w = wr_into(sealed_buf, sizeof(sealed_buf));

	k.next_iv = 7;
	ck_assert_int_eq(protect_seal(&k, &head, &in, &w), OK);
	hex_expect(want[_i], wr_done(&w));
	ck_assert_uint_eq(k.next_iv, 8);
	ck_assert_int_eq(open_datagram(&k, wr_done(&w), &out), OK);
	ck_assert_uint_eq(out.first, PL_NOTIFY);
	ck_assert(span_eq(out.chain, in.chain));
}
END_TEST

START_TEST(a_peers_cbc_message_with_any_padding_is_opened)
{
	struct sk_keys k = keys_of("aes256", "sha256");
	struct hex d = hex(CBC_SK);
	struct inner out;

	ck_assert_int_eq(open_datagram(&k, hex_span(&d), &out), OK);
	ck_assert_uint_eq(out.first, PL_NOTIFY);
	ck_assert(span_eq(out.chain, span_of(chain, sizeof(chain))));
}
END_TEST

START_TEST(a_fragment_covers_its_number_and_total)
{
	struct sk_keys k = keys_of("aes256gcm16", NULL);
	struct hex d = hex(GCM_SKF);
	struct wr w = wr_into(plain_buf, sizeof(plain_buf));
	struct message m;
	struct pl_skf f;
	struct span piece;

	ck_assert_int_eq(message_decode(hex_span(&d), &m), OK);
	ck_assert_int_eq(protect_fragment_peek(&m, &f), OK);
	ck_assert(f.number == 1 && f.total == 2 && f.first == PL_NOTIFY);
	ck_assert_int_eq(protect_open_fragment(&k, &m, &w, &piece), OK);
	ck_assert(span_eq(piece, span_of(chain, sizeof(chain))));
	d.b[IKE_HEADER_LEN + 7] = 3; /* of three, not of two */
	ck_assert_int_eq(message_decode(hex_span(&d), &m), OK);
	ck_assert_int_eq(protect_open_fragment(&k, &m, &w, &piece), ERR_ICV);
}
END_TEST

START_TEST(every_length_comes_back_with_every_suite)
{
	struct sk_keys k = keys_of(suites[_i].encr, suites[_i].integ);
	static uint8_t text[300];

	for (size_t len = 0; len <= sizeof(text); len++) {
		struct inner in = { .first = PL_VENDOR, .chain = span_of(text, len) }, out;
		struct wr w = wr_into(sealed_buf, sizeof(sealed_buf));

		ck_assert_int_eq(protect_seal(&k, &head, &in, &w), OK);
		ck_assert_uint_eq(wr_len(&w), protect_len(&k, len));
		ck_assert_int_eq(open_datagram(&k, wr_done(&w), &out), OK);
		ck_assert(span_eq(out.chain, in.chain));
	}
}
END_TEST

START_TEST(every_flipped_bit_is_found)
{
	struct sk_keys k = keys_of(suites[_i].encr, suites[_i].integ);
	struct inner in = { .first = PL_NOTIFY, .chain = span_of(chain, sizeof(chain)) }, out;
	struct wr w = wr_into(sealed_buf, sizeof(sealed_buf));
	struct span d;

	ck_assert_int_eq(protect_seal(&k, &head, &in, &w), OK);
	d = wr_done(&w);
	for (size_t bit = 0; bit < d.len * 8; bit++) {
		sealed_buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_ne(open_datagram(&k, d, &out), OK);
		sealed_buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(open_datagram(&k, d, &out), OK);
}
END_TEST

/* Whatever an SK payload without a good ICV holds, it is called forged and nothing else: only
 * ERR_ICV is dropped without an answer. */
START_TEST(an_sk_payload_of_any_length_without_a_key_is_forged)
{
	struct sk_keys k = keys_of(suites[_i].encr, suites[_i].integ);
	static const uint8_t junk[200];

	for (size_t len = 0; len <= sizeof(junk); len++) {
		struct builder b = builder_message(sealed_buf, sizeof(sealed_buf), &head);
		struct inner out;
		struct span d;

		builder_add(&b, PL_SK, span_of(junk, len));
		ck_assert_int_eq(builder_finish(&b, &d), OK);
		ck_assert_int_eq(open_datagram(&k, d, &out), ERR_ICV);
		ck_assert_uint_eq(out.chain.len, 0);
	}
}
END_TEST

/* Only a peer with the key can say this, so it may be answered with INVALID_SYNTAX. */
START_TEST(padding_longer_than_the_text_is_malformed)
{
	static const struct {
		const char *datagram;
		enum err err;
	} cases[] = {
		/* text 09 09 09 04, 01, ff: pad lengths that reach before the text; and 09 09 09 03
		 */
		{ "a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e202508000000030000003c29000020000000000000"
		  "0009bfa616d8f06c7f8b599ba70c2dbe01bb123dcadb",
		  ERR_SYNTAX },
		{ "a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e20250800000003000000392900001d000000000000"
		  "0009b78096c4df72d93dbc3a7b6afa607621de",
		  ERR_SYNTAX },
		{ "a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e20250800000003000000392900001d000000000000"
		  "000949049c8e78c845bdc712d1bfcb76170322",
		  ERR_SYNTAX },
		{ "a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e202508000000030000003c29000020000000000000"
		  "0009bfa616df818b434941f3690a4f03f9e9da516f29",
		  OK },
	};
	struct sk_keys k = keys_of("aes256gcm16", NULL);
	struct hex d = hex(cases[_i].datagram);
	struct inner out;

	ck_assert_int_eq(open_datagram(&k, hex_span(&d), &out), cases[_i].err);
	ck_assert_uint_eq(out.chain.len, 0);
}
END_TEST

START_TEST(no_iv_comes_twice)
{
	struct sk_keys k = keys_of(suites[_i].encr, suites[_i].integ);
	struct inner in = { .first = PL_NOTIFY, .chain = span_of(chain, sizeof(chain)) };
	uint8_t ivs[64][16] = { 0 };

	for (size_t i = 0; i < 64; i++) {
		struct wr w = wr_into(sealed_buf, sizeof(sealed_buf));

		ck_assert_int_eq(protect_seal(&k, &head, &in, &w), OK);
		memcpy(ivs[i], sealed_buf + IKE_HEADER_LEN + PAYLOAD_HEADER_LEN, k.encr->iv_len);
		for (size_t j = 0; j < i; j++)
			ck_assert_mem_ne(ivs[i], ivs[j], 16);
	}
}
END_TEST

START_TEST(a_used_up_counter_seals_no_more)
{
	struct sk_keys k = keys_of("aes256gcm16", NULL);
	struct inner in = { .first = PL_NOTIFY, .chain = span_of(chain, sizeof(chain)) };
	struct wr w = wr_into(sealed_buf, sizeof(sealed_buf));

	k.next_iv = UINT64_MAX - 1;
	ck_assert_int_eq(protect_seal(&k, &head, &in, &w), OK);
	ck_assert_int_eq(protect_seal(&k, &head, &in, &w), ERR_LIMIT);
	ck_assert_uint_eq(k.next_iv, UINT64_MAX);
}
END_TEST

START_TEST(what_does_not_fit_leaves_the_writer_as_it_was)
{
	struct sk_keys k = keys_of("aes256", "sha256");
	struct inner in = { .first = PL_NOTIFY, .chain = span_of(chain, sizeof(chain)) };
	struct wr all = wr_into(sealed_buf, sizeof(sealed_buf));
	size_t len = protect_len(&k, sizeof(chain));

	for (size_t size = 0; size <= len; size++) {
		struct wr w = wr_into(sealed_buf, size);

		ck_assert_int_eq(protect_seal(&k, &head, &in, &w), size < len ? ERR_SPACE : OK);
		ck_assert(wr_ok(&w));
		ck_assert_uint_eq(wr_len(&w), size < len ? 0 : len);
	}
	in.chain = span_of(plain_buf, 65535);
	ck_assert_int_eq(protect_seal(&k, &head, &in, &all), ERR_SPACE);
}
END_TEST

/* Cut for every size that could be asked for, each fragment opened, the chain compared. */
START_TEST(fragments_are_no_longer_than_asked_and_make_the_chain_again)
{
	struct sk_keys k = keys_of(suites[_i].encr, suites[_i].integ);
	static uint8_t text[3000], again[3000];
	struct inner in = { .first = PL_CERT, .chain = span_of(text, sizeof(text)) };

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 31);
	for (size_t max = 40; max < 1500; max += 13) {
		struct wr w = wr_into(sealed_buf, sizeof(sealed_buf)),
			  joined = wr_into(again, sizeof(again));
		enum err err = protect_seal_fragments(&k, &head, &in, max, &w);
		struct rd r = rd_from(wr_done(&w));
		struct span d, piece;
		uint16_t n = 0;

		if (err == ERR_LIMIT) {
			ck_assert_uint_eq(wr_len(&w), 0);
			continue;
		}
		ck_assert_int_eq(err, OK);
		while (header_split(&r, &d)) {
			struct wr pw = wr_into(plain_buf, d.len);
			struct message m;
			struct pl_skf f;

			ck_assert_uint_le(d.len, max);
			ck_assert_int_eq(message_decode(d, &m), OK);
			ck_assert_int_eq(protect_fragment_peek(&m, &f), OK);
			ck_assert_uint_eq(f.number, ++n);
			ck_assert_uint_eq(f.first, n == 1 ? PL_CERT : PL_NONE);
			ck_assert_int_eq(protect_open_fragment(&k, &m, &pw, &piece), OK);
			wr_span(&joined, piece);
			ck_assert_uint_eq(m.h.message_id, head.message_id);
		}
		ck_assert(rd_end(&r));
		ck_assert(n > 1 && n <= FRAGMENTS_MAX);
		ck_assert(span_eq(wr_done(&joined), in.chain));
	}
}
END_TEST

START_TEST(a_message_that_fits_is_not_cut)
{
	struct sk_keys k = keys_of("aes256gcm16", NULL);
	struct inner in = { .first = PL_NOTIFY, .chain = span_of(chain, sizeof(chain)) };
	size_t len = protect_len(&k, sizeof(chain));
	struct wr w = wr_into(sealed_buf, sizeof(sealed_buf));
	struct message m;

	ck_assert_int_eq(protect_seal_fragments(&k, &head, &in, len, &w), OK);
	ck_assert_int_eq(message_decode(wr_done(&w), &m), OK);
	ck_assert(message_has(&m, PL_SK));
	w = wr_into(sealed_buf, sizeof(sealed_buf));
	ck_assert_int_eq(protect_seal_fragments(&k, &head, &in, 0, &w), OK);
	ck_assert_int_eq(message_decode(wr_done(&w), &m), OK);
	ck_assert(message_has(&m, PL_SK));
	w = wr_into(sealed_buf, sizeof(sealed_buf));
	ck_assert_int_eq(protect_seal_fragments(&k, &head, &in, len - 1, &w), OK);
	ck_assert_int_eq(message_decode(span_head(wr_done(&w), sealed_buf[27]), &m), OK);
	ck_assert(message_has(&m, PL_SKF));
}
END_TEST

START_TEST(fragment_numbers_that_cannot_be_are_refused)
{
	static const struct {
		uint16_t number, total;
		uint8_t first;
		enum err err;
	} cases[] = {
		{ 1, 1, PL_IDI, OK },	       { 1, 2, PL_IDI, OK },
		{ 2, 2, PL_NONE, OK },	       { 65535, 65535, PL_NONE, OK },
		{ 0, 0, PL_NONE, ERR_SYNTAX }, { 0, 1, PL_NONE, ERR_SYNTAX },
		{ 1, 0, PL_NONE, ERR_SYNTAX }, { 3, 2, PL_NONE, ERR_SYNTAX },
		{ 2, 2, PL_IDI, ERR_SYNTAX },
	};
	struct builder b = builder_message(sealed_buf, sizeof(sealed_buf), &head);
	struct wr *w = builder_begin(&b, PL_SKF);
	struct message m;
	struct pl_skf f;
	struct span d;

	wr_u16(w, cases[_i].number);
	wr_u16(w, cases[_i].total);
	builder_end(&b);
	wr_fill_u8(&b.w, IKE_HEADER_LEN, cases[_i].first);
	ck_assert_int_eq(builder_finish(&b, &d), OK);
	ck_assert_int_eq(message_decode(d, &m), OK);
	ck_assert_int_eq(protect_fragment_peek(&m, &f), cases[_i].err);
}
END_TEST

START_TEST(the_room_in_a_packet_is_without_its_headers)
{
	ck_assert_uint_eq(protect_room(1280, AF_INET, false), 1280 - 28);
	ck_assert_uint_eq(protect_room(1280, AF_INET, true), 1280 - 32);
	ck_assert_uint_eq(protect_room(1280, AF_INET6, false), 1280 - 48);
	ck_assert_uint_eq(protect_room(1280, AF_INET6, true), 1280 - 52);
	ck_assert_uint_eq(protect_room(52, AF_INET6, true), 0);
}
END_TEST

UNIT("ike/protect")
{
	tcase_add_loop_test(tc, aead_messages_are_sealed_as_rfc_5282_says, 0, 2);
	tcase_add_test(tc, a_peers_cbc_message_with_any_padding_is_opened);
	tcase_add_test(tc, a_fragment_covers_its_number_and_total);
	tcase_add_loop_test(tc, every_length_comes_back_with_every_suite, 0, N_SUITES);
	tcase_add_loop_test(tc, every_flipped_bit_is_found, 0, N_SUITES);
	tcase_add_loop_test(tc, an_sk_payload_of_any_length_without_a_key_is_forged, 0, N_SUITES);
	tcase_add_loop_test(tc, padding_longer_than_the_text_is_malformed, 0, 4);
	tcase_add_loop_test(tc, no_iv_comes_twice, 0, N_SUITES);
	tcase_add_test(tc, a_used_up_counter_seals_no_more);
	tcase_add_test(tc, what_does_not_fit_leaves_the_writer_as_it_was);
	tcase_add_loop_test(tc, fragments_are_no_longer_than_asked_and_make_the_chain_again, 0,
			    N_SUITES);
	tcase_add_test(tc, a_message_that_fits_is_not_cut);
	tcase_add_loop_test(tc, fragment_numbers_that_cannot_be_are_refused, 0, 9);
	tcase_add_test(tc, the_room_in_a_packet_is_without_its_headers);
}
