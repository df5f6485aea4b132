/* SPDX-License-Identifier: Apache-2.0 */
/* The IKE SA that takes another one's place: see rekey_ike.h. Exchanges know their heirs by our SPI
 * and not by pointers: an engine that ends frees them in any order. */
#include "ike/rekey_ike.h"

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/exchange_create.h"
#include "ike/init_message.h"
#include "ike/keep.h"
#include "ike/life.h"
#include "ike/note.h"
#include "ike/peer.h"
#include "ike/proof.h"
#include "ike/qcd.h"
#include "ike/rekey.h"
#include "ike/renew.h"

/* A peer that has made an heir deletes the old one at once; what it sends again is answered so
 * long. */
static const mono_ns wait_time = 60 * NS_PER_S;
static const mono_ns delete_time = 10 * NS_PER_S;

static bool is_ike(const struct create *c)
{
	return c && c->purpose == CREATE_IKE_REKEY;
}

static struct ike_sa *heir_of(const struct create *c)
{
	return c->heir ? sa_find(c->sa->e, c->heir) : NULL;
}

/* The peer's, that waits for the answer to our own request; NULL: none. */
static struct ike_sa *rival_of(const struct ike_sa *sa)
{
	return sa->mine && sa->mine->rival ? sa_find(sa->e, sa->mine->rival) : NULL;
}

/* ... which is for the caller now. */
static struct ike_sa *take_rival(struct ike_sa *sa)
{
	struct ike_sa *rival = rival_of(sa);

	if (sa->mine)
		sa->mine->rival = 0;
	return rival;
}

static struct low_nonce low_of(const struct create *c)
{
	return nonce_lower(span_of(c->nonce, sizeof(c->nonce)), packets_span(&c->peer_nonce));
}

/* ---- when ---- */

void rekey_ike_plan(struct ike_sa *sa)
{
	mono_ns now = sa->e->now, life = sa->conn->conf->lifetime;

	sa->rekey_at = NEVER;
	sa->ends_at = sa->proved_until;
	sa->rekey_tries = 0;
	if (life <= 0)
		return;
	sa->rekey_at = now + rekey_part(sa->e, sa->initiator, life);
	if (now + life < sa->ends_at)
		sa->ends_at = now + life;
}

void rekey_ike_want(struct ike_sa *sa)
{
	if (sa->rekey_at > sa->e->now)
		sa->rekey_at = sa->e->now;
	sa_settle(sa);
}

static bool can_begin(const struct ike_sa *sa)
{
	return sa->state == S_UP && !sa->hs && !sa->redundant && !sa->mine && !sa->theirs &&
	       !renew_is_old(sa);
}

bool rekey_ike_is_due(const struct ike_sa *sa)
{
	return can_begin(sa) && sa->rekey_at <= sa->e->now;
}

mono_ns rekey_ike_deadline(const struct ike_sa *sa)
{
	mono_ns when = sa->ends_at, now = sa->e->now;

	/* What is due already waits for the window, or for the peer. */
	if (renew_deadline(sa) < when)
		when = renew_deadline(sa);
	return can_begin(sa) && sa->rekey_at > now && sa->rekey_at < when ? sa->rekey_at : when;
}

void rekey_ike_tick(struct ike_sa *sa)
{
	if (sa->ends_at <= sa->e->now)
		renew_end(sa);
	else if (renew_at(sa) <= sa->e->now)
		renew_begin(sa);
}

bool rekey_ike_is_asked(const struct ike_sa *sa)
{
	return is_ike(sa->mine) && create_is_out(sa->mine);
}

bool rekey_ike_is_under_way(const struct ike_sa *sa)
{
	return rekey_ike_is_asked(sa) || is_ike(sa->theirs);
}

bool rekey_ike_may(const struct ike_sa *sa)
{
	for (const struct child_sa *c = sa->children; c; c = c->next) {
		if (c->delete_sent)
			return false;
	}
	/* It has had its answer, and asks for another one. */
	if (rival_of(sa))
		return false;
	return !sa->mine || !create_is_out(sa->mine) || rekey_ike_is_asked(sa);
}

