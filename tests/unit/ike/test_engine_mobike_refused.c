/* SPDX-License-Identifier: Apache-2.0 */
/* Ways that the peer refuses (RFC 4555 3.5) beside one on which nobody answers. */
#include "ike/core.h"
#include "ike/life.h"
#include "tests/unit/ike/roam.h"
#include "tests/unit/unit.h"

/* LEFT asks whether RIGHT lives. */
static void question(struct pair *p)
{
	struct ike_sa *sa = pair_sa(p, LEFT);

	sa->alive_wanted = true;
	sa_settle(sa);
	pair_act(p, LEFT);
}

/* Nobody answers where LEFT was any more, and the other way is refused, again and again: that is an
 * answer, but packets find no way. LEFT does not go to and fro; the peer is lost as ever. */
START_TEST(a_refused_way_does_not_keep_a_silent_one_alive)
{
	static const char *const both[] = { ROAM_NOWHERE, "192.0.2.1" };
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);

	roam_has(p, LEFT, both, 2);
	pair_drain(p);
	w.dead = roam_address("192.0.2.1");
	for (int i = 0; i < 30 && pair_count(p, LEFT, IKE_NOTE_DOWN) == 0; i++) {
		question(p);
		pair_run(p, 2 * NS_PER_S);
	}
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), 1);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_DOWN)->err, ERR_PEER_LOST);
	ck_assert_uint_le(pair_count(p, LEFT, IKE_NOTE_MOVED), 6);
	pair_free(p);
}
END_TEST

/* ... and as long as it is answered there from time to time, the other way is tried each time. */
START_TEST(a_refused_way_is_tried_again_after_an_answer)
{
	static const char *const both[] = { ROAM_NOWHERE, "192.0.2.1" };
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin(&w);

	roam_has(p, LEFT, both, 2);
	pair_drain(p);
	for (int i = 0; i < 8; i++) {
		size_t was = pair_count(p, LEFT, IKE_NOTE_MOVED);

		question(p);
		pair_run(p, 10 * NS_PER_S);
		w.dead = roam_address("192.0.2.1");
		question(p);
		pair_run(p, 6 * NS_PER_S);
		ck_assert_uint_gt(pair_count(p, LEFT, IKE_NOTE_MOVED), was);
		w.dead = (struct addr){ .family = AF_UNSPEC };
		pair_run(p, 10 * NS_PER_S);
	}
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), 0);
	roam_expect_left_at(p, "192.0.2.1");
	pair_free(p);
}
END_TEST

/* RIGHT is silent where it was, refuses what comes to its second address, and takes the third. */
static bool second_refuses(struct pair *p, struct datagram *d)
{
	const struct addr first = roam_address("198.51.100.2"),
			  second = roam_address(ROAM_ELSEWHERE);
	const struct addr nowhere = roam_address(ROAM_NOWHERE), own = roam_address("192.0.2.1");
	struct path *path = &d->path;

	(void)p;
	if (addr_eq(&path->local.addr, &first) || addr_eq(&path->remote.addr, &first))
		return false;
	if (d->to == RIGHT && addr_eq(&path->local.addr, &second))
		path->remote.addr = nowhere;
	if (d->to == LEFT && addr_eq(&path->local.addr, &nowhere))
		path->local.addr = own;
	return true;
}

START_TEST(behind_a_refused_way_comes_the_next_one)
{
	struct roam w = { .ports = { 0 } };
	struct pair *p = roam_begin_with(&w, roam_conf(LEFT, ""), roam_conf(RIGHT, ""));

	p->filter = second_refuses;
	question(p);
	for (int i = 0; i < 4; i++) {
		pair_run(p, 5 * NS_PER_S);
		question(p);
	}
	pair_run(p, 10 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), 0);
	ck_assert_str_eq(addr_text(&pair_sa(p, LEFT)->path.remote.addr, (char[ADDR_TEXT_MAX]){ 0 }),
			 ROAM_BEYOND);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-mobike-refused")
{
	tcase_add_test(tc, a_refused_way_does_not_keep_a_silent_one_alive);
	tcase_add_test(tc, a_refused_way_is_tried_again_after_an_answer);
	tcase_add_test(tc, behind_a_refused_way_comes_the_next_one);
}
