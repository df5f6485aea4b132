/* SPDX-License-Identifier: Apache-2.0 */
/* SAs by proved peer, in every order of coming and going. */
#include <stdlib.h>
#include <string.h>

#include "ike/connection.h"
#include "ike/core.h"
#include "ike/peer.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

enum { N = 12 };

static const char *const who[] = { "a.example.org", "b.example.org", "A.example.ORG" };

static struct ike_sa *enter(struct pair *p, const char *name)
{
	struct ike_engine *e = p->end[RIGHT].e;
	struct path path = pair_path(p, LEFT);
	struct ike_sa *sa;

	ck_assert_int_eq(sa_new(e, false, &path, &sa), OK);
	conn_add_sa(e->conns[0], sa);
	sa->peer = malloc(sizeof(*sa->peer));
	ck_assert_ptr_nonnull(sa->peer);
	ck_assert_int_eq(identity_parse(sa->peer, name), OK);
	peer_enter(sa);
	return sa;
}

/* How many SAs the table has of the peer of sa; sa itself must be among them. */
static size_t count(const struct ike_sa *sa)
{
	size_t n = 0;
	bool found = false;

	for (const struct ike_sa *s = peer_first(sa); s; s = s->peer_next) {
		ck_assert(identity_eq(s->peer, sa->peer));
		found = found || s == sa;
		n++;
	}
	ck_assert(found);
	return n;
}

START_TEST(every_sa_is_found_with_its_twins_and_no_others)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct ike_sa *sa[N];

	for (size_t i = 0; i < N; i++)
		sa[i] = enter(p, who[i % 3]);
	ck_assert_uint_eq(count(sa[0]), 8); /* two spellings, one name */
	ck_assert_uint_eq(count(sa[1]), 4);
	/* They go in another order each time: i * step is a permutation of 0..12. */
	for (size_t i = 0, left = 8; i < N + 1; i++) {
		size_t k = i * ((size_t)_i + 1) % (N + 1);

		if (k == N)
			continue;
		if (k % 3 != 1)
			ck_assert_uint_eq(count(sa[k]), left--);
		sa_free(sa[k]);
		sa[k] = NULL;
	}
	ck_assert_uint_eq(p->end[RIGHT].e->by_peer.n, 0);
	pair_free(p);
}
END_TEST

UNIT("ike/peer")
{
	tcase_add_loop_test(tc, every_sa_is_found_with_its_twins_and_no_others, 0, N);
}
