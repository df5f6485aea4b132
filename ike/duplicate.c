/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two IKE SAs stays: see duplicate.h. */
#include "ike/duplicate.h"

#include <string.h>

#include "ike/auth.h"
#include "ike/connection.h"
#include "ike/life.h"
#include "ike/peer.h"
#include "ike/renew.h"

/* Its children are to be there until those of the one that stays are up at both ends. Who began
 * that one sees to it (renew_settle), and before such a time is over. */
static const mono_ns own_time = 5 * NS_PER_S;
static const mono_ns their_time = 8 * NS_PER_S;

/* Made from both ends, the later one begun before the earlier one was up. */
static bool crossed(const struct ike_sa *a, const struct ike_sa *b)
{
	const struct ike_sa *later = a->up_at > b->up_at ? a : b;
	const struct ike_sa *earlier = later == a ? b : a;

	return a->answered != b->answered && later->born_at < earlier->up_at;
}

/* Another one that is up, with the very same identity. */
static bool is_other(const struct ike_sa *sa, const struct ike_sa *other)
{
	return other != sa && other->state == S_UP && other->conn == sa->conn &&
	       identity_eq(sa->peer, other->peer);
}

/* As they were sent: so both ends see the same bytes. */
static int compare(const struct identity *a, const struct identity *b)
{
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->b, b->b, a->len);
}

uint64_t duplicate_rank(const struct ike_sa *sa)
{
	int order = compare(&sa->conn->conf->local_identity, &sa->hs->auth->claimed);

	if (order == 0)
		return sa->spi_i;
	return (order < 0) == sa->initiator ? 0 : UINT64_MAX;
}

/* Not at once: the caller still works on one of them. */
static void leave(struct ike_sa *sa, mono_ns time)
{
	sa->redundant = true;
	if (sa->ends_at > sa->e->now + time)
		sa->ends_at = sa->e->now + time;
	sa_schedule(sa);
	conn_look(sa->conn);
}

void duplicate_settle(struct ike_sa *sa)
{
	for (struct ike_sa *other = peer_first(sa); other; other = other->peer_next) {
		struct ike_sa *loser = sa->rank < other->rank ? other : sa;

		if (!is_other(sa, other) || !crossed(sa, other))
			continue;
		leave(loser, loser->answered ? own_time : their_time);
		if (loser == sa && !sa->answered)
			renew_again(other);
	}
}

/* The initiator has followed another answer to its request since (init_rival.h): it has one IKE SA
 * by each SPI of its own. */
static bool is_given_up(const struct ike_sa *sa, const struct ike_sa *other)
{
	return !sa->initiator && !other->initiator && sa->spi_i == other->spi_i;
}

void duplicate_drop(struct ike_sa *sa)
{
	for (struct ike_sa *other = peer_first(sa); other; other = other->peer_next) {
		/* The message that proves the first one may be late. */
		struct ike_sa *loser = peer_knows(other) ? sa : other;

		if (!is_other(sa, other) || !is_given_up(sa, other))
			continue;
		leave(loser, 0);
		loser->retired = true;
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
	/* Whoever has this many is not waited for: the next tick sends the Delete. */
	leave(oldest, 0);
	oldest->retired = true;
}

static bool is_one_machine(const struct ike_sa *sa)
{
	return sa->conn->conf->duplicates == CONF_DUPLICATES_REPLACE;
}

void duplicate_forget(struct ike_sa *sa)
{
	struct ike_sa *other = is_one_machine(sa) ? peer_first(sa) : NULL;

	while (other) {
		struct ike_sa *next = other->peer_next;

		if (is_other(sa, other) && other->up_at < sa->born_at)
			sa_end(other, ERR_REPLACED);
		other = next;
	}
}

/* Is one up with this identity, or, where that is not known yet, with any? */
static bool has_peer(const struct conn *c, const struct identity *who)
{
	const struct ike_sa *sa = c->sas;

	while (sa && !(sa->state == S_UP &&
		       (who->type == ID_NONE || (sa->peer && identity_eq(sa->peer, who)))))
		sa = sa->next;
	return sa != NULL;
}

bool duplicate_none(const struct ike_sa *sa)
{
	const struct conf_connection *cn = sa->conn->conf;
	/* As initiator we do not know yet who will answer; but then the connection is one peer's.
	 */
	const struct identity *who = sa->peer ? sa->peer : &cn->identity;
	bool none = sa->peer ? !has_peer(sa->conn, who) : !conn_is_up(sa->conn);

	/* The peer goes by the pair of identities, whatever the connection. */
	for (size_t i = 0; i < sa->e->n_conns && none; i++) {
		const struct conn *c = sa->e->conns[i];

		none = c == sa->conn ||
		       !identity_eq(&c->conf->local_identity, &cn->local_identity) ||
		       !has_peer(c, who);
	}
	return none && is_one_machine(sa);
}
