/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_CHILD_SA, message by message: groups and keys, what is not a request for a child, the same
 * child more than once, and answers that are not to be believed. */
#include <string.h>

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/create.h"
#include "ike/life.h"
#include "ike/protect.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"
#include "ike/send.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

#define X25519_FIRST "policy = { aes256gcm16 prfsha384 x25519 ecp256 }"
#define ECP256_FIRST "policy = { aes256gcm16 prfsha384 ecp256 x25519 }"
#define SLOW	     "policy = { aes256gcm16 prfsha384 modp4096 }"

static struct pair *pair_of(const char *left, const char *right)
{
	return pair_new(pair_two(LEFT, false, left), pair_two(RIGHT, false, right));
}

static void command(struct pair *p, enum side s, enum ike_event_kind kind, const char *child)
{
	pair_command(p, s, kind, child);
	pair_run(p, NS_PER_S);
}

static struct pair *with_first(const char *left, const char *right)
{
	struct pair *p = pair_of(left, right);

	command(p, LEFT, IKE_EV_UP, "net");
	pair_expect_children(p, 1);
	return p;
}

/* ---- groups and keys ---- */

static const struct {
	const char *left, *right;
	const char *suite;
	size_t messages; /* of the second child, at both ends */
} groups[] = {
	{ X25519_FIRST, X25519_FIRST, "aes256gcm16 x25519", 2 },
	{ X25519_FIRST, ECP256_FIRST, "aes256gcm16 ecp256", 4 },
	{ SLOW, SLOW, "aes256gcm16 modp4096", 2 },
};
enum { N_GROUPS = sizeof(groups) / sizeof(groups[0]) };

START_TEST(a_second_child_has_a_group_of_its_own)
{
	struct pair *p = with_first(groups[_i].left, groups[_i].right);
	size_t sent = p->n_sent;

	command(p, LEFT, IKE_EV_UP, "lab");
	pair_expect_children(p, 2);
	ck_assert_uint_eq(p->n_sent - sent, groups[_i].messages);
	for (enum side s = LEFT; s <= RIGHT; s++)
		ck_assert_str_eq(pair_note(p, s, IKE_NOTE_CHILD_UP)->suite, groups[_i].suite);
	ck_assert_ptr_null(pair_sa(p, LEFT)->mine);
	ck_assert_ptr_null(pair_sa(p, RIGHT)->theirs);
	pair_free(p);
}
END_TEST

/* RIGHT's keys are not made yet, and LEFT's SPI is another one's already (A27). */
START_TEST(a_peers_spi_is_taken_from_the_request_on)
{
	struct pair *p = with_first(SLOW, SLOW);
	uint32_t spi;

	p->end[RIGHT].hold_jobs = true;
	command(p, LEFT, IKE_EV_UP, "lab");
	ck_assert_ptr_nonnull(pair_sa(p, LEFT)->mine);
	ck_assert_ptr_nonnull(pair_sa(p, RIGHT)->theirs);
	spi = pair_sa(p, LEFT)->mine->deal.child->spi_in;
	ck_assert_int_eq(deal_judge_spi(pair_sa(p, RIGHT), spi), ERR_EXISTS);
	ck_assert_int_eq(deal_judge_spi(pair_sa(p, RIGHT), spi ^ 1), OK);
	p->end[RIGHT].hold_jobs = false;
	pair_free(p);
}
END_TEST

START_TEST(no_two_children_have_a_key_in_common)
{
	struct pair *p = with_first("", "");

	command(p, LEFT, IKE_EV_UP, "lab");
	pair_expect_children(p, 2);
	for (size_t i = 0; i < p->end[LEFT].n_sas; i++) {
		for (size_t k = 0; k < i; k++)
			ck_assert(!secret_eq(key_span(&p->end[LEFT].sas[i].encr_key),
					     key_span(&p->end[LEFT].sas[k].encr_key)));
	}
	pair_free(p);
}
END_TEST

/* ---- requests that are not for a new child ---- */

