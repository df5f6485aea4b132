/* SPDX-License-Identifier: Apache-2.0 */
/* Rekeying of a child, step by step: what each plane holds at which moment, who names what, and
 * requests that are not to be granted. Both ends at once: test_engine_rekey_both.c. */
#include <stdio.h>
#include <string.h>

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/create.h"
#include "ike/life.h"
#include "ike/rekey.h"
#include "ike/send.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static struct child_sa *child_at(struct pair *p, enum side s)
{
	return pair_sa(p, s)->children;
}

static struct pair *with_child(void)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	pair_expect_children(p, 1);
	return p;
}

static void want(struct pair *p, enum side s)
{
	rekey_want(child_at(p, s));
	pair_act(p, s);
}

static size_t halves(const struct pair *p, enum side s, enum sa_dir dir)
{
	size_t n = 0;

	for (size_t i = 0; i < p->end[s].n_sas; i++)
		n += p->end[s].sas[i].dir == dir;
	return n;
}

/* ---- one end ---- */

/* LEFT's answers from RIGHT come, LEFT's messages behind the nth do not. */
struct gate {
	size_t pass; /* so many of LEFT's datagrams */
};

static bool stop_left(struct pair *p, struct datagram *d)
{
	struct gate *g = p->ctx;

	if (d->to == LEFT)
		return true;
	if (g->pass == 0)
		return false;
	g->pass--;
	return true;
}

/* The responder has the new inbound half before it answers, and sends on the old pair until the
 * Delete of that comes. */
START_TEST(the_responder_sends_on_the_old_pair_until_it_is_deleted)
{
	struct pair *p = with_child();
	struct gate g = { .pass = 1 };
	uint32_t old = child_at(p, RIGHT)->spi_out;

	p->filter = stop_left;
	p->ctx = &g;
	want(p, LEFT);
	pair_drain(p);
	ck_assert_uint_eq(halves(p, RIGHT, SA_IN), 2);
	ck_assert_uint_eq(halves(p, RIGHT, SA_OUT), 1);
	ck_assert_uint_eq(child_at(p, RIGHT)->stage, CHILD_HELD);
	/* The initiator sends on the new one alone, and receives by both. */
	ck_assert_uint_eq(halves(p, LEFT, SA_IN), 2);
	ck_assert_uint_eq(halves(p, LEFT, SA_OUT), 1);
	ck_assert_uint_eq(child_at(p, LEFT)->spi_out, child_at(p, RIGHT)->spi_in);
	ck_assert_ptr_nonnull(child_find_out(pair_sa(p, RIGHT), old));
	p->filter = NULL;
	pair_run(p, 2 * NS_PER_S);
	ck_assert_uint_eq(child_at(p, RIGHT)->stage, CHILD_UP);
	ck_assert_uint_eq(halves(p, RIGHT, SA_OUT), 1);
	/* What is on its way still comes in. */
	ck_assert_uint_eq(halves(p, RIGHT, SA_IN), 2);
	pair_run(p, 6 * NS_PER_S);
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_uint_eq(p->end[s].n_sas, 2);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_REKEYED), 1);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_DOWN), 0);
	}
	pair_free(p);
}
END_TEST

/* There is never a moment without an outbound half: the new one goes in before the old one out. */
START_TEST(the_delete_moves_what_is_sent_at_once)
{
	struct pair *p = with_child();
	struct gate g = { .pass = 2 };

	p->filter = stop_left;
	p->ctx = &g;
	want(p, LEFT);
	pair_drain(p);
	ck_assert_uint_eq(halves(p, RIGHT, SA_OUT), 1);
	ck_assert_int_ge(child_at(p, RIGHT)->stage, CHILD_OUTBOUND);
	p->filter = NULL;
	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* ... or until a packet has come by the new one. */
START_TEST(a_packet_by_the_new_pair_moves_what_the_responder_sends)
{
	struct pair *p = with_child();
	struct gate g = { .pass = 1 };

	p->filter = stop_left;
	p->ctx = &g;
	want(p, LEFT);
	pair_drain(p);
	child_at(p, RIGHT)->in.packets = 1;
	rekey_on_counters(child_at(p, RIGHT));
	pair_act(p, RIGHT);
	pair_drain(p);
	ck_assert_uint_eq(child_at(p, RIGHT)->stage, CHILD_UP);
	ck_assert_uint_eq(halves(p, RIGHT, SA_OUT), 2);
	p->filter = NULL;
	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* ---- what is not granted ---- */

/* RIGHT does not know it any more: it is made anew, and no later than that. */
START_TEST(a_child_that_the_peer_does_not_know_is_made_anew_at_once)
{
	struct pair *p = with_child();
	uint32_t was = child_at(p, LEFT)->spi_in;

	child_free(child_at(p, RIGHT));
	pair_act(p, RIGHT);
	want(p, LEFT);
	pair_run(p, NS_PER_S / 2);
	pair_expect_children(p, 1);
	ck_assert_uint_ne(child_at(p, LEFT)->spi_in, was);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_UP), 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_UP), 1);
	pair_free(p);
}
END_TEST

