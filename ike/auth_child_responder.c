/* SPDX-License-Identifier: Apache-2.0 */
/* The Child SA that IKE_AUTH makes along, as responder: which of the connection's children the peer
 * means, in which mode, and whether it may have what it asks for. In transport mode the selectors
 * are looked up with the addresses that packets have here; a child that only knows tunnels gets
 * them as they came (RFC 7296 2.23.1).
 */
#include "ike/auth.h"
#include "ike/carry.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/transport.h"

/* A child of the configuration for what the peer offers. */
struct pick {
	const struct conf_child *conf; /* NULL: none fits */
	struct ts_pair ts;	       /* owned: the selectors that both have */
	enum sa_mode mode;
	struct transport_nat nat;
};

/* What a search is for. */
struct search {
	const struct ike_sa *sa;
	const struct ts_pair *offer;
	enum sa_mode mode;
};

static bool knows_mode(const struct search *s, const struct conf_child *conf)
{
	if (s->mode == SA_TUNNEL)
		return conf->mode != CONF_MODE_TRANSPORT;
	return conf->mode != CONF_MODE_TUNNEL && carry_transport(s->sa->e, s->sa->conn->conf, conf);
}

/* Takes this child instead of the one found before, when it carries more of what is offered. */
static void consider(const struct search *s, const struct conf_child *conf, struct pick *p)
{
	struct ts_pair ours = { .i = conf->remote, .r = conf->local }, got;

	if (narrow_respond(s->offer, &ours, &got) != OK)
		return;
	if (p->conf &&
	    (!narrow_keeps_first(s->offer, &got) || narrow_keeps_first(s->offer, &p->ts))) {
		ts_pair_free(&got);
		return;
	}
	ts_pair_free(&p->ts);
	p->ts = got;
	p->conf = conf;
	p->mode = s->mode;
}

/* The best child that knows the mode; of those that no plane can carry only when there is no other.
 */
static void find(const struct search *s, struct pick *p)
{
	const struct conn *c = s->sa->conn;
	char why[CONF_PLANE_WHY_MAX];

	for (int carried = 1; carried >= 0 && !p->conf; carried--) {
		for (size_t i = 0; i < c->conf->n_children; i++) {
			const struct conf_child *conf = &c->conf->children[i];
			bool can = carry_judge_path(s->sa, conf, why) == OK;

			if (c->children[i].wanted && can == carried && knows_mode(s, conf))
				consider(s, conf, p);
		}
	}
}

/* Copies the offer, for its addresses may be others here. */
static enum err find_transport(const struct ike_sa *sa, const struct ts_pair *offer, struct pick *p)
{
	struct ts_pair here = { .i = { .n = 0 } };
	struct search s = { .sa = sa, .offer = &here, .mode = SA_TRANSPORT };
	struct transport_nat nat;
	enum err err = ts_list_copy(&here.i, &offer->i);

	if (err == OK)
		err = ts_list_copy(&here.r, &offer->r);
	if (err == OK && transport_substitute(sa, false, &here, &nat)) {
		find(&s, p);
		p->nat = nat;
	}
	ts_pair_free(&here);
	return err;
}

/* A tunnel is offered, and we would have it in transport mode. */
static bool misses_mode(const struct ike_sa *sa, const struct ts_pair *offer,
			const struct conf_child **conf)
{
	struct search s = { .sa = sa, .offer = offer, .mode = SA_TRANSPORT };
	struct pick p = { .conf = NULL };

	find(&s, &p);
	ts_pair_free(&p.ts);
	*conf = p.conf;
	return p.conf != NULL;
}

/* ---- who has it already ---- */

static bool lists_meet(const struct ts_list *a, const struct ts_list *b)
{
	struct ts both;

	for (unsigned int i = 0; i < a->n; i++) {
		for (unsigned int k = 0; k < b->n; k++) {
			if (ts_intersect(&a->v[i], &b->v[k], &both))
				return true;
		}
	}
	return false;
}

