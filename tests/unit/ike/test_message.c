/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/message.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct ike_header head = {
	.spi_i = 1,
	.spi_r = 2,
	.version = IKE_VERSION,
	.exchange = X_IKE_SA_INIT,
	.flags = FLAG_INITIATOR,
};

static uint8_t buf[70000];

/* Known types, and those that may stand more than once. */
static const uint8_t known[] = {
	33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 53
};
static const uint8_t often[] = { PL_CERT, PL_CERTREQ, PL_NOTIFY, PL_DELETE, PL_VENDOR };

static bool among(uint8_t type, const uint8_t *set, size_t n)
{
	return memchr(set, type, n) != NULL;
}

/* A message of `n` payloads of one type; the body would do as a Notify. */
static struct span message_of(uint8_t type, size_t n, bool critical)
{
	struct builder b = builder_message(buf, sizeof(buf), &head);
	struct span d;

	for (size_t i = 0; i < n; i++) {
		builder_add(&b, type, span_of("\x00\x00\x40\x00", 4));
		wr_fill_u8(&b.w, b.begun_at + 1, critical ? 0x80 : 0);
	}
	ck_assert_int_eq(builder_finish(&b, &d), OK);
	return d;
}

START_TEST(payloads_come_back_in_their_order)
{
	struct builder b = builder_message(buf, sizeof(buf), &head);
	struct message m;
	struct pl_notify n;
	struct span d;

	builder_add(&b, PL_NONCE, span_str("nonce"));
	builder_notify(&b, NOTIFY_COOKIE, span_str("cookie"));
	builder_add(&b, PL_VENDOR, SPAN_EMPTY);
	builder_notify(&b, NOTIFY_NO_PROPOSAL_CHOSEN, SPAN_EMPTY);
	ck_assert_int_eq(builder_finish(&b, &d), OK);

	ck_assert_int_eq(message_decode(d, &m), OK);
	ck_assert_uint_eq(m.n, 4);
	ck_assert_uint_eq(m.h.next, PL_NONCE);
	ck_assert_uint_eq(m.present, PL_BIT(PL_NONCE) | PL_BIT(PL_NOTIFY) | PL_BIT(PL_VENDOR));
	ck_assert(span_eq(message_body(&m, PL_NONCE), span_str("nonce")));
	ck_assert_uint_eq(message_body(&m, PL_KE).len, 0);
	ck_assert_ptr_null(message_find(&m, PL_KE));
	ck_assert(message_notify(&m, NOTIFY_COOKIE, &n));
	ck_assert(span_eq(n.data, span_str("cookie")));
	ck_assert(!message_notify(&m, NOTIFY_REKEY_SA, NULL));
	ck_assert(message_error(&m, &n));
	ck_assert_uint_eq(n.type, NOTIFY_NO_PROPOSAL_CHOSEN);
	ck_assert_ptr_eq(message_next(&m, message_find(&m, PL_NOTIFY)), &m.v[3]);
	ck_assert_ptr_null(message_next(&m, &m.v[3]));
}
END_TEST

/* CVE-2026-12413: outer payloads in a fixed array, off by one. */
START_TEST(a_thousand_payloads_never_overrun)
{
	for (size_t n = 0; n <= 1000; n++) {
		struct span d = message_of(PL_VENDOR, n, false);
		struct message m;

		ck_assert_int_eq(message_decode(d, &m), n <= MESSAGE_PAYLOADS_MAX ? OK : ERR_LIMIT);
		ck_assert_uint_eq(m.n, n < MESSAGE_PAYLOADS_MAX ? n : MESSAGE_PAYLOADS_MAX);
	}
}
END_TEST

START_TEST(unknown_payloads_are_skipped_however_many)
{
	struct message m;

	for (size_t n = 0; n <= 1000; n += 50)
		ck_assert_int_eq(message_decode(message_of(200, n, false), &m), OK);
	ck_assert_uint_eq(m.n, 0);
}
END_TEST

