/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_CHILD_SA as responder. The choice is made while the request is at hand; then the exchange
 * is parked while a worker computes and the plane puts in the inbound half, and only then the
 * answer leaves. The request stays busy in the window, so a retransmission of it only says where
 * the answer is to go. */
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/create.h"
#include "ike/exchange_create.h"
#include "ike/life.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"
#include "ike/renew.h"
#include "ike/send.h"

static const mono_ns yield_time = 2 * NS_PER_S;

void create_yield(struct ike_sa *sa)
{
	if (!sa->initiator)
		sa->yield = sa->e->now + yield_time;
}

/* ---- answering ---- */

static void put_child(const struct create *c, struct builder *b)
{
	deal_put_answer(c->sa, &c->deal, b);
	create_put_values(c, b);
	deal_put_selectors(&c->deal.child->ts, b);
}

/* An answer that could not be made: the same request, sent again, begins anew. */
static void not_answered(struct ike_sa *sa, struct child_sa *child)
{
	sa->window.busy = false;
	if (child)
		child_free(child);
}

static void answer(struct create *c)
{
	struct ike_sa *sa = c->sa;
	struct child_sa *child = c->deal.child;
	struct builder b = send_begin(sa->e);
	uint32_t replaces;
	enum err err;

	if (child)
		put_child(c, &b);
	else
		builder_notify(&b, c->deal.notify, SPAN_EMPTY);
	sa->conn->rekeys = sa->conn->rekeys || child;
	err = send_answer(sa, X_CREATE_CHILD_SA, &b, &c->path);
	c->deal.child = NULL;
	replaces = c->deal.replaces;
	if (child && replaces)
		renew_on_answer(sa);
	create_free(&sa->theirs);
	if (err != OK)
		not_answered(sa, child);
	else if (child)
		rekey_hold(child);
	rekey_settle(sa, replaces);
	rekey_ike_resume(sa);
	create_yield(sa);
	sa_settle(sa);
}

/* From now on the other IKE SA counts. */
static void answer_ike(struct create *c)
{
	struct ike_sa *sa = c->sa;
	struct proposal_want want = rekey_ike_proposal(sa);
	struct builder b = send_begin(sa->e);

	proposal_answer(builder_begin(&b, PL_SA), &want, &c->deal.chosen, rekey_ike_spi(c));
	builder_end(&b);
	create_put_values(c, &b);
	rekey_ike_put_token(c, &b);
	if (send_answer(sa, X_CREATE_CHILD_SA, &b, &c->path) == OK)
		rekey_ike_answered(c);
	else
		sa->window.busy = false;
	create_free(&sa->theirs);
	rekey_ike_resume(sa);
	sa_settle(sa);
}

/* ---- on the way ---- */

static void fail(struct create *c, enum err err)
{
	struct ike_note n;

	c->deal.notify = deal_notify(&c->deal, err);
	if (!c->deal.child)
		return;
	n = deal_note(c->sa, c->deal.child->conf);
	n.err = err;
	deal_failed(c->sa, &c->deal, &n);
}

/* An IKE SA, that needs no plane. */
static bool is_made(const struct create *c)
{
	return c->purpose == CREATE_IKE_REKEY && c->stage == CREATE_INSTALL;
}

void create_responder_go_on(struct create *c, enum err err)
{
	if (err == OK && c->stage == CREATE_READY)
		err = create_agree(c);
	if (err == OK && is_made(c))
		answer_ike(c);
	if (err == OK)
		return;
	fail(c, err);
	answer(c);
}

void create_on_installed(struct ike_sa *sa, const struct sa_done *done)
{
	struct deal *d = &sa->theirs->deal;

	if (done->err != OK)
		deal_not_installed(sa, d, done);
	else if (child_stays(d->child))
		d->child->stage = CHILD_READY;
	else
		fail(sa->theirs, ERR_TS); /* taken down meanwhile */
	answer(sa->theirs);
}

/* ---- the request ---- */

/* Both make the same child at once: who began the IKE SA goes on with its own. False: we do. */
static bool make_way(struct ike_sa *sa, const struct conf_child *conf)
{
	create_cancel(sa, conf);
	if (!sa->mine || sa->mine->stage != CREATE_ASKED || !sa->mine->deal.child ||
	    sa->mine->deal.child->conf != conf)
		return true;
	sa->mine->deal.child->surplus = !sa->initiator;
	return !sa->initiator;
}

static enum err keep(struct create *c, const struct message *m, struct pl_ke *ke)
{
	struct span nonce;
	enum err err = pl_nonce_decode(message_body(m, PL_NONCE), &nonce);

	c->deal.with_ke = message_has(m, PL_KE);
	if (err == OK && c->deal.with_ke)
		err = pl_ke_decode(message_body(m, PL_KE), ke);
	if (err == OK)
		err = packets_set(&c->peer_nonce, nonce);
	return err == OK && c->deal.with_ke ? packets_set(&c->peer_ke, ke->data) : err;
}