/* ---- what is made ---- */

struct proposal_want rekey_ike_proposal(const struct ike_sa *sa)
{
	struct proposal_want want = init_want(sa->conn->conf);

	want.rekey = true;
	return want;
}

enum err rekey_ike_new(struct create *c)
{
	struct ike_sa *heir;
	enum err err = sa_new(c->sa->e, c->ours, &c->sa->path, &heir);

	if (err != OK)
		return err;
	if (keep_new_sa(heir) != OK) {
		sa_free(heir);
		return ERR_NOMEM;
	}
	sa_forget_handshake(heir);
	heir->expires = NEVER;
	c->heir = sa_own_spi(heir);
	return OK;
}

uint64_t rekey_ike_spi(const struct create *c)
{
	return c->heir;
}

enum err rekey_ike_derive(struct create *c, const struct keymat_seed *drawn)
{
	struct ike_sa *heir = heir_of(c);
	struct keymat_seed seed = *drawn;
	enum err err;

	if (!heir || c->deal.chosen.spi == 0)
		return heir ? ERR_SYNTAX : ERR_BUSY;
	*(c->ours ? &heir->spi_r : &heir->spi_i) = c->deal.chosen.spi;
	seed.spi_i = heir->spi_i;
	seed.spi_r = heir->spi_r;
	heir->suite = c->deal.chosen.suite;
	err = keymat_ike_rekey(&heir->suite, c->sa->suite.prf, &c->sa->keys.d, &seed, &heir->keys);
	/* They only ever serve AUTH. */
	key_wipe(&heir->keys.pi);
	key_wipe(&heir->keys.pr);
	c->stage = CREATE_INSTALL;
	return err;
}

void rekey_ike_put_token(const struct create *c, struct builder *b)
{
	const struct ike_sa *heir = heir_of(c);

	if (heir)
		qcd_put(heir, c->sa->conn->conf, b);
}

void rekey_ike_take_token(const struct create *c, const struct message *m)
{
	struct ike_sa *heir = heir_of(c);

	if (heir)
		qcd_take(heir, m);
}

/* ---- who inherits ---- */

/* It can be spoken to from now on, and is where the old one is. */
static void live(struct ike_sa *heir, const struct ike_sa *old)
{
	heir->path = old->path;
	move_pass_on(heir, old);
	heir->nat_here = old->nat_here;
	heir->nat_there = old->nat_there;
	heir->encap = old->encap;
	mobike_inherit(heir, old);
	heir->fragmentation = old->fragmentation;
	heir->transcript_full = old->transcript_full;
	note_print(heir->scheme, sizeof(heir->scheme), "%s", old->scheme);
	heir->born = old->born;
	heir->born_at = old->born_at;
	heir->up_at = old->up_at;
	heir->rank = old->rank;
	proof_pass_on(heir, old);
	heir->since = old->since;
	heir->heard = heir->e->now;
	heir->sent = heir->e->now;
	heir->standby = old->standby;
	heir->state = S_UP;
	heir->token_wanted = heir->initiator && qcd_makes(heir->e, old->conn->conf);
	conn_add_sa(old->conn, heir);
	rekey_ike_plan(heir);
	renew_pass_on(heir, old);
}

/* Silently: another one carries on. */
static void bury(struct ike_sa *sa, bool ours)
{
	sa->established = false;
	sa->state = S_CLOSING;
	sa->why = ERR_REPLACED;
	sa->waits = !ours;
	sa->close_wanted = ours;
	sa->close_notify = 0;
	sa->alive_wanted = false;
	sa->token_wanted = false;
	sa->expires = sa->e->now + (ours ? delete_time : wait_time);
	sa_settle(sa);
}

static void move_children(struct ike_sa *heir, struct ike_sa *old)
{
	struct child_sa *c;

	heir->children = old->children;
	old->children = NULL;
	for (c = heir->children; c; c = c->next) {
		c->sa = heir;
		c->ticket.sa = heir;
		c->query_in.sa = heir;
		c->query_out.sa = heir;
		c->move_in.sa = heir;
		c->move_out.sa = heir;
	}
}

