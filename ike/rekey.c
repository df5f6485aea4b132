/* SPDX-License-Identifier: Apache-2.0 */
/* When a pair is due for new keys, and how the old one goes: see rekey.h. Who replaces whom is
 * known by numbers and not by pointers: either may be gone at any time. */
#include "ike/rekey.h"

#include "ike/child_plane.h"
#include "ike/connection.h"
#include "ike/cover.h"
#include "ike/life.h"
#include "ike/note.h"
#include "ike/peer.h"
#include "ike/renew.h"

/* A peer who has sent nothing by the new pair, nor deleted the old one, may still compute; the old
 * one is as good for so long. */
static const mono_ns hold_time = 60 * NS_PER_S;
/* ... and one that has come with a new IKE SA looks every so often: the peer may have lost the old
 * one, and not know it. Where the old one does not answer for so long, it has. */
static const mono_ns first_time = 2 * NS_PER_S;
static const mono_ns silence_time = 8 * NS_PER_S;
static const mono_ns alive_time = 20 * NS_PER_S;
static const mono_ns ask_interval = NS_PER_S / 2;
static const mono_ns linger_time = 5 * NS_PER_S;
/* Time for the plane to say whether a pair of addresses was used. */
static const mono_ns idle_ask_time = 10 * NS_PER_S;
/* The first child of an IKE SA has no group of its own (1.2), so that two ends that have none in
 * common see it at the first rekey. That may be hours later, and is made now. */
static const mono_ns early_time = 30 * NS_PER_S;
/* Thousandths of a limit. Who made it is earlier, so that both ends seldom begin at once. */
enum { SOFT_OURS = 800, SOFT_THEIRS = 900, SOFT_SPREAD = 60 };
/* A peer that gives the IKE SA new keys is ready for ours in a round trip or two (2.25), and until
 * the hard limit there may be no more time than that. */
enum { SOON_TRIES = 3, SOON_SHARE = 8 };

struct child_sa *rekey_find(const struct ike_sa *sa, uint32_t id)
{
	struct child_sa *c = sa->children;

	while (c && (c->id != id || id == 0))
		c = c->next;
	return c;
}

struct child_sa *rekey_old(const struct child_sa *c)
{
	return rekey_find(c->sa, c->replaces);
}

bool rekey_has_agreed_heir(const struct child_sa *old)
{
	for (const struct child_sa *o = old->sa->children; o; o = o->next) {
		if (o->replaces == old->id && cover_is_agreed(o))
			return true;
	}
	return false;
}

/* ---- when ---- */

uint64_t rekey_part(struct ike_engine *e, bool ours, uint64_t hard)
{
	uint64_t part = ours ? SOFT_OURS : SOFT_THEIRS;
	uint8_t drawn = 0;

	/* Without randomness it is as soon as it can be. */
	if (!random_fill(&e->env.random, &drawn, sizeof(drawn)))
		drawn = 0;
	return hard * (part + (uint64_t)drawn * SOFT_SPREAD / UINT8_MAX) / 1000;
}

uint64_t rekey_soft(const struct child_sa *c, uint64_t hard)
{
	return rekey_part(c->sa->e, c->made_by_us, hard);
}

void rekey_plan(struct child_sa *c)
{
	struct ike_engine *e = c->sa->e;
	mono_ns life = c->conf->lifetime;

	c->rekey.soft = NEVER;
	c->rekey.early = c->made_by_us ? e->now + early_time : NEVER;
	c->rekey.hard = NEVER;
	c->rekey.not_before = 0;
	c->rekey.tries = 0;
	c->rekey.ask = NEVER;
	if (life <= 0)
		return;
	c->rekey.soft = e->now + rekey_soft(c, life);
	if (conn_child_is_split(c->sa->conn, c->conf) && c->rekey.soft > e->now + 2 * idle_ask_time)
		c->rekey.ask = c->rekey.soft - idle_ask_time;
	c->rekey.hard = e->now + life;
}

void rekey_want(struct child_sa *c)
{
	if (c->rekey.soft > c->sa->e->now)
		c->rekey.soft = c->sa->e->now;
	sa_settle(c->sa);
}