/* Opens an answer of RIGHT's with LEFT's keys; it lies in `plain` then. False: it is no such. */
static bool open_answer(struct pair *p, const struct datagram *d, uint8_t exchange,
			struct wr *plain, struct message *inside)
{
	struct sk_keys keys;
	struct message m;
	struct inner in;

	if (d->to != LEFT || message_decode(span_of(d->bytes, d->len), &m) != OK ||
	    m.h.exchange != exchange || !header_is_response(&m.h))
		return false;
	keys = sa_keys_in(pair_sa(p, LEFT));
	ck_assert_int_eq(protect_open(&keys, &m, plain, &in), OK);
	ck_assert_int_eq(message_decode_inner(&m.h, &in, inside), OK);
	return true;
}

/* The error in the last one, or 0. */
static bool look_inside(struct pair *p, struct datagram *d)
{
	uint8_t plain[4096];
	struct wr w = wr_into(plain, sizeof(plain));
	struct message inside;
	uint16_t *seen = p->ctx;
	struct pl_notify n;

	if (!open_answer(p, d, X_CREATE_CHILD_SA, &w, &inside))
		return true;
	*seen = message_error(&inside, &n) ? n.type : 0;
	p->answered = true;
	return true;
}

enum part { SA = 1, NONCE = 2, KE = 4, TSI = 8, TSR = 16, REKEY = 32, SHORT_NONCE = 64 };

static void put(struct builder *b, struct ike_sa *sa, unsigned parts)
{
	struct proposal_want want = { .policy = &sa->conn->conf->policy,
				      .protocol = PROTO_ESP,
				      .with_ke = parts & KE,
				      .esn = true };
	uint8_t spi[4] = { 0, 0, 1, 2 };
	struct pl_notify rekey = { .protocol = PROTO_ESP,
				   .type = NOTIFY_REKEY_SA,
				   .spi = span_of(spi, sizeof(spi)) };
	const struct conf_child *lab = &sa->conn->conf->children[1];
	struct pl_ke ke = { .group = KE_CURVE25519,
			    .data = span_str("0123456789abcdef0123456789abcdef") };

	if (parts & REKEY)
		builder_notify_full(b, &rekey);
	if (parts & SA) {
		proposal_offer(builder_begin(b, PL_SA), &want, 0x12345678);
		builder_end(b);
	}
	if (parts & NONCE)
		builder_add(b, PL_NONCE, span_str("0123456789abcdef"));
	if (parts & SHORT_NONCE)
		builder_add(b, PL_NONCE, span_str("0123456789abcde"));
	if (parts & KE) {
		pl_ke_encode(builder_begin(b, PL_KE), &ke);
		builder_end(b);
	}
	if (parts & TSI) {
		ts_payload_encode(builder_begin(b, PL_TSI), &lab->local);
		builder_end(b);
	}
	if (parts & TSR) {
		ts_payload_encode(builder_begin(b, PL_TSR), &lab->remote);
		builder_end(b);
	}
}

static const struct {
	unsigned parts;
	uint16_t notify;
} requests[] = {
	{ SA | NONCE | TSI | TSR, 0 },
	{ SA | NONCE | TSI | TSR | KE, 0 },
	{ SA | NONCE | TSI | TSR | REKEY, NOTIFY_CHILD_SA_NOT_FOUND },
	/* That SA is for a child, and this for the IKE SA. */
	{ SA | NONCE | KE, NOTIFY_NO_PROPOSAL_CHOSEN },
	{ SA | NONCE, NOTIFY_INVALID_SYNTAX },
	{ SA | TSI | TSR, NOTIFY_INVALID_SYNTAX },
	{ NONCE | TSI | TSR, NOTIFY_INVALID_SYNTAX },
	{ SA | NONCE | TSI, NOTIFY_INVALID_SYNTAX },
	{ SA | NONCE | KE | REKEY, NOTIFY_INVALID_SYNTAX },
	{ SA | SHORT_NONCE | TSI | TSR, NOTIFY_INVALID_SYNTAX },
	{ 0, NOTIFY_INVALID_SYNTAX },
};
enum { N_REQUESTS = sizeof(requests) / sizeof(requests[0]) };

