/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/payload.h"

#include <stdlib.h>
#include <string.h>

#include "base/jobs.h"
#include "tests/unit/unit.h"

static uint8_t buf[2048];

START_TEST(ke_comes_back)
{
	struct pl_ke in = { .group = 31, .data = span_str("0123456789abcdef") }, out;
	struct wr w = wr_into(buf, sizeof(buf));

	pl_ke_encode(&w, &in);
	ck_assert_mem_eq(buf, "\x00\x1f\x00\x00", 4);
	ck_assert_int_eq(pl_ke_decode(wr_done(&w), &out), OK);
	ck_assert_uint_eq(out.group, 31);
	ck_assert(span_eq(out.data, in.data));
}
END_TEST

START_TEST(identity_comes_back)
{
	struct identity in = { .type = ID_FQDN, .len = 14, .b = "gw.example.org" }, out;
	struct wr w = wr_into(buf, sizeof(buf));

	pl_id_encode(&w, &in);
	ck_assert_mem_eq(buf, "\x02\x00\x00\x00gw.", 7);
	ck_assert_int_eq(pl_identity_decode(wr_done(&w), &out), OK);
	ck_assert(identity_eq(&in, &out));
}
END_TEST

/* CVE-2025-9242: an identity of any length that a payload can have, before anybody is
 * authenticated. */
START_TEST(an_identity_of_any_length_is_judged_before_it_is_copied)
{
	static uint8_t body[65532] = { ID_KEY_ID };

	for (size_t len = 0; len <= sizeof(body); len++) {
		bool fits = len > 4 && len <= 4 + IDENTITY_MAX;
		struct identity id;

		ck_assert_int_eq(pl_identity_decode(span_of(body, len), &id) == OK, fits);
	}
}
END_TEST

START_TEST(cert_comes_back_and_is_never_empty)
{
	struct pl_cert in = { .encoding = CERT_X509_SIGNATURE, .data = span_str("der") }, out;
	struct wr w = wr_into(buf, sizeof(buf));

	pl_cert_encode(&w, &in);
	ck_assert_mem_eq(buf,
			 "\x04"
			 "der",
			 4);
	ck_assert_int_eq(pl_cert_decode(wr_done(&w), &out), OK);
	ck_assert_uint_eq(out.encoding, CERT_X509_SIGNATURE);
	ck_assert(span_eq(out.data, in.data));
	ck_assert_int_eq(pl_cert_decode(span_of(buf, 1), &out), ERR_SYNTAX);
	ck_assert_int_eq(pl_certreq_decode(span_of(buf, 1), &out), OK);
	ck_assert_int_eq(pl_certreq_decode(SPAN_EMPTY, &out), ERR_SYNTAX);
}
END_TEST

START_TEST(auth_comes_back)
{
	struct pl_auth in = { .method = AUTH_PSK, .data = span_str("mac") }, out;
	struct wr w = wr_into(buf, sizeof(buf));

	pl_auth_encode(&w, &in);
	ck_assert_mem_eq(buf, "\x02\x00\x00\x00mac", 7);
	ck_assert_int_eq(pl_auth_decode(wr_done(&w), &out), OK);
	ck_assert_uint_eq(out.method, AUTH_PSK);
	ck_assert(span_eq(out.data, in.data));
}
END_TEST

START_TEST(a_nonce_has_16_to_256_bytes)
{
	struct span nonce;

	for (size_t len = 0; len < 300; len++)
		ck_assert_int_eq(pl_nonce_decode(span_of(buf, len), &nonce),
				 len >= 16 && len <= 256 ? OK : ERR_SYNTAX);
}
END_TEST

START_TEST(notify_comes_back)
{
	struct pl_notify in = { .protocol = PROTO_ESP,
				.type = NOTIFY_REKEY_SA,
				.spi = span_str("SPI!"),
				.data = span_str("data") };
	struct pl_notify out;
	struct wr w = wr_into(buf, sizeof(buf));

	pl_notify_encode(&w, &in);
	ck_assert_mem_eq(buf, "\x03\x04\x40\x09SPI!data", 12);
	ck_assert_int_eq(pl_notify_decode(wr_done(&w), &out), OK);
	ck_assert_uint_eq(out.protocol, PROTO_ESP);
	ck_assert_uint_eq(out.type, NOTIFY_REKEY_SA);
	ck_assert(span_eq(out.spi, in.spi));
	ck_assert(span_eq(out.data, in.data));
}
END_TEST

