/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/offer.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/alg.h"
#include "tests/unit/unit.h"

/* RFC 7296 3.3: ESP with AES-CBC-128 or AES-CBC-256 and HMAC-SHA2-256-128, no ESN; then AES-GCM. */
static const uint8_t two[] = {
	2,     0,    0,	   52,	 1,	  PROTO_ESP, 4, 4,  0x05,   0x23,      0x57, 0xbb,
	3,     0,    0,	   12,	 T_ENCR,  0,	     0, 12, 0x80,   14,	       0,    128,
	3,     0,    0,	   12,	 T_ENCR,  0,	     0, 12, 0x80,   14,	       1,    0,
	3,     0,    0,	   8,	 T_INTEG, 0,	     0, 12, 0,	    0,	       0,    8,
	T_ESN, 0,    0,	   0,	 0,	  0,	     0, 32, 2,	    PROTO_ESP, 4,    2,
	0x35,  0xa1, 0xd6, 0xf2, 3,	  0,	     0, 12, T_ENCR, 0,	       0,    20,
	0x80,  14,   1,	   0,	 0,	  0,	     0, 8,  T_ESN,  0,	       0,    1,
};

START_TEST(proposals_and_transforms_are_walked)
{
	struct offer_walk w = offer_proposals(span_of(two, sizeof(two)));
	struct offer_proposal p;
	struct offer_transform t;
	struct offer_walk tw;

	ck_assert(offer_next_proposal(&w, &p));
	ck_assert_uint_eq(p.number, 1);
	ck_assert_uint_eq(p.n_transforms, 4);
	ck_assert_mem_eq(p.spi.p, "\x05\x23\x57\xbb", 4);
	tw = offer_transforms(&p);
	ck_assert(offer_next_transform(&tw, &t));
	ck_assert(t.type == T_ENCR && t.id == ENCR_AES_CBC && t.key_bits == 128 && !t.strange);
	ck_assert(offer_next_transform(&tw, &t));
	ck_assert_uint_eq(t.key_bits, 256);
	ck_assert(offer_next_transform(&tw, &t));
	ck_assert(t.type == T_INTEG && t.id == INTEG_HMAC_SHA2_256_128 && t.key_bits == 0);
	ck_assert(offer_next_transform(&tw, &t));
	ck_assert(t.type == T_ESN && t.id == ESN_NO);
	ck_assert(!offer_next_transform(&tw, &t));
	ck_assert(offer_ok(&tw));
	ck_assert(!offer_ok(&w)); /* one more is announced */
	ck_assert(offer_next_proposal(&w, &p));
	ck_assert_uint_eq(p.number, 2);
	ck_assert(!offer_next_proposal(&w, &p));
	ck_assert(offer_ok(&w));
	ck_assert_int_eq(offer_check(span_of(two, sizeof(two))), OK);
}
END_TEST

START_TEST(the_pen_writes_the_same_bytes)
{
	uint8_t out[sizeof(two)];
	struct wr w = wr_into(out, sizeof(out));
	struct offer_proposal p = { .number = 1,
				    .protocol = PROTO_ESP,
				    .spi = span_of(two + 8, 4) };
	struct offer_pen pen = offer_begin_proposal(&w, &p, false);

	offer_add_transform(&pen, T_ENCR, ENCR_AES_CBC, 128);
	offer_add_transform(&pen, T_ENCR, ENCR_AES_CBC, 256);
	offer_add_transform(&pen, T_INTEG, INTEG_HMAC_SHA2_256_128, 0);
	offer_add_transform(&pen, T_ESN, ESN_NO, 0);
	offer_end_proposal(&pen);
	p = (struct offer_proposal){ .number = 2,
				     .protocol = PROTO_ESP,
				     .spi = span_of(two + 60, 4) };
	pen = offer_begin_proposal(&w, &p, true);
	offer_add_transform(&pen, T_ENCR, ENCR_AES_GCM_16, 256);
	offer_add_transform(&pen, T_ESN, ESN_YES, 0);
	offer_end_proposal(&pen);
	ck_assert(span_eq(wr_done(&w), span_of(two, sizeof(two))));
}
END_TEST

START_TEST(a_proposal_without_transforms_cannot_be_written)
{
	uint8_t out[64];
	struct wr w = wr_into(out, sizeof(out));
	struct offer_proposal p = { .number = 1, .protocol = PROTO_IKE };
	struct offer_pen pen = offer_begin_proposal(&w, &p, true);

	offer_end_proposal(&pen);
	ck_assert(!wr_ok(&w));
}
END_TEST

