/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that takes one pair of addresses at a time (SINGLE_PAIR_REQUIRED, RFC 7296 2.9). RIGHT's
 * plane refuses what it shall not take, and on the way the error of its answer becomes that. */
#include <string.h>

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/protect.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

/* Every error of RIGHT is this one; and it refuses so many more. */
static bool wants_pairs(struct pair *p, struct datagram *d)
{
	static uint8_t plain[65536];
	struct wr w = wr_into(plain, sizeof(plain));
	struct sk_keys keys;
	struct message m, inside;
	struct pl_notify n;
	struct inner in;
	size_t *more = p->ctx;

	if (d->to != LEFT || !pair_sa(p, LEFT) ||
	    message_decode(span_of(d->bytes, d->len), &m) != OK || m.h.exchange == X_IKE_SA_INIT)
		return true;
	keys = sa_keys_in(pair_sa(p, LEFT));
	ck_assert_int_eq(protect_open(&keys, &m, &w, &in), OK);
	ck_assert_int_eq(message_decode_inner(&m.h, &in, &inside), OK);
	for (const struct payload *pl = message_find(&inside, PL_NOTIFY); pl;
	     pl = message_next(&inside, pl)) {
		if (pl_notify_decode(pl->body, &n) != OK || n.type >= NOTIFY_STATUS_FIRST)
			continue;
		plain[pl->body.p + 2 - plain] = 0;
		plain[pl->body.p + 3 - plain] = NOTIFY_SINGLE_PAIR_REQUIRED;
		if (more && *more > 0) {
			p->end[RIGHT].fail_install = p->end[RIGHT].n_installs + 1;
			--*more;
		}
	}
	keys.next_iv = (UINT64_C(1) << 40) + p->n_sent;
	w = wr_into(d->bytes, d->len);
	ck_assert_int_eq(protect_seal(&keys, &m.h, &in, &w), OK);
	return true;
}

static struct pair *pair_of(const char *more)
{
	struct pair *p = pair_new(pair_psk(LEFT, more), pair_psk(RIGHT, ""));

	p->filter = wants_pairs;
	return p;
}

/* `number` 0: of userspace; else the kernel's question. */
static void ask_for(struct pair *p, const char *src, const char *dst, uint32_t number)
{
	struct plane_event pe = {
		.kind = PLANE_ACQUIRE,
		.reqid = p->end[LEFT].conf->connections[0].children[0].reqid,
		.acquire = number,
		.flow = { .proto = 17, .ports_known = true, .sport = 4711, .dport = 53 },
	};
	struct ike_event ev = { .kind = IKE_EV_PLANE,
				.from = number != 0 ? PLANE_KERNEL : PLANE_USER,
				.plane = &pe };

	ck_assert(addr_parse(src, &pe.flow.src));
	ck_assert(addr_parse(dst, &pe.flow.dst));
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	pair_run(p, NS_PER_S);
}

static void ask(struct pair *p, const char *src, const char *dst)
{
	ask_for(p, src, dst, 0);
}

static const char *const more[] = { "start = traffic", "start = traffic\n childless = yes" };

/* The first child fails with IKE_AUTH, or by itself. */
START_TEST(the_packet_that_waits_gets_its_pair)
{
	struct pair *p = pair_of(more[_i]);

	p->end[RIGHT].fail_install = 1;
	ask(p, "10.1.0.7", "10.2.0.9");
	pair_expect_children(p, 1);
	ck_assert_str_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_UP)->text, "10.1.0.7/32 = 10.2.0.9/32");
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	pair_free(p);
}
END_TEST

START_TEST(every_other_pair_gets_one_when_a_packet_wants_it)
{
	struct pair *p = pair_of(more[_i]);

	p->end[RIGHT].fail_install = 1;
	ask(p, "10.1.0.7", "10.2.0.9");
	ask(p, "10.1.0.7", "10.2.0.9"); /* carried */
	pair_expect_children(p, 1);
	ask(p, "10.1.0.8", "10.2.0.9");
	pair_expect_children(p, 2);
	ck_assert_str_eq(pair_note(p, RIGHT, IKE_NOTE_CHILD_UP)->text, "10.2.0.9/32 = 10.1.0.8/32");
	ask(p, "10.1.0.7", "10.2.0.10");
	pair_expect_children(p, 3);
	ask(p, "10.9.9.9", "10.2.0.10"); /* of no selector: the configuration is the bound */
	pair_expect_children(p, 3);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 0);
	pair_free(p);
}
END_TEST

