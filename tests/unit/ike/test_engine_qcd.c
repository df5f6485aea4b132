/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that has lost everything proves it by a token, and nobody else can. RIGHT is the maker and
 * forgets; LEFT is the taker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/connection.h"
#include "ike/life.h"
#include "ike/limits.h"
#include "ike/qcd.h"
#include "ike/rekey_ike.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

#define SECRET "qcd_secret_file = host.secret\n"

/* INVALID_IKE_SPI, then the token. */
enum { TOKEN_LEN = 32, TOKEN_AT = IKE_HEADER_LEN + 8 + 8, ANSWER_LEN = TOKEN_AT + TOKEN_LEN };

static struct ike_sa *sa_at(struct pair *p, enum side s)
{
	return conn_sa(p->end[s].e->conns[0]);
}

static struct pair *begin(const char *before, const char *left, const char *right)
{
	char texts[2][2048];

	snprintf(texts[LEFT], sizeof(texts[LEFT]), "%s", pair_psk(LEFT, left));
	snprintf(texts[RIGHT], sizeof(texts[RIGHT]), "%s%s", before, pair_psk(RIGHT, right));
	return pair_new(texts[LEFT], texts[RIGHT]);
}

static struct pair *up(void)
{
	struct pair *p = begin(SECRET, "start = always", "start = manual\n qcd = yes");

	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 1);
	return p;
}

/* As after a crash: no message, and nothing in the plane. */
static void forget(struct pair *p, enum side s)
{
	sa_free(sa_at(p, s));
	pair_act(p, s);
}

static bool is_token(const struct datagram *d)
{
	struct message m;

	return message_decode(span_of(d->bytes, d->len), &m) == OK &&
	       message_notify(&m, NOTIFY_QCD_TOKEN, NULL);
}

/* What RIGHT says in clear, which gets lost. */
struct heard {
	uint8_t bytes[256];
	size_t len;
	size_t answers, tokens;
};

static bool keep_answer(struct pair *p, struct datagram *d)
{
	struct heard *h = p->ctx;
	struct message m;

	if (d->to != LEFT || message_decode(span_of(d->bytes, d->len), &m) != OK ||
	    !message_notify(&m, NOTIFY_INVALID_IKE_SPI, NULL))
		return true;
	ck_assert_uint_le(d->len, sizeof(h->bytes));
	memcpy(h->bytes, d->bytes, d->len);
	h->len = d->len;
	h->answers++;
	h->tokens += is_token(d);
	return false;
}

static struct pair *with_answer(struct heard *h)
{
	struct pair *p = up();

	p->filter = keep_answer;
	p->ctx = h;
	forget(p, RIGHT);
	pair_run(p, 25 * NS_PER_S);
	p->filter = NULL;
	ck_assert_uint_ge(h->tokens, 1);
	ck_assert_uint_eq(h->len, ANSWER_LEN);
	ck_assert_int_eq(sa_at(p, LEFT)->state, S_UP);
	return p;
}

/* ---- a peer that has restarted ---- */

static const struct {
	const char *what;
	bool rekeyed;
	enum side by;
} lives[] = {
	{ "the IKE SA of the handshake", false, LEFT },
	{ "one that the taker has made in its place", true, LEFT },
	{ "one that the maker has made in its place", true, RIGHT },
};

START_TEST(a_peer_that_has_restarted_is_called_at_once)
{
	struct pair *p = up();
	mono_ns asked;

	if (lives[_i].rekeyed) {
		rekey_ike_want(sa_at(p, lives[_i].by));
		pair_act(p, lives[_i].by);
		pair_run(p, 15 * NS_PER_S);
		ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEYED), 1);
	}
	forget(p, RIGHT);
	asked = sa_at(p, LEFT)->heard + 30 * NS_PER_S;
	pair_run(p, asked - p->now + NS_PER_S);
	ck_assert_ptr_nonnull(pair_note(p, LEFT, IKE_NOTE_DOWN));
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_DOWN)->err, ERR_PEER_RESTARTED);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 2);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* Who forgets again and again makes nobody call without a pause. */
START_TEST(a_peer_that_restarts_again_and_again_is_called_with_pauses)
{
	struct pair *p = up();

	forget(p, RIGHT);
	for (int i = 0; i < 100 && pair_count(p, LEFT, IKE_NOTE_UP) < 2; i++)
		pair_run(p, 500 * NS_PER_MS);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 2);
	forget(p, RIGHT);
	sa_doubt(sa_at(p, LEFT));
	pair_act(p, LEFT);
	pair_run(p, 500 * NS_PER_MS);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 2);
	pair_run(p, 5 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 3);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

