/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two IKE SAs stays: see duplicate.h. */
#include "ike/duplicate.h"

#include "ike/connection.h"
#include "ike/life.h"
#include "ike/peer.h"

/* Made from both ends, the later one begun before the earlier one was up. */
static bool crossed(const struct ike_sa *a, const struct ike_sa *b)
{
	const struct ike_sa *later = a->up_at > b->up_at ? a : b;
	const struct ike_sa *earlier = later == a ? b : a;

	return a->initiator != b->initiator && later->born_at < earlier->up_at;
}

/* Another one that is up, with the very same identity. */
static bool is_other(const struct ike_sa *sa, const struct ike_sa *other)
{
	return other != sa && other->state == S_UP && other->conn == sa->conn &&
	       identity_eq(sa->peer, other->peer);
}

void duplicate_settle(struct ike_sa *sa)
{
	for (struct ike_sa *other = peer_first(sa); other; other = other->peer_next) {
		struct ike_sa *loser = sa->spi_i < other->spi_i ? other : sa;

		if (!is_other(sa, other) || !crossed(sa, other))
			continue;
		/* Not at once: the caller still works on one of them. Its next tick sends the
		 * Delete. */
		loser->redundant = true;
		sa_schedule(loser);
	}
}

void duplicate_bound(struct ike_sa *sa)
{
	struct ike_sa *oldest = sa;
	unsigned int n = 1;

	for (struct ike_sa *other = peer_first(sa); other; other = other->peer_next) {
		if (!is_other(sa, other) || other->redundant)
			continue;
		if (other->up_at < oldest->up_at)
			oldest = other;
		n++;
	}
	if (n <= SAME_PEER_MAX)
		return;
	oldest->redundant = true;
	sa_schedule(oldest);
}

void duplicate_forget(struct ike_sa *sa)
{
	struct ike_sa *other = peer_first(sa);

	while (other) {
		struct ike_sa *next = other->peer_next;

		if (is_other(sa, other) && other->up_at < sa->born_at)
			sa_end(other, ERR_REPLACED);
		other = next;
	}
}

bool duplicate_none(const struct ike_sa *sa)
{
	const struct ike_sa *other;

	/* As initiator we do not know yet who will answer; but then the connection is one peer's.
	 */
	if (!sa->peer)
		return !conn_is_up(sa->conn);
	other = peer_first(sa);
	while (other && !is_other(sa, other))
		other = other->peer_next;
	return !other;
}