/* The kernel keeps a question for each, and each gets its end. */
START_TEST(the_kernels_questions_are_answered_pair_by_pair)
{
	const char *const text[2] = { pair_psk(LEFT, "start = traffic"), pair_psk(RIGHT, "") };
	const struct plane_caps kernel[2] = { pair_kernel(), { .v4 = false } };
	struct pair *p = pair_new_on(text, kernel);

	p->filter = wants_pairs;
	p->end[RIGHT].fail_install = 1;
	ask_for(p, "10.1.0.7", "10.2.0.9", 7);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(p->end[LEFT].answered, 7);
	ask_for(p, "10.1.0.8", "10.2.0.9", 8);
	pair_expect_children(p, 2);
	ck_assert_uint_eq(p->end[LEFT].answered, 8);
	ck_assert_uint_eq(p->end[LEFT].n_forgets, 0);
	/* One that is carried by now: whoever asks so was too early, and shall ask again. */
	ask_for(p, "10.1.0.8", "10.2.0.9", 9);
	pair_run(p, 2 * NS_PER_S);
	pair_expect_children(p, 2);
	ck_assert_uint_eq(p->end[LEFT].forgot, 9);
	pair_free(p);
}
END_TEST

/* Two packets at once: one after the other, as they ask again. */
START_TEST(pairs_come_one_after_the_other)
{
	struct pair *p = pair_of(more[_i]);

	p->end[RIGHT].fail_install = 1;
	ask(p, "10.1.0.7", "10.2.0.9");
	p->end[LEFT].hold_sas = true; /* its inbound half is on its way */
	ask(p, "10.1.0.8", "10.2.0.9");
	ask(p, "10.1.0.8", "10.2.0.10");
	ck_assert_uint_eq(p->end[LEFT].n_unheard_installs, 1);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 4);
	pair_run(p, 60 * NS_PER_S);
	p->end[LEFT].hold_sas = false;
	pair_free(p);
}
END_TEST

START_TEST(a_pair_is_rekeyed_as_a_pair)
{
	struct pair *p = pair_of("start = traffic");
	struct plane_event pe = { .kind = PLANE_EXPIRE, .soft = true, .dir = SA_OUT };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .from = PLANE_USER, .plane = &pe };

	p->end[RIGHT].fail_install = 1;
	ask(p, "10.1.0.7", "10.2.0.9");
	pe.spi = pair_sa(p, LEFT)->children->spi_out;
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_REKEYED), 1);
	for (size_t i = 0; i < 2; i++) {
		const struct sa_desc *sa = &p->end[RIGHT].sas[i];

		ck_assert(addr_eq(&sa->local.v[0].lo, &sa->local.v[0].hi));
		ck_assert(addr_eq(&sa->remote.v[0].lo, &sa->remote.v[0].hi));
	}
	pair_free(p);
}
END_TEST

/* Of its 64 places none is taken for ever by a packet that came once. */
START_TEST(a_pair_that_nobody_uses_goes_instead_of_being_rekeyed)
{
	struct pair *p = pair_of("start = traffic");
	bool used = _i == 1;

	p->end[LEFT].conf->connections[0].children[0].lifetime = 600 * NS_PER_S;
	p->end[RIGHT].fail_install = 1;
	p->end[LEFT].packets = p->end[RIGHT].packets = used;
	ask(p, "10.1.0.7", "10.2.0.9");
	ask(p, "10.1.0.7", "10.2.0.10");
	pair_expect_children(p, 2);
	pair_run(p, 30 * 60 * NS_PER_S);
	pair_expect_children(p, used ? 2 : 0);
	ask(p, "10.1.0.7", "10.2.0.11");
	pair_expect_children(p, used ? 3 : 1);
	pair_free(p);
}
END_TEST

/* Else it would be offered whole again and again, and refused. */
START_TEST(the_last_pair_stays_where_not_packets_alone_begin_it)
{
	const struct sa_desc *kept;
	struct pair *p = pair_of("start = always\n liveness = 1000s");

	p->end[LEFT].conf->connections[0].children[0].lifetime = 600 * NS_PER_S;
	p->end[RIGHT].fail_install = 1;
	pair_drain(p);
	ask(p, "10.1.0.7", "10.2.0.9");
	ask(p, "10.1.0.7", "10.2.0.10");
	pair_expect_children(p, 2);
	pair_run(p, 30 * 60 * NS_PER_S);
	pair_expect_children(p, 1);
	kept = &p->end[RIGHT].sas[0];
	ck_assert(addr_eq(&kept->local.v[0].lo, &kept->local.v[0].hi));
	pair_free(p);
}
END_TEST