static const struct {
	const char *before, *right;
} none[] = {
	{ SECRET, "start = manual" },
	{ "", "start = manual" },
};

START_TEST(without_qcd_no_token_is_made)
{
	struct heard h = { .len = 0 };
	struct pair *p = begin(none[_i].before, "start = always", none[_i].right);

	pair_run(p, 20 * NS_PER_S);
	ck_assert_ptr_null(sa_at(p, LEFT)->qcd_hash);
	p->filter = keep_answer;
	p->ctx = &h;
	forget(p, RIGHT);
	pair_run(p, 25 * NS_PER_S);
	ck_assert_uint_ge(h.answers, 1);
	ck_assert_uint_eq(h.tokens, 0);
	pair_free(p);
}
END_TEST

/* ---- the taker ---- */

/* `n` wrong tokens, then perhaps the right one. */
static struct span many(const struct heard *h, size_t n, bool right)
{
	static uint8_t buf[1024];
	uint8_t wrong[TOKEN_LEN] = { 1 };
	struct ike_header header;
	struct builder b;
	struct span out;

	ck_assert_int_eq(header_decode(span_of(h->bytes, h->len), &header), OK);
	b = builder_message(buf, sizeof(buf), &header);
	for (size_t i = 0; i < n; i++)
		builder_notify(&b, NOTIFY_QCD_TOKEN, span_of(wrong, sizeof(wrong)));
	if (right)
		builder_notify(&b, NOTIFY_QCD_TOKEN, span_of(h->bytes + TOKEN_AT, TOKEN_LEN));
	ck_assert_int_eq(builder_finish(&b, &out), OK);
	return out;
}

static struct path elsewhere(struct pair *p)
{
	struct path path = pair_path(p, LEFT);

	ck_assert(addr_parse("203.0.113.77", &path.remote.addr));
	return path;
}

static const struct {
	const char *what;
	size_t at; /* this byte is another one; 0: none */
	uint8_t bits;
	size_t wrong; /* so many wrong tokens come first */
	bool counts;
} forged[] = {
	{ "as the maker says it", 0, 0, 0, true },
	{ "the first byte is another one", TOKEN_AT, 1, 0, false },
	{ "the last byte is another one", ANSWER_LEN - 1, 0x80, 0, false },
	{ "for another initiator's SPI", 7, 1, 0, false },
	{ "for another responder's SPI", 15, 1, 0, false },
	{ "from the other role", 19, FLAG_INITIATOR, 0, false },
	{ "as another notify", TOKEN_AT - 1, 1, 0, false },
	{ "the fourth", 0, 0, 3, true },
	{ "the fifth", 0, 0, 4, false },
};

/* From anywhere: another machine may have taken over the maker's place (RFC 6290 3). */
START_TEST(only_the_right_token_for_these_spis_ends_an_sa)
{
	struct heard h = { .len = 0 };
	struct pair *p = with_answer(&h);
	struct path path = elsewhere(p);
	struct span bytes = span_of(h.bytes, h.len);

	if (forged[_i].wrong > 0)
		bytes = many(&h, forged[_i].wrong, true);
	else if (forged[_i].at > 0)
		h.bytes[forged[_i].at] ^= forged[_i].bits;
	pair_deliver(p, LEFT, &path, bytes);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), forged[_i].counts ? 1 : 0);
	pair_free(p);
}
END_TEST

/* What the maker can have no longer made is none; nor does a wrong one make it another. */
START_TEST(an_sa_without_a_token_is_ended_by_none)
{
	struct heard h = { .len = 0 };
	struct pair *p = with_answer(&h);
	struct path path = elsewhere(p);

	free(sa_at(p, LEFT)->qcd_hash);
	sa_at(p, LEFT)->qcd_hash = NULL;
	pair_deliver(p, LEFT, &path, span_of(h.bytes, h.len));
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), 0);
	pair_free(p);
}
END_TEST

