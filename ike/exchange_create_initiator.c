/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_CHILD_SA as initiator: a child that is due is offered, and put in when the answer lies in
 * the offer. Whatever goes wrong, the IKE SA and the other children stay. The IKE SA that is to
 * take the place of this one goes the same way, without a child. */
#include "ike/child.h"
#include "ike/child_plane.h"
#include "ike/connection.h"
#include "ike/create.h"
#include "ike/exchange_create.h"
#include "ike/exchange_info.h"
#include "ike/life.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"
#include "ike/renew.h"
#include "ike/send.h"

/* ---- asking ---- */

/* It cannot even be asked for: told, and put off. */
static void not_begun(struct ike_sa *sa, const struct conf_child *conf, uint32_t replaces,
		      struct ike_note *n)
{
	struct deal none = { .ours = true, .fresh = true, .replaces = replaces };
	enum err err = n->err;

	deal_failed(sa, sa->mine ? &sa->mine->deal : &none, n);
	create_free(&sa->mine);
	deal_put_off(sa, &none, conf, err);
	if (err == ERR_UNSUPPORTED && !replaces)
		conn_child_bar(sa->conn, conf);
}

/* A new one, or one in the place of `old`. */
static void begin(struct ike_sa *sa, const struct conf_child *conf, const struct child_sa *old)
{
	struct ike_note n = deal_note(sa, conf);
	struct suite_policy room;
	struct proposal_want want;

	n.err = create_new(sa, old ? CREATE_CHILD_REKEY : CREATE_CHILD, true);
	if (n.err == OK) {
		sa->mine->deal.with_ke = true;
		n.err = old ? deal_begin_rekey(sa, &sa->mine->deal, old, &n)
			    : deal_begin(sa, &sa->mine->deal, conf, &n);
	}
	if (n.err == OK) {
		want = deal_want(sa, &sa->mine->deal, conf, &room);
		n.err = create_draw(sa->mine, want.with_ke ? room.ke[0] : NULL);
	}
	if (n.err != OK)
		not_begun(sa, conf, old ? old->id : 0, &n);
}

static bool is_ike(const struct create *c)
{
	return c->purpose == CREATE_IKE_REKEY;
}

/* With the group that both have used already. */
static void begin_ike(struct ike_sa *sa)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REKEY_FAILED, OK);

	n.err = create_new(sa, CREATE_IKE_REKEY, true);
	if (n.err == OK)
		n.err = rekey_ike_new(sa->mine);
	if (n.err == OK)
		n.err = create_draw(sa->mine, sa->suite.ke);
	if (n.err == OK)
		return;
	create_free(&sa->mine);
	rekey_ike_failed(sa, &n);
}

/* It is named by the SPI that its sender receives by (1.3.3). */
static void put_rekey(const struct create *c, struct builder *b)
{
	const struct child_sa *old = rekey_find(c->sa, c->deal.replaces);
	uint8_t spi[ESP_SPI_LEN];
	struct wr w = wr_into(spi, sizeof(spi));
	struct pl_notify n = { .protocol = PROTO_ESP, .type = NOTIFY_REKEY_SA };

	if (!old)
		return;
	wr_u32(&w, old->spi_in);
	n.spi = wr_done(&w);
	builder_notify_full(b, &n);
}

static void put_sa(const struct create *c, struct builder *b)
{
	struct proposal_want want;

	if (is_ike(c)) {
		want = rekey_ike_proposal(c->sa);
		proposal_offer(builder_begin(b, PL_SA), &want, rekey_ike_spi(c));
		builder_end(b);
		return;
	}
	put_rekey(c, b);
	deal_put_offer(c->sa, &c->deal, b);
}

static enum err send_offer(struct create *c)
{
	struct ike_sa *sa = c->sa;
	struct builder b = send_begin(sa->e);
	enum err err;

	if (!is_ike(c))
		child_plane_expect(c->deal.child);
	put_sa(c, &b);
	create_put_values(c, &b);
	if (!is_ike(c))
		deal_put_selectors(&c->deal.offer.ts, &b);
	err = send_request(sa, X_CREATE_CHILD_SA, &b);
	if (err == OK)
		c->stage = CREATE_ASKED;
	return err;
}

static bool is_wanted(const struct create *c)
{
	return is_ike(c) || (c->deal.child && child_stays(c->deal.child));
}

/* What it was to replace is no more, or somebody else does it. */
static bool is_late(const struct create *c)
{
	const struct child_sa *old = rekey_find(c->sa, c->deal.replaces);

	return c->purpose == CREATE_CHILD_REKEY &&
	       (!old || !child_stays(old) || rekey_has_agreed_heir(old));
}