START_TEST(what_a_request_is_for_follows_from_what_is_in_it)
{
	struct pair *p = with_first("", "");
	struct builder b = send_begin(p->end[LEFT].e);
	uint16_t seen = 0;

	p->ctx = &seen;
	p->filter = look_inside;
	put(&b, pair_sa(p, LEFT), requests[_i].parts);
	ck_assert_int_eq(send_request(pair_sa(p, LEFT), X_CREATE_CHILD_SA, &b), OK);
	pair_act(p, LEFT);
	pair_drain(p);
	ck_assert(p->answered);
	ck_assert_uint_eq(seen, requests[_i].notify);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, requests[_i].notify == 0 ? 4 : 2);
	ck_assert_int_eq(pair_sa(p, LEFT)->state, S_UP);
	ck_assert_int_eq(pair_sa(p, RIGHT)->state, S_UP);
	ck_assert_ptr_null(pair_sa(p, RIGHT)->theirs);
	pair_free(p);
}
END_TEST

/* ---- the same child more than once ---- */

/* LEFT forgets its child without a word and makes it anew. */
static void make_again(struct pair *p)
{
	struct child_sa *c = pair_sa(p, LEFT)->children;

	child_free(c);
	pair_act(p, LEFT);
	command(p, LEFT, IKE_EV_UP, "net");
}

struct seen {
	bool up;
	unsigned n_pairs;
	uint32_t spi_out;
};

static void look(void *ctx, const struct ike_view *v)
{
	struct seen *seen = ctx;

	*seen = (struct seen){ v->children[0].up, v->children[0].n_pairs, v->children[0].spi_out };
}

/* All of them receive, the newest sends, once the peer has sent by it or was given time to put it
 * in; when that goes the one before does. */
START_TEST(the_peer_may_make_a_child_twice)
{
	struct pair *p = with_first("", "");
	uint32_t first = pair_sa(p, LEFT)->children->spi_in;
	struct seen seen;

	make_again(p);
	ck_assert_uint_eq(p->end[LEFT].n_sas, 2);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 3);
	pair_run(p, 300 * NS_PER_S);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 4);
	ike_engine_views(p->end[RIGHT].e, look, &seen);
	ck_assert(seen.up);
	ck_assert_uint_eq(seen.n_pairs, 2);
	ck_assert_uint_eq(seen.spi_out, pair_sa(p, LEFT)->children->spi_in);
	command(p, LEFT, IKE_EV_DOWN, "net");
	ike_engine_views(p->end[RIGHT].e, look, &seen);
	ck_assert_uint_eq(seen.n_pairs, 1);
	ck_assert_uint_eq(seen.spi_out, first);
	pair_free(p);
}
END_TEST

/* ... and it does when the peer deletes the other one, before that goes. */
START_TEST(what_is_made_twice_is_sent_by_when_the_other_one_goes)
{
	struct pair *p = with_first("", "");
	struct child_sa *old = pair_sa(p, RIGHT)->children, *c;

	make_again(p);
	for (c = pair_sa(p, RIGHT)->children; c == old; c = c->next)
		;
	ck_assert_int_eq(c->stage, CHILD_HELD);
	rekey_release(old);
	pair_act(p, RIGHT);
	ck_assert_int_eq(c->stage, CHILD_UP);
	pair_free(p);
}
END_TEST

/* Others carry what it has, and it goes: what came to it would go with it. */
START_TEST(an_ike_sa_that_goes_gets_no_child)
{
	struct pair *p = pair_of("", "");

	pair_up(p, LEFT, "site");
	pair_drain(p);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 4);
	command(p, LEFT, IKE_EV_DOWN, "lab");
	pair_drain(p);
	pair_run(p, 10 * NS_PER_S);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 2);
	pair_sa(p, RIGHT)->retired = true;
	command(p, LEFT, IKE_EV_UP, "lab");
	pair_drain(p);
	ck_assert_ptr_nonnull(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED));
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED)->err, ERR_BUSY);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 2);
	pair_free(p);
}
END_TEST