/* Another one is made for it, and stays. */
static bool has_heir(const struct child_sa *c)
{
	for (const struct child_sa *o = c->sa->children; o; o = o->next) {
		if (o->replaces == c->id && child_stays(o))
			return true;
	}
	return false;
}

static bool deals_with(const struct create *c, uint32_t id)
{
	return c && c->deal.replaces == id;
}

static bool is_dealt_with(const struct ike_sa *sa, uint32_t id)
{
	return deals_with(sa->mine, id) || deals_with(sa->theirs, id);
}

bool rekey_is_open(const struct child_sa *c)
{
	const struct child_sa *o = c->replaces != 0 ? c->sa->children : NULL;

	while (o && !(o->replaces == c->replaces && o->made_by_us && o->stage < CHILD_UP &&
		      child_stays(o)))
		o = o->next;
	return o || (c->replaces != 0 && is_dealt_with(c->sa, c->replaces));
}

/* Up and to stay, and nobody is at it. */
static bool is_free(const struct child_sa *c)
{
	return c->stage == CHILD_UP && child_stays(c) && !renew_is_old(c->sa) &&
	       !has_heir(c) && !is_dealt_with(c->sa, c->id) && !rekey_is_open(c);
}

/* What compares selectors comes last. */
static bool can_begin(struct child_sa *c)
{
	return is_free(c) && !cover_is_newer(c);
}

static mono_ns due_at(const struct child_sa *c)
{
	mono_ns when = c->rekey.soft;

	if (!c->sa->conn->rekeys && c->rekey.early < when)
		when = c->rekey.early;
	return when > c->rekey.not_before ? when : c->rekey.not_before;
}

struct child_sa *rekey_next(const struct ike_sa *sa)
{
	struct child_sa *c = sa->children;

	while (c && (due_at(c) > sa->e->now || !can_begin(c)))
		c = c->next;
	return c;
}

/* There is another one to send by: that this one was made for, that the peer had before this IKE
 * SA, or that it has over this one, too. What the peer asked for it need not have put in yet. */
static bool has_other(struct child_sa *c)
{
	return cover_can_send(c, NULL, NULL);
}

static mono_ns deadline_of(struct child_sa *c)
{
	const struct child_rekey *r = &c->rekey;
	mono_ns now = c->sa->e->now;

	if (r->lingers)
		return r->lingers;
	if (c->stage == CHILD_HELD && !child_stays(c))
		return NEVER;
	if (c->stage == CHILD_HELD && !has_other(c))
		return now;
	if (c->stage == CHILD_HELD)
		return r->ask < r->held ? r->ask : r->held;
	if (c->stage != CHILD_UP || !child_stays(c))
		return NEVER;
	/* Whether it is outdated is asked when its time has come: this is asked with every message.
	 */
	if (r->ask < r->hard && is_free(c) && (due_at(c) <= now || r->ask < due_at(c)))
		return r->ask;
	/* What is due already waits for the window. */
	return due_at(c) > now && due_at(c) < r->hard && is_free(c) ? due_at(c) : r->hard;
}

mono_ns rekey_deadline(const struct ike_sa *sa)
{
	mono_ns when = NEVER;

	for (struct child_sa *c = sa->children; c; c = c->next) {
		mono_ns at = deadline_of(c);

		when = at < when ? at : when;
	}
	return when;
}

/* ---- what is held ---- */

void rekey_hold(struct child_sa *c)
{
	mono_ns now = c->sa->e->now;

	if (!has_other(c)) {
		child_go_on(c);
		return;
	}
	c->stage = CHILD_HELD;
	c->rekey.held_since = now;
	c->rekey.held = now + (c->replaces ? hold_time : first_time);
	c->rekey.ask = now + ask_interval;
	if (!c->replaces)
		cover_doubt(c);
}

/* Asks the peer over the other one. True: it still has that, or it cannot be said yet. */
static bool doubt_and_hold(struct child_sa *c)
{
	mono_ns now = c->sa->e->now;

	if (c->replaces)
		return false;
	cover_doubt(c);
	return now - c->rekey.held_since < silence_time || cover_is_heard(c, now - alive_time);
}

