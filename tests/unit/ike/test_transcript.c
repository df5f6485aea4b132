/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/transcript.h"

#include <string.h>

#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

/* prf(SK_p = 00..1f, 02000000 "gw.example.org") with HMAC-SHA2-256, by Python's hmac. */
#define MACED_ID "2da69d8ce910cd33d4332afa4cb54db2105fc77f458453713543915da19faefd"
#define ID_BODY	 "\x02\0\0\0gw.example.org"

static uint8_t buf[512];
static struct key sk_p;

static struct transcript sample(bool full)
{
	sk_p.len = 32;
	for (uint8_t i = 0; i < 32; i++)
		sk_p.b[i] = i;
	return (struct transcript){
		.prf = prf_find(PRF_HMAC_SHA2_256),
		.full = full,
		.request = span_str("REQUEST"),
		.response = span_str("RESPONSE"),
		.ni = span_str("Ni"),
		.nr = span_str("Nr"),
	};
}

static struct span id_body(void)
{
	return span_of(ID_BODY, sizeof(ID_BODY) - 1);
}

static void expect(struct span got, const char *head, size_t len)
{
	ck_assert_uint_eq(got.len, len + 32);
	ck_assert_mem_eq(got.p, head, len);
	hex_expect(MACED_ID, span_tail(got, len));
}

START_TEST(the_classic_octets_are_own_message_peers_nonce_maced_id)
{
	struct transcript t = sample(false);
	struct wr w = wr_into(buf, sizeof(buf));

	ck_assert_int_eq(transcript_initiator(&t, &sk_p, id_body(), &w), OK);
	expect(wr_done(&w), "REQUESTNr", 9);
	w = wr_into(buf, sizeof(buf));
	ck_assert_int_eq(transcript_responder(&t, &sk_p, id_body(), &w), OK);
	expect(wr_done(&w), "RESPONSENi", 10);
}
END_TEST

START_TEST(the_full_octets_are_zeros_received_sent_peers_nonce_maced_id)
{
	struct transcript t = sample(true);
	struct wr w = wr_into(buf, sizeof(buf));

	ck_assert_int_eq(transcript_initiator(&t, &sk_p, id_body(), &w), OK);
	expect(wr_done(&w), "\0\0\0\0\0\0\0\0RESPONSEREQUESTNr", 8 + 8 + 7 + 2);
	w = wr_into(buf, sizeof(buf));
	ck_assert_int_eq(transcript_responder(&t, &sk_p, id_body(), &w), OK);
	expect(wr_done(&w), "\0\0\0\0\0\0\0\0REQUESTRESPONSENi", 8 + 7 + 8 + 2);
}
END_TEST

/* What a person in the middle changes of either message shows in what either side signs. */
START_TEST(any_byte_of_either_message_changes_the_full_octets_of_both_sides)
{
	char request[] = "REQUEST", response[] = "RESPONSE";
	uint8_t before[2][128], after[2][128];
	struct transcript t = sample(true);

	t.request = span_of(request, 7);
	t.response = span_of(response, 8);
	for (size_t i = 0; i < 15; i++) {
		char *at = i < 7 ? &request[i] : &response[i - 7];
		struct wr w[4] = { wr_into(before[0], 128), wr_into(before[1], 128),
				   wr_into(after[0], 128), wr_into(after[1], 128) };

		ck_assert_int_eq(transcript_initiator(&t, &sk_p, id_body(), &w[0]), OK);
		ck_assert_int_eq(transcript_responder(&t, &sk_p, id_body(), &w[1]), OK);
		*at ^= 1;
		ck_assert_int_eq(transcript_initiator(&t, &sk_p, id_body(), &w[2]), OK);
		ck_assert_int_eq(transcript_responder(&t, &sk_p, id_body(), &w[3]), OK);
		ck_assert(!span_eq(wr_done(&w[0]), wr_done(&w[2])));
		ck_assert(!span_eq(wr_done(&w[1]), wr_done(&w[3])));
		*at ^= 1;
	}
}
END_TEST

START_TEST(the_reserved_bytes_of_the_id_are_covered_as_received)
{
	struct transcript t = sample(false);
	uint8_t id[sizeof(ID_BODY) - 1];
	struct wr w = wr_into(buf, sizeof(buf));

	memcpy(id, ID_BODY, sizeof(id));
	id[2] = 1;
	ck_assert_int_eq(transcript_initiator(&t, &sk_p, span_of(id, sizeof(id)), &w), OK);
	ck_assert_mem_ne(wr_done(&w).p + 9, hex(MACED_ID).b, 32);
}
END_TEST

START_TEST(the_length_that_is_promised_is_enough)
{
	for (int full = 0; full < 2; full++) {
		struct transcript t = sample(full);
		struct wr w = wr_into(buf, transcript_len(&t));

		ck_assert_int_eq(transcript_initiator(&t, &sk_p, id_body(), &w), OK);
		w = wr_into(buf, transcript_len(&t));
		ck_assert_int_eq(transcript_responder(&t, &sk_p, id_body(), &w), OK);
		w = wr_into(buf, 9);
		ck_assert_int_eq(transcript_responder(&t, &sk_p, id_body(), &w), ERR_SPACE);
	}
}
END_TEST

UNIT("ike/transcript")
{
	tcase_add_test(tc, the_classic_octets_are_own_message_peers_nonce_maced_id);
	tcase_add_test(tc, the_full_octets_are_zeros_received_sent_peers_nonce_maced_id);
	tcase_add_test(tc, any_byte_of_either_message_changes_the_full_octets_of_both_sides);
	tcase_add_test(tc, the_reserved_bytes_of_the_id_are_covered_as_received);
	tcase_add_test(tc, the_length_that_is_promised_is_enough);
}