bool create_ask(struct ike_sa *sa)
{
	const struct conf_child *conf;
	const struct child_sa *old;

	if (sa->mine && !create_is_out(sa->mine) && (!is_wanted(sa->mine) || is_late(sa->mine)))
		create_free(&sa->mine);
	if (rekey_ike_is_due(sa))
		begin_ike(sa);
	/* One that cannot begin is put off, so this ends. */
	while (!sa->mine && (old = rekey_next(sa)))
		begin(sa, old->conf, old);
	while (!sa->mine && (conf = conn_child_next(sa)))
		begin(sa, conf, NULL);
	if (!sa->mine || sa->mine->stage != CREATE_READY)
		return false;
	/* The peer's child is to be there before it moves. */
	if (is_ike(sa->mine) && sa->theirs)
		return false;
	if (send_offer(sa->mine) != OK)
		sa->again = sa->e->now + NS_PER_S;
	return true;
}

void create_cancel(struct ike_sa *sa, const struct conf_child *conf)
{
	struct create *c = sa->mine;

	if (c && !create_is_out(c) && c->deal.child && c->deal.child->conf == conf)
		create_free(&sa->mine);
}

/* ---- the answer ---- */

/* It is on its own now; if it was taken down meanwhile its Delete is due. */
static void let_go(struct create *c)
{
	struct ike_sa *sa = c->sa;

	c->deal.child = NULL;
	create_free(&sa->mine);
	sa_settle(sa);
}

/* The peer has it and we do not. */
static void give_back(struct create *c, enum err err)
{
	struct ike_sa *sa = c->sa;

	deal_unfit(sa, &c->deal, err);
	let_go(c);
}

/* When the peer has made it and we cannot, neither of the two IKE SAs is of use, unless the peer
 * has begun one, too, which is to stay. */
static void ike_unmade(struct create *c, enum err err)
{
	struct ike_sa *sa = c->sa;
	bool out = create_is_out(c);
	bool inherited = rekey_ike_unmade(sa);
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REKEY_FAILED, err);

	create_free(&sa->mine);
	if (inherited)
		return;
	rekey_ike_failed(sa, &n);
	if (out)
		sa_close(sa, err, 0);
}

static void ike_go_on(struct create *c, enum err err)
{
	struct ike_sa *sa = c->sa;

	if (err != OK)
		ike_unmade(c, err);
	else if (c->stage == CREATE_INSTALL)
		rekey_ike_made(c);
	sa_settle(sa);
}

void create_initiator_go_on(struct create *c, enum err err)
{
	struct ike_sa *sa = c->sa;
	bool secret = !create_is_out(c);
	struct ike_note n;

	if (is_ike(c)) {
		ike_go_on(c, err);
	} else if (!is_wanted(c) && secret) {
		create_free(&sa->mine);
		sa_settle(sa);
	} else if (!is_wanted(c)) {
		let_go(c);
	} else if (err != OK && secret) {
		n = deal_note(sa, c->deal.child->conf);
		n.err = err;
		not_begun(sa, c->deal.child->conf, c->deal.replaces, &n);
		sa_settle(sa);
	} else if (err != OK) {
		give_back(c, err);
	} else if (c->stage == CREATE_INSTALL) {
		let_go(c);
	} else {
		sa_settle(sa);
	}
}

/* The group's value must be there when a group was agreed on, and of ours. */
static enum err take_ke(struct create *c, const struct message *m)
{
	struct pl_ke ke;
	enum err err;

	if (!c->deal.chosen.suite.ke) {
		c->group = NULL;
		return OK;
	}
	if (!message_has(m, PL_KE))
		return ERR_SYNTAX;
	err = pl_ke_decode(message_body(m, PL_KE), &ke);
	if (err == OK)
		err = proposal_ke_check(&c->deal.chosen, ke.group);
	if (err == OK && c->deal.chosen.suite.ke != c->group)
		err = ERR_KE_GROUP;
	return err == OK ? packets_set(&c->peer_ke, ke.data) : err;
}

static enum err take_ike(struct create *c, const struct message *m)
{
	struct proposal_want want = rekey_ike_proposal(c->sa);

	rekey_ike_take_token(c, m);
	return proposal_verify(message_body(m, PL_SA), &want, &c->deal.chosen);
}

static enum err take_answer(struct create *c, const struct message *m)
{
	struct span nonce;
	enum err err = pl_nonce_decode(message_body(m, PL_NONCE), &nonce);

	if (err == OK && span_eq(nonce, span_of(c->nonce, sizeof(c->nonce))))
		err = ERR_REPLAY;
	if (err == OK)
		err = packets_set(&c->peer_nonce, nonce);
	if (err == OK && is_ike(c))
		err = take_ike(c, m);
	else if (err == OK)
		err = deal_take_answer(c->sa, &c->deal, m);
	return err == OK ? take_ke(c, m) : err;
}

void create_on_delete(struct ike_sa *sa, uint32_t spi)
{
	struct create *c = sa->mine;

	if (c && c->stage == CREATE_ASKED && c->n_deleted < CREATE_DELETED_MAX)
		c->deleted[c->n_deleted++] = spi;
}

static bool is_deleted(const struct create *c)
{
	for (uint8_t i = 0; i < c->n_deleted; i++) {
		if (c->deleted[i] == c->deal.chosen.spi)
			return true;
	}
	return false;
}

