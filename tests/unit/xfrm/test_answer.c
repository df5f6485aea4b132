/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { PORT = 4711, FIRST = 100, LAST = 102, DATA_TYPE = 0x20, ROOM = 1024 };

/* A datagram of the kernel, put together message by message. */
struct box {
	_Alignas(struct nlmsghdr) uint8_t b[ROOM];
	size_t len;
};

static struct nlmsghdr *put(struct box *x, uint16_t type, uint32_t seq, const void *p, size_t len)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(void *)(x->b + x->len);

	ck_assert_uint_le(x->len + NLMSG_SPACE(len), ROOM);
	*m = (struct nlmsghdr){ .nlmsg_len = (uint32_t)NLMSG_LENGTH(len),
				.nlmsg_type = type,
				.nlmsg_seq = seq,
				.nlmsg_pid = PORT };
	if (len > 0)
		memcpy(NLMSG_DATA(m), p, len);
	x->len += NLMSG_SPACE(len);
	return m;
}

static struct nlmsghdr *put_error(struct box *x, uint32_t seq, int error)
{
	const struct nlmsgerr e = { .error = error,
				    .msg = { .nlmsg_len = sizeof(struct nlmsghdr) } };

	return put(x, NLMSG_ERROR, seq, &e, sizeof(e));
}

static struct answer asked(void)
{
	return (struct answer){ .seq_first = FIRST, .seq_last = LAST, .port = PORT };
}

static enum err count(void *ctx, const struct nlmsghdr *m)
{
	(void)m;
	++*(size_t *)ctx;
	return OK;
}

static enum err read_box(struct answer *a, const struct box *x, size_t *n)
{
	*n = 0;
	return answer_read(a, span_of(x->b, x->len), count, n);
}

START_TEST(data_and_the_end_of_a_dump)
{
	struct box x = { .len = 0 };
	struct answer a = asked();
	const int zero = 0;
	size_t n;

	put(&x, DATA_TYPE, LAST, "abcd", 4);
	put(&x, DATA_TYPE, LAST, "ab", 2);
	put(&x, NLMSG_DONE, LAST, &zero, sizeof(zero));
	ck_assert_int_eq(read_box(&a, &x, &n), OK);
	ck_assert_uint_eq(n, 2);
	ck_assert(a.done);
	ck_assert_int_eq(a.error, 0);
}
END_TEST

START_TEST(a_dump_that_failed_says_so_at_its_end)
{
	struct box x = { .len = 0 };
	struct answer a = asked();
	const int error = -ENOENT;
	size_t n;

	put(&x, NLMSG_DONE, LAST, &error, sizeof(error));
	ck_assert_int_eq(read_box(&a, &x, &n), OK);
	ck_assert(a.done);
	ck_assert_int_eq(a.error, ENOENT);
}
END_TEST

START_TEST(an_interrupted_dump_is_known)
{
	struct box x = { .len = 0 };
	struct answer a = asked();
	size_t n;

	put(&x, DATA_TYPE, LAST, "a", 1)->nlmsg_flags = NLM_F_DUMP_INTR;
	put(&x, NLMSG_DONE, LAST, NULL, 0);
	ck_assert_int_eq(read_box(&a, &x, &n), OK);
	ck_assert(a.done && a.interrupted);
}
END_TEST

/* Late answers to an earlier request, notifications (sequence 0), answers to another socket. */
static const struct {
	uint32_t seq;
	uint32_t port;
} aliens[] = {
	{ FIRST - 1, PORT },  { LAST + 1, PORT }, { 0, PORT },
	{ UINT32_MAX, PORT }, { LAST, PORT + 1 }, { LAST, 0 },
};

START_TEST(what_is_not_ours_is_stepped_over)
{
	struct box x = { .len = 0 };
	struct answer a = asked();
	size_t n;

	put_error(&x, aliens[_i].seq, -EPERM)->nlmsg_pid = aliens[_i].port;
	put(&x, DATA_TYPE, aliens[_i].seq, "a", 1)->nlmsg_pid = aliens[_i].port;
	ck_assert_int_eq(read_box(&a, &x, &n), OK);
	ck_assert_uint_eq(n, 0);
	ck_assert(!a.done);
}
END_TEST

