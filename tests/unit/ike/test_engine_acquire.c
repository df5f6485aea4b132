/* SPDX-License-Identifier: Apache-2.0 */
/* A packet that wants a child: what is proposed for it, and what becomes of the kernel's question.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static const char *left(const char *start)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		 "me {\n identity = left.example.org\n}\n"
		 "connection site {\n address = 198.51.100.2\n identity = right.example.org\n"
		 " auth = psk\n psk_file = a.psk\n start = %s\n"
		 " child net {\n  local = 10.1.0.0/16\n  remote = 10.2.0.0/16\n }\n"
		 " child other {\n  local = 10.1.0.0/16\n  remote = 10.3.0.0/16\n }\n}\n",
		 start);
	return text;
}

/* Two children that a peer with 10.2.0.0/16 could mean, and one for `other`. */
static const char *right(const char *what)
{
	static char text[2048];

	snprintf(text, sizeof(text),
		 "me {\n identity = right.example.org\n}\n"
		 "connection site {\n address = 192.0.2.1\n identity = left.example.org\n"
		 " auth = psk\n psk_file = a.psk\n start = manual\n %s}\n",
		 what);
	return text;
}

static const char both[] = " child first {\n  local = 10.2.1.0/24\n  remote = 10.1.0.0/16\n }\n"
			   " child second {\n  local = 10.2.9.0/24\n  remote = 10.1.0.0/16\n }\n"
			   " child other {\n  local = 10.3.0.0/16\n  remote = 10.1.0.0/16\n }\n";
static const char neither[] = " child none {\n  local = 10.9.0.0/16\n  remote = 10.1.0.0/16\n }\n";

static struct pair *pair_of(const char *start, const char *there)
{
	const char *const text[2] = { left(start), right(there) };
	const struct plane_caps kernel[2] = { pair_kernel(), { .v4 = false } };

	return pair_new_on(text, kernel);
}

/* A packet of LEFT's child `i` to this address. */
static void ask(struct pair *p, size_t i, const char *dst, uint32_t number)
{
	struct plane_event pe = {
		.kind = PLANE_ACQUIRE,
		.reqid = p->end[LEFT].conf->connections[0].children[i].reqid,
		.acquire = number,
		.flow = { .proto = 17, .ports_known = true, .sport = 4711, .dport = 53 },
	};
	struct ike_event ev = { .kind = IKE_EV_PLANE,
				.from = number != 0 ? PLANE_KERNEL : PLANE_USER,
				.plane = &pe };

	ck_assert(addr_parse("10.1.0.7", &pe.flow.src));
	ck_assert(addr_parse(dst, &pe.flow.dst));
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
}

/* Without the packet's selector RIGHT takes the first child that fits. */
START_TEST(the_packets_selector_comes_first)
{
	static const char *const wanted[] = { "10.2.1.3", "10.2.9.3" };
	static const char *const child[] = { "first", "second" };
	struct pair *p = pair_of("traffic", both);

	ask(p, 0, wanted[_i], 7);
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert_str_eq(p->end[RIGHT].sas[0].child, child[_i]);
	ck_assert_str_eq(p->end[LEFT].sas[0].child, "net");
	ck_assert_uint_eq(p->end[LEFT].answered, 7);
	ck_assert_uint_eq(p->end[LEFT].n_forgets, 0);
	pair_free(p);
}
END_TEST

START_TEST(the_child_that_is_asked_for_is_the_one_that_comes)
{
	struct pair *p = pair_of("traffic", both);

	ask(p, 1, "10.3.0.1", 8);
	ask(p, 1, "10.3.0.2", 8);
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert_str_eq(p->end[LEFT].sas[0].child, "other");
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 1);
	ck_assert_uint_eq(p->end[LEFT].answered, 8);
	pair_free(p);
}
END_TEST

/* The kernel gives up after a while and asks anew: to forget the old number would forget the new
 * question as well, and the next packet would ask again, and so on. */
START_TEST(a_question_that_the_kernel_gave_up_is_not_forgotten_again)
{
	struct pair *p = pair_of("traffic", neither);

	ask(p, 0, "10.2.1.3", 9);
	ask(p, 0, "10.2.1.3", 10);
	ck_assert_uint_eq(p->end[LEFT].n_forgets, 0);
	pair_drain(p);
	ck_assert_uint_eq(p->end[LEFT].n_forgets, 1);
	ck_assert_uint_eq(p->end[LEFT].forgot, 10);
	pair_free(p);
}
END_TEST

START_TEST(a_failed_negotiation_lets_the_next_packet_ask)
{
	struct pair *p = pair_of("traffic", neither);

	ask(p, 0, "10.2.1.3", 9);
	pair_drain(p);
	pair_expect_children(p, 0);
	ck_assert_uint_eq(p->end[LEFT].forgot, 9);
	/* ... which does not call the peer again at once; the kernel keeps it meanwhile. */
	ask(p, 0, "10.2.1.3", 10);
	pair_drain(p);
	ck_assert_uint_eq(p->end[LEFT].n_forgets, 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 1);
	pair_run(p, 2 * NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].forgot, 10);
	ask(p, 0, "10.2.1.3", 11);
	pair_drain(p);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 2);
	pair_free(p);
}
END_TEST

struct lack {
	bool wanted, missed;
};

static void look_at_lack(void *ctx, const struct ike_view *v)
{
	struct lack *l = ctx;

	*l = (struct lack){ v->wanted || v->children[0].wanted, v->children[0].missed };
	ck_assert_int_eq(v->missed, v->children[0].missed);
	ck_assert(!v->children[1].wanted && !v->children[1].missed);
}

