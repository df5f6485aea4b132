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
	const struct ike_sa *later = a->since >= b->since ? a : b;
	const struct ike_sa *earlier = later == a ? b : a;

	return a->initiator != b->initiator && later->born <= earlier->since;
}

void duplicate_settle(struct ike_sa *sa)
{
	struct ike_sa *other = sa->conn->sas;

	while (other && !(other->state == S_UP && same_peer(sa, other) && crossed(sa, other)))
		other = other->next;
	if (!other)
		return;
	/* Not at once: the caller still works on one of them. The next settling of the loser sends
	 * the Delete. */
	other = sa->spi_i < other->spi_i ? other : sa;
	other->redundant = true;
	heap_set(&sa->e->timers, &other->timer.node, sa->e->now);
}

void duplicate_forget(struct ike_sa *sa)
{
	struct ike_sa *other = sa->conn->sas;

	while (other) {
		struct ike_sa *next = other->next;

		if (other->state == S_UP && same_peer(sa, other) && other->since <= sa->born)
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
