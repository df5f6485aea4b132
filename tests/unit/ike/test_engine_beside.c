/* SPDX-License-Identifier: Apache-2.0 */
/* A peer with a window of more than one (RFC 7296 2.3): an INFORMATIONAL does not wait for the
 * answer to a CREATE_CHILD_SA. */
#include <string.h>

#include "ike/beside.h"
#include "ike/core.h"
#include "ike/create.h"
#include "ike/send.h"
#include "tests/unit/ike/roam.h"
#include "tests/unit/unit.h"

/* A third child, beside those of pair_two. */
#define DMZ(us, them) \
	" child dmz {\n  local = 10.8." us ".0/24\n  remote = 10.8." them ".0/24\n }\n"

static struct pair *with_three(void)
{
	return pair_new(pair_two(LEFT, false, DMZ("1", "2")),
			pair_two(RIGHT, false, DMZ("2", "1")));
}

static void command(struct pair *p, enum side s, enum ike_event_kind kind, const char *child)
{
	pair_command(p, s, kind, child);
	pair_drain(p);
}

/* RIGHT says so, in an INFORMATIONAL of its own. */
static void announce(struct pair *p, uint32_t window, size_t len)
{
	uint8_t data[8];
	struct wr w = wr_into(data, sizeof(data));
	struct builder b = send_begin(p->end[RIGHT].e);

	wr_u32(&w, window);
	wr_u32(&w, 0);
	builder_notify(&b, NOTIFY_SET_WINDOW_SIZE, span_of(data, len));
	ck_assert_int_eq(send_request(pair_sa(p, RIGHT), X_INFORMATIONAL, &b), OK);
	pair_act(p, RIGHT);
	pair_drain(p);
}

/* The one answer of RIGHT that is late. (Its engine keeps its last answer alone, whatever it was
 * made to announce.) */
static uint8_t late[4096];
static size_t late_len;

static bool hold_answer(struct pair *p, struct datagram *d)
{
	struct message m;

	(void)p;
	if (d->to == RIGHT || message_decode(span_of(d->bytes, d->len), &m) != OK ||
	    m.h.exchange != X_CREATE_CHILD_SA)
		return true;
	late_len = d->len;
	memcpy(late, d->bytes, d->len);
	return false;
}

/* Two children are up and the third one is asked for. */
static struct pair *while_asked(uint32_t window)
{
	struct pair *p = with_three();

	command(p, LEFT, IKE_EV_UP, "net");
	command(p, LEFT, IKE_EV_UP, "lab");
	if (window > 0)
		announce(p, window, 4);
	p->filter = hold_answer;
	command(p, LEFT, IKE_EV_UP, "dmz");
	ck_assert(pair_sa(p, LEFT)->mine && pair_sa(p, LEFT)->mine->stage == CREATE_ASKED);
	return p;
}

static void goes_on(struct pair *p, size_t n)
{
	struct path path = pair_path(p, RIGHT);

	p->filter = NULL;
	if (late_len > 0)
		pair_deliver(p, LEFT, &path, span_of(late, late_len));
	pair_run(p, 10 * NS_PER_S);
	pair_expect_children(p, n);
	ck_assert(!pair_sa(p, LEFT)->window.asked && !beside_is_out(pair_sa(p, LEFT)));
	command(p, LEFT, IKE_EV_DOWN, NULL);
	pair_run(p, 5 * NS_PER_S);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}

START_TEST(without_a_word_of_the_peer_one_waits_for_the_other)
{
	static const uint32_t windows[] = { 0, 1 };
	struct pair *p = while_asked(windows[_i]);
	size_t sent = p->n_sent;

	command(p, LEFT, IKE_EV_DOWN, "lab");
	ck_assert_uint_eq(p->n_sent, sent);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 6);
	goes_on(p, 2);
}
END_TEST

START_TEST(a_delete_goes_beside_what_is_out)
{
	struct pair *p = while_asked(2);

	command(p, LEFT, IKE_EV_DOWN, "lab");
	ck_assert(pair_sa(p, LEFT)->window.asked);
	ck_assert(!beside_is_out(pair_sa(p, LEFT)));
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 4);
	ck_assert_uint_eq(p->end[LEFT].n_sas, 2);
	goes_on(p, 2);
}
END_TEST