/* Who speaks by the heir needs no answer of the one before it any more. So there are two at most,
 * however often a peer asks for new keys, and whether it deletes or not. */
static void forget_before(struct ike_sa *old)
{
	struct ike_sa *before = old->before ? sa_find(old->e, old->before) : NULL;

	if (before)
		sa_end(before, ERR_REPLACED);
}

/* `ours`: we made it, and delete the old one. */
static void inherit(struct ike_sa *heir, struct ike_sa *old, bool ours)
{
	struct ike_note n;

	forget_before(old);
	heir->before = sa_own_spi(old);
	live(heir, old);
	peer_leave(old);
	heir->peer = old->peer;
	old->peer = NULL;
	peer_enter(heir);
	heir->established = old->established;
	heir->full = old->full;
	heir->told_full = old->told_full;
	move_children(heir, old);
	bury(old, ours);
	renew_on_answer(heir);
	n = note_of_sa(heir, IKE_NOTE_REKEYED, OK);
	note_tell(heir->e, &n);
	create_yield(heir);
	sa_settle(heir);
}

/* Nobody inherits by it. */
static void discard(struct ike_sa *heir, const struct ike_sa *old, bool ours)
{
	live(heir, old);
	bury(heir, ours);
}

/* ---- what became of an exchange ---- */

/* Ours is done, and the peer's, that was being made meanwhile, is or is not. */
static void settle(struct create *c)
{
	struct ike_sa *sa = c->sa, *heir = heir_of(c), *rival = take_rival(sa);
	struct low_nonce low = low_of(c);
	bool lost = rival && nonce_order(&low, &c->rival_low) < 0;

	c->heir = 0;
	create_free(&sa->mine);
	if (lost || sa->state == S_CLOSING)
		discard(heir, sa, true);
	else if (rival)
		discard(rival, sa, false);
	if (sa->state != S_CLOSING)
		inherit(lost ? rival : heir, sa, !lost);
}

void rekey_ike_made(struct create *c)
{
	if (!is_ike(c->sa->theirs))
		settle(c);
}

void rekey_ike_resume(struct ike_sa *sa)
{
	if (is_ike(sa->mine) && sa->mine->stage == CREATE_INSTALL)
		settle(sa->mine);
}

void rekey_ike_answered(struct create *c)
{
	struct ike_sa *sa = c->sa, *heir = heir_of(c);
	struct create *mine = rekey_ike_is_asked(sa) ? sa->mine : NULL;

	c->heir = 0;
	if (mine) {
		mine->rival = sa_own_spi(heir);
		mine->rival_low = low_of(c);
	} else {
		inherit(heir, sa, false);
	}
}

bool rekey_ike_rescue(struct ike_sa *sa)
{
	struct ike_sa *rival = take_rival(sa);

	if (rival)
		inherit(rival, sa, false);
	return rival != NULL;
}

bool rekey_ike_unmade(struct ike_sa *sa)
{
	const struct create *c = sa->mine;
	struct low_nonce low = low_of(c);

	/* A peer that has made ours goes on by it, and deletes its own, if the nonces say so. */
	if (nonce_order(&low, &c->rival_low) < 0)
		return rekey_ike_rescue(sa);
	rekey_ike_close(sa);
	return false;
}

void rekey_ike_failed(struct ike_sa *sa, struct ike_note *n)
{
	n->kind = IKE_NOTE_REKEY_FAILED;
	n->initiator = true;
	if (n->text[0] == 0)
		note_print(n->text, sizeof(n->text), "%s", err_text(n->err));
	sa->rekey_tries++;
	sa->rekey_at = sa->e->now + conn_backoff(sa->conn, sa->rekey_tries);
	conn_remember(sa->conn, n);
	note_tell(sa->e, n);
}

void rekey_ike_close(struct ike_sa *sa)
{
	struct ike_sa *rival = take_rival(sa);

	if (rival)
		discard(rival, sa, true);
}
