/* SPDX-License-Identifier: Apache-2.0 */
/* What both roles of CREATE_CHILD_SA have in common: the exchange as an object, Diffie-Hellman, and
 * the keys that follow. See create.h, exchange_create.h. */
#include "ike/exchange_create.h"

#include <stdlib.h>

#include "crypto/ke.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/create.h"
#include "ike/init_message.h"
#include "ike/life.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"
#include "ike/renew.h"

/* How long a worker may take. */
static const mono_ns worker_time = 20 * NS_PER_S;

/* ---- the object ---- */

static struct create **slot_of(struct create *c)
{
	return c->ours ? &c->sa->mine : &c->sa->theirs;
}

enum err create_new(struct ike_sa *sa, enum create_purpose purpose, bool ours)
{
	struct create *c = calloc(1, sizeof(*c));

	if (!c)
		return ERR_NOMEM;
	*c = (struct create){ .sa = sa,
			      .purpose = purpose,
			      .ours = ours,
			      .stage = CREATE_READY,
			      .expires = NEVER,
			      .path = sa->path,
			      .deal = { .fresh = true } };
	*slot_of(c) = c;
	if (random_fill(&sa->e->env.random, c->nonce, sizeof(c->nonce)))
		return OK;
	create_free(slot_of(c));
	return ERR_CRYPTO;
}

void create_free(struct create **slot)
{
	struct create *c = *slot;

	*slot = NULL;
	if (!c)
		return;
	ticket_drop(c->sa->e, &c->ticket);
	if (c->deal.child)
		child_free(c->deal.child);
	if (c->heir)
		sa_free(sa_find(c->sa->e, c->heir));
	if (c->rival)
		sa_free(sa_find(c->sa->e, c->rival));
	deal_free(&c->deal);
	packets_free(&c->peer_nonce);
	packets_free(&c->peer_ke);
	/* An IKE SA that is to go may have waited for this. */
	if (renew_is_old(c->sa))
		conn_look(c->sa->conn);
	secret_free(c, sizeof(*c));
}

static bool owns(const struct create *c, const struct child_sa *child)
{
	return c && c->deal.child == child;
}

void create_forget_child(struct ike_sa *sa, const struct child_sa *child)
{
	if (owns(sa->mine, child))
		sa->mine->deal.child = NULL;
	if (owns(sa->theirs, child)) {
		sa->theirs->deal.child = NULL;
		/* Nobody else will answer. */
		sa->theirs->expires = sa->e->now;
	}
}

bool create_is_dealing(const struct ike_sa *sa, const struct child_sa *child)
{
	return owns(sa->mine, child) || owns(sa->theirs, child);
}

bool create_is_out(const struct create *c)
{
	return c->stage != CREATE_PUBLIC && c->stage != CREATE_READY;
}

mono_ns create_deadline(const struct ike_sa *sa)
{
	mono_ns when = sa->yield > sa->e->now ? sa->yield : NEVER;

	if (sa->mine && sa->mine->expires < when)
		when = sa->mine->expires;
	if (sa->theirs && sa->theirs->expires < when)
		when = sa->theirs->expires;
	return when;
}

/* ---- Diffie-Hellman ---- */

static enum err ask_worker(struct create *c, struct span peer)
{
	struct job j = {
		.kind = JOB_KE,
		.ke = { .group = c->group->id,
			.secret = span_of(c->priv, c->group->private_len),
			.peer = peer },
	};
	enum err err = ticket_ask(&c->ticket, c->sa, &j);

	if (err != OK)
		return err;
	c->stage = peer.len > 0 ? CREATE_SECRET : CREATE_PUBLIC;
	c->expires = c->sa->e->now + worker_time;
	sa_schedule(c->sa);
	return OK;
}

enum err create_draw(struct create *c, const struct ke_group *g)
{
	enum err err;

	c->group = g;
	c->stage = CREATE_READY;
	if (!g)
		return OK;
	err = init_draw(c->sa->e, g, c->priv, c->pub);
	return err == OK && g->slow ? ask_worker(c, SPAN_EMPTY) : err;
}

void create_put_values(const struct create *c, struct builder *b)
{
	struct pl_ke ke;

	builder_add(b, PL_NONCE, span_of(c->nonce, sizeof(c->nonce)));
	if (!c->group)
		return;
	ke = (struct pl_ke){ .group = c->group->id, .data = span_of(c->pub, c->group->public_len) };
	pl_ke_encode(builder_begin(b, PL_KE), &ke);
	builder_end(b);
}

/* The secret is there (empty: no group). */
static enum err install(struct create *c, struct span secret)
{
	struct span own = span_of(c->nonce, sizeof(c->nonce));
	struct span peer = packets_span(&c->peer_nonce);
	struct keymat_seed seed = {
		.g_ir = secret,
		.ni = c->ours ? own : peer,
		.nr = c->ours ? peer : own,
	};

	if (c->purpose == CREATE_IKE_REKEY)
		return rekey_ike_derive(c, &seed);
	if (!c->deal.child)
		return ERR_BUSY; /* it was taken away meanwhile */
	/* ... or the peer, who has it, is to hear that we do not. */
	if (!c->deal.child->conf || !child_stays(c->deal.child))
		return ERR_TS;
	c->stage = CREATE_INSTALL;
	c->deal.child->replaces = c->deal.replaces;
	rekey_remember(c->deal.child, own, peer);
	return child_install_inbound(c->deal.child, &c->deal.chosen, &seed);
}

enum err create_agree(struct create *c)
{
	uint8_t secret[KE_SECRET_MAX];
	const struct ke_group *g = c->group;
	enum err err;

	if (!g)
		return install(c, SPAN_EMPTY);
	if (g->slow)
		return ask_worker(c, packets_span(&c->peer_ke));
	err = ke_shared(g, span_of(c->priv, g->private_len), packets_span(&c->peer_ke), secret);
	if (err == OK)
		err = install(c, span_of(secret, g->secret_len));
	secret_wipe(secret, sizeof(secret));
	return err;
}

/* ---- answers of others ---- */

static enum err take_public(struct create *c, struct span pub)
{
	struct wr w = wr_into(c->pub, sizeof(c->pub));

	wr_span(&w, pub);
	c->stage = CREATE_READY;
	return wr_ok(&w) ? OK : ERR_SPACE;
}

static void go_on(struct create *c, enum err err)
{
	if (c->ours)
		create_initiator_go_on(c, err);
	else
		create_responder_go_on(c, err);
}

void create_on_job(struct create *c, const struct job_result *r)
{
	bool secret = c->stage == CREATE_SECRET;
	enum err err = r->err;

	c->expires = NEVER;
	if (err == OK && r->bytes.len != (secret ? c->group->secret_len : c->group->public_len))
		err = ERR_CRYPTO;
	if (err == OK)
		err = secret ? install(c, r->bytes) : take_public(c, r->bytes);
	go_on(c, err);
}

void create_resume(struct ike_sa *sa)
{
	struct create *c = sa->mine;
	enum err err;

	rekey_ike_resume(sa);
	if (c != sa->mine || !c || c->stage != CREATE_SECRET)
		return;
	err = ask_worker(c, packets_span(&c->peer_ke));
	if (err != OK)
		create_initiator_go_on(c, err);
}

static void tick(struct create *c)
{
	if (!c || c->expires > c->sa->e->now)
		return;
	ticket_drop(c->sa->e, &c->ticket);
	c->expires = NEVER;
	go_on(c, ERR_SYSTEM);
}

void create_tick(struct ike_sa *sa)
{
	tick(sa->mine);
	tick(sa->theirs);
}
