/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jobs.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { ROOM = 4096, N_KINDS = JOB_KE + 1 };

static struct job example(enum job_kind kind)
{
	struct job j = { .ticket = 42, .kind = kind };

	switch (kind) {
	case JOB_SIGN:
		j.sign = (struct job_sign){ "office", SIGHASH_SHA2_256 | SIGHASH_IDENTITY, true,
					    span_str("octets") };
		return j;
	case JOB_PSK_MAC:
		j.psk_mac = (struct job_psk_mac){ "office", 5, span_str("octets") };
		return j;
	case JOB_VERIFY:
		j.verify = (struct job_verify){
			.connection = "office",
			.chain = span_str("chain"),
			.method = AUTH_SIGNATURE,
			.auth = span_str("auth"),
			.octets = span_str("octets"),
		};
		ck_assert_int_eq(identity_parse(&j.verify.claimed, "gw.example.org"), OK);
		return j;
	case JOB_KE:
		j.ke = (struct job_ke){ 31, span_str("secret"), SPAN_EMPTY };
		return j;
	}
	return j;
}

static struct span encoded(const struct job *j, uint8_t buf[static ROOM])
{
	struct wr w = wr_into(buf, ROOM);

	job_encode(&w, j);
	ck_assert(wr_ok(&w));
	return wr_done(&w);
}

START_TEST(a_job_survives_the_channel)
{
	uint8_t buf[ROOM], again[ROOM];
	struct job j = example((enum job_kind)_i);
	struct span s = encoded(&j, buf);
	struct job back;

	ck_assert_int_eq(job_decode(s, &back), OK);
	ck_assert_uint_eq(back.ticket, 42);
	ck_assert_int_eq((int)back.kind, _i);
	ck_assert(span_eq(encoded(&back, again), s));
}
END_TEST

START_TEST(the_fields_of_a_verification_are_where_they_belong)
{
	uint8_t buf[ROOM];
	struct job j = example(JOB_VERIFY);
	struct job back;

	ck_assert_int_eq(job_decode(encoded(&j, buf), &back), OK);
	ck_assert_str_eq(back.verify.connection, "office");
	ck_assert(span_eq(back.verify.chain, span_str("chain")));
	ck_assert(span_eq(back.verify.auth, span_str("auth")));
	ck_assert(span_eq(back.verify.octets, span_str("octets")));
	ck_assert(identity_eq(&back.verify.claimed, &j.verify.claimed));
	ck_assert_uint_eq(back.verify.wanted.type, ID_NONE);
	ck_assert_uint_eq(back.verify.method, AUTH_SIGNATURE);
}
END_TEST

START_TEST(a_job_cut_off_or_with_more_behind_it_is_refused)
{
	uint8_t buf[ROOM];
	struct job j = example((enum job_kind)_i);
	struct span s = encoded(&j, buf);
	struct job back;

	for (size_t len = 0; len < s.len; len++)
		ck_assert_int_eq(job_decode(span_head(s, len), &back), ERR_SYNTAX);
	ck_assert_int_eq(job_decode(span_of(buf, s.len + 1), &back), ERR_SYNTAX);
}
END_TEST

START_TEST(a_damaged_job_is_refused_or_valid)
{
	uint8_t buf[ROOM], again[ROOM];
	struct job j = example((enum job_kind)_i);
	size_t len = encoded(&j, buf).len;

	for (size_t i = 0; i < len; i++) {
		uint8_t was = buf[i];

		for (unsigned int v = 0; v < 256; v++) {
			struct job back;

			buf[i] = (uint8_t)v;
			if (job_decode(span_of(buf, len), &back) == OK)
				ck_assert(span_eq(encoded(&back, again), span_of(buf, len)));
		}
		buf[i] = was;
	}
}
END_TEST

START_TEST(a_name_without_an_end_cannot_be_sent)
{
	uint8_t buf[ROOM];
	struct wr w = wr_into(buf, sizeof(buf));
	struct job j = example(JOB_SIGN);

	memset(j.sign.key, 'x', sizeof(j.sign.key));
	job_encode(&w, &j);
	ck_assert(!wr_ok(&w));
}
END_TEST

START_TEST(a_name_of_full_length_survives)
{
	uint8_t buf[ROOM];
	struct job j = example(JOB_SIGN);
	struct job back;

	memset(j.sign.key, 'x', sizeof(j.sign.key) - 1);
	ck_assert_int_eq(job_decode(encoded(&j, buf), &back), OK);
	ck_assert_str_eq(back.sign.key, j.sign.key);
}
END_TEST

START_TEST(a_result_survives_the_channel)
{
	struct job_result r = { 42,
				JOB_VERIFY,
				ERR_CERT_ENDED,
				AUTH_SIGNATURE,
				span_str("bytes"),
				.good_s = 0x1122334455667788,
				.scheme = "ECDSA",
				.text = "ended" };
	struct job_result back;
	uint8_t buf[ROOM];
	struct wr w = wr_into(buf, sizeof(buf));

	ck_assert_int_eq(identity_parse(&r.proved, "user@example.org"), OK);
	job_result_encode(&w, &r);
	ck_assert(wr_ok(&w));
	ck_assert_int_eq(job_result_decode(wr_done(&w), &back), OK);
	ck_assert_uint_eq(back.ticket, 42);
	ck_assert_int_eq((int)back.kind, JOB_VERIFY);
	ck_assert_int_eq((int)back.err, ERR_CERT_ENDED);
	ck_assert_uint_eq(back.method, AUTH_SIGNATURE);
	ck_assert(span_eq(back.bytes, span_str("bytes")));
	ck_assert(identity_eq(&back.proved, &r.proved));
	ck_assert_uint_eq(back.good_s, 0x1122334455667788);
	ck_assert_str_eq(back.scheme, "ECDSA");
	ck_assert_str_eq(back.text, "ended");
	for (size_t len = 0; len < wr_len(&w); len++)
		ck_assert_int_eq(job_result_decode(span_of(buf, len), &back), ERR_SYNTAX);
}
END_TEST

UNIT("base/jobs")
{
	tcase_add_loop_test(tc, a_job_survives_the_channel, 0, N_KINDS);
	tcase_add_test(tc, the_fields_of_a_verification_are_where_they_belong);
	tcase_add_loop_test(tc, a_job_cut_off_or_with_more_behind_it_is_refused, 0, N_KINDS);
	tcase_add_loop_test(tc, a_damaged_job_is_refused_or_valid, 0, N_KINDS);
	tcase_add_test(tc, a_name_without_an_end_cannot_be_sent);
	tcase_add_test(tc, a_name_of_full_length_survives);
	tcase_add_test(tc, a_result_survives_the_channel);
}