START_TEST(a_peer_has_no_children_beyond_the_limit)
{
	struct pair *p = with_first("", "");

	for (int i = 1; i < SA_CHILDREN_MAX; i++)
		make_again(p);
	pair_run(p, 20 * NS_PER_S);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 2 * SA_CHILDREN_MAX);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 0);
	make_again(p);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 2 * SA_CHILDREN_MAX);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED)->err, ERR_NO_ADDITIONAL_SAS);
	ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_CHILD_FAILED)->err, ERR_NO_ADDITIONAL_SAS);
	ck_assert_int_eq(pair_sa(p, RIGHT)->state, S_UP);
	pair_free(p);
}
END_TEST

/* As many as RIGHT takes, without LEFT having them. */
static void fill(struct pair *p)
{
	struct ike_sa *sa = pair_sa(p, RIGHT);
	struct child_sa *c;

	while (child_count(sa) < SA_CHILDREN_MAX) {
		ck_assert_int_eq(child_new(sa, sa->children->conf, false, &c), OK);
		c->stage = CHILD_UP;
		c->rekey.soft = c->rekey.early = c->rekey.hard = NEVER;
	}
}

/* What RIGHT says to the rekey of another one meanwhile does not make room. */
START_TEST(a_peer_that_is_full_is_not_asked_again)
{
	struct pair *p = pair_of("start = always", "");

	pair_run(p, 3 * NS_PER_S);
	pair_expect_children(p, 2);
	ck_assert_str_eq(pair_sa(p, LEFT)->children->conf->name, "lab");
	child_free(pair_sa(p, LEFT)->children);
	fill(p);
	command(p, LEFT, IKE_EV_UP, "lab");
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 1);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED)->err, ERR_NO_ADDITIONAL_SAS);
	ck_assert(pair_sa(p, LEFT)->full);
	/* TEMPORARY_FAILURE, for RIGHT is about to rekey the IKE SA. */
	rekey_ike_want(pair_sa(p, RIGHT));
	rekey_want(pair_sa(p, LEFT)->children);
	pair_act(p, RIGHT);
	pair_act(p, LEFT);
	pair_run(p, 60 * NS_PER_S);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REKEY_FAILED)->err, ERR_BUSY);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 1);
	pair_free(p);
}
END_TEST

struct named {
	uint32_t spis[2 * SA_PAIRS_MAX];
	uint16_t n;
};

/* What the Delete in RIGHT's answer names. */
static bool look_at_deletes(struct pair *p, struct datagram *d)
{
	uint8_t plain[4096];
	struct wr w = wr_into(plain, sizeof(plain));
	struct message inside;
	struct named *named = p->ctx;
	struct pl_delete del;

	if (!open_answer(p, d, X_INFORMATIONAL, &w, &inside))
		return true;
	ck_assert_int_eq(pl_delete_decode(message_body(&inside, PL_DELETE), &del), OK);
	for (uint16_t i = 0; i < del.n; i++)
		named->spis[named->n++] = pl_delete_spi(&del, i);
	return true;
}

/* 1.4.1: the answer names the other half of each, and while all are replaced there are two for each
 * child. No more can be, whoever makes them. */
