/* SPDX-License-Identifier: Apache-2.0 */
/* A Child SA that we propose: see deal.h. */
#include <stdlib.h>

#include "ike/carry.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/deal.h"
#include "ike/rekey.h"
#include "ike/transport.h"

/* Transport mode is for the two ends themselves, and they are not among the selectors. */
static void explain_ends(const struct ike_sa *sa, const struct conf_child *conf, struct ike_note *n)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];

	note_print(n->child, sizeof(n->child), "%s", conf->name);
	note_print(n->text, sizeof(n->text),
		   "transport mode joins %s and %s, which are not in child %s",
		   addr_text(&sa->path.local.addr, local), addr_text(&sa->path.remote.addr, remote),
		   conf->name);
	note_print(n->fix, sizeof(n->fix), "local = %s, remote = %s", local, remote);
	n->line = conf->local_pos.line;
}

/* Ours are not to be too many either. Not asked for again before another one has gone. */
static enum err make_child(struct ike_sa *sa, struct deal *d, const struct conf_child *conf,
			   struct ike_note *n)
{
	const struct ts_pair *ts = &d->offer.ts;
	enum err err = child_judge_room(sa, (size_t)ts->i.n + ts->r.n, d->replaces != 0);

	if (err == OK)
		return child_new(sa, conf, true, &d->child);
	note_print(n->child, sizeof(n->child), "%s", conf->name);
	note_print(n->text, sizeof(n->text), "all children would have more than %d selectors",
		   SA_SELECTORS_MAX);
	note_print(n->fix, sizeof(n->fix), "write networks that lie side by side as one");
	sa->full = sa->full || !d->replaces;
	return err;
}

enum err deal_begin(struct ike_sa *sa, struct deal *d, const struct conf_child *conf,
		    struct ike_note *n)
{
	char why[CONF_PLANE_WHY_MAX];
	enum err err = carry_judge_path(sa, conf, why);

	d->ours = true;
	if (err != OK) {
		note_print(n->child, sizeof(n->child), "%s", conf->name);
		carry_explain(conf, why, n);
		return err;
	}
	err = child_offer_make(sa, conf, acquire_flow(sa->conn, conf), &d->offer);
	if (err == ERR_TS)
		explain_ends(sa, conf, n);
	return err == OK ? make_child(sa, d, conf, n) : err;
}

static bool has_room_for(const struct ts_list *l, const struct ts *t)
{
	return l->n < TS_MAX && !ts_list_covers(l, t);
}

/* What is in use, and behind it the rest of what is configured. */
static enum err put_first(const struct ts_list *used, struct ts_list *l)
{
	struct ts_list all = { .v = calloc(TS_MAX, sizeof(*all.v)) };

	if (!all.v)
		return ERR_NOMEM;
	for (unsigned int i = 0; i < used->n; i++)
		all.v[all.n++] = used->v[i];
	for (unsigned int i = 0; i < l->n; i++) {
		if (has_room_for(&all, &l->v[i]))
			all.v[all.n++] = l->v[i];
	}
	ts_list_free(l);
	*l = all;
	return OK;
}

enum err deal_begin_rekey(struct ike_sa *sa, struct deal *d, const struct child_sa *old,
			  struct ike_note *n)
{
	char why[CONF_PLANE_WHY_MAX];
	enum err err = carry_judge_path(sa, old->conf, why);

	d->ours = true;
	d->replaces = old->id;
	if (err != OK) {
		carry_explain(old->conf, why, n);
		return err;
	}
	err = child_offer_make(sa, old->conf, NULL, &d->offer);
	if (err == OK && conn_child_is_split(sa->conn, old->conf))
		d->offer.ts.i.n = d->offer.ts.r.n = 0;
	if (err == OK)
		err = put_first(child_local(old), &d->offer.ts.i);
	if (err == OK)
		err = put_first(child_remote(old), &d->offer.ts.r);
	d->offer.transport = old->mode == SA_TRANSPORT;
	return err == OK ? make_child(sa, d, old->conf, n) : err;
}