/* CVE-2023-38710: an encoder that asserted what a peer had chosen. */
START_TEST(any_protocol_and_spi_size_of_a_notify_is_echoed_without_an_assertion)
{
	static const uint8_t protocols[] = { 0, 1, 2, 3, 4, 255 };

	for (size_t len = 0; len < 300; len++) {
		struct pl_notify in = { .protocol = protocols[_i],
					.type = NOTIFY_REKEY_SA,
					.spi = span_of(buf + 1024, len) };
		struct wr w = wr_into(buf, 1024);
		struct pl_notify out;

		pl_notify_encode(&w, &in);
		ck_assert_int_eq(wr_ok(&w), len <= 255);
		if (wr_ok(&w)) {
			ck_assert_int_eq(pl_notify_decode(wr_done(&w), &out), OK);
			ck_assert_uint_eq(out.spi.len, len);
		}
	}
}
END_TEST

START_TEST(delete_of_esp_comes_back)
{
	static const uint32_t spis[] = { 0x11223344, 0xc0000001, 0xffffffff };
	struct wr w = wr_into(buf, sizeof(buf));
	struct pl_delete d;

	pl_delete_encode(&w, PROTO_ESP, spis, 3);
	ck_assert_mem_eq(buf, "\x03\x04\x00\x03\x11\x22\x33\x44", 8);
	ck_assert_int_eq(pl_delete_decode(wr_done(&w), &d), OK);
	ck_assert_uint_eq(d.n, 3);
	for (uint16_t i = 0; i < 3; i++)
		ck_assert_uint_eq(pl_delete_spi(&d, i), spis[i]);
	ck_assert_uint_eq(pl_delete_spi(&d, 3), 0);
	ck_assert_uint_eq(pl_delete_spi(&d, UINT16_MAX), 0);
}
END_TEST

START_TEST(delete_of_ike_has_no_spi)
{
	struct wr w = wr_into(buf, sizeof(buf));
	struct pl_delete d;

	pl_delete_encode(&w, PROTO_IKE, NULL, 0);
	ck_assert_mem_eq(buf, "\x01\x00\x00\x00", 4);
	ck_assert_int_eq(pl_delete_decode(wr_done(&w), &d), OK);
	ck_assert_uint_eq(d.n, 0);
}
END_TEST

START_TEST(delete_with_sizes_and_counts_that_lie_is_refused)
{
	static const struct {
		const char *body;
		size_t len;
	} bad[] = {
		{ "\x01\x08\x00\x01"
		  "12345678",
		  12 }, /* IKE with an SPI */
		{ "\x01\x00\x00\x01", 4 },
		{ "\x03\x04\x00\x02"
		  "1234",
		  8 }, /* one of two */
		{ "\x03\x04\x00\x01"
		  "12345",
		  9 }, /* something behind */
		{ "\x03\x04\xff\xff"
		  "1234",
		  8 },
		{ "\x03\x00\xff\xff", 4 }, /* 65535 SPIs of no bytes */
		{ "\x03\x08\x00\x01"
		  "12345678",
		  12 },
		{ "\x00\x04\x00\x01"
		  "1234",
		  8 },
		{ "\x04\x04\x00\x01"
		  "1234",
		  8 },
		{ "\xff\xff\xff\xff", 4 },
	};
	struct pl_delete d;

	ck_assert_int_eq(pl_delete_decode(span_of(bad[_i].body, bad[_i].len), &d), ERR_SYNTAX);
}
END_TEST

START_TEST(hash_algorithms_are_bits)
{
	struct wr w = wr_into(buf, sizeof(buf));
	uint32_t hashes;

	sighash_encode(&w, SIGHASH_SHA2_256 | SIGHASH_SHA2_512 | SIGHASH_IDENTITY);
	ck_assert_mem_eq(buf, "\x00\x02\x00\x04\x00\x05", 6);
	ck_assert_int_eq(sighash_decode(wr_done(&w), &hashes), OK);
	ck_assert_uint_eq(hashes, SIGHASH_SHA2_256 | SIGHASH_SHA2_512 | SIGHASH_IDENTITY);
	ck_assert_int_eq(sighash_decode(span_of("\x00\x20\xff\xff\x00\x02", 6), &hashes), OK);
	ck_assert_uint_eq(hashes, SIGHASH_SHA2_256);
	ck_assert_int_eq(sighash_decode(SPAN_EMPTY, &hashes), ERR_SYNTAX);
	ck_assert_int_eq(sighash_decode(span_of("\x00\x02\x00", 3), &hashes), ERR_SYNTAX);
}
END_TEST