static struct step refuse(struct turn *t, uint16_t notify, struct span notify_data)
{
	create_free(&t->sa->theirs);
	builder_notify(t->reply, notify, notify_data);
	return step_reply();
}

static struct step ask_group(struct turn *t, const struct ke_group *g)
{
	uint8_t body[2];
	struct wr w = wr_into(body, sizeof(body));

	wr_u16(&w, g->id);
	return refuse(t, NOTIFY_INVALID_KE_PAYLOAD, wr_done(&w));
}

/* From here on the answer comes later. */
static struct step make(struct turn *t, struct create *c)
{
	enum err err = create_draw(c, c->deal.chosen.suite.ke);

	if (err == OK && c->stage == CREATE_READY)
		err = create_agree(c);
	if (err == OK && is_made(c)) {
		answer_ike(c);
		return step_done();
	}
	if (err == OK)
		return step_wait();
	fail(c, err);
	return refuse(t, c->deal.notify, SPAN_EMPTY);
}

void create_asked_again(struct ike_sa *sa, const struct path *p)
{
	if (sa->theirs)
		sa->theirs->path = *p;
}

static struct step consider(struct turn *t, struct create *c)
{
	const struct proposal_chosen *chosen = &c->deal.chosen;
	struct pl_ke ke = { .group = KE_NONE };
	enum err err = keep(c, t->m, &ke);

	c->path = *t->path;
	if (err != OK)
		return refuse(t, deal_notify(&c->deal, err), SPAN_EMPTY);
	if (deal_choose(t->sa, &c->deal, t->m) != OK)
		return refuse(t, c->deal.notify, SPAN_EMPTY);
	if (!c->deal.replaces && !make_way(t->sa, c->deal.child->conf))
		return refuse(t, NOTIFY_TEMPORARY_FAILURE, SPAN_EMPTY);
	if (chosen->suite.ke && proposal_ke_check(chosen, ke.group) != OK)
		return ask_group(t, chosen->suite.ke);
	return make(t, c);
}

static struct step refuse_more(struct ike_sa *sa)
{
	struct ike_note n = deal_note(sa, NULL);

	n.err = ERR_NO_ADDITIONAL_SAS;
	note_print(n.text, sizeof(n.text), "the peer asks for more than %d children",
		   SA_CHILDREN_MAX);
	if (!sa->told_full)
		note_tell(sa->e, &n);
	sa->told_full = true;
	return step_fail(n.err, NOTIFY_NO_ADDITIONAL_SAS);
}

static struct step respond_child(struct turn *t)
{
	if (child_count(t->sa) >= SA_CHILDREN_MAX)
		return refuse_more(t->sa);
	if (create_new(t->sa, CREATE_CHILD, false) != OK)
		return step_fail(ERR_NOMEM, NOTIFY_TEMPORARY_FAILURE);
	return consider(t, t->sa->theirs);
}

/* The one that the notify names; NULL: there is none. */
static struct child_sa *named(const struct turn *t)
{
	struct pl_notify n = { .type = 0 };
	struct rd r;
	uint32_t spi;

	if (!message_notify(t->m, NOTIFY_REKEY_SA, &n) || n.protocol != PROTO_ESP)
		return NULL;
	r = rd_from(n.spi);
	spi = rd_u32(&r);
	return rd_end(&r) ? child_find_out(t->sa, spi) : NULL;
}

/* We have begun the same, and the peer has not heard of it yet: its own serves both. */
static void leave_it_to_peer(struct ike_sa *sa, const struct child_sa *old)
{
	struct create *c = sa->mine;

	if (c && c->deal.replaces == old->id && !create_is_out(c))
		create_free(&sa->mine);
}

/* The answer to ours, which is under way or lost, may bring the one that the peer names: it has it
 * already. Told that there is none it would take it down, and we send by it once the answer is
 * there. */
static bool may_come(const struct ike_sa *sa, const struct child_sa *named)
{
	const struct create *c = sa->mine;

	return c && c->purpose != CREATE_IKE_REKEY && create_is_out(c) &&
	       (!named || named == c->deal.child);
}

/* 2.25.1. What a collision may take away yet has to wait. While the old one and its replacements
 * are there a peer may have twice as many. */
static struct step respond_rekey(struct turn *t)
{
	const struct child_sa *old = named(t);

