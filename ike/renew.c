/* SPDX-License-Identifier: Apache-2.0 */
/* A new handshake in the place of an IKE SA that is not rekeyed: see renew.h. */
#include "ike/renew.h"

#include "ike/child.h"
#include "ike/child_plane.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/cover.h"
#include "ike/life.h"
#include "ike/peer.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"

static const mono_ns patience = 180 * NS_PER_S;
/* Their Deletes are answered, and what the peer has sent by the old pairs has come. */
static const mono_ns linger_time = 8 * NS_PER_S;
/* The last fortieth of the lifetime is for it: behind both ends' times for new keys (rekey.c). Who
 * did not begin leaves half of that to the other one, so that both seldom do so at once. */
enum { RENEW_PART = 40, RENEW_PART_THEIRS = 80 };
/* The message ID of the last request of a handshake. */
enum { AUTH_ID = 1 };
/* What hinders it (new keys that are under way, a name that is being looked up) is over soon. */
static const mono_ns again_time = NS_PER_S;

void renew_on_busy(struct ike_sa *sa)
{
	struct conn *c = sa->conn;

	if (c->busy_since == 0)
		c->busy_since = sa->e->now;
	else if (sa->e->now - c->busy_since >= patience)
		renew_begin(sa);
}

void renew_on_answer(struct ike_sa *sa)
{
	sa->conn->busy_since = 0;
}

mono_ns renew_at(const struct ike_sa *sa)
{
	const struct conn *c = sa->conn;
	mono_ns part = c->conf->lifetime / (sa->initiator ? RENEW_PART : RENEW_PART_THEIRS);
	mono_ns when = sa->prove_at;

	if (sa->ends_at < sa->proved_until && sa->ends_at > part && sa->ends_at - part < when)
		when = sa->ends_at - part;
	return when > c->not_before ? when : c->not_before;
}

bool renew_is_old(const struct ike_sa *sa)
{
	return sa->conn && sa->conn->renews == sa_own_spi(sa);
}

bool renew_goes(const struct ike_sa *sa)
{
	return sa->redundant || renew_is_old(sa);
}

mono_ns renew_deadline(const struct ike_sa *sa)
{
	mono_ns when = renew_at(sa), now = sa->e->now;

	if (sa->conn->renews || sa->conn->conf->any_address || sa->redundant)
		return NEVER;
	return when > now ? when : now + again_time;
}

/* Else the peer is about to replace the other one, or there is one to spare. */
static bool is_alone(const struct ike_sa *sa)
{
	const struct ike_sa *other = sa->conn->sas;

	while (other && (other == sa || other->state != S_UP))
		other = other->next;
	return !other;
}

void renew_begin(struct ike_sa *sa)
{
	struct conn *c = sa->conn;

	if (c->renews || c->conf->any_address || c->not_before > sa->e->now ||
	    conn_carrier(c) != sa || !is_alone(sa) || rekey_ike_is_under_way(sa))
		return;
	for (const struct child_sa *child = sa->children; child; child = child->next) {
		if (child->conf && child_stays(child))
			conn_child_renew(c, child->conf);
	}
	if (!c->wanted)
		return;
	/* Of an heir that is not asked for yet the peer must not hear: two would take its place. */
	if (sa->mine && sa->mine->purpose == CREATE_IKE_REKEY)
		create_free(&sa->mine);
	c->busy_since = 0;
	c->renews = sa_own_spi(sa);
	conn_try(c);
}

void renew_again(struct ike_sa *sa)
{
	if (!renew_is_old(sa))
		return;
	sa->conn->renews = 0;
	conn_schedule(sa->conn);
	sa->prove_at = sa->e->now;
	sa_schedule(sa);
}

void renew_pass_on(struct ike_sa *heir, const struct ike_sa *old)
{
	struct conn *c = heir->conn;

	if (c->renews != sa_own_spi(old) && !old->redundant)
		return;
	if (c->renews == sa_own_spi(old))
		c->renews = sa_own_spi(heir);
	heir->redundant = old->redundant;
	heir->retired = old->retired;
	if (old->ends_at < heir->ends_at)
		heir->ends_at = old->ends_at;
}

/* ---- how the old one goes ---- */

static bool is_carried(struct child_sa *c)
{
	return !c->conf || !child_stays(c) || cover_is_elsewhere(c);
}

bool renew_is_done(const struct ike_sa *sa)
{
	struct child_sa *c = sa->children;

	while (c && is_carried(c))
		c = c->next;
	return !c;
}

/* At its end what is only asked for is not waited for: nothing goes by that yet. */
static bool can_retire(const struct ike_sa *sa)
{
	struct child_sa *c = sa->children;

	while (c && (c->stage == CHILD_ASKED || is_carried(c)))
		c = c->next;
	return !c;
}

/* Its children go first, each with time for what is on its way, as by a rekey. */
static void retire(struct ike_sa *sa)
{
	for (struct child_sa *c = sa->children; c; c = c->next) {
		if (!c->conf || !child_stays(c))
			continue;
		child_plane_take_half(c, SA_OUT);
		child_delete_later(c, ERR_REPLACED);
	}
	sa->retired = true;
	if (sa->ends_at > sa->e->now + linger_time || sa->redundant)
		sa->ends_at = sa->e->now + linger_time;
	sa_settle(sa);
}

/* Of two that came from both ends at once the end does it that began the other one: it knows when
 * both have that. */
static bool is_to_go(const struct ike_sa *sa)
{
	bool lost = sa->redundant && sa->answered;

	return sa->state == S_UP && (lost || renew_is_old(sa)) && !sa->retired;
}

void renew_settle(struct conn *c)
{
	for (struct ike_sa *sa = c->sas; sa; sa = sa->next) {
		if (is_to_go(sa) && renew_is_done(sa))
			retire(sa);
	}
}

/* A child that is deleted, or was just now: what the peer has sent by it may still come. */
static bool has_leaving(const struct ike_sa *sa)
{
	const struct child_sa *c = sa->children;

	while (c && !c->delete_wanted && !c->delete_sent && !c->rekey.lingers)
		c = c->next;
	return c != NULL;
}

/* The peer, who began the one that stays, may not have it yet: it is asked. */
static bool is_awaited(const struct ike_sa *sa)
{
	struct ike_sa *other = peer_first(sa);

	while (other && (other == sa || other->state != S_UP || other->retired ||
			 renew_goes(other)))
		other = other->peer_next;
	if (!other || !other->answered || other->window.next_in > AUTH_ID + 1 ||
	    other->window.next_out > 1 || (other->window.next_out == 1 && !other->window.asked))
		return false;
	sa_doubt(other);
	return true;
}

void renew_end(struct ike_sa *sa)
{
	bool old = renew_is_old(sa) && renew_is_done(sa);

	if (sa->redundant && !sa->retired && is_awaited(sa))
		sa->ends_at = sa->e->now + again_time;
	else if (sa->redundant && !sa->retired && can_retire(sa))
		retire(sa);
	else if (sa->redundant && !sa->retired && rekey_release_all(sa))
		sa->ends_at = sa->e->now + again_time; /* until packets go by those */
	else if (sa->retired && has_leaving(sa))
		sa->ends_at =
			sa->e->now + again_time; /* until it is answered, or nobody is there */
	else
		sa_close(sa, sa->redundant || old ? ERR_REPLACED : ERR_LIMIT, 0);
}
