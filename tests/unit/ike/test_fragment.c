/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/fragment.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { PARTS_MAX = 64 };

static uint8_t text[60000], out_buf[70000], wire[80000];
static struct sk_keys keys;
static struct span parts[PARTS_MAX];
static size_t n_parts;

/* The text, sealed in fragments of at most `max` bytes, in parts[]. */
static void cut(uint32_t message_id, size_t len, size_t max)
{
	struct ike_header h = { .spi_i = 1,
				.spi_r = 2,
				.version = IKE_VERSION,
				.exchange = X_IKE_AUTH,
				.flags = FLAG_INITIATOR,
				.message_id = message_id };
	struct inner in = { .first = PL_IDI, .chain = span_of(text, len) };
	struct wr w = wr_into(wire, sizeof(wire));
	struct rd r;

	keys.encr = encr_by_keyword("aes128gcm16");
	keys.encr_key.len = 20;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + i / 256);
	ck_assert_int_eq(protect_seal_fragments(&keys, &h, &in, max, &w), OK);
	r = rd_from(wr_done(&w));
	for (n_parts = 0; n_parts < PARTS_MAX && header_split(&r, &parts[n_parts]); n_parts++)
		;
	ck_assert(rd_end(&r));
}

static enum err add(struct reassembly *r, struct span d, bool *whole)
{
	struct message m;

	ck_assert_int_eq(message_decode(d, &m), OK);
	return reassembly_add(r, &keys, &m, whole);
}

static void expect_text(const struct reassembly *r, size_t len)
{
	struct wr w = wr_into(out_buf, r->bytes);
	struct inner in;

	ck_assert_int_eq(reassembly_join(r, &w, &in), OK);
	ck_assert_uint_eq(in.first, PL_IDI);
	ck_assert(span_eq(in.chain, span_of(text, len)));
}

START_TEST(any_order_makes_the_message_whole)
{
	struct reassembly r = { 0 };
	bool whole = false;

	cut(1, 5000, 600);
	ck_assert_uint_gt(n_parts, 8);
	/* 7 has no common divisor with the count, so this visits all in a scattered order. */
	ck_assert_uint_ne(n_parts % 7, 0);
	for (size_t i = 0; i < n_parts; i++) {
		ck_assert(!whole);
		ck_assert_int_eq(add(&r, parts[(i * 7 + 3) % n_parts], &whole), OK);
	}
	ck_assert(whole);
	expect_text(&r, 5000);
	reassembly_reset(&r);
	ck_assert_uint_eq(r.bytes, 0);
}
END_TEST

START_TEST(duplicates_are_ignored)
{
	struct reassembly r = { 0 };
	bool whole;

	cut(1, 2000, 600);
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i + 1 < n_parts; i++) {
			ck_assert_int_eq(add(&r, parts[i], &whole), OK);
			ck_assert(!whole);
		}
	}
	ck_assert_uint_eq(r.n, n_parts - 1);
	ck_assert_int_eq(add(&r, parts[n_parts - 1], &whole), OK);
	ck_assert(whole);
	ck_assert_int_eq(add(&r, parts[0], &whole), OK);
	ck_assert(!whole);
	expect_text(&r, 2000);
	reassembly_reset(&r);
}
END_TEST

/* RFC 7383 2.6: what does not pass its own ICV leaves no trace, whatever it claims. */
START_TEST(a_forged_fragment_changes_nothing)
{
	struct reassembly r = { 0 }, before;
	uint8_t forged[700];
	bool whole;

	cut(1, 2000, 600);
	ck_assert_int_eq(add(&r, parts[0], &whole), OK);
	before = r;
	for (size_t at = IKE_HEADER_LEN + PAYLOAD_HEADER_LEN; at < parts[1].len; at++) {
		struct span d = span_of(forged, parts[1].len);
		enum err err;

		memcpy(forged, parts[1].p, parts[1].len);
		forged[at] ^= 0x11;
		err = add(&r, d, &whole);
		ck_assert(err == ERR_ICV || err == ERR_SYNTAX || err == ERR_LIMIT ||
			  (err == OK && r.n == 1));
		ck_assert(!whole);
		ck_assert_mem_eq(&r, &before, sizeof(r));
	}
	ck_assert_int_eq(add(&r, parts[1], &whole), OK);
	ck_assert_uint_eq(r.n, 2);
	reassembly_reset(&r);
}
END_TEST

START_TEST(a_larger_total_starts_anew_and_a_smaller_one_is_ignored)
{
	struct reassembly r = { 0 };
	uint8_t old[1400];
	struct span old_part = { old, 0 };
	uint16_t few;
	bool whole;

	cut(1, 3000, 1300);
	few = (uint16_t)n_parts;
	old_part.len = parts[0].len;
	memcpy(old, parts[0].p, parts[0].len);
	ck_assert_int_eq(add(&r, parts[0], &whole), OK);
	ck_assert_uint_eq(r.total, few);

	cut(1, 3000, 600);
	ck_assert_uint_gt(n_parts, few);
	ck_assert_int_eq(add(&r, parts[1], &whole), OK);
	ck_assert_uint_eq(r.total, n_parts);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_int_eq(add(&r, old_part, &whole), OK);
	ck_assert_uint_eq(r.total, n_parts);
	ck_assert_uint_eq(r.n, 1);
	for (size_t i = 0; i < n_parts; i++)
		ck_assert_int_eq(add(&r, parts[i], &whole), OK);
	ck_assert(whole);
	expect_text(&r, 3000);
	reassembly_reset(&r);
}
END_TEST

