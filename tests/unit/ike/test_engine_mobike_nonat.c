/* SPDX-License-Identifier: Apache-2.0 */
/* Where no NAT is allowed (RFC 4555 3.9): addresses that change, and packets that are changed. */
#include "ike/core.h"
#include "tests/unit/ike/roam.h"
#include "tests/unit/unit.h"

static struct pair *without_natt(struct roam *w)
{
	struct pair *p;

	*w = (struct roam){ .without_natt = true };
	p = roam_begin_with(w, pair_psk(LEFT, ""), roam_conf(RIGHT, ""));
	ck_assert(!pair_sa(p, LEFT)->mobike.natt && !pair_sa(p, RIGHT)->mobike.natt);
	return p;
}

START_TEST(without_nat_traversal_all_stays_at_port_500)
{
	struct roam w;
	struct pair *p = without_natt(&w);

	ck_assert_uint_eq(w.ports[1], 500);
	roam_go(p, LEFT, ROAM_ELSEWHERE);
	pair_drain(p);
	ck_assert_uint_eq(w.ports[1], 500);
	roam_expect_left_at(p, ROAM_ELSEWHERE);
	pair_free(p);
}
END_TEST

/* One packet that was changed on its way is no NAT: LEFT asks anew (0). Where all are changed it
 * stops (1), until it is where there is none. */
START_TEST(an_unexpected_nat_is_refused)
{
	struct roam w;
	struct pair *p = without_natt(&w);

	w.translated = roam_address("10.77.0.5");
	w.as = roam_address(ROAM_ELSEWHERE);
	roam_go(p, LEFT, _i == 0 ? ROAM_BEYOND : "10.77.0.5");
	if (_i == 0) {
		p->wire->path.remote.addr = w.as;
		roam_arrive(p, roam_take(p));
		ck_assert_uint_eq(p->end[RIGHT].n_moves, 0);
	}
	pair_drain(p);
	ck_assert_uint_eq(pair_sa(p, LEFT)->mobike.refusals, _i == 0 ? 0 : 5);
	ck_assert_uint_eq(p->end[RIGHT].n_moves, _i == 0 ? 2 : 0);
	if (_i == 1)
		roam_go(p, LEFT, ROAM_BEYOND);
	pair_drain(p);
	roam_expect_left_at(p, ROAM_BEYOND);
	pair_free(p);
}
END_TEST

/* LEFT keeps the address that was good beside the one behind the NAT: everything is back there. */
START_TEST(where_a_nat_is_refused_the_good_address_is_kept)
{
	static const char *const both[] = { "10.77.0.5", "192.0.2.1" };
	struct roam w;
	struct pair *p = without_natt(&w);

	w.translated = roam_address("10.77.0.5");
	w.as = roam_address(ROAM_ELSEWHERE);
	roam_has(p, LEFT, both, 2);
	pair_drain(p);
	ck_assert_uint_eq(pair_sa(p, LEFT)->mobike.refusals, MOBIKE_REFUSALS_MAX);
	roam_expect_left_at(p, "192.0.2.1");
	pair_free(p);
}
END_TEST

/* What was changed on its way says nothing of addresses; RIGHT says it once more. */
START_TEST(a_list_over_a_nat_is_refused)
{
	static const char *const both[] = { "198.51.100.2", "203.0.113.50" };
	struct roam w;
	struct pair *p = without_natt(&w);
	const struct mobike *mb = &pair_sa(p, LEFT)->mobike;

	roam_has(p, RIGHT, both, 2);
	p->wire->path.remote.addr = roam_address("203.0.113.51");
	roam_arrive(p, roam_take(p));
	ck_assert_uint_eq(mb->n_addrs, 1);
	ck_assert(mobike_peer_has(pair_sa(p, LEFT), &pair_sa(p, LEFT)->path.remote.addr));
	pair_drain(p);
	ck_assert_uint_eq(mb->n_addrs, 2);
	pair_free(p);
}
END_TEST

START_TEST(nobody_connects_through_an_unexpected_nat)
{
	struct roam w = { .without_natt = true };
	struct pair *p = roam_new(&w, pair_psk(LEFT, ""), roam_conf(RIGHT, ""));

	w.translated = roam_address("192.0.2.1");
	w.as = roam_address(ROAM_ELSEWHERE);
	pair_up(p, LEFT, "site");
	pair_drain(p);
	ck_assert_uint_eq(p->end[LEFT].n_sas + p->end[RIGHT].n_sas, 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_UP), 0);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-mobike-nonat")
{
	tcase_add_test(tc, without_nat_traversal_all_stays_at_port_500);
	tcase_add_loop_test(tc, an_unexpected_nat_is_refused, 0, 2);
	tcase_add_test(tc, where_a_nat_is_refused_the_good_address_is_kept);
	tcase_add_test(tc, a_list_over_a_nat_is_refused);
	tcase_add_test(tc, nobody_connects_through_an_unexpected_nat);
}