	if (may_come(t->sa, old) || (old && rekey_is_open(old)))
		return step_fail(ERR_BUSY, NOTIFY_TEMPORARY_FAILURE);
	if (!old || !old->conf || old->stage < CHILD_READY)
		return step_fail(ERR_NOT_FOUND, NOTIFY_CHILD_SA_NOT_FOUND);
	if (!child_stays(old))
		return step_fail(ERR_BUSY, NOTIFY_TEMPORARY_FAILURE);
	if (child_count(t->sa) >= SA_PAIRS_MAX)
		return refuse_more(t->sa);
	leave_it_to_peer(t->sa, old);
	if (create_new(t->sa, CREATE_CHILD_REKEY, false) != OK)
		return step_fail(ERR_NOMEM, NOTIFY_TEMPORARY_FAILURE);
	t->sa->theirs->deal.replaces = old->id;
	return consider(t, t->sa->theirs);
}

/* What nobody offers who has made an IKE SA with us already. */
static void explain_ike(struct turn *t, const struct proposal_want *want)
{
	struct ike_note n = note_of_sa(t->sa, IKE_NOTE_REKEY_FAILED, ERR_NO_PROPOSAL);
	struct proposal_texts texts;

	proposal_explain(message_body(t->m, PL_SA), want, &texts);
	note_print(n.offered, sizeof(n.offered), "%s", texts.offered);
	note_print(n.wanted, sizeof(n.wanted), "%s", texts.wanted);
	note_print(n.text, sizeof(n.text), "%s", texts.differs);
	n.initiator = false;
	note_tell(t->e, &n);
}

static struct step consider_ike(struct turn *t, struct create *c)
{
	struct proposal_want want = rekey_ike_proposal(t->sa);
	struct proposal_chosen *chosen = &c->deal.chosen;
	struct pl_ke ke = { .group = KE_NONE };
	enum err err = keep(c, t->m, &ke);

	c->path = *t->path;
	if (err == OK)
		err = proposal_choose(message_body(t->m, PL_SA), &want, chosen);
	if (err == ERR_NO_PROPOSAL)
		explain_ike(t, &want);
	if (err == OK && proposal_ke_check(chosen, ke.group) != OK)
		return ask_group(t, chosen->suite.ke);
	if (err == OK)
		err = rekey_ike_new(c);
	return err == OK ? make(t, c) : refuse(t, deal_notify(&c->deal, err), SPAN_EMPTY);
}

/* What of ours the peer has not heard of waits for the other IKE SA. Of two that cross ours shall
 * stay: a peer that does not look at the nonces has it first, as the responder, and its children go
 * where that one goes. */
static struct step respond_ike_rekey(struct turn *t)
{
	struct ike_sa *sa = t->sa;

	if (!rekey_ike_may(sa))
		return step_fail(ERR_BUSY, NOTIFY_TEMPORARY_FAILURE);
	if (sa->mine && !create_is_out(sa->mine))
		create_free(&sa->mine);
	if (create_new(sa, CREATE_IKE_REKEY, false) != OK)
		return step_fail(ERR_NOMEM, NOTIFY_TEMPORARY_FAILURE);
	if (rekey_ike_is_asked(sa))
		nonce_lose(sa->theirs->nonce);
	return consider_ike(t, sa->theirs);
}

/* ---- what it is for ---- */

#define P(pl) PL_BIT(PL_##pl)

struct purpose {
	enum create_purpose purpose;
	bool replaces; /* with REKEY_SA */
	uint32_t must; /* payloads */
	uint32_t never;
	handler_fn *respond;
};

/* RFC 7296 1.3.1, 1.3.3, 1.3.2 */
static const struct purpose purposes[] = {
	{ CREATE_CHILD, false, P(SA) | P(NONCE) | P(TSI) | P(TSR), 0, respond_child },
	{ CREATE_CHILD_REKEY, true, P(SA) | P(NONCE) | P(TSI) | P(TSR), 0, respond_rekey },
	{ CREATE_IKE_REKEY, false, P(SA) | P(NONCE) | P(KE), P(TSI) | P(TSR), respond_ike_rekey },
};

static const struct purpose *purpose_of(const struct message *m)
{
	bool replaces = message_notify(m, NOTIFY_REKEY_SA, NULL);

	for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++) {
		const struct purpose *p = &purposes[i];

		if (p->replaces == replaces && (m->present & p->must) == p->must &&
		    (m->present & p->never) == 0)
			return p;
	}
	return NULL;
}

struct step create_on_request(struct turn *t)
{
	const struct purpose *p = purpose_of(t->m);

	if (!p)
		return step_fail(ERR_SYNTAX, NOTIFY_INVALID_SYNTAX);
	/* 2.25.2. What came to one that others carry already would go with it, unseen. */
	if (t->sa->state != S_UP || renew_is_old(t->sa) || t->sa->retired ||
	    (p->purpose != CREATE_IKE_REKEY && rekey_ike_is_asked(t->sa)))
		return step_fail(ERR_BUSY, NOTIFY_TEMPORARY_FAILURE);
	return p->respond(t);
}
