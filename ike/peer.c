/* SPDX-License-Identifier: Apache-2.0 */
/* SAs by proved peer: see peer.h. The table holds the first SA of each peer, a list behind it the
 * others. */
#include "ike/peer.h"

#include <string.h>

#include "crypto/prf.h"
#include "ike/connection.h"
#include "ike/core.h"

/* The message ID of the last request of a handshake. */
enum { AUTH_ID = 1 };

struct span peer_table_key(const struct table_node *n)
{
	const struct ike_sa *sa = container_of(n, const struct ike_sa, by_peer);

	return span_of(sa->peer_key, sizeof(sa->peer_key));
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Identities that are equal without regard to case have one key; what has one key may still differ,
 * which identity_eq tells. */
static enum err make_key(struct ike_sa *sa)
{
	struct span id = identity_span(sa->peer);
	uint8_t small[IDENTITY_MAX];
	uint8_t hash[32];
	struct span parts[] = {
		span_of(sa->conn->conf->name, strlen(sa->conn->conf->name) + 1),
		span_of(&sa->peer->type, sizeof(sa->peer->type)),
		span_of(small, id.len),
	};
	struct wr w = wr_into(sa->peer_key, sizeof(sa->peer_key));
	enum err err;

	for (size_t i = 0; i < id.len; i++)
		small[i] = lower(id.p[i]);
	err = hash_sha256(parts, sizeof(parts) / sizeof(parts[0]), hash);
	wr_span(&w, span_head(span_of(hash, sizeof(hash)), sizeof(sa->peer_key)));
	return err;
}

static struct ike_sa *find(const struct ike_sa *sa)
{
	struct table_node *n =
		table_find(&sa->e->by_peer, span_of(sa->peer_key, sizeof(sa->peer_key)));

	return n ? container_of(n, struct ike_sa, by_peer) : NULL;
}

void peer_enter(struct ike_sa *sa)
{
	struct ike_sa *first;

	/* Without the hash it is no duplicate of anything: both SAs of a peer would stay, no more.
	 */
	if (make_key(sa) != OK)
		return;
	sa->peer_entered = true;
	if (table_add(&sa->e->by_peer, &sa->by_peer) == OK)
		return;
	first = find(sa);
	sa->peer_next = first->peer_next;
	first->peer_next = sa;
}

/* The table's entry passes to the next of the list. */
static void leave_as_first(struct ike_sa *sa)
{
	struct ike_sa *next = sa->peer_next;

	table_del(&sa->e->by_peer, &sa->by_peer);
	if (next && table_add(&sa->e->by_peer, &next->by_peer) != OK)
		next->peer_entered = false;
}

void peer_leave(struct ike_sa *sa)
{
	struct ike_sa *at = sa->peer_entered ? find(sa) : NULL;

	if (at == sa)
		leave_as_first(sa);
	while (at && at != sa && at->peer_next != sa)
		at = at->peer_next;
	if (at && at != sa)
		at->peer_next = sa->peer_next;
	sa->peer_next = NULL;
	sa->peer_entered = false;
}

struct ike_sa *peer_first(const struct ike_sa *sa)
{
	return sa->peer_entered ? find(sa) : NULL;
}

bool peer_knows(const struct ike_sa *sa)
{
	const uint32_t mine = sa->window.next_out - sa->window.asked;

	return sa->initiator || sa->before != 0 || sa->window.next_in > AUTH_ID + 1 || mine > 0;
}