/* CVE-2015-3991: a payload type of another version taken for ours. */
START_TEST(types_that_we_do_not_know_are_skipped_or_refused_by_the_critical_bit)
{
	for (unsigned int type = 1; type <= UINT8_MAX; type++) {
		bool knows = among((uint8_t)type, known, sizeof(known));
		struct message m;

		ck_assert_int_eq(message_decode(message_of((uint8_t)type, 1, false), &m), OK);
		ck_assert_uint_eq(m.n, knows ? 1 : 0);
		ck_assert_int_eq(message_has(&m, (uint8_t)type), knows);
		ck_assert_int_eq(message_decode(message_of((uint8_t)type, 1, true), &m),
				 knows ? OK : ERR_CRITICAL);
		ck_assert_uint_eq(m.critical_type, knows ? 0 : type);
	}
}
END_TEST

START_TEST(what_may_stand_once_is_refused_twice)
{
	for (size_t i = 0; i < sizeof(known); i++) {
		bool may = among(known[i], often, sizeof(often));
		struct message m;

		ck_assert_int_eq(message_decode(message_of(known[i], 2, false), &m),
				 may ? OK : ERR_SYNTAX);
	}
}
END_TEST

START_TEST(nothing_stands_behind_sk)
{
	struct builder b = builder_message(buf, sizeof(buf), &head);
	struct message m;
	struct span d;

	builder_add(&b, PL_SK, span_str("sealed"));
	ck_assert_int_eq(builder_finish(&b, &d), OK);
	buf[IKE_HEADER_LEN] = PL_IDI; /* type of the first payload inside */
	ck_assert_int_eq(message_decode(d, &m), OK);
	ck_assert_uint_eq(m.inner_first, PL_IDI);
	ck_assert_uint_eq(m.n, 1);

	builder_add(&b, PL_VENDOR, SPAN_EMPTY);
	ck_assert_int_eq(builder_finish(&b, &d), OK);
	ck_assert_int_eq(message_decode(d, &m), ERR_SYNTAX);
}
END_TEST

START_TEST(sk_inside_sk_is_refused)
{
	static const uint8_t sealed[] = { PL_SK, PL_SKF };
	struct message m;
	struct inner in;

	for (size_t i = 0; i < 2; i++) {
		struct builder b = builder_inner(buf, sizeof(buf));

		builder_add(&b, sealed[i], span_str("sealed"));
		ck_assert_int_eq(builder_finish_inner(&b, &in), OK);
		ck_assert_int_eq(message_decode_inner(&head, &in, &m), ERR_SYNTAX);
	}
}
END_TEST

START_TEST(an_inner_chain_keeps_the_type_of_its_first_payload)
{
	struct builder b = builder_inner(buf, sizeof(buf));
	struct message m;
	struct inner in;

	builder_add(&b, PL_IDI, span_str("id"));
	builder_add(&b, PL_AUTH, span_str("auth"));
	ck_assert_int_eq(builder_finish_inner(&b, &in), OK);
	ck_assert_uint_eq(in.first, PL_IDI);
	ck_assert_uint_eq(in.chain.len, 6 + 8);
	ck_assert_int_eq(message_decode_inner(&head, &in, &m), OK);
	ck_assert_uint_eq(m.n, 2);
	ck_assert_uint_eq(m.h.spi_i, 1);
	ck_assert(span_eq(message_body(&m, PL_AUTH), span_str("auth")));
}
END_TEST

START_TEST(an_empty_chain_is_a_message_without_payloads)
{
	struct builder b = builder_inner(buf, sizeof(buf));
	struct message m;
	struct inner in;

	ck_assert_int_eq(builder_finish_inner(&b, &in), OK);
	ck_assert_int_eq(message_decode_inner(&head, &in, &m), OK);
	ck_assert_uint_eq(m.n, 0);
	in.first = PL_NOTIFY;
	ck_assert_int_eq(message_decode_inner(&head, &in, &m), ERR_SYNTAX);
	in = (struct inner){ .first = PL_NONE, .chain = span_str("left over") };
	ck_assert_int_eq(message_decode_inner(&head, &in, &m), ERR_SYNTAX);
}
END_TEST

