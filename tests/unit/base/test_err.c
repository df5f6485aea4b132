/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <string.h>

#include "tests/unit/unit.h"

/* One cause seen from both ends has one name for people. */
static bool may_share(enum err a, enum err b)
{
	return (a == ERR_NO_PROPOSAL && b == ERR_PEER_PROPOSAL) ||
	       (a == ERR_TS && b == ERR_PEER_TS);
}

START_TEST(every_row_is_filled)
{
	for (unsigned int e = 0; e < N_ERR; e++) {
		const struct err_row *row = err_row((enum err)e);

		ck_assert_ptr_nonnull(row->slug);
		ck_assert_ptr_nonnull(row->text);
		ck_assert_uint_ge(strlen(row->slug), 2);
		ck_assert_int_ge((int)row->level, LOG_LEVEL_ERROR);
		ck_assert_int_eq(row->exit_code == 0, e == OK);
	}
}
END_TEST

START_TEST(a_slug_is_lower_case_words_with_hyphens)
{
	for (unsigned int e = 0; e < N_ERR; e++) {
		const char *slug = err_slug((enum err)e);

		ck_assert_uint_eq(strspn(slug, "abcdefghijklmnopqrstuvwxyz-"), strlen(slug));
	}
}
END_TEST

START_TEST(a_text_begins_small_and_has_no_full_stop)
{
	for (unsigned int e = 0; e < N_ERR; e++) {
		const char *text = err_text((enum err)e);

		ck_assert(text[0] >= 'a' && text[0] <= 'z');
		ck_assert(text[strlen(text) - 1] != '.');
		ck_assert_uint_le(strlen(text), 72);
	}
}
END_TEST

START_TEST(a_slug_names_one_cause)
{
	for (unsigned int a = 0; a < N_ERR; a++)
		for (unsigned int b = a + 1; b < N_ERR; b++)
			if (!may_share((enum err)a, (enum err)b))
				ck_assert_str_ne(err_slug((enum err)a), err_slug((enum err)b));
}
END_TEST

START_TEST(an_unknown_error_is_a_system_error)
{
	ck_assert_ptr_eq(err_row(N_ERR), err_row(ERR_SYSTEM));
	ck_assert_ptr_eq(err_row((enum err) - 1), err_row(ERR_SYSTEM));
}
END_TEST

/* RFC 7296 3.10.1, and the slugs that people have been told of. */
static const struct {
	enum err err;
	const char *slug;
	uint16_t notify;
} promised[] = {
	{ ERR_SYNTAX, "malformed-message", 7 },
	{ ERR_VERSION, "wrong-version", 5 },
	{ ERR_CRITICAL, "unknown-critical-payload", 1 },
	{ ERR_ICV, "integrity-failed", 0 },
	{ ERR_REPLAY, "replayed-message", 0 },
	{ ERR_NO_PROPOSAL, "no-common-proposal", 14 },
	{ ERR_KE_GROUP, "wrong-group", 17 },
	{ ERR_TS, "selectors-disjoint", 38 },
	{ ERR_NO_ADDITIONAL_SAS, "no-more-children", 35 },
	{ ERR_BUSY, "busy", 43 },
	{ ERR_AUTH, "wrong-proof", 24 },
	{ ERR_WRONG_PSK, "wrong-psk", 24 },
	{ ERR_WRONG_IDENTITY, "wrong-identity", 24 },
	{ ERR_CERT_ENDED, "certificate-ended", 24 },
	{ ERR_NO_ANSWER, "no-answer", 0 },
};

START_TEST(rows_are_as_promised)
{
	ck_assert_str_eq(err_slug(promised[_i].err), promised[_i].slug);
	ck_assert_uint_eq(err_row(promised[_i].err)->notify, promised[_i].notify);
}
END_TEST

/* RFC 7296 2.21.2: the peer learns that its authentication failed, and not why. */
START_TEST(every_doubt_about_the_peer_sounds_the_same_to_it)
{
	for (int e = ERR_AUTH; e <= ERR_CERT_WEAK; e++)
		ck_assert_uint_eq(err_row((enum err)e)->notify, 24);
}
END_TEST

START_TEST(only_silence_exits_as_timed_out)
{
	for (unsigned int e = 0; e < N_ERR; e++)
		ck_assert_int_eq(err_row((enum err)e)->exit_code == 4, e == ERR_NO_ANSWER);
}
END_TEST

UNIT("base/err")
{
	tcase_add_test(tc, every_row_is_filled);
	tcase_add_test(tc, a_slug_is_lower_case_words_with_hyphens);
	tcase_add_test(tc, a_text_begins_small_and_has_no_full_stop);
	tcase_add_test(tc, a_slug_names_one_cause);
	tcase_add_test(tc, an_unknown_error_is_a_system_error);
	tcase_add_loop_test(tc, rows_are_as_promised, 0, sizeof(promised) / sizeof(promised[0]));
	tcase_add_test(tc, every_doubt_about_the_peer_sounds_the_same_to_it);
	tcase_add_test(tc, only_silence_exits_as_timed_out);
}
