/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: a field that is added to what is written down must be written down, too, or be named
 * here. One that hides between two others, where there were bytes for their alignment, is not found
 * by counting, but by its name (tests/lint). */
#include <stdlib.h>

#include "ike/auth.h"
#include "ike/beside.h"
#include "ike/connection.h"
#include "ike/snapshot_parts.h"
#include "tests/unit/unit.h"

static const size_t kind_sizes[] = {
	[FIELD_BOOL] = sizeof(bool),
	[FIELD_U8] = 1,
	[FIELD_U16] = 2,
	[FIELD_U32] = 4,
	[FIELD_U64] = 8,
	[FIELD_ENUM] = sizeof(unsigned int),
	[FIELD_PAST] = sizeof(mono_ns),
	[FIELD_WHEN] = sizeof(mono_ns),
	[FIELD_ADDR] = sizeof(struct addr),
	[FIELD_ENDPOINT] = sizeof(struct endpoint),
	[FIELD_PATH] = sizeof(struct path),
	[FIELD_KEY] = sizeof(struct key),
	[FIELD_LOW] = sizeof(struct low_nonce),
	[FIELD_SUITE] = sizeof(struct suite),
	[FIELD_GROUP] = sizeof(const struct ke_group *),
	[FIELD_PACKETS] = sizeof(struct packets),
	[FIELD_SELECTORS] = sizeof(struct ts_list),
};

struct gap {
	size_t at;
	size_t len;
};
#define GAP(type, name)                                            \
	{                                                          \
		offsetof(type, name), sizeof(((type *)NULL)->name) \
	}
#define SA(name)	 GAP(struct ike_sa, name)
#define CHILD(name)	 GAP(struct child_sa, name)
#define CREATE(name)	 GAP(struct create, name)
#define HS(name)	 GAP(struct handshake, name)
#define TRY(name)	 GAP(struct init_try, name)
#define AUTH(name)	 GAP(struct auth, name)
#define CONN(name)	 GAP(struct conn, name)
#define CONN_CHILD(name) GAP(struct conn_child, name)

/* Not rows, and why not. */
static const struct gap sa_others[] = {
	/* hooks, which follow from the rest */
	SA(e),
	SA(by_spi),
	SA(by_init),
	SA(in_init),
	SA(timer),
	SA(conn),
	SA(next),
	SA(prev),
	SA(keep),
	SA(by_peer),
	SA(peer_next),
	SA(peer_entered),
	SA(peer_key),
	SA(own_spi),
	SA(init_key),
	/* of a responder's handshake, which begins anew */
	SA(counted),
	SA(counted_for),
	/* written with our handshake */
	SA(hs),
	SA(keys.pi),
	SA(keys.pr),
	/* the peer says it again */
	SA(window.busy),
	SA(fragments),
	SA(theirs),
	/* a plane is asked again */
	SA(looks_until),
	/* written otherwise */
	SA(peer),
	SA(qcd_hash),
	SA(beside),
	SA(children),
	SA(mine),
};
static const struct gap child_others[] = {
	CHILD(next),
	CHILD(sa),
	CHILD(conf),
	CHILD(ticket),
	CHILD(query_in),
	CHILD(query_out),
	CHILD(move_in),
	CHILD(move_out),
	CHILD(restored),
	/* a cache */
	CHILD(rekey.cover),
	/* the plane is asked again */
	CHILD(in),
	CHILD(out),
	CHILD(looked),
	CHILD(came),
};
static const struct gap create_others[] = {
	CREATE(sa),
	CREATE(ours),
	CREATE(ticket),
	CREATE(deal.child),
	CREATE(heir),
	CREATE(rival),
	/* it is in the request */
	CREATE(pub),
	/* of a responder */
	CREATE(deal.notify),
};
static const struct gap beside_others[] = { { 0, 0 } };
static const struct gap handshake_others[] = {
	/* hooks, and what follows from the rest */
	HS(n_tries),
	HS(max_tries),
	{ offsetof(struct handshake, tries), 0 },
	HS(chosen),
	HS(ni),
	HS(nr),
	HS(peer_ke),
	HS(keyed),
	HS(auth),
	/* of requests that are answered */
	HS(cookie),
	HS(cookie_len),
	HS(next_cookie),
	HS(next_cookie_len),
	HS(follow_at),
	HS(hint),
	HS(hinted),
	/* of our own proof, which is in the request */
	HS(rfc7427),
	HS(hashes),
	/* it is seen by the offer: auth.alone */
	HS(childless),
	/* of a responder */
	HS(request),
	{ offsetof(struct handshake, candidate), 0 },
	HS(proposal),
	HS(answered),
	/* other answers: they are not followed any more */
	HS(rivals),
	HS(restored),
	/* what a worker was asked is asked again, when the answer comes again */
	HS(wait),
	HS(ticket),
};
static const struct gap try_others[] = { { 0, 0 } };
static const struct gap auth_others[] = {
	/* the peer says it again */
	AUTH(kept),
	AUTH(m),
	AUTH(claimed),
	AUTH(peer_auth),
	AUTH(peer_id_body),
	AUTH(chain),
	AUTH(deal.chosen),
	/* in the request */
	AUTH(own_id),
	AUTH(own_id_len),
	AUTH(own_method),
	AUTH(own_auth),
	/* what follows from the rest */
	AUTH(written),
	AUTH(deal.ours),
	AUTH(deal.with_ke),
	AUTH(deal.fresh),
	AUTH(deal.replaces),
	/* written otherwise */
	AUTH(deal.child),
	/* of a responder */
	AUTH(refused),
	AUTH(deal.notify),
};
static const struct gap conn_others[] = {
	/* hooks, and what follows from the rest */
	CONN(timer),
	CONN(e),
	CONN(conf),
	CONN(sas),
	CONN(begun),
	CONN(wanted),
	CONN(keep),
	/* written otherwise */
	CONN(paths),
	CONN(n_paths),
	CONN(children),
	CONN(digest),
	/* of an attempt, which begins anew */
	CONN(resolving),
	CONN(path_at),
	CONN(another_path),
	CONN(next_try),
	CONN(redirect_to),
	/* it is looked at in any case */
	CONN(look_at),
	/* for people, who find it in the log */
	CONN(failure),
	CONN(failure_at),
};
static const struct gap conn_child_others[] = {
	/* written otherwise */
	CONN_CHILD(conf),
	CONN_CHILD(digest),
	CONN_CHILD(acquire.flow),
};