START_TEST(sequence_numbers_wrap)
{
	struct box x = { .len = 0 };
	struct answer a = { .seq_first = UINT32_MAX - 1, .seq_last = 1, .port = PORT };
	size_t n;

	put(&x, DATA_TYPE, UINT32_MAX, "a", 1);
	put(&x, DATA_TYPE, 0, "a", 1);
	put(&x, DATA_TYPE, 2, "a", 1);
	put_error(&x, 1, 0);
	ck_assert_int_eq(read_box(&a, &x, &n), OK);
	ck_assert_uint_eq(n, 2);
	ck_assert(a.done);
}
END_TEST

START_TEST(a_transaction_ends_by_its_last_message_or_any_error)
{
	struct box x = { .len = 0 };
	struct answer a = asked();
	size_t n;

	put_error(&x, FIRST, 0);
	ck_assert_int_eq(read_box(&a, &x, &n), OK);
	ck_assert(!a.done);
	put_error(&x, FIRST + 1, -EBUSY);
	ck_assert_int_eq(read_box(&a, &x, &n), OK);
	ck_assert(a.done);
	ck_assert_int_eq(a.error, EBUSY);
}
END_TEST

START_TEST(after_the_end_doubles_do_not_count)
{
	struct box x = { .len = 0 };
	struct answer a = asked();
	size_t n;

	put_error(&x, LAST, 0);
	put_error(&x, LAST, -EPERM);
	put(&x, DATA_TYPE, LAST, "a", 1);
	ck_assert_int_eq(read_box(&a, &x, &n), OK);
	ck_assert_int_eq(a.error, 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(read_box(&a, &x, &n), OK);
	ck_assert_int_eq(a.error, 0);
}
END_TEST

START_TEST(an_overrun_is_an_error)
{
	struct box x = { .len = 0 };
	struct answer a = asked();
	size_t n;

	put(&x, NLMSG_OVERRUN, LAST, NULL, 0);
	ck_assert_int_eq(read_box(&a, &x, &n), ERR_BUSY);
}
END_TEST

START_TEST(a_verdict_cut_short_is_an_error)
{
	struct box x = { .len = 0 };
	struct answer a = asked();
	const int error = -EPERM;
	size_t n;

	put(&x, NLMSG_ERROR, LAST, &error, sizeof(error));
	ck_assert_int_eq(read_box(&a, &x, &n), ERR_SYNTAX);
	ck_assert(!a.done);
}
END_TEST

static const int no_errnos[] = { EPERM, -4096, INT32_MIN };

START_TEST(what_is_no_error_number_is_an_error)
{
	struct box x = { .len = 0 };
	struct answer a = asked();
	size_t n;

	put_error(&x, LAST, no_errnos[_i]);
	ck_assert_int_eq(read_box(&a, &x, &n), ERR_SYNTAX);
	ck_assert(!a.done);
	/* Of a dump it says how many there were, where it is none. */
	x.len = 0;
	put(&x, NLMSG_DONE, LAST, &no_errnos[_i], sizeof(no_errnos[_i]));
	ck_assert_int_eq(read_box(&a, &x, &n), no_errnos[_i] > 0 ? OK : ERR_SYNTAX);
}
END_TEST

static const uint32_t lying_lengths[] = {
	0, 1, sizeof(struct nlmsghdr) - 1, NLMSG_LENGTH(5), 4096, UINT32_MAX, INT32_MAX
};

START_TEST(a_length_that_lies_is_an_error)
{
	struct box x = { .len = 0 };
	struct answer a = asked();
	size_t n;

	put(&x, DATA_TYPE, LAST, "abcd", 4)->nlmsg_len = lying_lengths[_i];
	ck_assert_int_eq(read_box(&a, &x, &n), ERR_SYNTAX);
	ck_assert_uint_eq(n, 0);
}
END_TEST

/* Every cut of a good answer, in a buffer of exactly that size: a read past it is seen by the
 * sanitizer. */
START_TEST(a_datagram_cut_anywhere_is_read_to_its_end_only)
{
	struct box x = { .len = 0 };

	put(&x, DATA_TYPE, LAST, "abcdefg", 7);
	put_error(&x, LAST, -EEXIST)->nlmsg_flags = NLM_F_ACK_TLVS;
	for (size_t len = 0; len < x.len; len++) {
		struct answer a = asked();
		uint8_t *cut = malloc(len + 1);
		size_t n = 0;
		enum err err;

		ck_assert_ptr_nonnull(cut);
		memcpy(cut, x.b, len);
		err = answer_read(&a, span_of(cut, len), count, &n);
		ck_assert(!a.done);
		/* Whole but for the padding is whole. */
		ck_assert(err == OK ? len == 0 || (len >= NLMSG_LENGTH(7) && len <= NLMSG_SPACE(7))
				    : err == ERR_SYNTAX);
		free(cut);
	}
}
END_TEST

static const char said[] = "no such thing";

/* The kernel's words behind the request that it sends back, or behind its bare header (capped). */
static struct nlmsghdr *put_words(struct box *x, uint16_t flags, uint32_t echoed)
{
	struct {
		struct nlmsgerr e;
		struct nlattr a;
		char words[sizeof(said)];
	} v = { .e = { .error = -EINVAL, .msg = { .nlmsg_len = echoed } },
		.a = { .nla_len = (uint16_t)(sizeof(struct nlattr) + sizeof(said)),
		       .nla_type = NLMSGERR_ATTR_MSG } };
	struct nlmsghdr *m;

	memcpy(v.words, said, sizeof(said));
	m = put(x, NLMSG_ERROR, LAST, &v, sizeof(v));
	m->nlmsg_flags = flags;
	return m;
}

static const struct {
	uint16_t flags;
	uint32_t echoed;
	const char *words;
} word_cases[] = {
	{ NLM_F_ACK_TLVS | NLM_F_CAPPED, 400, said },
	{ NLM_F_ACK_TLVS, sizeof(struct nlmsghdr), said },
	{ NLM_F_CAPPED, 400, "" },
	{ NLM_F_ACK_TLVS, 400, "" }, /* says that more is echoed than there is */
	{ NLM_F_ACK_TLVS, UINT32_MAX, "" },
	{ NLM_F_ACK_TLVS, 0, said },
};

START_TEST(the_kernels_words_are_found_or_left)
{
	struct box x = { .len = 0 };
	struct answer a = asked();
	size_t n;

	put_words(&x, word_cases[_i].flags, word_cases[_i].echoed);
	ck_assert_int_eq(read_box(&a, &x, &n), OK);
	ck_assert_int_eq(a.error, EINVAL);
	ck_assert_str_eq(a.words, word_cases[_i].words);
}
END_TEST

static enum err refuse(void *ctx, const struct nlmsghdr *m)
{
	(void)ctx;
	(void)m;
	return ERR_NOMEM;
}

START_TEST(a_taker_that_fails_ends_the_reading)
{
	struct box x = { .len = 0 };
	struct answer a = asked();

	put(&x, DATA_TYPE, LAST, "a", 1);
	put_error(&x, LAST, 0);
	ck_assert_int_eq(answer_read(&a, span_of(x.b, x.len), refuse, NULL), ERR_NOMEM);
	ck_assert(!a.done);
}
END_TEST

#define N_OF(v) (int)(sizeof(v) / sizeof((v)[0]))

UNIT("xfrm/answer")
{
	tcase_add_test(tc, data_and_the_end_of_a_dump);
	tcase_add_test(tc, a_dump_that_failed_says_so_at_its_end);
	tcase_add_test(tc, an_interrupted_dump_is_known);
	tcase_add_loop_test(tc, what_is_not_ours_is_stepped_over, 0, N_OF(aliens));
	tcase_add_test(tc, sequence_numbers_wrap);
	tcase_add_test(tc, a_transaction_ends_by_its_last_message_or_any_error);
	tcase_add_test(tc, after_the_end_doubles_do_not_count);
	tcase_add_test(tc, an_overrun_is_an_error);
	tcase_add_test(tc, a_verdict_cut_short_is_an_error);
	tcase_add_loop_test(tc, what_is_no_error_number_is_an_error, 0, N_OF(no_errnos));
	tcase_add_loop_test(tc, a_length_that_lies_is_an_error, 0, N_OF(lying_lengths));
	tcase_add_test(tc, a_datagram_cut_anywhere_is_read_to_its_end_only);
	tcase_add_loop_test(tc, the_kernels_words_are_found_or_left, 0, N_OF(word_cases));
	tcase_add_test(tc, a_taker_that_fails_ends_the_reading);
}
