/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two IKE SAs stays: see duplicate.h. */
#include "ike/duplicate.h"

#include "ike/connection.h"
#include "ike/life.h"

static bool same_peer(const struct ike_sa *a, const struct ike_sa *b)
{
	return a != b && a->peer && b->peer && identity_eq(a->peer, b->peer);
}

/* Made from both ends, the later one begun before the earlier one was up. */
static bool crossed(const struct ike_sa *a, const struct ike_sa *b)
{
	const struct ike_sa *later = a->up_at > b->up_at ? a : b;
	const struct ike_sa *earlier = later == a ? b : a;

	return a->initiator != b->initiator && later->born_at < earlier->up_at;
}

void duplicate_settle(struct ike_sa *sa)
{
	for (struct ike_sa *other = sa->conn->sas; other; other = other->next) {
		struct ike_sa *loser = sa->spi_i < other->spi_i ? other : sa;

		if (other->state != S_UP || !same_peer(sa, other) || !crossed(sa, other))
			continue;
		/* Not at once: the caller still works on one of them. Its next tick sends the
		 * Delete. */
		loser->redundant = true;
		sa_schedule(loser);
	}
}

void duplicate_forget(struct ike_sa *sa)
{
	struct ike_sa *other = sa->conn->sas;

	while (other) {
		struct ike_sa *next = other->next;

		if (other->state == S_UP && same_peer(sa, other) && other->up_at < sa->born_at)
			sa_end(other, ERR_REPLACED);
		other = next;
	}
}

bool duplicate_none(const struct ike_sa *sa)
{
	const struct ike_sa *other = sa->conn->sas;

	while (other && other->state != S_UP)
		other = other->next;
	return !other;
}