/* How long each payload's fixed part is, and whether something must follow. */
static enum err decode_ke(struct span s)
{
	struct pl_ke x;
	return pl_ke_decode(s, &x);
}
static enum err decode_id(struct span s)
{
	struct pl_id x;
	return pl_id_decode(s, &x);
}
static enum err decode_identity(struct span s)
{
	struct identity x;
	return pl_identity_decode(s, &x);
}
static enum err decode_cert(struct span s)
{
	struct pl_cert x;
	return pl_cert_decode(s, &x);
}
static enum err decode_certreq(struct span s)
{
	struct pl_cert x;
	return pl_certreq_decode(s, &x);
}
static enum err decode_auth(struct span s)
{
	struct pl_auth x;
	return pl_auth_decode(s, &x);
}
static enum err decode_notify(struct span s)
{
	struct pl_notify x;
	return pl_notify_decode(s, &x);
}
static enum err decode_delete(struct span s)
{
	struct pl_delete x;
	return pl_delete_decode(s, &x);
}

static const struct {
	enum err (*decode)(struct span s);
	const char *body;
	size_t len;
	size_t least; /* shorter than this must be refused */
} cuts[] = {
	{ decode_ke,
	  "\x00\x1f\x00\x00"
	  "12345678",
	  12, 5 },
	{ decode_id,
	  "\x02\x00\x00\x00"
	  "example",
	  11, 5 },
	{ decode_identity, "\x01\x00\x00\x00\x0a\x00\x00\x01", 8, 8 },
	{ decode_cert,
	  "\x04"
	  "12345678",
	  9, 2 },
	{ decode_certreq,
	  "\x04"
	  "12345678901234567890",
	  21, 1 },
	{ decode_auth,
	  "\x02\x00\x00\x00"
	  "12345678",
	  12, 5 },
	{ decode_notify,
	  "\x03\x04\x40\x09"
	  "1234",
	  8, 8 },
	{ decode_delete,
	  "\x03\x04\x00\x02"
	  "12345678",
	  12, 12 },
};

START_TEST(a_payload_cut_anywhere_is_refused_below_its_least)
{
	/* A copy of exactly that length, so that the address sanitizer sees every byte too far. */
	for (size_t len = 0; len <= cuts[_i].len; len++) {
		uint8_t *exact = malloc(len + 1);
		enum err want = len < cuts[_i].least ? ERR_SYNTAX : OK;

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, cuts[_i].body, len);
		ck_assert_int_eq(cuts[_i].decode(span_of(exact, len)), want);
		free(exact);
	}
	ck_assert_int_eq(cuts[_i].decode(SPAN_EMPTY), ERR_SYNTAX);
}
END_TEST

UNIT("ike/payload")
{
	tcase_add_test(tc, ke_comes_back);
	tcase_add_test(tc, identity_comes_back);
	tcase_add_test(tc, an_identity_of_any_length_is_judged_before_it_is_copied);
	tcase_add_test(tc, cert_comes_back_and_is_never_empty);
	tcase_add_test(tc, auth_comes_back);
	tcase_add_test(tc, a_nonce_has_16_to_256_bytes);
	tcase_add_test(tc, notify_comes_back);
	tcase_add_loop_test(
		tc, any_protocol_and_spi_size_of_a_notify_is_echoed_without_an_assertion, 0, 6);
	tcase_add_test(tc, delete_of_esp_comes_back);
	tcase_add_test(tc, delete_of_ike_has_no_spi);
	tcase_add_loop_test(tc, delete_with_sizes_and_counts_that_lie_is_refused, 0, 10);
	tcase_add_test(tc, hash_algorithms_are_bits);
	tcase_add_loop_test(tc, a_payload_cut_anywhere_is_refused_below_its_least, 0, 8);
}