/* 2.25.1: TEMPORARY_FAILURE; the Delete comes then. */
START_TEST(one_that_is_being_deleted_is_not_rekeyed)
{
	struct pair *p = with_child();

	/* Due, and the window is not free. */
	child_at(p, RIGHT)->delete_sent = true;
	want(p, LEFT);
	pair_drain(p);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REKEY_FAILED)->err, ERR_BUSY);
	ck_assert_uint_eq(p->end[LEFT].n_sas, 2);
	child_at(p, RIGHT)->delete_sent = false;
	/* It is tried again. */
	pair_run(p, 20 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_REKEYED), 1);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

/* What keeps the peer from it is over in a round trip or two, while packets count up to a limit: so
 * the first tries are soon, but never at once, and the later ones are not. */
START_TEST(one_that_is_put_off_is_tried_again_soon)
{
	struct pair *p = with_child();
	size_t failed;

	child_at(p, RIGHT)->delete_sent = true;
	want(p, LEFT);
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEY_FAILED), 1);
	pair_run(p, 90 * NS_PER_MS);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEY_FAILED), 1);
	pair_run(p, 40 * NS_PER_MS);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEY_FAILED), 2);
	pair_run(p, NS_PER_S);
	failed = pair_count(p, LEFT, IKE_NOTE_REKEY_FAILED);
	ck_assert_uint_eq(failed, 4);
	pair_run(p, 5 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEY_FAILED), failed);
	pair_run(p, 4 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEY_FAILED), failed + 1);
	pair_free(p);
}
END_TEST

static bool lose_to_right(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->to != RIGHT;
}

/* RIGHT has asked for new keys, and the answer is lost; LEFT, which has them, asks for newer ones.
 * RIGHT does not know that child yet, but soon: so "later", and not that there is none. */
START_TEST(one_that_is_not_there_yet_is_not_unknown)
{
	struct pair *p = with_child();
	struct child_sa *c;

	want(p, RIGHT);
	p->filter = lose_to_right;
	pair_drain(p);
	p->filter = NULL;
	for (c = child_at(p, LEFT); c && c->stage != CHILD_HELD; c = c->next)
		;
	ck_assert_ptr_nonnull(c);
	child_go_on(c);
	pair_act(p, LEFT);
	rekey_want(c);
	pair_act(p, LEFT);
	pair_drain(p);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REKEY_FAILED)->err, ERR_BUSY);
	pair_run(p, 30 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 0);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_CHILD_DOWN), 0);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_UP), 1);
	pair_free(p);
}
END_TEST

/* LEFT asks for another pair in the place of its child, with this SPI, and does not know of it. */
static void ask_by_hand(struct pair *p, uint32_t spi, const char *nonce)
{
	struct ike_sa *sa = pair_sa(p, LEFT);
	const struct child_sa *old = child_at(p, LEFT);
	struct builder b = send_begin(sa->e);
	struct proposal_want want = { .policy = &sa->conn->conf->policy,
				      .protocol = PROTO_ESP,
				      .esn = true };
	uint8_t named[ESP_SPI_LEN];
	struct wr w = wr_into(named, sizeof(named));
	struct pl_notify rekey = { .protocol = PROTO_ESP, .type = NOTIFY_REKEY_SA };

	wr_u32(&w, old->spi_in);
	rekey.spi = wr_done(&w);
	builder_notify_full(&b, &rekey);
	proposal_offer(builder_begin(&b, PL_SA), &want, spi);
	builder_end(&b);
	builder_add(&b, PL_NONCE, span_str(nonce));
	deal_put_selectors(&old->ts, &b);
	ck_assert_int_eq(send_request(sa, X_CREATE_CHILD_SA, &b), OK);
	pair_act(p, LEFT);
	pair_drain(p);
}

/* A peer that rekeys the same one twice has two for it; when it deletes the old one, both are used,
 * and the newest sends. */