/* Packets can go to one peer alone. So what another one has, be it behind the same NAT or of a
 * connection for any peer, is not given to a second one: nobody takes another's traffic. The same
 * peer may come again, and its newest SA counts. */
static const struct ike_sa *owner_of(const struct ike_sa *sa, const struct ts_pair *ts)
{
	for (const struct ike_sa *other = sa->conn->sas; other; other = other->next) {
		if (other == sa || !other->peer || identity_eq(sa->peer, other->peer))
			continue;
		for (const struct child_sa *c = other->children; c; c = c->next) {
			if (lists_meet(child_local(c), &ts->r) &&
			    lists_meet(child_remote(c), &ts->i))
				return other;
		}
	}
	return NULL;
}

static void explain_taken(struct ike_sa *sa, const struct pick *p, const struct ike_sa *owner)
{
	struct ike_note n = auth_child_note(sa, p->conf);
	char who[IDENTITY_TEXT_MAX];

	note_print_ts(n.offered, sizeof(n.offered), &p->ts.i);
	note_print_identity(who, sizeof(who), owner->peer);
	note_print(n.text, sizeof(n.text), "%.80s is joined with another peer already, %.100s",
		   n.offered, who);
	note_print(n.fix, sizeof(n.fix), "%s",
		   p->mode == SA_TRANSPORT ? "mode = tunnel where several peers are behind one NAT"
					   : "give each peer a network of its own");
	auth_child_failed(sa, ERR_EXISTS, auth_child_notify(ERR_EXISTS), &n);
}

/* ---- why not ---- */

static void explain_ts(struct ike_sa *sa, const struct ts_pair *offer)
{
	const struct conf_connection *cn = sa->conn->conf;
	const struct conf_child *conf = cn->n_children > 0 ? &cn->children[0] : NULL;
	struct ike_note n = auth_child_note(sa, conf);
	char there[NOTE_TEXT_MAX / 3], here[NOTE_TEXT_MAX / 3];

	note_print_ts(there, sizeof(there), &offer->i);
	note_print_ts(here, sizeof(here), &offer->r);
	note_print(n.offered, sizeof(n.offered), "%s behind the peer, %s behind us", there, here);
	note_print(n.text, sizeof(n.text),
		   "the peer says %s is behind it and %s behind us; no child is configured so",
		   there, here);
	if (conf) {
		note_print_ts(there, sizeof(there), &conf->remote);
		note_print_ts(here, sizeof(here), &conf->local);
		note_print(n.wanted, sizeof(n.wanted), "%s behind the peer, %s behind us", there,
			   here);
		note_print(
			n.fix, sizeof(n.fix),
			"make `local` of child %s what the peer has as remote, and `remote` what it has as local",
			conf->name);
		n.line = conf->local_pos.line;
	}
	auth_child_failed(sa, ERR_TS, NOTIFY_TS_UNACCEPTABLE, &n);
}

static void explain_proposal(struct ike_sa *sa, const struct conf_child *conf, struct span sa_body)
{
	struct suite_policy room;
	struct proposal_want want = carry_want(sa, conf, &room);
	struct ike_note n = auth_child_note(sa, conf);
	struct proposal_texts texts;

	proposal_explain(sa_body, &want, &texts);
	note_print(n.offered, sizeof(n.offered), "%s", texts.offered);
	note_print(n.wanted, sizeof(n.wanted), "%s", texts.wanted);
	note_print(n.text, sizeof(n.text), "%s", texts.differs);
	note_print(n.fix, sizeof(n.fix), "make `policy` of both ends have an ESP suite in common");
	n.line = sa->conn->conf->pos.line;
	auth_child_failed(sa, ERR_NO_PROPOSAL, NOTIFY_NO_PROPOSAL_CHOSEN, &n);
}

static void explain_other(struct ike_sa *sa, const struct conf_child *conf, enum err err)
{
	struct ike_note n = auth_child_note(sa, conf);
	char why[CONF_PLANE_WHY_MAX];

	if (err == ERR_MODE) {
		note_print(n.text, sizeof(n.text),
			   "we want transport mode, the peer offers a tunnel");
		note_print(n.fix, sizeof(n.fix), "make `mode` of both ends the same");
	}
	if (err == ERR_UNSUPPORTED && carry_judge_path(sa, conf, why) != OK)
		carry_explain(conf, why, &n);
	auth_child_failed(sa, err, auth_child_notify(err), &n);
}

