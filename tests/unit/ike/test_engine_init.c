/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_SA_INIT between two engines, and with somebody in between. */
#include <string.h>

#include "ike/limits.h"
#include "ike/message.h"
#include "ike/retransmit.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

/* The IKE_SA_INIT request of LEFT, which RIGHT never gets. */
static struct pair *capture(const char *left, const char *right)
{
	struct pair *p = pair_new(left, right);

	p->filter = pair_lose;
	pair_up(p, LEFT, "site");
	p->filter = NULL;
	return p;
}

START_TEST(invalid_ke_is_followed_into_our_own_offer)
{
	struct pair *p =
		pair_new(pair_psk(LEFT, "policy = { aes256gcm16 prfsha384 x25519 ecp384 }"),
			 pair_psk(RIGHT, "policy = { aes256gcm16 prfsha384 ecp384 x25519 }"));

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(p->n_sent, 6);
	ck_assert_ptr_nonnull(strstr(pair_note(p, LEFT, IKE_NOTE_UP)->suite, "ecp384"));
	pair_free(p);
}
END_TEST

START_TEST(slow_groups_go_through_a_worker)
{
	struct pair *p = pair_new(pair_psk(LEFT, "policy = { aes256 sha384 prfsha384 modp4096 }"),
				  pair_psk(RIGHT, "policy = { aes256 sha384 prfsha384 modp4096 }"));

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* A worker fails, or never answers, at either end: the attempt ends, nothing stays. */
START_TEST(a_worker_that_fails_ends_the_attempt)
{
	struct pair *p = pair_new(pair_psk(LEFT, "policy = { aes256 sha384 prfsha384 modp4096 }"),
				  pair_psk(RIGHT, "policy = { aes256 sha384 prfsha384 modp4096 }"));
	struct end *end = &p->end[_i % 2];

	end->fail_job = JOB_KE;
	end->fail_job_err = _i < 2 ? ERR_SYSTEM : OK;
	end->hold_jobs = _i >= 2;
	pair_up(p, LEFT, "site");
	pair_run(p, 130 * NS_PER_S);
	ck_assert_ptr_nonnull(pair_note(p, LEFT, IKE_NOTE_REFUSED));
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

START_TEST(cbc_with_hmac_comes_up)
{
	struct pair *p = pair_new(pair_psk(LEFT, "policy = { aes256 sha384 prfsha384 ecp256 }"),
				  pair_psk(RIGHT, "policy = compatible"));

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* Strangers fill RIGHT with half-open SAs from the network of LEFT; then LEFT needs a cookie, and
 * has one. */
START_TEST(a_cookie_is_asked_for_and_sent_back)
{
	struct pair *p = capture(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct path path = pair_path(p, LEFT);
	uint8_t request[2048];
	size_t len = p->last_len;

	memcpy(request, p->last, len);
	p->filter = pair_lose;
	for (uint8_t i = 0; i < SOURCE_COOKIE; i++) {
		request[1] = (uint8_t)(i + 1);
		pair_deliver(p, RIGHT, &path, span_of(request, len));
	}
	ck_assert_uint_eq(ike_engine_stats(p->end[RIGHT].e)->half_open, SOURCE_COOKIE);
	p->filter = NULL;
	pair_down(p, LEFT, "site");
	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	ck_assert_uint_eq(ike_engine_stats(p->end[RIGHT].e)->cookies_sent, 1);
	pair_expect_children(p, 1);
	pair_run(p, 60 * NS_PER_S);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	ck_assert_uint_eq(ike_engine_stats(p->end[RIGHT].e)->half_open, 0);
	pair_free(p);
}
END_TEST

/* The answer would be kept beside the request, with a public value as long as that of the request,
 * which by itself is long enough for a cookie in the last group alone. */
START_TEST(a_group_of_long_values_needs_a_cookie)
{
	static const struct {
		const char *policy;
		uint64_t cookies;
	} groups[] = {
		{ "policy = { aes256gcm16 prfsha384 modp4096 }", 0 },
		{ "policy = { aes256gcm16 prfsha384 modp6144 }", 1 },
		{ "policy = { aes256gcm16 prfsha384 modp8192 }", 1 },
	};
	struct pair *p =
		pair_new(pair_psk(LEFT, groups[_i].policy), pair_psk(RIGHT, groups[_i].policy));

	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	ck_assert_uint_eq(ike_engine_stats(p->end[RIGHT].e)->cookies_sent, groups[_i].cookies);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

START_TEST(the_same_request_gets_the_same_bytes)
{
	struct pair *p = capture(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct path path = pair_path(p, LEFT);
	uint8_t request[2048], answer[2048];
	size_t len = p->last_len, answer_len;

	memcpy(request, p->last, len);
	p->filter = pair_lose;
	pair_deliver(p, RIGHT, &path, span_of(request, len));
	answer_len = p->last_len;
	memcpy(answer, p->last, answer_len);
	pair_deliver(p, RIGHT, &path, span_of(request, len));
	ck_assert(span_eq(span_of(answer, answer_len), span_of(p->last, p->last_len)));
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	/* Another request under the same SPI from the same place: not answered, no second SA. */
	request[len - 1] ^= 1;
	answer_len = p->n_sent;
	pair_deliver(p, RIGHT, &path, span_of(request, len));
	ck_assert_uint_eq(p->n_sent, answer_len);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	pair_free(p);
}
END_TEST

/* A4 */
START_TEST(our_own_request_reflected_is_dropped)
{
	struct pair *p = capture(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct path back = { .local = { .addr = p->end[LEFT].addr, .port = 500 },
			     .remote = { .addr = p->end[RIGHT].addr, .port = 500 } };
	size_t sent = p->n_sent;

	pair_deliver(p, LEFT, &back, span_of(p->last, p->last_len));
	ck_assert_uint_eq(p->n_sent, sent);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(p->end[LEFT].n_dropped, 1);
	pair_free(p);
}
END_TEST

/* A4: our own request made into an answer: our nonce come back. */
START_TEST(our_own_request_as_an_answer_is_dropped)
{
	struct pair *p = capture(pair_psk(LEFT, "policy = { aes256gcm16 prfsha384 x25519 }"),
				 pair_psk(RIGHT, ""));
	struct path back = { .local = { .addr = p->end[LEFT].addr, .port = 500 },
			     .remote = { .addr = p->end[RIGHT].addr, .port = 500 } };
	size_t sent = p->n_sent;

	p->last[8] = 1; /* an SPI of the responder */
	p->last[19] = FLAG_RESPONSE;
	pair_deliver(p, LEFT, &back, span_of(p->last, p->last_len));
	ck_assert_uint_eq(p->n_sent, sent);
	ck_assert_int_eq(p->end[LEFT].last_drop, ERR_REPLAY);
	ck_assert_ptr_null(pair_note(p, LEFT, IKE_NOTE_ANSWERED));
	pair_free(p);
}
END_TEST

static void forge(struct pair *p, uint16_t type, struct span body)
{
	uint8_t buf[256];
	struct span out;
	struct rd r = rd_from(span_of(p->last, p->last_len));
	struct ike_header h = { .version = IKE_VERSION,
				.exchange = X_IKE_SA_INIT,
				.flags = FLAG_RESPONSE };
	struct path back = { .local = { .addr = p->end[LEFT].addr, .port = 500 },
			     .remote = { .addr = p->end[RIGHT].addr, .port = 500 } };
	struct builder b;

	h.spi_i = rd_u64(&r);
	b = builder_message(buf, sizeof(buf), &h);
	builder_notify(&b, type, body);
	ck_assert_int_eq(builder_finish(&b, &out), OK);
	pair_deliver(p, LEFT, &back, out);
}

/* A6: forged errors in clear neither end the attempt nor weaken it. */
START_TEST(forged_errors_are_hints)
{
	struct pair *p = capture(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	for (int i = 0; i < 1000; i++) {
		forge(p, NOTIFY_NO_PROPOSAL_CHOSEN, SPAN_EMPTY);
		forge(p, NOTIFY_INVALID_SYNTAX, SPAN_EMPTY);
		forge(p, NOTIFY_AUTHENTICATION_FAILED, SPAN_EMPTY);
		forge(p, NOTIFY_INVALID_KE_PAYLOAD, span_of("\0\2", 2));
	}
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_HINT), 4);
	ck_assert_ptr_null(pair_note(p, LEFT, IKE_NOTE_REFUSED));
	pair_run(p, 5 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* A7: a malicious responder cannot make us go round for ever. */
START_TEST(cookies_without_end_come_to_an_end)
{
	struct pair *p = capture(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	size_t before = p->n_sent;

	p->filter = pair_lose;
	for (uint8_t i = 0; i < 100; i++) {
		forge(p, NOTIFY_COOKIE, span_of(&i, 1));
		pair_run(p, 110 * NS_PER_MS);
	}
	/* Five other forms, and the last of them again as time goes by. */
	ck_assert_uint_le(p->n_sent, before + 5 + 6);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_HINT)->err, ERR_LOOP);
	pair_free(p);
}
END_TEST

/* Somebody who sees the request forges cookies for it, and is faster than the peer. */
START_TEST(forged_cookies_do_not_cost_the_attempt)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_up(p, LEFT, "site"); /* the true request is on its way */
	for (uint8_t i = 0; i < 50; i++)
		forge(p, NOTIFY_COOKIE, span_of(&i, 1));
	pair_run(p, NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 1);
	ck_assert_uint_eq(p->n_sent, 4);
	pair_free(p);
}
END_TEST

START_TEST(a_forged_group_that_we_offer_is_tried_once_and_the_true_answer_still_counts)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_up(p, LEFT, "site"); /* the true request is on its way */
	forge(p, NOTIFY_INVALID_KE_PAYLOAD, span_of("\0\23", 2));
	forge(p, NOTIFY_INVALID_KE_PAYLOAD, span_of("\0\23", 2));
	forge(p, NOTIFY_INVALID_KE_PAYLOAD, span_of("\0\37", 2));
	ck_assert_uint_eq(p->n_sent, 2);
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert_ptr_nonnull(strstr(pair_note(p, LEFT, IKE_NOTE_UP)->suite, "x25519"));
	pair_free(p);
}
END_TEST

/* Each group of our offer once, and five of them at most. */
START_TEST(groups_without_end_come_to_an_end)
{
	static const uint8_t groups[][2] = { { 0, 20 }, { 0, 19 }, { 0, 21 }, { 0, 28 },
					     { 0, 29 }, { 0, 30 }, { 0, 32 } };
	struct pair *p = pair_new(
		pair_psk(
			LEFT,
			"policy = { aes256gcm16 prfsha256 x25519 ecp384 ecp256 ecp521 ecp256bp ecp384bp ecp512bp x448 }"),
		pair_psk(RIGHT, ""));
	size_t sent;

	pair_up(p, LEFT, "site");
	sent = p->n_sent;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		forge(p, NOTIFY_INVALID_KE_PAYLOAD, span_of(groups[i], 2));
	ck_assert_uint_eq(p->n_sent - sent, 5);
	pair_drain(p);
	ck_assert_ptr_nonnull(pair_note(p, LEFT, IKE_NOTE_UP));
	pair_free(p);
}
END_TEST

/* LEFT, with `more`, behind one. */
static struct pair *behind_a_nat(const char *more)
{
	struct pair *p = pair_new(
		pair_psk(LEFT, more),
		"me {\n identity = right.example.org\n}\n"
		"connection site {\n address = any\n identity = left.example.org\n auth = psk\n psk_file = site.psk\n"
		" child net {\n  local = 10.2.0.0/16\n  remote = 10.1.0.0/16\n }\n}\n");

	ck_assert(addr_parse("203.0.113.77", &p->nat));
	return p;
}

START_TEST(a_nat_moves_both_to_4500)
{
	struct pair *p = behind_a_nat("");
	const struct ike_note *up;

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	up = pair_note(p, LEFT, IKE_NOTE_UP);
	ck_assert(up->nat_here && !up->nat_there);
	ck_assert_uint_eq(up->path.local.port, 4500);
	ck_assert(pair_note(p, RIGHT, IKE_NOTE_UP)->nat_there);
	ck_assert(p->end[LEFT].sas[0].encap);
	pair_free(p);
}
END_TEST

/* RFC 3948 4: by whoever is behind it, at its pace, when no message has gone that way for so long;
 * and never elsewhere. */
START_TEST(a_nat_is_reminded_of_us_while_we_are_silent)
{
	struct pair *p = behind_a_nat("keepalive = 5s\n liveness = 12s");

	pair_up(p, LEFT, "site");
	pair_has_rekeyed(p);
	pair_run(p, 11 * NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].n_keepalives, 2);
	/* The peer is asked whether it lives, and the next one has time. */
	pair_run(p, 5 * NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].n_keepalives, 2);
	pair_run(p, 2 * NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].n_keepalives, 3);
	pair_run(p, 41 * NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].n_keepalives, 10);
	ck_assert_uint_eq(p->end[RIGHT].n_keepalives, 0);
	pair_free(p);
	p = behind_a_nat("liveness = 1h");
	pair_up(p, LEFT, "site");
	pair_run(p, 19 * NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].n_keepalives, 0);
	pair_run(p, 2 * NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].n_keepalives, 1);
	pair_free(p);
	p = pair_new(pair_psk(LEFT, "keepalive = 5s\n encap = always"), pair_psk(RIGHT, ""));
	pair_up(p, LEFT, "site");
	pair_run(p, 60 * NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].n_keepalives + p->end[RIGHT].n_keepalives, 0);
	pair_free(p);
}
END_TEST

