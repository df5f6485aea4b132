/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an IKE SA: see life.h. The timers, and why each exists:
 *
 *	retransmission	our request is unanswered; when all tries are spent the peer is lost
 *			(RFC 7296 2.4)
 *	beside		the same for the second request (beside.h)
 *	cookie		a COOKIE has come, and is sent back a little later (`follow_at`): the true
 *			answer may come first
 *	expiry		a handshake (a peer's 60 s, ours 90 s), a closing SA (10 s)
 *	liveness	nothing authenticated was heard for `liveness`
 *	standby		a peer that was passed over is heard again, or one that is slow had time
 *			enough to answer (standby.h)
 *	move		the peer is elsewhere, and has to say so once more (move.h)
 *	keepalive	we are behind a NAT and have sent nothing for `keepalive` (RFC 3948 4)
 *	children	a data plane has not answered about one for 10 s, or a worker for 20 s;
 *			the peer, who began, has left children for us to make
 *	rekeying	a child is due for new keys, or at its end; one that replaces another, or is
 *			replaced, waits for the peer (rekey.h); the IKE SA itself (rekey_ike.h,
 *			renew.h)
 *	fragments	of a message that does not become whole go after 30 s
 *	wake		another engine had it, and it goes on here (restore.h)
 *	again		what found no memory is asked again after a second
 */
#include "ike/life.h"

#include "ike/auth.h"
#include "ike/beside.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/create.h"
#include "ike/duplicate.h"
#include "ike/exchange_create.h"
#include "ike/exchange_info.h"
#include "ike/exchange_init.h"
#include "ike/init_rival.h"
#include "ike/keep.h"
#include "ike/note.h"
#include "ike/proof.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"
#include "ike/restore.h"
#include "ike/send.h"

static const mono_ns closing_time = 10 * NS_PER_S;
static const mono_ns doubt_interval = 10 * NS_PER_S;

void sa_established(struct ike_sa *sa)
{
	struct ike_note n;

	sa->state = S_UP;
	sa->established = true;
	if (sa->hs && sa->hs->auth)
		beside_take_window(sa, &sa->hs->auth->m);
	sa->up_at = ++sa->e->events;
	sa->rank = duplicate_rank(sa);
	sa->since = sa->e->now;
	sa->expires = NEVER;
	sa_uncount(sa);
	sa_unindex_init(sa);
	proof_plan(sa);
	rekey_ike_plan(sa);
	create_yield(sa);
	sa->e->stats.established++;
	n = note_of_sa(sa, IKE_NOTE_UP, OK);
	note_tell(sa->e, &n);
	conn_succeeded(sa->conn);
	duplicate_drop(sa);
	duplicate_settle(sa);
	duplicate_bound(sa);
}

/* Goodbyes first, then children, then whether the peer lives: a child's answer tells that, too. */
static void ask(struct ike_sa *sa)
{
	bool may_create = sa->state == S_UP && !sa->hs && !info_is_due(sa);

	sa->again = NEVER; /* whatever could not be sent then is tried now */
	if (rekey_ike_is_under_way(sa))
		return;
	if (!may_create || !create_ask(sa))
		info_ask(sa);
}

void sa_settle(struct ike_sa *sa)
{
	bool lives = sa->state == S_UP || sa->state == S_CLOSING;

	if (sa->again <= sa->e->now)
		sa->again = NEVER;
	if (lives && !sa->window.asked && !beside_is_out(sa))
		ask(sa);
	else if (lives && beside_may(sa))
		info_ask(sa);
	sa_schedule(sa);
}

void sa_close_later(struct ike_sa *sa, enum err why, uint16_t notify)
{
	sa->state = S_CLOSING;
	sa->why = why;
	sa->token_wanted = false;
	sa->close_wanted = true;
	sa->close_notify = notify;
	sa->expires = sa->e->now + closing_time;
}

void sa_close(struct ike_sa *sa, enum err why, uint16_t notify)
{
	if (sa->state == S_CLOSING)
		return;
	/* A handshake has nothing that it could say goodbye with, but for an initiator whose
	 * IKE_AUTH is out: the peer is up, or will be. */
	if (sa->state != S_UP && (sa->state != S_AUTH_SENT || (!notify && !sa->window.asked))) {
		sa_end(sa, why);
		return;
	}
	sa->state = S_CLOSING;
	/* The request that is parked, sent again, hears that we close. */
	if (sa->theirs)
		sa->window.busy = false;
	/* What the peer makes in the place of this one has to be closed, too. */
	if (!rekey_ike_is_asked(sa))
		create_free(&sa->mine);
	create_free(&sa->theirs);
	rekey_ike_close(sa);
	(void)rekey_release_all(sa);
	while (sa->children)
		child_end(sa->children, why);
	sa_forget_handshake(sa);
	conn_look(sa->conn);
	sa_close_later(sa, why, notify);
	sa_settle(sa);
}

void sa_end(struct ike_sa *sa, enum err why)
{
	struct conn *c = sa->conn;
	struct ike_engine *e = sa->e;
	struct ike_note n;
	bool was_up;

	if (sa->state == S_CLOSING)
		why = sa->why;
	/* It had to go, or cannot be reached any more; what the peer has made for it stays. */
	if (why == ERR_PEER_DELETED || why == ERR_PEER_LOST)
		(void)rekey_ike_rescue(sa);
	was_up = sa->established;
	(void)rekey_release_all(sa);
	while (sa->children)
		child_end(sa->children, why);
	n = note_of_sa(sa, IKE_NOTE_DOWN, why);
	sa_free(sa);
	if (!was_up)
		return;
	n.goes_on = c && (c->resolving || conn_sa(c));
	note_tell(e, &n);
	if (c)
		conn_lost(c, &n);
}

void sa_doubt(struct ike_sa *sa)
{
	if (sa->state != S_UP || sa->e->now - sa->hinted < doubt_interval)
		return;
	sa->hinted = sa->e->now;
	sa->alive_wanted = true;
	sa_settle(sa);
}

void sa_doubt_at(struct ike_engine *e, const struct addr *remote)
{
	for (size_t i = 0; i < e->n_conns; i++) {
		for (struct ike_sa *sa = e->conns[i]->sas; sa; sa = sa->next) {
			if (addr_eq(&sa->path.remote.addr, remote))
				sa_doubt(sa);
		}
	}
}

static const mono_ns silence = NS_PER_S;
static const mono_ns silence_standby = 300 * NS_PER_MS;
/* Up to 32 s; with others that stand in, 2 s: those shall not wait longer. */
enum { UNHEARD_DOUBLINGS = 5, UNHEARD_DOUBLINGS_STANDBY = 1 };

void sa_unheard(struct ike_sa *sa, mono_ns heard)
{
	const bool others = sa->conn->conf->priority > 0;
	const mono_ns quiet = others ? silence_standby : silence;
	const int doublings = others ? UNHEARD_DOUBLINGS_STANDBY : UNHEARD_DOUBLINGS;
	mono_ns now = sa->e->now;
	mono_ns wait = sa->unheard_asked > 0 ? silence << (sa->unheard_asked - 1) : silence;

	standby_silent(sa);
	heard = heard < now ? heard : now;
	if (heard > sa->heard)
		sa->heard = heard;
	/* Something has come since it was asked last, or nothing went out. */
	if (heard > sa->unheard || now - sa->unheard > 2 * wait + silence) {
		sa->unheard_asked = 0;
		wait = silence;
	}
	if (sa->state != S_UP || sa->window.asked || now - sa->heard < quiet ||
	    (sa->unheard > 0 && now - sa->unheard < wait))
		return;
	if (sa->unheard_asked <= doublings)
		sa->unheard_asked++;
	sa->unheard = now;
	sa->alive_wanted = true;
	sa_settle(sa);
}

/* All tries are spent, or the time for the handshake is. */
static void give_up(struct ike_sa *sa)
{
	struct ike_note n;

	if (sa->state == S_UP || sa->state == S_CLOSING) {
		sa_end(sa, ERR_PEER_LOST);
		return;
	}
	n = note_of_sa(sa, IKE_NOTE_REFUSED, ERR_NO_ANSWER);
	init_explain_silence(sa, &n);
	note_refused(sa, &n);
	sa_end(sa, n.err);
}

/* When our IKE_AUTH has left so often without an answer, another one to IKE_SA_INIT is followed:
 * late, since the true one may have been the first, on a bad link; and soon enough for peers that
 * forget a half-open SA after 30 s. */
enum { TRIES_BEFORE_RIVAL = 5 };

/* True when the SA is gone. */
static bool tick_rival(struct ike_sa *sa)
{
	struct step s = rival_follow(sa);

	if (s.kind != STEP_FATAL)
		return false;
	sa_end(sa, s.err);
	return true;
}

/* True when the SA is gone. */
static bool tick_retransmit(struct ike_sa *sa)
{
	if (sa->rt.at > sa->e->now)
		return false;
	if (sa->rt.sent >= TRIES_BEFORE_RIVAL && rival_waits(sa))
		return tick_rival(sa);
	if (!retransmit_again(&sa->rt, &sa->e->env.random, sa->e->now)) {
		give_up(sa);
		return true;
	}
	sa->e->stats.retransmissions++;
	move_send_again(sa);
	standby_sent_again(sa);
	mobike_silence(sa, sa->rt.sent);
	return false;
}

static void tick_children(struct ike_sa *sa)
{
	struct child_sa *c = sa->children;

	while (c) {
		struct child_sa *next = c->next;

		child_tick(c);
		c = next;
	}
}

/* Before a peer is asked: packets of its children prove it alive as well. The planes have a second
 * to say what has come. */
static const mono_ns look_time = NS_PER_S;

static bool is_looking(const struct ike_sa *sa)
{
	const struct child_sa *c = sa->children;

	while (c && c->query_in.number == 0)
		c = c->next;
	return c != NULL;
}

/* Who asks for another reason learns nothing of the peer: what has come may have come long ago. */
void sa_looked(struct ike_sa *sa, struct child_sa *c)
{
	mono_ns now = sa->e->now, when = (mono_ns)c->in.last_ns;

	if (sa->looks_until > 0 && c->in.packets != c->heard_packets) {
		c->heard_packets = c->in.packets;
		when = when > 0 && when < now ? when : now;
		sa->heard = when > sa->heard ? when : sa->heard;
	}
	/* Is that all, then it is judged now (a time that is over). */
	if (sa->looks_until > 0 && !is_looking(sa))
		sa->looks_until = 1;
	sa_schedule(sa);
}

static void look(struct ike_sa *sa)
{
	for (struct child_sa *c = sa->children; c; c = c->next)
		child_query(c);
	sa->looks_until = is_looking(sa) ? sa->e->now + look_time : 1;
}

static void judge_liveness(struct ike_sa *sa)
{
	if (sa->looks_until == 0)
		look(sa);
	if (sa->looks_until > sa->e->now)
		return;
	sa->looks_until = 0;
	sa->alive_wanted = true;
}

static void tick_up(struct ike_sa *sa)
{
	const struct conf_connection *cn = sa->conn->conf;
	mono_ns now = sa->e->now;

	move_tick(sa);
	standby_tick(sa);
	if (cn->liveness > 0 && !sa->window.asked && now >= sa->heard + cn->liveness)
		judge_liveness(sa);
	else if (!sa->window.asked)
		sa->looks_until = 0;
	if (sa->nat_here && cn->keepalive > 0 && now >= sa->sent + cn->keepalive) {
		actions_keepalive(&sa->e->actions, &sa->path);
		sa->sent = now;
	}
}

void sa_tick(struct ike_sa *sa)
{
	if (sa->expires <= sa->e->now) {
		give_up(sa);
		return;
	}
	if (keep_wake_at(sa) <= sa->e->now) {
		restore_wake(sa);
		return;
	}
	if (sa->fragments && sa->fragments->until <= sa->e->now)
		sa_drop_fragments(sa);
	if (sa->state == S_INIT_SENT && sa->hs->follow_at <= sa->e->now) {
		init_follow_cookie(sa);
		return;
	}
	if (tick_retransmit(sa))
		return;
	if (!beside_tick(sa)) {
		give_up(sa);
		return;
	}
	if (sa->state == S_UP) {
		tick_children(sa);
		rekey_tick(sa);
		create_tick(sa);
		tick_up(sa);
		rekey_ike_tick(sa);
	}
	sa_settle(sa);
}
