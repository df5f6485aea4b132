/* SPDX-License-Identifier: Apache-2.0 */
/* Our handshake whose IKE_AUTH request has left, written and read: what the answer to that is
 * judged by. The peer that has answered believes in the SA, and may already send by it.
 *
 * It is written once, when the request leaves (keep.c). What comes after that comes again: the
 * answer, which the peer keeps for the request that is sent again, and what jobs say of it. Other
 * answers to IKE_SA_INIT (init_rival.h) do not; then the attempt is made anew after its time. */
#include <stdlib.h>

#include "ike/auth.h"
#include "ike/child.h"
#include "ike/init_message.h"
#include "ike/rekey.h"
#include "ike/snapshot_parts.h"

#define HS(name)   FIELD(struct handshake, name)
#define TRY(name)  FIELD(struct init_try, name)
#define AUTH(name) FIELD(struct auth, name)
#define SA(name)   FIELD(struct ike_sa, name)

static const struct field handshake_rows[] = {
	BYTES(struct handshake, nonce),
	HS(response),
};

/* The form of our IKE_SA_INIT request that was answered. */
static const struct field try_rows[] = {
	TRY(group),
	BYTES(struct init_try, priv),
	TRY(request),
};

static const struct field auth_rows[] = {
	AUTH(alone),	       AUTH(deal.offer.ts.i),
	AUTH(deal.offer.ts.r), AUTH(deal.offer.transport),
	AUTH(deal.offer.pair),
};

/* They are wiped with the handshake. */
static const struct field proof_rows[] = { SA(keys.pi), SA(keys.pr) };

struct fields snapshot_rows_handshake(void)
{
	return FIELDS(handshake_rows);
}

struct fields snapshot_rows_try(void)
{
	return FIELDS(try_rows);
}

struct fields snapshot_rows_auth(void)
{
	return FIELDS(auth_rows);
}

bool snapshot_has_handshake(const struct ike_sa *sa)
{
	return sa->state == S_AUTH_SENT && sa->hs->auth && sa->window.asked;
}

void snapshot_put_handshake(struct wr *w, const struct ike_sa *sa)
{
	const struct auth *a;

	if (sa->state != S_AUTH_SENT)
		return;
	a = sa->hs->auth;
	fields_put(w, FIELDS(handshake_rows), sa->hs);
	fields_put(w, FIELDS(try_rows), sa->hs->chosen);
	fields_put(w, FIELDS(proof_rows), sa);
	fields_put(w, FIELDS(auth_rows), a);
	wr_u32(w, a->deal.child ? a->deal.child->id : 0);
}

/* ---- reading ---- */

/* The child that it makes along, and no other. */
static bool child_is_sound(const struct ike_sa *sa)
{
	const struct deal *d = &sa->hs->auth->deal;

	if (sa->hs->auth->alone)
		return !sa->children;
	return d->child && sa->children == d->child && !d->child->next &&
	       d->child->stage == CHILD_ASKED && d->child->conf && d->offer.ts.i.n > 0 &&
	       d->offer.ts.r.n > 0;
}

static bool is_sound(const struct ike_sa *sa)
{
	const struct init_try *try = sa->hs->chosen;

	return sa->initiator && sa->conn && !sa->established && !sa->peer && !sa->beside &&
	       !sa->mine && !sa->qcd_hash && sa->expires != NEVER && sa->window.asked &&
	       sa->window.exchange == X_IKE_AUTH && try->group && try->group == sa->suite.ke &&
	       try->request.len > 0 && sa->keys.pi.len == sa->suite.prf->len &&
	       sa->keys.pr.len == sa->suite.prf->len && child_is_sound(sa);
}

/* What points into messages. */
static enum err find_views(const struct ike_sa *sa)
{
	struct handshake *hs = sa->hs;
	struct init_views v;
	struct message m;
	enum err err = message_decode(packets_span(&hs->response), &m);

	if (err == OK)
		err = init_views_decode(&m, &v);
	if (err != OK || m.h.exchange != X_IKE_SA_INIT || m.h.spi_i != sa->spi_i ||
	    m.h.spi_r != sa->spi_r || v.ke.group != hs->chosen->group->id)
		return ERR_SYNTAX;
	hs->ni = span_of(hs->nonce, sizeof(hs->nonce));
	hs->nr = v.nonce;
	hs->peer_ke = v.ke.data;
	return OK;
}

/* As it was when the request had left. */
static enum err begin(struct ike_sa *sa)
{
	struct handshake *hs = handshake_new(1);

	sa->hs = hs;
	if (!hs)
		return ERR_NOMEM;
	hs->auth = calloc(1, sizeof(*hs->auth));
	if (!hs->auth)
		return ERR_NOMEM;
	hs->n_tries = 1;
	hs->chosen = &hs->tries[0];
	hs->keyed = true;
	hs->restored = true;
	hs->auth->deal.ours = true;
	hs->auth->written = true;
	return OK;
}

enum err snapshot_get_handshake(struct rd *r, struct snapshot *s)
{
	struct ike_sa *sa = s->sa;
	uint32_t child;
	enum err err;

	if (sa->state != S_AUTH_SENT)
		return OK;
	/* Nobody would say goodbye for it. */
	if (s->retires || s->formers)
		return ERR_NOT_FOUND;
	err = begin(sa);
	if (err == OK)
		err = fields_get(r, FIELDS(handshake_rows), sa->hs, sa->e->now);
	if (err == OK)
		err = fields_get(r, FIELDS(try_rows), sa->hs->chosen, sa->e->now);
	if (err == OK)
		err = fields_get(r, FIELDS(proof_rows), sa, sa->e->now);
	if (err == OK)
		err = fields_get(r, FIELDS(auth_rows), sa->hs->auth, sa->e->now);
	if (err != OK)
		return err;
	child = rd_u32(r);
	sa->hs->auth->deal.child = rekey_find(sa, child);
	if (!rd_ok(r) || (child != 0) != (sa->hs->auth->deal.child != NULL) || !is_sound(sa))
		return ERR_SYNTAX;
	return find_views(sa);
}