void deal_put_offer(const struct ike_sa *sa, const struct deal *d, struct builder *b)
{
	struct suite_policy room;
	struct proposal_want want = deal_want(sa, d, d->child->conf, &room);

	if (d->offer.transport)
		builder_notify(b, NOTIFY_USE_TRANSPORT_MODE, SPAN_EMPTY);
	proposal_offer(builder_begin(b, PL_SA), &want, d->child->spi_in);
	builder_end(b);
}

/* ---- the answer ---- */

/* In transport mode with the addresses that packets have here (2.23.1). */
static enum err take_selectors(const struct deal *d, const struct message *m)
{
	struct child_sa *c = d->child;
	enum err err = ts_payload_decode(message_body(m, PL_TSI), &c->ts.i);

	if (err == OK)
		err = ts_payload_decode(message_body(m, PL_TSR), &c->ts.r);
	if (err == OK && c->mode == SA_TRANSPORT &&
	    !transport_substitute(c->sa, true, &c->ts, &c->nat))
		err = ERR_TS;
	return err == OK ? narrow_verify(&d->offer.ts, &c->ts) : err;
}

static enum err take_mode(const struct deal *d, const struct message *m)
{
	bool transport = message_notify(m, NOTIFY_USE_TRANSPORT_MODE, NULL);

	if ((transport && !d->offer.transport) ||
	    (!transport && d->child->conf->mode == CONF_MODE_TRANSPORT))
		return ERR_MODE;
	d->child->mode = transport ? SA_TRANSPORT : SA_TUNNEL;
	return OK;
}

/* A rekey that took something away would cut off who uses it (2.9.2). */
static bool keeps_used(const struct ike_sa *sa, const struct deal *d)
{
	const struct child_sa *old = rekey_find(sa, d->replaces);

	return !old || (ts_list_within(child_local(old), &d->child->ts.i) &&
			ts_list_within(child_remote(old), &d->child->ts.r));
}

enum err deal_take_answer(struct ike_sa *sa, struct deal *d, const struct message *m)
{
	struct suite_policy room;
	struct proposal_want want = deal_want(sa, d, d->child->conf, &room);
	enum err err = proposal_verify(message_body(m, PL_SA), &want, &d->chosen);

	if (err == OK)
		err = deal_judge_spi(sa, d->chosen.spi);
	if (err == OK)
		d->child->spi_out = (uint32_t)d->chosen.spi;
	if (err == OK)
		err = take_mode(d, m);
	if (err == OK)
		err = take_selectors(d, m);
	if (err == OK && !keeps_used(sa, d))
		err = ERR_TS;
	/* It may have cut ours into many. */
	return err == OK ? child_judge_room(sa, 0, d->replaces != 0) : err;
}

/* ---- what is wrong with it ---- */

static void explain_answer(const struct deal *d, enum err err, struct ike_note *n)
{
	if (err == ERR_MODE) {
		note_print(n->text, sizeof(n->text), "we want transport mode, the peer a tunnel");
		note_print(n->fix, sizeof(n->fix), "make `mode` of both ends the same");
		return;
	}
	note_print(n->text, sizeof(n->text), "the peer's answer does not lie in our offer: %s",
		   err_text(err));
	note_print_ts(n->got, sizeof(n->got), &d->child->ts.r);
	note_print_ts(n->wanted, sizeof(n->wanted), &d->offer.ts.r);
}

void deal_unfit(struct ike_sa *sa, struct deal *d, enum err err)
{
	struct child_sa *c = d->child;
	struct ike_note n = deal_note(sa, c->conf);

	n.err = err;
	n.initiator = true;
	explain_answer(d, err, &n);
	if (rekey_find(sa, d->replaces))
		n.kind = IKE_NOTE_REKEY_FAILED;
	conn_remember(sa->conn, &n);
	note_tell(sa->e, &n);
	d->child = NULL;
	deal_put_off(sa, d, c->conf, err);
	child_delete(c, err);
}