/* Where packets alone ask, the next one asks again; else a connection keeps the last of them, and
 * need not offer what the peer has refused. */
static bool is_spare(const struct child_sa *c)
{
	const struct child_sa *o = c->sa->children;

	while (o && (o == c || o->conf != c->conf || o->stage != CHILD_UP || !child_stays(o)))
		o = o->next;
	return o || c->sa->conn->conf->start == CONF_START_TRAFFIC;
}

/* Pairs of addresses come by themselves, as packets want them, and there is room for so many. So
 * one that nobody has used since its keys were made gets no new ones. */
static void judge_idle(struct child_sa *c)
{
	bool idle = c->in.packets == 0 && c->out.packets == 0;

	if (!c->rekey.idle_asked || c->query_in.number != 0 || c->query_out.number != 0)
		return;
	c->rekey.idle_asked = false;
	if (idle && can_begin(c) && is_spare(c))
		child_delete(c, ERR_LIMIT);
}

void rekey_on_counters(struct child_sa *c)
{
	if (c->stage == CHILD_UP && child_stays(c))
		judge_idle(c);
	if (c->stage != CHILD_HELD || !child_stays(c) || c->in.packets == 0)
		return;
	child_go_on(c);
	sa_settle(c->sa);
}

/* For want of memory it is asked the next time. */
static void ask_plane(struct child_sa *c)
{
	c->rekey.ask = c->sa->e->now + ask_interval;
	if (ticket_take(&c->query_in, c->sa, c) == OK &&
	    child_plane_command(c, SA_QUERY, SA_IN, c->query_in.number) != OK)
		ticket_drop(c->sa->e, &c->query_in);
}

static void tick_held(struct child_sa *c)
{
	mono_ns now = c->sa->e->now;

	if (!child_stays(c))
		return;
	if (c->rekey.held <= now && doubt_and_hold(c))
		c->rekey.held = now + first_time;
	if (c->rekey.held <= now || !has_other(c))
		child_go_on(c);
	else if (c->rekey.ask <= now)
		ask_plane(c);
}

static void tick_up(struct child_sa *c)
{
	if (c->rekey.hard <= c->sa->e->now) {
		rekey_overdue(c);
	} else if (c->rekey.ask <= c->sa->e->now) {
		c->rekey.ask = NEVER;
		c->rekey.idle_asked = true;
		child_query(c);
	}
}

static void tick(struct child_sa *c)
{
	mono_ns now = c->sa->e->now;

	if (c->rekey.lingers && c->rekey.lingers <= now)
		child_free(c);
	else if (!c->rekey.lingers && c->stage == CHILD_HELD)
		tick_held(c);
	else if (c->stage == CHILD_UP && child_stays(c))
		tick_up(c);
}

void rekey_overdue(struct child_sa *c)
{
	rekey_release(c);
	child_delete_later(c, ERR_LIMIT);
}

void rekey_tick(struct ike_sa *sa)
{
	struct child_sa *c = sa->children;

	while (c) {
		struct child_sa *next = c->next;

		tick(c);
		c = next;
	}
}

static bool comes_before(const struct child_sa *a, const struct child_sa *b)
{
	if (peer_knows(a->sa) != peer_knows(b->sa))
		return peer_knows(a->sa);
	return a->id < b->id;
}

/* The oldest that another IKE SA with the same peer holds in the place of `old` (NULL: of anything
 * that `going` has) and that has nothing else to send by then. What does may be more than the peer
 * is ready for; or it is what is left of a handshake that the peer has given up. */
static struct child_sa *held_elsewhere(const struct ike_sa *going, struct child_sa *old)
{
	struct child_sa *first = NULL;

	for (struct ike_sa *sa = peer_first(going); sa; sa = sa->peer_next) {
		for (struct child_sa *c = sa->children; c && sa != going; c = c->next) {
			if (c->stage != CHILD_HELD || !child_stays(c) ||
			    (first && comes_before(first, c)) || (old && !cover_by(c, old)))
				continue;
			if (!cover_can_send(c, old ? NULL : going, old))
				first = c;
		}
	}
	return first;
}

