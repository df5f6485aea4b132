/* SPDX-License-Identifier: Apache-2.0 */
/* A Child SA that the peer proposes: which of the connection's children it means, in which mode,
 * and whether it may have what it asks for (deal.h). In transport mode the selectors are looked up
 * with the addresses that packets have here; a child that only knows tunnels gets them as they came
 * (RFC 7296 2.23.1). A child that is up already may be asked for once more: two ends that begin at
 * once do that, and the newest pair carries what we send.
 */
#include "ike/carry.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/deal.h"
#include "ike/rekey.h"
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
	const struct conf_child *only; /* a rekey: the child of the old one; NULL: any */
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

/* The first one that fits, of those that hold the first selectors of the offer or of the others:
 * that is asked before any narrowing, which is dear. */
static void find_among(const struct search *s, bool carried, bool whole, struct pick *p)
{
	const struct conn *c = s->sa->conn;
	char why[CONF_PLANE_WHY_MAX];

	for (size_t i = 0; i < c->conf->n_children && !p->conf; i++) {
		const struct conf_child *conf = &c->conf->children[i];
		struct ts_pair ours = { .i = conf->remote, .r = conf->local };

		if ((s->only && s->only != conf) || c->children[i].down || !knows_mode(s, conf) ||
		    narrow_keeps_first(s->offer, &ours) != whole ||
		    (carry_judge_path(s->sa, conf, why) == OK) != carried)
			continue;
		if (narrow_respond(s->offer, &ours, &p->ts) != OK)
			continue;
		p->conf = conf;
		p->mode = s->mode;
	}
}

/* The best child that knows the mode; of those that no plane can carry only when there is no other.
 */
static void find(const struct search *s, struct pick *p)
{
	find_among(s, true, true, p);
	find_among(s, true, false, p);
	find_among(s, false, true, p);
	find_among(s, false, false, p);
}

/* Copies the offer, for its addresses may be others here. */
static enum err find_transport(const struct search *tunnel, struct pick *p)
{
	struct ts_pair here = { .i = { .n = 0 } };
	struct search s = { tunnel->only, tunnel->sa, &here, SA_TRANSPORT };
	struct transport_nat nat;
	enum err err = ts_list_copy(&here.i, &tunnel->offer->i);

	if (err == OK)
		err = ts_list_copy(&here.r, &tunnel->offer->r);
	if (err == OK && transport_substitute(s.sa, false, &here, &nat)) {
		find(&s, p);
		p->nat = nat;
	}
	ts_pair_free(&here);
	return err;
}

