/* SPDX-License-Identifier: Apache-2.0 */
/* Does another child carry all that one does: see cover.h. */
#include "ike/cover.h"

#include "ike/life.h"
#include "ike/peer.h"
#include "ike/rekey.h"
#include "ike/renew.h"

bool cover_is_agreed(const struct child_sa *c)
{
	return c->stage >= CHILD_HELD && child_stays(c);
}

/* Both lists are the peer's to fill, so what does not need them is asked first, and who was found
 * once is known by its number: selectors do not change any more. */
bool cover_by(const struct child_sa *o, struct child_sa *c)
{
	if (o == c || o->conf != c->conf || !cover_is_agreed(o))
		return false;
	if (o->id == c->rekey.cover)
		return true;
	if (!ts_list_within(child_local(c), child_local(o)) ||
	    !ts_list_within(child_remote(c), child_remote(o)))
		return false;
	c->rekey.cover = o->id;
	return true;
}

/* The one that was found the last time. */
static bool has_known(const struct ike_sa *sa, struct child_sa *c, enum child_stage least)
{
	const struct child_sa *o = rekey_find(sa, c->rekey.cover);

	return o && o->stage >= least && cover_by(o, c);
}

static struct child_sa *cover_in(const struct ike_sa *sa, struct child_sa *c,
				 enum child_stage least)
{
	struct child_sa *o = sa->children;

	while (o && !(o->stage >= least && cover_by(o, c)))
		o = o->next;
	return o;
}

static bool has_cover(const struct ike_sa *sa, struct child_sa *c, enum child_stage least)
{
	return cover_in(sa, c, least) != NULL;
}

/* It is not to stay, so nothing else may go because of what it has. */
static bool goes(const struct ike_sa *sa)
{
	return sa->retired || renew_goes(sa);
}

/* ... in another IKE SA that is up with the same peer. */
static bool is_elsewhere(struct child_sa *c, enum child_stage least,
			 bool (*has)(const struct ike_sa *, struct child_sa *, enum child_stage))
{
	const struct ike_sa *sa = peer_first(c->sa);

	while (sa && (sa == c->sa || sa->state != S_UP || (goes(sa) && least == CHILD_UP) ||
		      !has(sa, c, least)))
		sa = sa->peer_next;
	return sa != NULL;
}

bool cover_is_there(struct child_sa *c, enum child_stage least)
{
	return has_known(c->sa, c, least) || is_elsewhere(c, least, has_known) ||
	       has_cover(c->sa, c, least) || is_elsewhere(c, least, has_cover);
}

bool cover_is_elsewhere(struct child_sa *c)
{
	return is_elsewhere(c, CHILD_UP, has_known) || is_elsewhere(c, CHILD_UP, has_cover);
}

static bool sends_for(const struct child_sa *o, struct child_sa *c, const struct child_sa *but)
{
	return o != but && o->stage >= CHILD_OUTBOUND && cover_by(o, c);
}

bool cover_can_send(struct child_sa *c, const struct ike_sa *going, const struct child_sa *but)
{
	const struct ike_sa *sa = c->sa->peer_entered ? peer_first(c->sa) : c->sa;

	for (; sa; sa = sa->peer_next) {
		if (sa == going || sa->state != S_UP)
			continue;
		for (const struct child_sa *o = sa->children; o; o = o->next) {
			if (sends_for(o, c, but))
				return true;
		}
	}
	return false;
}

bool cover_is_newer(struct child_sa *c)
{
	const struct child_sa *o = rekey_find(c->sa, c->rekey.cover);

	if (o && o->id > c->id && cover_by(o, c))
		return true;
	o = c->sa->children;
	while (o && !(o->id > c->id && cover_by(o, c)))
		o = o->next;
	return o != NULL;
}

void cover_doubt(struct child_sa *c)
{
	for (struct ike_sa *sa = peer_first(c->sa); sa; sa = sa->peer_next) {
		struct child_sa *o = sa != c->sa ? cover_in(sa, c, CHILD_OUTBOUND) : NULL;

		if (!o)
			continue;
		child_query(o);
		sa_doubt(sa);
	}
}

/* Only packets count that came while `c` was held: before that a peer may have sent many that has
 * lost the other one since. */
static bool is_heard(const struct ike_sa *sa, struct child_sa *c, mono_ns since)
{
	const struct child_sa *o = sa != c->sa ? cover_in(sa, c, CHILD_OUTBOUND) : NULL;

	return o && (sa->heard > since || (o->came > since && o->came >= c->rekey.held_since));
}

bool cover_is_heard(struct child_sa *c, mono_ns since)
{
	const struct ike_sa *sa = peer_first(c->sa);

	while (sa && !is_heard(sa, c, since))
		sa = sa->peer_next;
	return sa != NULL;
}
