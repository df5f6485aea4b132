/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/window.h"
#include "tests/unit/unit.h"

static struct packets bytes(const char *text)
{
	struct packets p = { 0 };

	ck_assert_int_eq(packets_set(&p, span_str(text)), OK);
	return p;
}

static const struct {
	uint32_t next_in, next_out;
	bool asked, busy, answered;
	bool response;
	uint32_t id;
	enum window_verdict verdict;
} cases[] = {
	{ 0, 0, false, false, false, false, 0, WINDOW_NEW },
	{ 0, 0, false, false, false, false, 1, WINDOW_OUTSIDE },
	{ 0, 0, false, false, false, false, UINT32_MAX, WINDOW_OUTSIDE },
	{ 0, 0, false, true, false, false, 0, WINDOW_BUSY },
	{ 1, 0, false, false, false, false, 0, WINDOW_OUTSIDE },
	{ 5, 0, false, false, true, false, 4, WINDOW_AGAIN },
	{ 5, 0, false, false, true, false, 3, WINDOW_OUTSIDE },
	{ 5, 0, false, false, true, false, 5, WINDOW_NEW },
	{ 5, 0, false, false, true, false, 6, WINDOW_OUTSIDE },
	{ 5, 0, false, true, true, false, 4, WINDOW_AGAIN },
	{ 5, 0, false, false, true, true, 5, WINDOW_OUTSIDE },
	{ 0, 3, true, false, false, true, 2, WINDOW_NEW },
	{ 0, 3, true, false, false, true, 1, WINDOW_OUTSIDE },
	{ 0, 3, true, false, false, true, 3, WINDOW_OUTSIDE },
	{ 0, 3, false, false, false, true, 2, WINDOW_OUTSIDE },
	{ 0, 0, false, false, false, true, UINT32_MAX, WINDOW_OUTSIDE },
};

START_TEST(only_the_next_and_the_last_count)
{
	struct window w = { .next_in = cases[_i].next_in, .next_out = cases[_i].next_out };

	w.asked = cases[_i].asked;
	w.asked_id = w.next_out - 1;
	w.busy = cases[_i].busy;
	if (cases[_i].answered)
		w.answer = bytes("answer");
	ck_assert_int_eq(window_judge(&w, cases[_i].response, cases[_i].id), cases[_i].verdict);
	window_free(&w);
}
END_TEST

START_TEST(answers_and_requests_are_kept_until_the_next)
{
	struct window w = { 0 };
	struct packets p = bytes("one");

	window_answered(&w, &p);
	ck_assert_ptr_null(p.bytes);
	ck_assert_uint_eq(w.next_in, 1);
	ck_assert(span_eq(packets_span(&w.answer), span_str("one")));
	p = bytes("two");
	window_asked(&w, &p);
	ck_assert(w.asked);
	ck_assert_uint_eq(w.next_out, 1);
	p = bytes("two, with a cookie");
	window_asked_anew(&w, &p);
	ck_assert_uint_eq(w.next_out, 1);
	window_heard(&w);
	ck_assert(!w.asked);
	ck_assert_uint_eq(w.request.len, 0);
	window_free(&w);
}
END_TEST

UNIT("ike/window")
{
	tcase_add_loop_test(tc, only_the_next_and_the_last_count, 0,
			    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, answers_and_requests_are_kept_until_the_next);
}