/* A tunnel is offered, and we would have it in transport mode. */
static bool misses_mode(const struct search *tunnel, const struct conf_child **conf)
{
	struct search s = { tunnel->only, tunnel->sa, tunnel->offer, SA_TRANSPORT };
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

static void explain_taken(struct ike_sa *sa, struct deal *d, const struct pick *p,
			  const struct ike_sa *owner)
{
	struct ike_note n = deal_note(sa, p->conf);
	char who[IDENTITY_TEXT_MAX];

	note_print_ts(n.offered, sizeof(n.offered), &p->ts.i);
	note_print_identity(who, sizeof(who), owner->peer);
	note_print(n.text, sizeof(n.text), "%.80s is joined with another peer already, %.100s",
		   n.offered, who);
	note_print(n.fix, sizeof(n.fix), "%s",
		   p->mode == SA_TRANSPORT ? "mode = tunnel where several peers are behind one NAT"
					   : "give each peer a network of its own");
	n.err = ERR_EXISTS;
	deal_failed(sa, d, &n);
}

/* ---- why not ---- */

/* The one that the peer probably meant: the first that is not there yet. */
static const struct conf_child *nearest(const struct conn *c)
{
	for (size_t i = 0; i < c->conf->n_children; i++) {
		if (!c->children[i].down && !conn_child_made(c, c->children[i].conf))
			return c->children[i].conf;
	}
	return c->conf->n_children > 0 ? &c->conf->children[0] : NULL;
}

static void explain_ts(struct ike_sa *sa, struct deal *d, const struct ts_pair *offer)
{
	const struct conf_child *conf = nearest(sa->conn);
	struct ike_note n = deal_note(sa, conf);
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
	n.err = ERR_TS;
	deal_failed(sa, d, &n);
}

static void explain_proposal(struct ike_sa *sa, struct deal *d, const struct conf_child *conf,
			     struct span sa_body)
{
	struct suite_policy room;
	struct proposal_want want = deal_want(sa, d, conf, &room);
	struct ike_note n = deal_note(sa, conf);
	struct proposal_texts texts;

	proposal_explain(sa_body, &want, &texts);
	note_print(n.offered, sizeof(n.offered), "%s", texts.offered);
	note_print(n.wanted, sizeof(n.wanted), "%s", texts.wanted);
	note_print(n.text, sizeof(n.text), "%s", texts.differs);
	note_print(n.fix, sizeof(n.fix), "make `policy` of both ends have an ESP suite in common");
	n.line = sa->conn->conf->pos.line;
	n.err = ERR_NO_PROPOSAL;
	deal_failed(sa, d, &n);
}

static void explain_other(struct ike_sa *sa, struct deal *d, const struct conf_child *conf,
			  enum err err)
{
	struct ike_note n = deal_note(sa, conf);
	char why[CONF_PLANE_WHY_MAX];

	if (err == ERR_MODE) {
		note_print(n.text, sizeof(n.text),
			   "we want transport mode, the peer offers a tunnel");
		note_print(n.fix, sizeof(n.fix), "make `mode` of both ends the same");
	}
	if (err == ERR_NO_ADDITIONAL_SAS)
		note_print(n.text, sizeof(n.text), "all children would have more than %d selectors",
			   SA_SELECTORS_MAX);
	if (err == ERR_UNSUPPORTED && carry_judge_path(sa, conf, why) != OK)
		carry_explain(conf, why, &n);
	n.err = err;
	deal_failed(sa, d, &n);
}

/* ---- making it ---- */

/* A suite for the child that was picked; takes over its selectors. */
static enum err make_child(struct ike_sa *sa, struct deal *d, const struct message *m,
			   struct pick *p)
{
	struct suite_policy room;
	struct proposal_want want = deal_want(sa, d, p->conf, &room);
	char why[CONF_PLANE_WHY_MAX];
	enum err err = carry_judge_path(sa, p->conf, why);

	if (err == OK)
		err = proposal_choose(message_body(m, PL_SA), &want, &d->chosen);
	if (err == OK)
		err = deal_judge_spi(sa, d->chosen.spi);
	if (err == OK)
		err = child_judge_room(sa, (size_t)p->ts.i.n + p->ts.r.n, d->replaces != 0);
	if (err == OK)
		err = child_new(sa, p->conf, false, &d->child);
	if (err != OK)
		return err;
	/* From now on it is taken, though the keys may take a worker's time. */
	d->child->spi_out = (uint32_t)d->chosen.spi;
	d->child->ts = p->ts;
	p->ts = (struct ts_pair){ .i = { .n = 0 } };
	d->child->mode = p->mode;
	d->child->nat = p->nat;
	return OK;
}

/* Transport mode when the peer asks for it and a child of ours knows it, else a tunnel. */
static enum err pick_child(const struct ike_sa *sa, const struct deal *d, const struct message *m,
			   const struct ts_pair *offer, struct pick *p)
{
	const struct child_sa *old = rekey_find(sa, d->replaces);
	struct search tunnel = { old ? old->conf : NULL, sa, offer, SA_TUNNEL };
	enum err err = OK;

	if (message_notify(m, NOTIFY_USE_TRANSPORT_MODE, NULL))
		err = find_transport(&tunnel, p);
	if (err == OK && !p->conf)
		find(&tunnel, p);
	if (err != OK || p->conf)
		return err;
	return misses_mode(&tunnel, &p->conf) ? ERR_MODE : ERR_TS;
}

enum err deal_choose(struct ike_sa *sa, struct deal *d, const struct message *m)
{
	struct ts_pair offer = { .i = { .n = 0 } };
	struct pick p = { .conf = NULL };
	const struct ike_sa *owner = NULL;
	enum err err = ts_payload_decode(message_body(m, PL_TSI), &offer.i);

	if (err == OK)
		err = ts_payload_decode(message_body(m, PL_TSR), &offer.r);
	if (err == OK)
		err = pick_child(sa, d, m, &offer, &p);
	if (err == OK)
		owner = owner_of(sa, &p.ts);
	if (err == OK)
		err = owner ? ERR_EXISTS : make_child(sa, d, m, &p);
	if (owner)
		explain_taken(sa, d, &p, owner);
	else if (err == ERR_TS)
		explain_ts(sa, d, &offer);
	else if (err == ERR_NO_PROPOSAL)
		explain_proposal(sa, d, p.conf, message_body(m, PL_SA));
	else if (err != OK)
		explain_other(sa, d, p.conf, err);
	ts_pair_free(&offer);
	ts_pair_free(&p.ts);
	return err;
}

/* ---- saying it ---- */

void deal_put_answer(const struct ike_sa *sa, const struct deal *d, struct builder *b)
{
	const struct child_sa *c = d->child;
	struct suite_policy room;
	struct proposal_want want = deal_want(sa, d, c->conf, &room);

	if (c->mode == SA_TRANSPORT)
		builder_notify(b, NOTIFY_USE_TRANSPORT_MODE, SPAN_EMPTY);
	proposal_answer(builder_begin(b, PL_SA), &want, &d->chosen, c->spi_in);
	builder_end(b);
}
