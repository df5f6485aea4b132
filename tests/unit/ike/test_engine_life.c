/* SPDX-License-Identifier: Apache-2.0 */
/* What comes after the handshake: liveness, deletes, collisions, and what must have no effect. */
#include <stdlib.h>
#include <string.h>

#include "crypto/prf.h"
#include "ike/child.h"
#include "ike/send.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

enum { LOSSY_RUNS = 100 };

static struct pair *up(const char *left, const char *right)
{
	struct pair *p = pair_new(left, right);

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	return p;
}

START_TEST(down_deletes_at_both_and_lifts_the_guard)
{
	struct pair *p = up(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	enum side s = _i ? RIGHT : LEFT;

	pair_down(p, s, "site");
	pair_drain(p);
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	ck_assert(!p->end[s].guarded);
	ck_assert(p->end[1 - s].guarded);
	ck_assert_int_eq(pair_note(p, s, IKE_NOTE_DOWN)->err, ERR_OPERATOR);
	ck_assert_uint_eq(pair_note(p, s, IKE_NOTE_CHILD_DOWN)->spi,
			  pair_note(p, s, IKE_NOTE_CHILD_UP)->spi);
	ck_assert_int_eq(pair_note(p, s == LEFT ? RIGHT : LEFT, IKE_NOTE_DOWN)->err,
			 ERR_PEER_DELETED);
	pair_up(p, s, "site");
	ck_assert(p->end[s].guarded);
	pair_drain(p);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* The answer to the Delete comes when the next attempt is under way: it is not about that. */
START_TEST(the_end_of_the_old_sa_says_that_a_new_one_is_on_its_way)
{
	struct pair *p = up(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_down(p, LEFT, "site");
	ck_assert_ptr_null(pair_note(p, LEFT, IKE_NOTE_DOWN));
	if (_i)
		pair_up(p, LEFT, "site");
	pair_drain(p);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_DOWN)->err, ERR_OPERATOR);
	ck_assert(pair_note(p, LEFT, IKE_NOTE_DOWN)->goes_on == (_i == 1));
	pair_expect_children(p, _i ? 1 : 0);
	pair_free(p);
}
END_TEST

START_TEST(both_may_delete_at_once)
{
	struct pair *p = up(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_down(p, LEFT, "site");
	pair_down(p, RIGHT, "site");
	pair_run(p, 30 * NS_PER_S);
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

START_TEST(an_idle_peer_is_asked_and_answers)
{
	struct pair *p = up(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	size_t sent = p->n_sent;

	pair_run(p, 301 * NS_PER_S);
	ck_assert_uint_ge(p->n_sent, sent + 18);
	ck_assert_uint_le(p->n_sent, sent + 44);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

START_TEST(a_silent_peer_is_lost_and_called_again)
{
	struct pair *p = up(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, ""));

	p->filter = pair_lose;
	while (pair_count(p, LEFT, IKE_NOTE_DOWN) == 0)
		pair_run(p, 10 * NS_PER_MS);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_DOWN)->err, ERR_PEER_LOST);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 2);
	pair_run(p, 20 * NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].n_sas, 0);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 0);
	p->filter = NULL;
	pair_run(p, 75 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	pair_free(p);
}
END_TEST

START_TEST(both_begin_at_once_and_one_pair_stays)
{
	struct pair *p =
		pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, "start = always"));

	p->end[LEFT].seed += (uint64_t)_i;
	p->delay = (mono_ns)(_i % 5) * 7 * NS_PER_MS;
	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	ck_assert(pair_sa(p, LEFT)->spi_i == pair_sa(p, RIGHT)->spi_i);
	pair_free(p);
}
END_TEST

/* Three in ten datagrams are lost, some come twice; both ends begin at once, and both go down and
 * up again. */
static bool lossy(struct pair *p, struct datagram *d)
{
	uint64_t *state = p->ctx;

	*state = *state * 6364136223846793005u + 1442695040888963407u;
	if ((*state >> 33) % 10 < 3)
		return false;
	if ((*state >> 33) % 10 == 9) {
		struct datagram *twin = malloc(sizeof(*twin) + d->len);

		ck_assert_ptr_nonnull(twin);
		memcpy(twin, d, sizeof(*twin) + d->len);
		twin->next = p->wire;
		p->wire = twin;
	}
	return true;
}