/* A peer that refuses the pair, too: told once, and not asked for each packet. */
START_TEST(a_refused_pair_is_a_refusal)
{
	struct pair *p = pair_of(more[_i]);
	size_t once = 1, sent;

	p->ctx = &once;
	p->end[RIGHT].fail_install = 1;
	ask(p, "10.1.0.7", "10.2.0.9");
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 1);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED)->err, ERR_PEER_TS);
	ck_assert_ptr_nonnull(strstr(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED)->fix, "is one"));
	sent = p->n_sent;
	ask(p, "10.1.0.7", "10.2.0.9");
	ask(p, "10.1.0.7", "10.2.0.9");
	ck_assert_uint_le(p->n_sent - sent, 4);
	pair_free(p);
}
END_TEST

/* A device of the child's own takes any packet; one that is not configured asks for nothing. */
START_TEST(a_packet_of_no_selector_asks_for_nothing)
{
	struct pair *p = pair_of("start = traffic");
	const struct acquire *a = &p->end[LEFT].e->conns[0]->children[0].acquire;
	struct addr waits;

	ask(p, "10.9.9.9", "10.2.0.9");
	ask(p, "10.1.0.7", "10.9.9.9");
	ck_assert_uint_eq(p->n_sent, 0);
	/* ... nor instead of one that waits. */
	p->end[LEFT].hold_names = true;
	ask(p, "10.1.0.7", "10.2.0.9");
	ask(p, "10.9.9.9", "10.2.0.9");
	ck_assert(addr_parse("10.1.0.7", &waits));
	ck_assert(a->waits);
	ck_assert(addr_eq(&a->flow.src, &waits));
	pair_free(p);
}
END_TEST

/* However it came to wait, say by a reload: an offer that would be no pair is made once, and then
 * at the pace of what is refused. */
START_TEST(what_makes_no_pair_is_not_offered_again_at_once)
{
	struct pair *p = pair_of("start = always\n liveness = 1000s");
	struct acquire *a = &p->end[LEFT].e->conns[0]->children[0].acquire;
	size_t many = SIZE_MAX;

	p->ctx = &many;
	p->end[RIGHT].fail_install = 1;
	a->there = a->waits = true;
	a->forget_at = p->now + 1000 * NS_PER_S;
	ck_assert(addr_parse("10.9.9.9", &a->flow.src));
	ck_assert(addr_parse("10.2.0.9", &a->flow.dst));
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 1);
	ck_assert_uint_le(p->n_sent, 8);
	pair_free(p);
}
END_TEST

/* By a command, without a packet: that is told, and a packet then has its pair at once. */
START_TEST(without_a_packet_it_is_told_and_a_packet_helps)
{
	struct pair *p = pair_of("start = always\n liveness = 1000s");

	p->end[RIGHT].fail_install = 1;
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 1);
	ck_assert_ptr_nonnull(strstr(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED)->fix, "at a time"));
	ask(p, "10.1.0.7", "10.2.0.9");
	pair_expect_children(p, 1);
	ck_assert_str_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_UP)->text, "10.1.0.7/32 = 10.2.0.9/32");
	pair_free(p);
}
END_TEST

UNIT("ike/engine-pairs")
{
	tcase_add_loop_test(tc, the_packet_that_waits_gets_its_pair, 0, 2);
	tcase_add_loop_test(tc, every_other_pair_gets_one_when_a_packet_wants_it, 0, 2);
	tcase_add_test(tc, the_kernels_questions_are_answered_pair_by_pair);
	tcase_add_loop_test(tc, pairs_come_one_after_the_other, 0, 2);
	tcase_add_test(tc, a_pair_is_rekeyed_as_a_pair);
	tcase_add_loop_test(tc, a_pair_that_nobody_uses_goes_instead_of_being_rekeyed, 0, 2);
	tcase_add_test(tc, the_last_pair_stays_where_not_packets_alone_begin_it);
	tcase_add_loop_test(tc, a_refused_pair_is_a_refusal, 0, 2);
	tcase_add_test(tc, a_packet_of_no_selector_asks_for_nothing);
	tcase_add_test(tc, what_makes_no_pair_is_not_offered_again_at_once);
	tcase_add_test(tc, without_a_packet_it_is_told_and_a_packet_helps);
}