/* The peer takes part in this exchange, and is not too busy for it. */
static void answered(const struct create *c)
{
	struct conn *conn = c->sa->conn;

	conn->rekeys = conn->rekeys || !is_ike(c);
	renew_on_answer(c->sa);
}

struct step create_on_response(struct turn *t)
{
	struct create *c = t->sa->mine;
	enum err err = OK;

	if (!c)
		return step_done();
	if (is_wanted(c))
		err = take_answer(c, t->m);
	answered(c);
	if (is_wanted(c) && err == OK && !is_ike(c) && is_deleted(c))
		child_end(c->deal.child, ERR_PEER_DELETED);
	if (is_wanted(c) && err == OK)
		err = create_agree(c);
	create_initiator_go_on(c, err);
	return step_done();
}

/* ---- refusals ---- */

/* Another group of our own offer, once. */
static bool follow(struct create *c, const struct pl_notify *n)
{
	struct suite_policy room;
	struct proposal_want want =
		is_ike(c) ? rekey_ike_proposal(c->sa)
			  : deal_want(c->sa, &c->deal, c->deal.child->conf, &room);
	const struct ke_group *g =
		c->group && !c->regrouped ? proposal_ke_asked(&want, n->data, c->group->id) : NULL;

	if (!g || !random_fill(&c->sa->e->env.random, c->nonce, sizeof(c->nonce)))
		return false;
	c->regrouped = true;
	return create_draw(c, g) == OK;
}

/* Nothing is to be told: somebody took it down, or the peer makes it. */
static bool is_moot(const struct create *c, uint16_t notify)
{
	return !is_wanted(c) || (notify == NOTIFY_TEMPORARY_FAILURE && c->deal.child->surplus);
}

/* Another pair of the same child is up. */
static bool is_carried(const struct create *c)
{
	const struct child_sa *o = c->sa->children;

	while (o && !(o->conf == c->deal.child->conf && o->stage >= CHILD_HELD && child_stays(o)))
		o = o->next;
	return o != NULL;
}

/* The peer has replaced it meanwhile, or has never known it (2.25.1): ours is dropped. False:
 * neither. */
static bool drop_moot_rekey(struct create *c, uint16_t notify)
{
	struct ike_sa *sa = c->sa;
	struct child_sa *old = rekey_find(sa, c->deal.replaces);
	bool replaced = old ? rekey_has_agreed_heir(old) : is_carried(c);

	if (!replaced && (!old || notify != NOTIFY_CHILD_SA_NOT_FOUND))
		return false;
	create_free(&sa->mine);
	if (!replaced && child_stays(old))
		rekey_unknown(old);
	return true;
}

static struct step ike_refused(struct create *c, const struct pl_notify *n)
{
	struct ike_sa *sa = c->sa;
	struct ike_note note = note_of_sa(sa, IKE_NOTE_REKEY_FAILED, deal_refusal(n->type));
	/* The peer, who was first, has made the one that counts; then it is not asked again. */
	bool moot = rekey_ike_rescue(sa);

	if (!moot && n->type == NOTIFY_INVALID_KE_PAYLOAD && follow(c, n))
		return step_done();
	create_free(&sa->mine);
	if (moot)
		return step_done();
	note_print(note.text, sizeof(note.text), "the peer answers %s to new keys of the IKE SA",
		   notify_name(n->type));
	rekey_ike_failed(sa, &note);
	if (n->type == NOTIFY_TEMPORARY_FAILURE)
		renew_on_busy(sa);
	return step_done();
}

struct step create_on_refusal(struct turn *t)
{
	struct ike_sa *sa = t->sa;
	struct create *c = sa->mine;
	struct pl_notify n = { .type = NOTIFY_INVALID_SYNTAX };
	bool rekey;

	(void)message_error(t->m, &n);
	if (!c)
		return step_done();
	if (is_ike(c))
		return ike_refused(c, &n);
	if (n.type != NOTIFY_TEMPORARY_FAILURE)
		answered(c);
	if (is_moot(c, n.type)) {
		if (c->deal.child)
			conn_child_put_off(sa->conn, c->deal.child->conf);
		create_free(&sa->mine);
		return step_done();
	}
	if (n.type == NOTIFY_INVALID_KE_PAYLOAD && follow(c, &n))
		return step_done();
	if (c->purpose == CREATE_CHILD_REKEY && drop_moot_rekey(c, n.type))
		return step_done();
	if (n.type == NOTIFY_NO_ADDITIONAL_SAS && c->purpose == CREATE_CHILD)
		sa->full = true;
	rekey = c->deal.replaces != 0;
	deal_refused(sa, &c->deal, n.type);
	create_free(&sa->mine);
	if (rekey && n.type == NOTIFY_TEMPORARY_FAILURE)
		renew_on_busy(sa);
	return step_done();
}

struct step create_on_late(struct turn *t)
{
	struct ike_sa *sa = t->sa;

	if (sa->mine && message_has(t->m, PL_SA) && message_has(t->m, PL_NONCE))
		return create_on_response(t);
	create_free(&sa->mine);
	return step_done();
}