/* "An endpoint MUST NOT exceed the peer's stated window size" (2.3). */
START_TEST(no_more_are_out_than_the_window_holds)
{
	static const uint32_t windows[] = { 2, 3 };
	struct pair *p = while_asked(windows[_i]);

	command(p, LEFT, IKE_EV_DOWN, "lab");
	command(p, LEFT, IKE_EV_DOWN, "net");
	ck_assert_uint_eq(p->end[LEFT].n_sas, windows[_i] == 2 ? 2 : 0);
	goes_on(p, 1);
}
END_TEST

/* LEFT has another address while two requests are out: both go on from there at once. */
START_TEST(both_go_on_from_where_we_are_now)
{
	struct pair *p = while_asked(2);
	struct datagram *d;
	char text[ADDR_TEXT_MAX];
	uint32_t ids[3] = { 0 };
	size_t n = 0;

	p->filter = pair_lose;
	command(p, LEFT, IKE_EV_DOWN, "lab");
	ck_assert(beside_is_out(pair_sa(p, LEFT)));
	p->filter = NULL;
	roam_go(p, LEFT, ROAM_ELSEWHERE);
	for (d = p->wire; d && n < 3; d = d->next) {
		struct message m;

		ck_assert_int_eq(message_decode(span_of(d->bytes, d->len), &m), OK);
		ck_assert_str_eq(addr_text(&d->path.remote.addr, text), ROAM_ELSEWHERE);
		ids[n++] = m.h.message_id;
	}
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(ids[1], ids[0] + 1);
	pair_run(p, 60 * NS_PER_S);
	pair_free(p);
}
END_TEST

START_TEST(both_are_sent_again_and_a_silent_peer_is_lost)
{
	struct pair *p = while_asked(2);
	size_t sent;

	p->filter = pair_lose;
	command(p, LEFT, IKE_EV_DOWN, "lab");
	ck_assert(beside_is_out(pair_sa(p, LEFT)));
	sent = p->n_sent;
	pair_run(p, 20 * NS_PER_S);
	ck_assert_uint_ge(p->n_sent - sent, 12);
	pair_run(p, 60 * NS_PER_S);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_DOWN)->err, ERR_PEER_LOST);
	pair_free(p);
}
END_TEST

START_TEST(the_end_does_not_wait_either)
{
	struct pair *p = while_asked(2);

	command(p, LEFT, IKE_EV_DOWN, NULL);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

/* What a window says grows and never shrinks; what is no window says nothing. */
START_TEST(a_window_is_four_bytes_and_only_grows)
{
	struct pair *p = with_three();

	command(p, LEFT, IKE_EV_UP, "net");
	announce(p, 7, 3);
	announce(p, 7, 8);
	announce(p, 0, 4);
	announce(p, 1, 4);
	ck_assert_ptr_null(pair_sa(p, LEFT)->beside);
	announce(p, 5, 4);
	ck_assert_uint_eq(pair_sa(p, LEFT)->beside->window, 5);
	announce(p, 2, 4);
	ck_assert_uint_eq(pair_sa(p, LEFT)->beside->window, 5);
	announce(p, UINT32_MAX, 4);
	ck_assert_uint_eq(pair_sa(p, LEFT)->beside->window, UINT32_MAX);
	goes_on(p, 1);
}
END_TEST

UNIT("ike/engine-beside")
{
	tcase_add_loop_test(tc, without_a_word_of_the_peer_one_waits_for_the_other, 0, 2);
	tcase_add_test(tc, a_delete_goes_beside_what_is_out);
	tcase_add_loop_test(tc, no_more_are_out_than_the_window_holds, 0, 2);
	tcase_add_test(tc, both_go_on_from_where_we_are_now);
	tcase_add_test(tc, both_are_sent_again_and_a_silent_peer_is_lost);
	tcase_add_test(tc, the_end_does_not_wait_either);
	tcase_add_test(tc, a_window_is_four_bytes_and_only_grows);
}