START_TEST(an_offer_cut_anywhere_is_refused)
{
	for (size_t len = 0; len < sizeof(two); len++) {
		uint8_t *exact = malloc(len + 1);

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, two, len);
		ck_assert_int_eq(offer_check(span_of(exact, len)), ERR_SYNTAX);
		free(exact);
	}
	ck_assert_int_eq(offer_check(SPAN_EMPTY), ERR_SYNTAX);
}
END_TEST

/* Every length field of the payload, and what it may say. */
START_TEST(every_length_that_lies_is_refused)
{
	static const size_t fields[] = { 2, 14, 26, 38, 46, 54, 66, 78 };
	uint8_t b[sizeof(two)];
	uint16_t good;

	memcpy(b, two, sizeof(b));
	good = (uint16_t)(b[fields[_i]] << 8 | b[fields[_i] + 1]);
	for (unsigned int len = 0; len <= UINT16_MAX; len++) {
		b[fields[_i]] = (uint8_t)(len >> 8);
		b[fields[_i] + 1] = (uint8_t)len;
		if (len != good)
			ck_assert_int_eq(offer_check(span_of(b, sizeof(b))), ERR_SYNTAX);
	}
}
END_TEST

START_TEST(counts_and_continuations_that_lie_are_refused)
{
	/* byte to change; its true value is refused by nobody */
	static const size_t at[] = { 0, 6, 7, 12, 24, 36, 44, 52, 58, 59, 64, 76 };
	uint8_t b[sizeof(two)];

	for (unsigned int v = 0; v <= UINT8_MAX; v++) {
		memcpy(b, two, sizeof(b));
		b[at[_i]] = (uint8_t)v;
		ck_assert_int_eq(offer_check(span_of(b, sizeof(b))),
				 v == two[at[_i]] ? OK : ERR_SYNTAX);
	}
}
END_TEST

START_TEST(attributes_that_we_do_not_know_make_a_transform_strange)
{
	static const struct {
		const char *attrs;
		uint8_t len;
		bool strange;
		enum err err;
		uint16_t key_bits;
	} cases[] = {
		{ "", 0, false, OK, 0 },
		{ "\x80\x0e\x01\x00", 4, false, OK, 256 },
		{ "\x80\x0f\x01\x00", 4, true, OK, 0 },		/* another number */
		{ "\x00\x0e\x00\x02\x01\x00", 6, true, OK, 0 }, /* Key Length in the long form */
		{ "\x00\x0e\x00\x00", 4, true, OK, 0 },
		{ "\x80\x0e\x00\x00", 4, true, OK, 0 },			  /* zero bits */
		{ "\x80\x0e\x01\x00\x80\x0e\x00\x80", 8, true, OK, 256 }, /* twice */
		{ "\x80\x0e\x01\x00\x80\x01\x00\x80", 8, true, OK, 256 },
		{ "\x80\x0e\x01", 3, false, ERR_SYNTAX, 0 },
		{ "\x00\x0e\x00\x03\x01\x00", 6, true, ERR_SYNTAX, 0 },
		{ "\x00\x0e\xff\xff\x01\x00", 6, true, ERR_SYNTAX, 0 },
		{ "\x80", 1, true, ERR_SYNTAX, 0 },
	};
	uint8_t b[64];
	struct wr w = wr_into(b, sizeof(b));
	struct offer_walk walk;
	struct offer_proposal p;
	struct offer_transform t;

	wr_span(&w,
		span_of("\x00\x00\x00\x00\x01\x01\x00\x01\x00\x00\x00\x00\x01\x00\x00\x14", 16));
	wr_span(&w, span_of(cases[_i].attrs, cases[_i].len));
	wr_fill_len16(&w, 2, 0);
	wr_fill_len16(&w, 10, 8);
	ck_assert_int_eq(offer_check(wr_done(&w)), cases[_i].err);
	if (cases[_i].err != OK)
		return;
	walk = offer_proposals(wr_done(&w));
	ck_assert(offer_next_proposal(&walk, &p));
	walk = offer_transforms(&p);
	ck_assert(offer_next_transform(&walk, &t));
	ck_assert_int_eq(t.strange, cases[_i].strange);
	ck_assert_uint_eq(t.key_bits, cases[_i].key_bits);
}
END_TEST

UNIT("ike/offer")
{
	tcase_add_test(tc, proposals_and_transforms_are_walked);
	tcase_add_test(tc, the_pen_writes_the_same_bytes);
	tcase_add_test(tc, a_proposal_without_transforms_cannot_be_written);
	tcase_add_test(tc, an_offer_cut_anywhere_is_refused);
	tcase_add_loop_test(tc, every_length_that_lies_is_refused, 0, 8);
	tcase_add_loop_test(tc, counts_and_continuations_that_lie_are_refused, 0, 12);
	tcase_add_loop_test(tc, attributes_that_we_do_not_know_make_a_transform_strange, 0, 12);
}
