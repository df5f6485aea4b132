/* SPDX-License-Identifier: Apache-2.0 */
/* The plane is told of an SPI before the peer is: the peer may send by it before its answer has
 * been worked on here (RFC 7296 2.8). */
#include "ike/child.h"
#include "ike/rekey.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

/* What LEFT's plane expects when its first datagram leaves that this test sees. */
static bool see_expected(struct pair *p, struct datagram *d)
{
	uint32_t *expected = p->ctx;

	if (d->to == RIGHT && *expected == 0)
		*expected = p->end[LEFT].expected;
	return true;
}

START_TEST(the_plane_expects_what_the_peer_is_asked_for)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	uint32_t first, expected = 0;

	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	first = pair_sa(p, LEFT)->children->spi_in;
	ck_assert_uint_eq(p->end[LEFT].n_expects, 1); /* with IKE_AUTH */
	ck_assert_uint_eq(p->end[LEFT].expected, first);
	p->filter = see_expected;
	p->ctx = &expected;
	rekey_want(pair_sa(p, LEFT)->children);
	pair_act(p, LEFT);
	pair_run(p, 10 * NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].n_expects, 2);
	ck_assert_uint_ne(expected, first);
	ck_assert_uint_eq(expected, pair_sa(p, LEFT)->children->spi_in);
	/* Who is asked has its inbound half before it answers. */
	ck_assert_uint_eq(p->end[RIGHT].n_expects, 0);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-expect")
{
	tcase_add_test(tc, the_plane_expects_what_the_peer_is_asked_for);
}