START_TEST(loss_and_duplication_leave_one_pair)
{
	const char *left =
		_i % 2 ? pair_cert(LEFT, "start = always") : pair_psk(LEFT, "start = always");
	const char *right =
		_i % 2 ? pair_cert(RIGHT, "start = always") : pair_psk(RIGHT, "start = always");
	struct pair *p = pair_new(left, right);
	uint64_t state = (uint64_t)_i;

	p->end[LEFT].seed += (uint64_t)_i;
	p->ctx = &state;
	p->filter = lossy;
	for (int round = 0; round < 10; round++) {
		p->end[LEFT].n_notes = 0;
		p->end[RIGHT].n_notes = 0;
		pair_run(p, 60 * NS_PER_S);
		if (round == 4)
			pair_down(p, _i % 3 ? LEFT : RIGHT, "site");
		if (round == 6)
			pair_up(p, _i % 3 ? LEFT : RIGHT, "site");
	}
	p->filter = NULL;
	pair_run(p, 200 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	pair_free(p);
}
END_TEST

/* ---- messages made by hand, with the true keys ---- */

static void ask(struct pair *p, enum side s, uint8_t exchange, struct builder *b)
{
	ck_assert_int_eq(send_request(pair_sa(p, s), exchange, b), OK);
	pair_act(p, s);
	pair_drain(p);
}

START_TEST(a_child_delete_is_answered_with_its_twin)
{
	struct pair *p = up(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	child_delete(pair_sa(p, LEFT)->children, ERR_OPERATOR);
	if (_i)
		child_delete(pair_sa(p, RIGHT)->children, ERR_OPERATOR);
	pair_act(p, LEFT);
	pair_act(p, RIGHT);
	pair_drain(p);
	/* When both delete, neither repeats it in its answer (RFC 7296 1.4.1): that is then empty.
	 */
	ck_assert_uint_eq(p->last_len, 28 + 4 + 8 + 1 + 16 + (_i ? 0 : 12));
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	ck_assert_ptr_null(pair_sa(p, LEFT)->children);
	ck_assert_ptr_null(pair_sa(p, RIGHT)->children);
	pair_free(p);
}
END_TEST

START_TEST(an_unknown_critical_payload_is_named_and_the_sa_stays)
{
	struct pair *p = up(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct builder b = send_begin(p->end[LEFT].e);

	builder_add(&b, 200, span_str("?"));
	p->end[LEFT].e->built[1] |= 0x80; /* the critical bit */
	ask(p, LEFT, X_INFORMATIONAL, &b);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	pair_free(p);
}
END_TEST

START_TEST(a_malformed_request_ends_the_sa_on_both_sides)
{
	struct pair *p = up(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct builder b = send_begin(p->end[LEFT].e);

	builder_add(&b, PL_DELETE, span_str("\3\4\0\2only one"));
	ask(p, LEFT, X_INFORMATIONAL, &b);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	pair_expect_children(p, 0);
	pair_free(p);
}
END_TEST

/* C40: nothing of a message is looked at once the IKE SA is deleted. */
START_TEST(a_delete_of_the_ike_sa_goes_before_everything_else)
{
	struct pair *p = up(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct builder b = send_begin(p->end[LEFT].e);
	uint32_t spi = pair_sa(p, LEFT)->children->spi_in;

	pl_delete_encode(builder_begin(&b, PL_DELETE), PROTO_IKE, NULL, 0);
	builder_end(&b);
	pl_delete_encode(builder_begin(&b, PL_DELETE), PROTO_ESP, &spi, 1);
	builder_end(&b);
	builder_notify(&b, NOTIFY_INVALID_SPI, SPAN_EMPTY);
	ask(p, LEFT, X_INFORMATIONAL, &b);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 0);
	pair_free(p);
}
END_TEST

/* ---- what has no effect ---- */

static void digest(struct pair *p, enum side s, uint8_t out[static 32])
{
	const struct ike_sa *sa = pair_sa(p, s);
	struct span parts[] = {
		span_of(sa, sizeof(*sa)),
		packets_span(&sa->window.answer),
		packets_span(&sa->window.request),
		sa->children ? span_of(sa->children, sizeof(*sa->children)) : SPAN_EMPTY,
		sa->hs ? span_of(sa->hs, sizeof(*sa->hs)) : SPAN_EMPTY,
	};

	ck_assert_int_eq(hash_sha256(parts, sizeof(parts) / sizeof(parts[0]), out), OK);
}

static void expect_no_effect(struct pair *p, enum side s, const struct path *path,
			     struct span bytes)
{
	uint8_t before[32], after[32];
	size_t sent = p->n_sent, dropped = p->end[s].n_dropped;

	digest(p, s, before);
	p->now += NS_PER_S; /* so that notes of drops are not held back */
	pair_deliver(p, s, path, bytes);
	digest(p, s, after);
	ck_assert_mem_eq(before, after, 32);
	ck_assert_uint_eq(p->n_sent, sent + (p->answered ? 1 : 0));
	ck_assert_uint_eq(p->end[s].n_dropped, dropped + 1);
}

/* C41: flip every byte of a protected message: nothing happens. */
START_TEST(a_damaged_message_leaves_the_sa_as_it_was)
{
	struct pair *p =
		up(pair_psk(LEFT, "liveness = 86400s"), pair_psk(RIGHT, "liveness = 86400s"));
	struct path path = pair_path(p, LEFT);
	struct builder b = send_begin(p->end[LEFT].e);
	uint8_t bytes[2048], good[2048];
	size_t len;

	p->filter = pair_lose;
	ck_assert_int_eq(send_request(pair_sa(p, LEFT), X_INFORMATIONAL, &b), OK);
	pair_act(p, LEFT);
	len = p->last_len;
	memcpy(good, p->last, len);
	for (size_t i = 0; i < len; i++) {
		memcpy(bytes, good, len);
		bytes[i] ^= 0x40;
		/* Another SPI or major version is answered in clear, without effect here. */
		p->answered = i < 16 || i == 17;
		expect_no_effect(p, RIGHT, &path, span_of(bytes, len));
	}
	pair_free(p);
}
END_TEST

/* C22: every exchange type that an established SA does not expect, with its Delete inside. The peer
 * is authenticated, so it is answered (RFC 7296 2.21.3), and that is all. */
START_TEST(another_exchange_is_refused_and_the_sa_stays)
{
	struct pair *p =
		up(pair_psk(LEFT, "liveness = 86400s"), pair_psk(RIGHT, "liveness = 86400s"));
	struct path path = pair_path(p, LEFT);
	struct ike_sa *sa = pair_sa(p, LEFT);
	uint8_t exchange = (uint8_t)_i;
	struct packets sealed = { 0 };
	struct builder b = send_begin(p->end[LEFT].e);
	size_t sent;

	if (exchange == X_CREATE_CHILD_SA || exchange == X_INFORMATIONAL ||
	    exchange == X_IKE_SA_INIT) {
		pair_free(p);
		return;
	}
	p->filter = pair_lose;
	pl_delete_encode(builder_begin(&b, PL_DELETE), PROTO_IKE, NULL, 0);
	builder_end(&b);
	ck_assert_int_eq(send_request(sa, exchange, &b), OK);
	ck_assert_int_eq(packets_set(&sealed, packets_span(&sa->window.request)), OK);
	pair_act(p, LEFT);
	sent = p->n_sent;
	pair_deliver(p, RIGHT, &path, packets_span(&sealed));
	ck_assert_uint_eq(p->n_sent, sent + 1);
	ck_assert_uint_eq(pair_sa(p, RIGHT)->state, S_UP);
	pair_expect_children(p, 1);
	packets_free(&sealed);
	pair_free(p);
}
END_TEST

static bool expect_port(struct pair *p, struct datagram *d)
{
	p->answered = d->path.local.port == 4711;
	return false;
}

START_TEST(a_retransmitted_request_gets_the_identical_answer)
{
	struct pair *p =
		up(pair_psk(LEFT, "liveness = 86400s"), pair_psk(RIGHT, "liveness = 86400s"));
	struct path path = pair_path(p, LEFT);
	struct builder b = send_begin(p->end[LEFT].e);
	uint8_t request[2048], answer[2048];
	size_t len, answer_len;

	p->filter = pair_lose;
	ck_assert_int_eq(send_request(pair_sa(p, LEFT), X_INFORMATIONAL, &b), OK);
	pair_act(p, LEFT);
	len = p->last_len;
	memcpy(request, p->last, len);
	pair_deliver(p, RIGHT, &path, span_of(request, len));
	answer_len = p->last_len;
	memcpy(answer, p->last, answer_len);
	path.remote.port = 4711; /* and goes to where it was asked from */
	p->filter = expect_port;
	pair_deliver(p, RIGHT, &path, span_of(request, len));
	ck_assert(p->answered);
	ck_assert(span_eq(span_of(answer, answer_len), span_of(p->last, p->last_len)));
	pair_free(p);
}
END_TEST

static void keep_view(void *ctx, const struct ike_view *v)
{
	struct ike_view *seen = ctx;

	*seen = *v;
	ck_assert(v->children[0].up);
	ck_assert_uint_eq(v->children[0].in.bytes, 4711);
}

START_TEST(views_show_what_is_there)
{
	struct pair *p = up(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct ike_view seen = { .state = IKE_STATE_OFF };

	ike_engine_refresh(p->end[LEFT].e, p->now);
	pair_act(p, LEFT);
	ike_engine_views(p->end[LEFT].e, keep_view, &seen);
	ck_assert_int_eq(seen.state, IKE_STATE_UP);
	ck_assert_uint_eq(seen.n_children, 1);
	ck_assert(seen.downgrade_protected);
	ck_assert_uint_eq(p->end[LEFT].mtu, 1446);
	pair_free(p);
}
END_TEST

START_TEST(a_reload_leaves_the_unchanged_alone_and_ends_the_changed)
{
	struct pair *p = up(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct conf *old = p->end[LEFT].conf;

	p->end[LEFT].conf = pair_load(pair_psk(LEFT, _i ? "encap = always" : ""));
	ck_assert_int_eq(ike_engine_reconfigure(p->end[LEFT].e, p->end[LEFT].conf, p->now), OK);
	conf_free(old);
	pair_act(p, LEFT);
	pair_run(p, 5 * NS_PER_S);
	pair_expect_children(p, _i ? 0 : 1);
	ck_assert_uint_eq(pair_sas(p, LEFT), _i ? 0 : 1);
	pair_up(p, LEFT, "site");
	pair_run(p, 5 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-life")
{
	tcase_add_loop_test(tc, down_deletes_at_both_and_lifts_the_guard, 0, 2);
	tcase_add_loop_test(tc, the_end_of_the_old_sa_says_that_a_new_one_is_on_its_way, 0, 2);
	tcase_add_test(tc, both_may_delete_at_once);
	tcase_add_test(tc, an_idle_peer_is_asked_and_answers);
	tcase_add_test(tc, a_silent_peer_is_lost_and_called_again);
	tcase_add_loop_test(tc, both_begin_at_once_and_one_pair_stays, 0, 50);
	tcase_add_loop_test(tc, loss_and_duplication_leave_one_pair, 0, LOSSY_RUNS);
	tcase_add_loop_test(tc, a_child_delete_is_answered_with_its_twin, 0, 2);
	tcase_add_test(tc, an_unknown_critical_payload_is_named_and_the_sa_stays);
	tcase_add_test(tc, a_malformed_request_ends_the_sa_on_both_sides);
	tcase_add_test(tc, a_delete_of_the_ike_sa_goes_before_everything_else);
	tcase_add_test(tc, a_damaged_message_leaves_the_sa_as_it_was);
	tcase_add_loop_test(tc, another_exchange_is_refused_and_the_sa_stays, 33, 45);
	tcase_add_test(tc, a_retransmitted_request_gets_the_identical_answer);
	tcase_add_test(tc, views_show_what_is_there);
	tcase_add_loop_test(tc, a_reload_leaves_the_unchanged_alone_and_ends_the_changed, 0, 2);
}