START_TEST(a_peer_may_rekey_the_same_child_twice)
{
	struct pair *p = with_child();

	ask_by_hand(p, 0x12345678, "0123456789abcdef");
	ask_by_hand(p, 0x12345679, "fedcba9876543210");
	ck_assert_uint_eq(halves(p, RIGHT, SA_IN), 3);
	ck_assert_uint_eq(halves(p, RIGHT, SA_OUT), 1);
	child_delete(child_at(p, LEFT), ERR_REPLACED);
	pair_act(p, LEFT);
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_CHILD_REKEYED), 2);
	ck_assert_uint_eq(halves(p, RIGHT, SA_IN), 3); /* the old one lingers */
	ck_assert_uint_eq(halves(p, RIGHT, SA_OUT), 2);
	ck_assert_uint_eq(p->end[RIGHT].sends_by, 0x12345679);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_CHILD_DOWN), 0);
	pair_free(p);
}
END_TEST

/* It has it, for a minute is enough for any worker. */
START_TEST(what_the_peer_neither_uses_nor_deletes_counts_after_a_minute)
{
	struct pair *p = with_child();
	uint32_t old = child_at(p, RIGHT)->spi_out;

	pair_has_rekeyed(p);
	ask_by_hand(p, 0x12345678, "0123456789abcdef");
	pair_run(p, 55 * NS_PER_S);
	ck_assert_uint_eq(halves(p, RIGHT, SA_OUT), 1);
	ck_assert_uint_eq(p->end[RIGHT].sends_by, old);
	pair_run(p, 10 * NS_PER_S);
	ck_assert_uint_eq(p->end[RIGHT].sends_by, 0x12345678);
	pair_free(p);
}
END_TEST

/* While both ends have the old pair. */
static const struct {
	enum side side;
	size_t nth; /* of its installs */
} refusals[] = { { RIGHT, 1 }, { LEFT, 1 }, { LEFT, 2 } };
enum { N_REFUSALS = sizeof(refusals) / sizeof(refusals[0]) };

START_TEST(a_refusal_of_a_plane_leaves_the_old_pair)
{
	struct pair *p = with_child();
	enum side s = refusals[_i].side;

	p->end[s].fail_install = p->end[s].n_installs + refusals[_i].nth;
	want(p, LEFT);
	pair_run(p, NS_PER_S / 2);
	ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_REKEY_FAILED), 1);
	ck_assert_uint_ge(halves(p, LEFT, SA_OUT), 1);
	ck_assert_uint_ge(halves(p, RIGHT, SA_OUT), 1);
	pair_run(p, 60 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_REKEYED), 1);
	ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_DOWN), 0);
	pair_free(p);
}
END_TEST

/* The peer has less by now, or thinks so: who uses what it leaves out would be cut off (2.9.2). The
 * pair that carries it stays, and the next try is as good as any. */
START_TEST(new_keys_take_nothing_away_that_is_in_use)
{
	struct pair *p = with_child();
	struct conf_child *right = &p->end[RIGHT].conf->connections[0].children[0];
	struct ts *cut = _i == 0 ? &right->local.v[0] : &right->remote.v[0];
	const struct ts whole = *cut;
	const uint32_t spi = child_at(p, LEFT)->spi_out;

	cut->hi = cut->lo;
	want(p, LEFT);
	pair_run(p, NS_PER_S / 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_REKEY_FAILED), 1);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REKEY_FAILED)->err, ERR_TS);
	*cut = whole;
	ck_assert_uint_eq(halves(p, LEFT, SA_OUT), 1);
	ck_assert_uint_eq(child_at(p, LEFT)->spi_out, spi);
	ck_assert_uint_eq(p->end[RIGHT].sends_by, child_at(p, LEFT)->spi_in);
	pair_run(p, 30 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_ne(child_at(p, LEFT)->spi_out, spi);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 0);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_CHILD_DOWN), 0);
	pair_free(p);
}
END_TEST

/* ---- when ---- */

START_TEST(new_keys_come_before_the_lifetime_is_over)
{
	struct pair *p = with_child();
	const struct child_rekey *ours = &child_at(p, LEFT)->rekey;
	const struct child_rekey *theirs = &child_at(p, RIGHT)->rekey;
	mono_ns life = child_at(p, LEFT)->conf->lifetime;

	ck_assert_uint_eq(life, 3600 * NS_PER_S);
	pair_has_rekeyed(p);
	ck_assert(ours->hard - ours->soft >= life / 10 && ours->hard - ours->soft <= life / 5);
	ck_assert(theirs->hard - theirs->soft >= life / 50);
	/* Who made it begins first. */
	ck_assert(ours->soft < theirs->soft);
	pair_run(p, life);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_REKEYED), 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 0);
	pair_run(p, 10 * life);
	pair_expect_children(p, 1);
	ck_assert_uint_ge(pair_count(p, RIGHT, IKE_NOTE_CHILD_REKEYED), 10);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_CHILD_DOWN), 0);
	pair_free(p);
}
END_TEST