static const struct {
	const char *left, *right;
	uint16_t port;
} encaps[] = {
	{ "encap = always", "", 4500 },
	{ "", "encap = always", 4500 },
	{ "port = 4500", "", 4500 },
};

START_TEST(encapsulation_can_be_asked_for)
{
	struct pair *p =
		pair_new(pair_psk(LEFT, encaps[_i].left), pair_psk(RIGHT, encaps[_i].right));

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_note(p, LEFT, IKE_NOTE_UP)->path.remote.port, encaps[_i].port);
	ck_assert(p->end[LEFT].sas[0].encap == (_i < 2));
	pair_free(p);
}
END_TEST

START_TEST(a_higher_major_version_is_answered_and_ikev1_is_not)
{
	struct pair *p = capture(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct path path = pair_path(p, LEFT);
	uint8_t request[2048];
	size_t len = p->last_len, sent = p->n_sent;

	memcpy(request, p->last, len);
	p->filter = pair_lose;
	request[17] = 0x30;
	pair_deliver(p, RIGHT, &path, span_of(request, len));
	ck_assert_uint_eq(p->n_sent, sent + 1);
	request[17] = 0x10;
	pair_deliver(p, RIGHT, &path, span_of(request, len));
	ck_assert_uint_eq(p->n_sent, sent + 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

START_TEST(no_common_proposal_is_told_on_both_sides)
{
	struct pair *p = pair_new(pair_psk(LEFT, "policy = { aes256gcm16 prfsha384 x25519 }"),
				  pair_psk(RIGHT, "policy = { aes256gcm16 prfsha384 ecp384 }"));
	const struct ike_note *n;

	pair_up(p, LEFT, "site");
	pair_run(p, 60 * NS_PER_S);
	n = pair_note(p, RIGHT, IKE_NOTE_REFUSED);
	ck_assert_int_eq(n->err, ERR_NO_PROPOSAL);
	ck_assert_ptr_nonnull(strstr(n->offered, "x25519"));
	ck_assert_ptr_nonnull(strstr(n->wanted, "ecp384"));
	ck_assert_str_ne(n->fix, "");
	n = pair_note(p, LEFT, IKE_NOTE_REFUSED);
	ck_assert_int_eq(n->err, ERR_PEER_PROPOSAL);
	ck_assert(!n->proved);
	ck_assert_ptr_nonnull(strstr(n->offered, "x25519"));
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

/* A dozen tries in about half a minute, then the end. */
START_TEST(silence_ends_the_attempt)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	p->filter = pair_lose;
	pair_up(p, LEFT, "site");
	pair_run(p, 20 * NS_PER_S);
	ck_assert_ptr_null(pair_note(p, LEFT, IKE_NOTE_REFUSED));
	pair_run(p, 20 * NS_PER_S);
	ck_assert_uint_eq(p->n_sent, RETRANSMIT_TRIES);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REFUSED)->err, ERR_NO_ANSWER);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(ike_engine_deadline(p->end[LEFT].e), NEVER);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-init")
{
	tcase_add_test(tc, invalid_ke_is_followed_into_our_own_offer);
	tcase_add_test(tc, slow_groups_go_through_a_worker);
	tcase_add_loop_test(tc, a_worker_that_fails_ends_the_attempt, 0, 4);
	tcase_add_test(tc, cbc_with_hmac_comes_up);
	tcase_add_test(tc, a_cookie_is_asked_for_and_sent_back);
	tcase_add_loop_test(tc, a_group_of_long_values_needs_a_cookie, 0, 3);
	tcase_add_test(tc, the_same_request_gets_the_same_bytes);
	tcase_add_test(tc, our_own_request_reflected_is_dropped);
	tcase_add_test(tc, our_own_request_as_an_answer_is_dropped);
	tcase_add_test(tc, forged_errors_are_hints);
	tcase_add_test(tc, cookies_without_end_come_to_an_end);
	tcase_add_test(tc, forged_cookies_do_not_cost_the_attempt);
	tcase_add_test(tc,
		       a_forged_group_that_we_offer_is_tried_once_and_the_true_answer_still_counts);
	tcase_add_test(tc, groups_without_end_come_to_an_end);
	tcase_add_test(tc, a_nat_moves_both_to_4500);
	tcase_add_test(tc, a_nat_is_reminded_of_us_while_we_are_silent);
	tcase_add_loop_test(tc, encapsulation_can_be_asked_for, 0, 3);
	tcase_add_test(tc, a_higher_major_version_is_answered_and_ikev1_is_not);
	tcase_add_test(tc, no_common_proposal_is_told_on_both_sides);
	tcase_add_test(tc, silence_ends_the_attempt);
}