START_TEST(wrong_tokens_have_a_rate_for_each_source)
{
	struct heard h = { .len = 0 };
	struct pair *p = with_answer(&h);
	struct path path = elsewhere(p);
	const uint64_t *dropped = ike_engine_stats(p->end[LEFT].e)->dropped;

	for (int i = 0; i < BAD_OPENS_PER_S; i++)
		pair_deliver(p, LEFT, &path, many(&h, 1, false));
	ck_assert_uint_eq(dropped[ERR_ICV], BAD_OPENS_PER_S);
	pair_deliver(p, LEFT, &path, span_of(h.bytes, h.len));
	ck_assert_uint_eq(dropped[ERR_LIMIT], 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), 0);
	path.remote = pair_path(p, LEFT).remote;
	pair_deliver(p, LEFT, &path, span_of(h.bytes, h.len));
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), 1);
	pair_free(p);
}
END_TEST

/* ---- the maker ---- */

static bool count_answers(struct pair *p, struct datagram *d)
{
	struct heard *h = p->ctx;

	h->answers += d->to == LEFT;
	h->tokens += is_token(d);
	return false;
}

/* A request that looks protected. */
static void ask(struct pair *p, uint64_t spi_i, uint64_t spi_r, uint8_t flags)
{
	uint8_t buf[128], body[40] = { 0 };
	struct path path = pair_path(p, RIGHT);
	struct ike_header h = { .spi_i = spi_i,
				.spi_r = spi_r,
				.version = IKE_VERSION,
				.exchange = X_INFORMATIONAL,
				.flags = flags,
				.message_id = 77 };
	struct builder b = builder_message(buf, sizeof(buf), &h);
	struct span out;

	builder_add(&b, PL_SK, span_of(body, sizeof(body)));
	ck_assert_int_eq(builder_finish(&b, &out), OK);
	pair_deliver(p, RIGHT, &path, out);
	pair_drain(p);
}

/* However the question is turned round. */
START_TEST(nobody_gets_a_token_of_an_sa_that_is_up)
{
	static const uint8_t flags[] = { 0, FLAG_INITIATOR, FLAG_RESPONSE,
					 FLAG_INITIATOR | FLAG_RESPONSE };
	struct heard h = { .len = 0 };
	struct pair *p = up();
	uint64_t i = sa_at(p, RIGHT)->spi_i, r = sa_at(p, RIGHT)->spi_r;

	p->filter = count_answers;
	p->ctx = &h;
	ask(p, i, r, flags[_i]);
	ask(p, r, i, flags[_i]);
	ask(p, 1, r, flags[_i]);
	ask(p, r, 1, flags[_i]);
	ask(p, 0, 1, flags[_i]);
	ask(p, 1, 0, flags[_i]);
	ck_assert_uint_eq(h.tokens, 0);
	/* That one would be seen. */
	ask(p, 1, 2, flags[_i] & (uint8_t)~FLAG_RESPONSE);
	ck_assert_uint_eq(h.tokens, 1);
	p->filter = NULL;
	ck_assert_int_eq(sa_at(p, LEFT)->state, S_UP);
	pair_free(p);
}
END_TEST

START_TEST(tokens_leave_at_a_rate)
{
	struct heard h = { .len = 0 };
	struct pair *p = up();

	p->filter = count_answers;
	p->ctx = &h;
	for (uint64_t n = 0; n < 3 * CLEAR_ANSWERS_PER_S; n++)
		ask(p, 1000 + n, 1, FLAG_INITIATOR);
	ck_assert_uint_le(h.tokens, 2 * CLEAR_ANSWERS_PER_S);
	ck_assert_uint_ge(h.tokens, 1);
	p->filter = NULL;
	pair_free(p);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))

UNIT("ike/engine-qcd")
{
	tcase_add_loop_test(tc, a_peer_that_has_restarted_is_called_at_once, 0, N(lives));
	tcase_add_test(tc, a_peer_that_restarts_again_and_again_is_called_with_pauses);
	tcase_add_loop_test(tc, without_qcd_no_token_is_made, 0, N(none));
	tcase_add_loop_test(tc, only_the_right_token_for_these_spis_ends_an_sa, 0, N(forged));
	tcase_add_test(tc, an_sa_without_a_token_is_ended_by_none);
	tcase_add_test(tc, wrong_tokens_have_a_rate_for_each_source);
	tcase_add_loop_test(tc, nobody_gets_a_token_of_an_sa_that_is_up, 0, 4);
	tcase_add_test(tc, tokens_leave_at_a_rate);
}