static struct lack lack_of(const struct pair *p)
{
	struct lack l = { false, false };

	ike_engine_views(p->end[LEFT].e, look_at_lack, &l);
	return l;
}

static bool drop_all(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return false;
}

/* Nothing tries it again but the next packet; it is missed all the same, and told by a status that
 * asks whether all is well. */
START_TEST(what_a_packet_wanted_and_did_not_get_is_missed_until_it_is_up)
{
	struct pair *p = pair_of("traffic", both);

	ck_assert(!lack_of(p).wanted && !lack_of(p).missed);
	p->filter = drop_all;
	ask(p, 0, "10.2.1.3", 9);
	pair_run(p, 60 * NS_PER_S);
	ck_assert(!lack_of(p).wanted && lack_of(p).missed);
	p->filter = NULL;
	ask(p, 0, "10.2.1.3", 10);
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert(lack_of(p).wanted && !lack_of(p).missed);
	p->filter = drop_all; /* and now it is lost */
	pair_run(p, 120 * NS_PER_S);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_DOWN)->err, ERR_PEER_LOST);
	ck_assert(!lack_of(p).wanted && lack_of(p).missed);
	pair_down(p, LEFT, "site");
	ck_assert(!lack_of(p).wanted && !lack_of(p).missed);
	pair_free(p);
}
END_TEST

START_TEST(what_the_peer_has_closed_is_not_missed)
{
	struct pair *p = pair_of("traffic", both);

	ask(p, 0, "10.2.1.3", 9);
	pair_drain(p);
	pair_expect_children(p, 1);
	pair_down(p, RIGHT, "site");
	pair_drain(p);
	pair_expect_children(p, 0);
	ck_assert(!lack_of(p).wanted && !lack_of(p).missed);
	pair_free(p);
}
END_TEST

START_TEST(a_child_that_the_peer_refuses_is_missed)
{
	struct pair *p = pair_of("traffic", neither);

	ask(p, 0, "10.2.1.3", 9);
	pair_drain(p);
	pair_expect_children(p, 0);
	ck_assert(!lack_of(p).wanted && lack_of(p).missed);
	pair_free(p);
}
END_TEST

/* The IKE SA is up: the second child comes over that, and a third one that nobody asks for does
 * not. */
START_TEST(a_packet_for_another_child_has_it_made_over_the_same_ike_sa)
{
	struct pair *p = pair_of("traffic", both);

	ask(p, 0, "10.2.1.3", 1);
	pair_drain(p);
	pair_expect_children(p, 1);
	ask(p, 1, "10.3.0.1", 2);
	pair_drain(p);
	pair_expect_children(p, 2);
	ck_assert_uint_eq(p->end[LEFT].answered, 2);
	ck_assert_uint_eq(p->end[LEFT].n_forgets, 0);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 1);
	pair_free(p);
}
END_TEST

/* Up, but not for this packet; not to be begun by traffic. */
START_TEST(what_is_not_to_be_is_forgotten_at_a_pace)
{
	struct pair *p = pair_of(_i == 1 ? "manual" : "traffic", both);

	if (_i == 0) {
		ask(p, 0, "10.2.1.3", 1);
		pair_drain(p);
		pair_expect_children(p, 1);
	}
	ask(p, 0, "10.2.77.1", 2);
	pair_drain(p);
	ck_assert_uint_eq(p->end[LEFT].n_forgets, 0);
	pair_run(p, 1100 * NS_PER_MS);
	ck_assert_uint_eq(p->end[LEFT].n_forgets, 1);
	ck_assert_uint_eq(p->end[LEFT].forgot, 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), _i == 0);
	pair_free(p);
}
END_TEST

/* `always` is on its way by itself: the packet waits for that. */
START_TEST(a_packet_joins_the_attempt_that_is_under_way)
{
	struct pair *p = pair_of("always", both);

	ask(p, 0, "10.2.9.3", 5);
	pair_drain(p);
	pair_expect_children(p, 2);
	ck_assert_uint_eq(p->end[LEFT].answered, 5);
	ck_assert_str_eq(p->end[RIGHT].sas[0].child, "second");
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 1);
	pair_free(p);
}
END_TEST

START_TEST(down_lets_go_of_the_packet)
{
	struct pair *p = pair_of("traffic", both);

	p->end[LEFT].hold_names = true;
	ask(p, 0, "10.2.1.3", 3);
	pair_down(p, LEFT, "site");
	ck_assert_uint_eq(p->end[LEFT].forgot, 3);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-acquire")
{
	tcase_add_test(tc, what_a_packet_wanted_and_did_not_get_is_missed_until_it_is_up);
	tcase_add_test(tc, what_the_peer_has_closed_is_not_missed);
	tcase_add_test(tc, a_child_that_the_peer_refuses_is_missed);
	tcase_add_loop_test(tc, the_packets_selector_comes_first, 0, 2);
	tcase_add_test(tc, the_child_that_is_asked_for_is_the_one_that_comes);
	tcase_add_test(tc, a_question_that_the_kernel_gave_up_is_not_forgotten_again);
	tcase_add_test(tc, a_failed_negotiation_lets_the_next_packet_ask);
	tcase_add_loop_test(tc, what_is_not_to_be_is_forgotten_at_a_pace, 0, 2);
	tcase_add_test(tc, a_packet_for_another_child_has_it_made_over_the_same_ike_sa);
	tcase_add_test(tc, a_packet_joins_the_attempt_that_is_under_way);
	tcase_add_test(tc, down_lets_go_of_the_packet);
}