START_TEST(another_message_starts_anew)
{
	struct reassembly r = { 0 };
	bool whole;

	cut(1, 3000, 600);
	ck_assert_int_eq(add(&r, parts[0], &whole), OK);
	cut(2, 3000, 600);
	ck_assert_int_eq(add(&r, parts[1], &whole), OK);
	ck_assert_uint_eq(r.message_id, 2);
	ck_assert_uint_eq(r.n, 1);
	reassembly_reset(&r);
}
END_TEST

/* One datagram as a peer with the key might make it. */
static struct span fragment_of(uint16_t number, uint16_t total)
{
	struct span d;

	cut(1, 200, 100);
	d = parts[1];
	wire[d.p - wire + IKE_HEADER_LEN + 4] = (uint8_t)(number >> 8);
	wire[d.p - wire + IKE_HEADER_LEN + 5] = (uint8_t)number;
	wire[d.p - wire + IKE_HEADER_LEN + 6] = (uint8_t)(total >> 8);
	wire[d.p - wire + IKE_HEADER_LEN + 7] = (uint8_t)total;
	return d;
}

START_TEST(numbers_beyond_the_bounds_are_refused_before_any_work)
{
	static const struct {
		uint16_t number, total;
		enum err err;
	} cases[] = {
		{ 0, 1, ERR_SYNTAX }, { 0, 0, ERR_SYNTAX },  { 3, 2, ERR_SYNTAX },
		{ 2, 65, ERR_LIMIT }, { 65, 65, ERR_LIMIT }, { 65535, 65535, ERR_LIMIT },
		{ 64, 64, ERR_ICV },  { 2, 2, ERR_ICV },
	};
	struct reassembly r = { 0 };
	bool whole;

	ck_assert_int_eq(add(&r, fragment_of(cases[_i].number, cases[_i].total), &whole),
			 cases[_i].err);
	ck_assert_uint_eq(r.total, 0);
}
END_TEST

START_TEST(a_message_of_64_kib_fits_and_no_more)
{
	struct reassembly r = { 0 };
	bool whole = false;

	cut(1, sizeof(text), 1100);
	for (size_t i = 0; i < n_parts; i++)
		ck_assert_int_eq(add(&r, parts[i], &whole), OK);
	ck_assert(whole);
	expect_text(&r, sizeof(text));
	r.bytes = REASSEMBLY_BYTES_MAX; /* as if the others were that large */
	secret_free(r.piece[0].p, r.piece[0].len);
	r.piece[0].p = NULL;
	r.n--;
	ck_assert_int_eq(add(&r, parts[0], &whole), ERR_LIMIT);
	reassembly_reset(&r);
}
END_TEST

/* CVE-2016-10396: the cost of a fragment must not grow with those that are here. */
START_TEST(ten_thousand_fragments_are_taken_in_no_time)
{
	struct reassembly r = { 0 };
	bool whole;

	cut(1, 20000, 600);
	for (size_t i = 0; i < 10000; i++)
		ck_assert_int_eq(add(&r, parts[i % (n_parts - 1)], &whole), OK);
	ck_assert_uint_eq(r.n, n_parts - 1);
	ck_assert_uint_le(r.bytes, 20000);
	reassembly_reset(&r);
}
END_TEST

START_TEST(what_is_not_whole_is_not_joined)
{
	struct reassembly r = { 0 };
	struct wr w = wr_into(out_buf, sizeof(out_buf));
	struct inner in;
	bool whole;

	ck_assert_int_eq(reassembly_join(&r, &w, &in), ERR_UNEXPECTED);
	cut(1, 1000, 600);
	ck_assert_int_eq(add(&r, parts[1], &whole), OK);
	ck_assert_int_eq(reassembly_join(&r, &w, &in), ERR_UNEXPECTED);
	ck_assert_int_eq(add(&r, parts[0], &whole), OK);
	w = wr_into(out_buf, 999);
	ck_assert_int_eq(reassembly_join(&r, &w, &in), ERR_SPACE);
	ck_assert_uint_eq(wr_len(&w), 0);
	reassembly_reset(&r);
}
END_TEST

UNIT("ike/fragment")
{
	tcase_add_test(tc, any_order_makes_the_message_whole);
	tcase_add_test(tc, duplicates_are_ignored);
	tcase_add_test(tc, a_forged_fragment_changes_nothing);
	tcase_add_test(tc, a_larger_total_starts_anew_and_a_smaller_one_is_ignored);
	tcase_add_test(tc, another_message_starts_anew);
	tcase_add_loop_test(tc, numbers_beyond_the_bounds_are_refused_before_any_work, 0, 8);
	tcase_add_test(tc, a_message_of_64_kib_fits_and_no_more);
	tcase_add_test(tc, ten_thousand_fragments_are_taken_in_no_time);
	tcase_add_test(tc, what_is_not_whole_is_not_joined);
}