static void cover(bool *covered, size_t at, size_t len)
{
	for (size_t i = at; i < at + len; i++) {
		ck_assert_msg(!covered[i], "byte %zu is of two", i);
		covered[i] = true;
	}
}

/* `holes`: bytes between fields, for their alignment, as the compiler lays them out. */
static void expect_covered(struct fields f, const struct gap *others, size_t n_others, size_t size,
			   size_t holes)
{
	bool *covered = calloc(size, sizeof(bool));
	size_t n = 0;

	for (size_t i = 0; i < f.n; i++)
		cover(covered, f.v[i].at,
		      f.v[i].kind == FIELD_TEXT || f.v[i].kind == FIELD_BYTES
			      ? f.v[i].size
			      : kind_sizes[f.v[i].kind]);
	for (size_t i = 0; i < n_others; i++)
		cover(covered, others[i].at, others[i].len);
	for (size_t i = 0; i < size; i++)
		n += !covered[i];
	free(covered);
	ck_assert_msg(n == holes,
		      "%zu bytes are in no row, not %zu: a new field is to be written down, or to "
		      "be named here",
		      n, holes);
}

#define EXPECT_COVERED(rows, others, type, holes) \
	expect_covered(rows, others, sizeof(others) / sizeof((others)[0]), sizeof(type), holes)

START_TEST(every_field_is_written_or_named)
{
	EXPECT_COVERED(snapshot_rows_sa(), sa_others, struct ike_sa, 31);
	EXPECT_COVERED(snapshot_rows_child(), child_others, struct child_sa, 25);
	EXPECT_COVERED(snapshot_rows_create(), create_others, struct create, 38);
	EXPECT_COVERED(snapshot_rows_beside(), beside_others, struct beside, 10);
	EXPECT_COVERED(snapshot_rows_handshake(), handshake_others, struct handshake, 11);
	EXPECT_COVERED(snapshot_rows_try(), try_others, struct init_try, 0);
	EXPECT_COVERED(snapshot_rows_auth(), auth_others, struct auth, 20);
	EXPECT_COVERED(snapshot_rows_conn(), conn_others, struct conn, 14);
	EXPECT_COVERED(snapshot_rows_conn_child(), conn_child_others, struct conn_child, 15);
}
END_TEST

UNIT("ike/snapshot-rows")
{
	tcase_add_test(tc, every_field_is_written_or_named);
}