static bool release_elsewhere(const struct ike_sa *going, struct child_sa *old)
{
	struct child_sa *c;
	bool any = false;

	while ((c = held_elsewhere(going, old))) {
		child_go_on(c);
		sa_settle(c->sa);
		any = true;
	}
	return any;
}

/* Held for `old`, or made beside it without a word, and there is nothing else to send by then. */
static bool waits_for(struct child_sa *c, const struct child_sa *old)
{
	return c != old && c->stage == CHILD_HELD && child_stays(c) &&
	       (c->replaces == old->id || (!c->replaces && !cover_can_send(c, NULL, old)));
}

/* The newest goes on last, and so carries what is sent. */
void rekey_release(struct child_sa *old)
{
	struct child_sa *oldest;

	do {
		oldest = NULL;
		for (struct child_sa *c = old->sa->children; c; c = c->next) {
			if (waits_for(c, old))
				oldest = c;
		}
		if (oldest)
			child_go_on(oldest);
	} while (oldest);
	(void)release_elsewhere(old->sa, old);
}

bool rekey_release_all(const struct ike_sa *going)
{
	return release_elsewhere(going, NULL);
}

/* ---- which one stays ---- */

void rekey_remember(struct child_sa *c, struct span a, struct span b)
{
	c->rekey.low = nonce_lower(a, b);
}

static bool is_lower(const struct child_sa *a, const struct child_sa *b)
{
	return nonce_order(&a->rekey.low, &b->rekey.low) < 0;
}

/* Nothing is sent by it any more; the peer is told. */
static void retire(struct child_sa *c)
{
	child_plane_take_half(c, SA_OUT);
	child_delete_later(c, ERR_REPLACED);
}

/* The newest replacement, ours or the peer's. */
static struct child_sa *replacement(const struct ike_sa *sa, uint32_t id, bool ours)
{
	struct child_sa *c = sa->children;

	while (c && !(c->replaces == id && c->made_by_us == ours && cover_is_agreed(c)))
		c = c->next;
	return c;
}

void rekey_settle(struct ike_sa *sa, uint32_t id)
{
	struct child_sa *old = rekey_find(sa, id);
	struct child_sa *mine = id != 0 ? replacement(sa, id, true) : NULL;
	struct child_sa *theirs = id != 0 ? replacement(sa, id, false) : NULL;

	if (!mine || mine->stage != CHILD_UP || deals_with(sa->theirs, id))
		return;
	if (theirs && is_lower(mine, theirs))
		retire(mine);
	else if (old && child_stays(old))
		retire(old);
	sa_settle(sa);
}

/* ---- the end of one ---- */

static void linger(struct child_sa *c)
{
	child_plane_take_half(c, SA_OUT);
	child_plane_drop_tickets(c);
	c->delete_wanted = false;
	c->delete_sent = false;
	c->rekey.lingers = c->sa->e->now + linger_time;
}

void rekey_end(struct child_sa *c, enum err why)
{
	if (c->conf && c->in_there && cover_is_there(c, CHILD_HELD))
		linger(c);
	else
		child_end(c, why);
}

void rekey_or_child_failed(struct ike_sa *sa, uint32_t replaces, const struct conf_child *conf,
			   enum err err)
{
	struct child_sa *old = rekey_find(sa, replaces);
	mono_ns wait;

	if (!old || !child_stays(old)) {
		conn_child_failed(sa, conf, err);
		return;
	}
	old->rekey.tries++;
	wait = conn_backoff(sa->conn, old->rekey.tries);
	if (err == ERR_BUSY && old->rekey.tries <= SOON_TRIES)
		wait /= SOON_SHARE;
	old->rekey.not_before = sa->e->now + wait;
}

void rekey_unknown(struct child_sa *old)
{
	struct conn *c = old->sa->conn;
	const struct conf_child *conf = old->conf;

	child_end(old, ERR_PEER_DELETED);
	conn_child_renew(c, conf);
}