START_TEST(a_delete_of_all_pairs_at_once_is_answered_for_each)
{
	struct pair *p = with_first("", "");
	struct ike_sa *sa = pair_sa(p, RIGHT);
	struct builder b = send_begin(p->end[LEFT].e);
	uint32_t theirs[SA_PAIRS_MAX], ours[SA_PAIRS_MAX];
	struct named named = { .n = 0 };
	struct child_sa *c;

	for (uint32_t i = 1; i < SA_PAIRS_MAX; i++) {
		ck_assert_int_eq(child_new(sa, sa->children->conf, false, &c), OK);
		c->spi_out = 0x1000 + i;
		c->stage = CHILD_UP;
		c->rekey.soft = c->rekey.early = c->rekey.hard = NEVER;
	}
	ck_assert_int_eq(child_new(sa, sa->children->conf, false, &c), ERR_LIMIT);
	c = sa->children;
	for (uint32_t i = 0; i < SA_PAIRS_MAX; i++, c = c->next) {
		theirs[i] = c->spi_out;
		ours[i] = c->spi_in;
	}
	p->ctx = &named;
	p->filter = look_at_deletes;
	pl_delete_encode(builder_begin(&b, PL_DELETE), PROTO_ESP, theirs, SA_PAIRS_MAX);
	builder_end(&b);
	ck_assert_int_eq(send_request(pair_sa(p, LEFT), X_INFORMATIONAL, &b), OK);
	pair_act(p, LEFT);
	pair_drain(p);
	ck_assert_uint_eq(named.n, SA_PAIRS_MAX);
	ck_assert_mem_eq(named.spis, ours, sizeof(ours));
	ck_assert_ptr_null(sa->children);
	pair_free(p);
}
END_TEST

/* ---- answers ---- */

static bool answers_of_right_are_lost(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->to != LEFT;
}

/* An INFORMATIONAL answer to it, from a peer with the keys, has no effect. */
START_TEST(an_answer_of_another_exchange_is_no_answer)
{
	struct pair *p = with_first("", "");
	struct path path = pair_path(p, RIGHT);
	struct ike_event ev = { .kind = IKE_EV_UP,
				.command = { .connection = "site", .child = "lab" } };
	struct builder b;
	struct packets sealed = { 0 };

	p->filter = answers_of_right_are_lost;
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	ck_assert_int_eq(pair_sa(p, LEFT)->mine->stage, CREATE_ASKED);
	b = send_begin(p->end[RIGHT].e);
	ck_assert_int_eq(send_answer(pair_sa(p, RIGHT), X_INFORMATIONAL, &b, &path), OK);
	ck_assert_int_eq(packets_set(&sealed, packets_span(&pair_sa(p, RIGHT)->window.answer)), OK);
	pair_deliver(p, LEFT, &path, packets_span(&sealed));
	ck_assert(pair_sa(p, LEFT)->window.asked);
	ck_assert_int_eq(pair_sa(p, LEFT)->mine->stage, CREATE_ASKED);
	packets_free(&sealed);
	pair_free(p);
}
END_TEST

/* Taken down while the request is out: what the peer has made goes again, and nothing comes up. */
START_TEST(down_while_it_is_asked_for_leaves_nothing)
{
	struct pair *p = with_first("", "");
	struct ike_event up = { .kind = IKE_EV_UP,
				.command = { .connection = "site", .child = "lab" } };
	struct ike_event down = { .kind = IKE_EV_DOWN,
				  .command = { .connection = "site", .child = "lab" } };

	pair_event(&p->end[LEFT], &up);
	pair_act(p, LEFT);
	pair_event(&p->end[LEFT], &down);
	pair_run(p, 5 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_UP), 1);
	ck_assert_ptr_null(pair_sa(p, LEFT)->mine);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-create")
{
	tcase_add_loop_test(tc, a_second_child_has_a_group_of_its_own, 0, N_GROUPS);
	tcase_add_test(tc, a_peers_spi_is_taken_from_the_request_on);
	tcase_add_test(tc, no_two_children_have_a_key_in_common);
	tcase_add_loop_test(tc, what_a_request_is_for_follows_from_what_is_in_it, 0, N_REQUESTS);
	tcase_add_test(tc, the_peer_may_make_a_child_twice);
	tcase_add_test(tc, what_is_made_twice_is_sent_by_when_the_other_one_goes);
	tcase_add_test(tc, an_ike_sa_that_goes_gets_no_child);
	tcase_add_test(tc, a_peer_has_no_children_beyond_the_limit);
	tcase_add_test(tc, a_peer_that_is_full_is_not_asked_again);
	tcase_add_test(tc, a_delete_of_all_pairs_at_once_is_answered_for_each);
	tcase_add_test(tc, an_answer_of_another_exchange_is_no_answer);
	tcase_add_test(tc, down_while_it_is_asked_for_leaves_nothing);
}