/* The first child's group is seen to be common to both, or not, while somebody looks; once. */
START_TEST(the_first_child_of_a_connection_is_rekeyed_early)
{
	struct pair *p = with_child();

	pair_run(p, 31 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_REKEYED), 1);
	ck_assert_ptr_nonnull(child_at(p, LEFT)->suite.ke);
	pair_run(p, 1000 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_REKEYED), 1);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

static const char *with_limits(enum side s, char text[static 4096])
{
	const char *was = pair_psk(s, ""), *at = strstr(was, "child ");

	at = at ? strchr(at, '\n') : NULL;
	ck_assert_ptr_nonnull(at);
	snprintf(text, 4096, "%.*s\nlife_bytes = 1000000\nlife_packets = 10000%s", (int)(at - was),
		 was, at);
	return text;
}

/* What was drawn so far, in thousandths of the limit. */
struct drawn {
	uint64_t least, most;
};

static void draw(struct drawn *d, uint64_t soft, uint64_t limit)
{
	uint64_t part = soft * 1000 / limit;

	d->least = part < d->least ? part : d->least;
	d->most = part > d->most ? part : d->most;
}

/* Else all children of a gateway would have new keys at once. By either plane; who made it is
 * earlier. */
START_TEST(new_keys_by_bytes_and_packets_are_due_at_a_time_that_is_drawn)
{
	const struct plane_caps kernel[2] = { pair_kernel(), { .v4 = false } };
	char text[2][4096];
	const char *const texts[2] = { with_limits(LEFT, text[LEFT]),
				       with_limits(RIGHT, text[RIGHT]) };
	struct pair *p = pair_new_on(texts, kernel);
	struct drawn bytes[2] = { { 1000, 0 }, { 1000, 0 } },
		     packets[2] = { { 1000, 0 }, { 1000, 0 } };

	pair_up(p, LEFT, "site");
	for (int i = 0; i < 20; i++) {
		pair_run(p, 10 * NS_PER_S);
		pair_expect_children(p, 1);
		for (enum side s = LEFT; s <= RIGHT; s++) {
			const struct sa_desc *sa = &p->end[s].sas[0];

			ck_assert_int_eq(sa->plane, s == LEFT ? PLANE_KERNEL : PLANE_USER);
			ck_assert_uint_eq(sa->byte_limit, 1000000);
			ck_assert_uint_eq(sa->packet_limit, 10000);
			draw(&bytes[s], sa->byte_soft, sa->byte_limit);
			draw(&packets[s], sa->packet_soft, sa->packet_limit);
		}
		rekey_want(pair_sa(p, LEFT)->children);
		pair_act(p, LEFT);
	}
	for (enum side s = LEFT; s <= RIGHT; s++) {
		const uint64_t least = s == LEFT ? 800 : 900;

		ck_assert(bytes[s].least >= least && bytes[s].most <= least + 60);
		ck_assert(bytes[s].most - bytes[s].least > 20);
		ck_assert(packets[s].least >= least && packets[s].most <= least + 60);
		ck_assert(packets[s].most - packets[s].least > 20);
	}
	pair_free(p);
}
END_TEST

UNIT("ike/engine-rekey")
{
	tcase_add_test(tc, the_responder_sends_on_the_old_pair_until_it_is_deleted);
	tcase_add_test(tc, the_delete_moves_what_is_sent_at_once);
	tcase_add_test(tc, a_packet_by_the_new_pair_moves_what_the_responder_sends);
	tcase_add_test(tc, a_child_that_the_peer_does_not_know_is_made_anew_at_once);
	tcase_add_test(tc, one_that_is_being_deleted_is_not_rekeyed);
	tcase_add_test(tc, one_that_is_put_off_is_tried_again_soon);
	tcase_add_test(tc, one_that_is_not_there_yet_is_not_unknown);
	tcase_add_test(tc, a_peer_may_rekey_the_same_child_twice);
	tcase_add_test(tc, what_the_peer_neither_uses_nor_deletes_counts_after_a_minute);
	tcase_add_loop_test(tc, a_refusal_of_a_plane_leaves_the_old_pair, 0, N_REFUSALS);
	tcase_add_loop_test(tc, new_keys_take_nothing_away_that_is_in_use, 0, 2);
	tcase_add_test(tc, the_first_child_of_a_connection_is_rekeyed_early);
	tcase_add_test(tc, new_keys_come_before_the_lifetime_is_over);
	tcase_add_test(tc, new_keys_by_bytes_and_packets_are_due_at_a_time_that_is_drawn);
}