START_TEST(a_payload_length_that_lies_is_refused)
{
	/* The middle one of three: 4 + 4 bytes, 8 behind it. */
	static const struct {
		uint16_t len;
		enum err err;
	} cases[] = {
		{ 0, ERR_SYNTAX },  { 1, ERR_SYNTAX },		{ 3, ERR_SYNTAX },
		{ 17, ERR_SYNTAX }, { UINT16_MAX, ERR_SYNTAX }, { 8, OK },
	};
	struct span d = message_of(PL_VENDOR, 3, false);
	struct message m;

	buf[IKE_HEADER_LEN + 8 + 2] = (uint8_t)(cases[_i].len >> 8);
	buf[IKE_HEADER_LEN + 8 + 3] = (uint8_t)cases[_i].len;
	ck_assert_int_eq(message_decode(d, &m), cases[_i].err);
}
END_TEST

START_TEST(a_message_cut_anywhere_is_refused)
{
	struct builder b = builder_message(buf, sizeof(buf), &head);
	struct span d;

	builder_add(&b, PL_KE, span_of("\x00\x1f\x00\x00k", 5));
	builder_add(&b, PL_NONCE, span_str("0123456789abcdef"));
	builder_notify(&b, NOTIFY_COOKIE, span_str("cookie"));
	ck_assert_int_eq(builder_finish(&b, &d), OK);
	for (size_t len = 0; len < d.len; len++) {
		uint8_t *exact = malloc(len + 1);
		struct wr w = wr_into(exact, len);
		struct message m;

		ck_assert_ptr_nonnull(exact);
		wr_span(&w, span_head(d, len));
		if (len >= IKE_HEADER_LEN)
			wr_fill_u32(&w, 24, (uint32_t)len);
		ck_assert_int_eq(message_decode(span_of(exact, len), &m), ERR_SYNTAX);
		free(exact);
	}
}
END_TEST

START_TEST(a_malformed_notify_is_a_malformed_message)
{
	struct builder b = builder_message(buf, sizeof(buf), &head);
	struct message m;
	struct span d;

	builder_add(&b, PL_NOTIFY,
		    span_of("\x01\x09\x40\x00"
			    "12345678",
			    12));
	ck_assert_int_eq(builder_finish(&b, &d), OK);
	ck_assert_int_eq(message_decode(d, &m), ERR_SYNTAX);
}
END_TEST

START_TEST(the_builder_says_at_the_end_that_it_did_not_fit)
{
	uint8_t whole[128];
	struct span d, d2;

	for (size_t size = 0; size < sizeof(whole); size++) {
		struct builder b = builder_message(whole, size, &head);

		builder_add(&b, PL_NONCE, span_str("0123456789abcdef"));
		builder_notify(&b, NOTIFY_COOKIE, span_str("cookie"));
		ck_assert_int_eq(builder_finish(&b, &d), size >= 28 + 20 + 14 ? OK : ERR_SPACE);
		ck_assert_uint_eq(d.len, size >= 28 + 20 + 14 ? 28 + 20 + 14 : 0);
	}
	{
		static const uint8_t body[65532];
		struct builder b = builder_message(buf, sizeof(buf), &head);

		builder_add(&b, PL_VENDOR, span_of(body, 65531));
		ck_assert_int_eq(builder_finish(&b, &d2), ERR_SPACE);
		b = builder_message(buf, sizeof(buf), &head);
		builder_add(&b, PL_VENDOR, span_of(body, 65532));
		ck_assert_int_eq(builder_finish(&b, &d2), ERR_SPACE);
	}
}
END_TEST

UNIT("ike/message")
{
	tcase_add_test(tc, payloads_come_back_in_their_order);
	tcase_add_test(tc, a_thousand_payloads_never_overrun);
	tcase_add_test(tc, unknown_payloads_are_skipped_however_many);
	tcase_add_test(tc, types_that_we_do_not_know_are_skipped_or_refused_by_the_critical_bit);
	tcase_add_test(tc, what_may_stand_once_is_refused_twice);
	tcase_add_test(tc, nothing_stands_behind_sk);
	tcase_add_test(tc, sk_inside_sk_is_refused);
	tcase_add_test(tc, an_inner_chain_keeps_the_type_of_its_first_payload);
	tcase_add_test(tc, an_empty_chain_is_a_message_without_payloads);
	tcase_add_loop_test(tc, a_payload_length_that_lies_is_refused, 0, 6);
	tcase_add_test(tc, a_message_cut_anywhere_is_refused);
	tcase_add_test(tc, a_malformed_notify_is_a_malformed_message);
	tcase_add_test(tc, the_builder_says_at_the_end_that_it_did_not_fit);
}