enum err deal_refusal(uint16_t notify)
{
	switch (notify) {
	case NOTIFY_TS_UNACCEPTABLE:
	case NOTIFY_SINGLE_PAIR_REQUIRED:
		return ERR_PEER_TS;
	case NOTIFY_NO_PROPOSAL_CHOSEN:
		return ERR_PEER_PROPOSAL;
	case NOTIFY_NO_ADDITIONAL_SAS:
		return ERR_NO_ADDITIONAL_SAS;
	case NOTIFY_TEMPORARY_FAILURE:
		return ERR_BUSY;
	case NOTIFY_INVALID_KE_PAYLOAD:
		return ERR_KE_GROUP;
	default:
		return ERR_PEER_REFUSED;
	}
}

static const char *selectors_fix(const struct deal *d, uint16_t notify)
{
	if (notify != NOTIFY_SINGLE_PAIR_REQUIRED)
		return "make `local` here the peer's remote, and `remote` here its local";
	if (d->offer.pair)
		return "see the peer's log: it wants one pair of addresses, and this is one";
	return "the peer takes one pair of addresses at a time: they come as packets want them";
}

static void explain_selectors(const struct deal *d, uint16_t notify, struct ike_note *n)
{
	char local[NOTE_TEXT_MAX / 2 - 16], remote[NOTE_TEXT_MAX / 2 - 16];

	note_print_ts(local, sizeof(local), &d->offer.ts.i);
	note_print_ts(remote, sizeof(remote), &d->offer.ts.r);
	note_print(n->offered, sizeof(n->offered), "%s behind us, %s behind the peer", local,
		   remote);
	note_print(n->fix, sizeof(n->fix), "%s", selectors_fix(d, notify));
	n->line = d->child->conf->local_pos.line;
}

static void explain_suite(struct ike_note *n, const struct proposal_want *want)
{
	proposal_wanted_text(want, n->offered, sizeof(n->offered));
	note_print(n->fix, sizeof(n->fix),
		   "make `policy` of both ends have an ESP suite in common, and a group for it if "
		   "the peer wants one (PFS); if they have, see the peer's log");
}

/* "The requestor is expected to respond by requesting an SA for only the specific traffic it is
 * trying to forward" (2.9). True: it will be, as soon as the SA is settled. */
static bool turn_to_pairs(struct ike_sa *sa, struct deal *d, uint16_t notify)
{
	const struct child_sa *c = d->child;
	const struct flow *flow = acquire_flow(sa->conn, c->conf);

	if (notify != NOTIFY_SINGLE_PAIR_REQUIRED || d->replaces ||
	    c->conf->mode != CONF_MODE_TUNNEL)
		return false;
	conn_child_split(sa->conn, c->conf);
	/* Else the next offer would be the same one again. */
	if (d->offer.pair || !flow || !ts_lists_match(&c->conf->local, &c->conf->remote, flow))
		return false;
	child_free(d->child);
	d->child = NULL;
	return true;
}

void deal_refused(struct ike_sa *sa, struct deal *d, uint16_t notify)
{
	const struct conf_child *conf = d->child->conf;
	struct ike_note n = deal_note(sa, conf);
	struct suite_policy room;
	struct proposal_want want = deal_want(sa, d, conf, &room);

	if (turn_to_pairs(sa, d, notify))
		return;
	n.err = deal_refusal(notify);
	note_print(n.text, sizeof(n.text), "the peer answers %s", notify_name(notify));
	if (n.err == ERR_PEER_TS) {
		explain_selectors(d, notify, &n);
	} else if (n.err == ERR_PEER_PROPOSAL || n.err == ERR_KE_GROUP) {
		explain_suite(&n, &want);
	} else if (n.err == ERR_NO_ADDITIONAL_SAS) {
		note_print(n.fix, sizeof(n.fix),
			   "write the networks of children %s and its like into one child, or let "
			   "the peer take more",
			   conf->name);
	}
	deal_put_off(sa, d, conf, n.err);
	n.next_try_ms = conn_child_wait_ms(sa->conn, conf);
	deal_failed(sa, d, &n);
}