/* ---- making it ---- */

/* Suite and keys for a child that was picked; takes over its selectors. */
static enum err make_child(struct ike_sa *sa, struct pick *p)
{
	struct auth *a = sa->hs->auth;
	struct suite_policy room;
	struct proposal_want want = carry_want(sa, p->conf, &room);
	char why[CONF_PLANE_WHY_MAX];
	enum err err = carry_judge_path(sa, p->conf, why);

	if (err == OK)
		err = proposal_choose(message_body(&a->m, PL_SA), &want, &a->chosen);
	if (err == OK)
		err = auth_child_judge_spi(sa, a->chosen.spi);
	if (err == OK)
		err = child_new(sa, p->conf, false, &a->child);
	if (err != OK)
		return err;
	a->child->ts = p->ts;
	p->ts = (struct ts_pair){ .i = { .n = 0 } };
	a->child->mode = p->mode;
	a->child->nat = p->nat;
	return child_install_inbound(a->child, &a->chosen, sa->hs->ni, sa->hs->nr);
}

/* Transport mode when the peer asks for it and a child of ours knows it, else a tunnel. */
static enum err pick_child(const struct ike_sa *sa, const struct ts_pair *offer, struct pick *p)
{
	struct search tunnel = { .sa = sa, .offer = offer, .mode = SA_TUNNEL };
	enum err err = OK;

	if (message_notify(&sa->hs->auth->m, NOTIFY_USE_TRANSPORT_MODE, NULL))
		err = find_transport(sa, offer, p);
	if (err == OK && !p->conf)
		find(&tunnel, p);
	if (err != OK || p->conf)
		return err;
	return misses_mode(sa, offer, &p->conf) ? ERR_MODE : ERR_TS;
}

enum err auth_child_respond(struct ike_sa *sa)
{
	struct auth *a = sa->hs->auth;
	struct ts_pair offer = { .i = { .n = 0 } };
	struct pick p = { .conf = NULL };
	const struct ike_sa *owner = NULL;
	enum err err = ts_payload_decode(message_body(&a->m, PL_TSI), &offer.i);

	if (err == OK)
		err = ts_payload_decode(message_body(&a->m, PL_TSR), &offer.r);
	if (err == OK)
		err = pick_child(sa, &offer, &p);
	if (err == OK)
		owner = owner_of(sa, &p.ts);
	if (err == OK)
		err = owner ? ERR_EXISTS : make_child(sa, &p);
	if (owner)
		explain_taken(sa, &p, owner);
	else if (err == ERR_TS)
		explain_ts(sa, &offer);
	else if (err == ERR_NO_PROPOSAL)
		explain_proposal(sa, p.conf, message_body(&a->m, PL_SA));
	else if (err != OK)
		explain_other(sa, p.conf, err);
	ts_pair_free(&offer);
	ts_pair_free(&p.ts);
	return err;
}

void auth_child_put_response(struct ike_sa *sa, struct builder *b)
{
	const struct auth *a = sa->hs->auth;
	const struct child_sa *c = a->child;
	struct suite_policy room;
	struct proposal_want want;

	if (!c) {
		builder_notify(b, a->child_notify, SPAN_EMPTY);
		return;
	}
	want = carry_want(sa, c->conf, &room);
	if (c->mode == SA_TRANSPORT)
		builder_notify(b, NOTIFY_USE_TRANSPORT_MODE, SPAN_EMPTY);
	proposal_answer(builder_begin(b, PL_SA), &want, &a->chosen, c->spi_in);
	builder_end(b);
	ts_payload_encode(builder_begin(b, PL_TSI), &c->ts.i);
	builder_end(b);
	ts_payload_encode(builder_begin(b, PL_TSR), &c->ts.r);
	builder_end(b);
}
