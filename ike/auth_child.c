/* SPDX-License-Identifier: Apache-2.0 */
/* The Child SA that IKE_AUTH makes along (RFC 7296 1.2, 2.9, 2.17), as initiator, and what both
 * roles share. If it cannot be, the IKE SA stays, and both ends are told why (2.21.2). */
#include <string.h>

#include "ike/auth.h"
#include "ike/carry.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/peer.h"
#include "ike/transport.h"

uint16_t auth_child_notify(enum err err)
{
	/* Selectors that are taken by another (or an SPI, which the next attempt draws anew). */
	return err == ERR_TS || err == ERR_EXISTS ? NOTIFY_TS_UNACCEPTABLE
						  : NOTIFY_NO_PROPOSAL_CHOSEN;
}

void auth_child_failed(struct ike_sa *sa, enum err err, uint16_t notify, struct ike_note *n)
{
	struct auth *a = sa->hs->auth;

	if (a->child)
		child_free(a->child);
	a->child = NULL;
	a->child_notify = notify;
	n->kind = IKE_NOTE_CHILD_FAILED;
	n->err = err;
	if (n->text[0] == 0)
		note_print(n->text, sizeof(n->text), "%s", err_text(err));
	conn_remember(sa->conn, n);
	note_tell(sa->e, n);
}

struct ike_note auth_child_note(const struct ike_sa *sa, const struct conf_child *conf)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_CHILD_FAILED, OK);

	if (conf) {
		note_print(n.child, sizeof(n.child), "%s", conf->name);
		n.line = conf->pos.line;
	}
	return n;
}

/* ---- initiator ---- */

/* The first that is wanted (`waiting`: by a packet) and can be carried. NULL: there is none, and *n
 * says why. */
static const struct conf_child *first_wanted(const struct ike_sa *sa, bool waiting,
					     struct ike_note *n)
{
	const struct conf_connection *cn = sa->conn->conf;
	char why[CONF_PLANE_WHY_MAX];

	for (size_t i = 0; i < cn->n_children; i++) {
		bool passed_over = waiting && !sa->conn->children[i].acquire.waits;

		if (!sa->conn->children[i].wanted || passed_over)
			continue;
		if (carry_judge_path(sa, &cn->children[i], why) == OK)
			return &cn->children[i];
		note_print(n->child, sizeof(n->child), "%s", cn->children[i].name);
		carry_explain(&cn->children[i], why, n);
	}
	return NULL;
}

/* More than one needs CREATE_CHILD_SA, which we do not speak yet: said at once, not found out. */
void auth_child_tell_left_out(const struct ike_sa *sa, const struct conf_child *made,
			      const char *only)
{
	const struct conf_connection *cn = sa->conn->conf;
	char why[CONF_PLANE_WHY_MAX];

	for (size_t i = 0; i < cn->n_children; i++) {
		struct ike_note n = auth_child_note(sa, &cn->children[i]);

		if (&cn->children[i] == made || !sa->conn->children[i].wanted ||
		    (only && strcmp(only, cn->children[i].name) != 0))
			continue;
		n.err = ERR_UNSUPPORTED;
		note_print(n.text, sizeof(n.text), "only one child of a connection can be up yet");
		note_print(n.fix, sizeof(n.fix), "write its networks into child %s", made->name);
		if (carry_judge_path(sa, &cn->children[i], why) != OK)
			carry_explain(&cn->children[i], why, &n);
		note_tell(sa->e, &n);
	}
}

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

enum err auth_child_begin(struct ike_sa *sa, struct ike_note *n)
{
	const struct conf_child *conf = first_wanted(sa, true, n);
	enum err err;

	if (!conf)
		conf = first_wanted(sa, false, n);
	if (!conf)
		return n->text[0] ? ERR_UNSUPPORTED : ERR_CONFIG;
	auth_child_tell_left_out(sa, conf, NULL);
	err = child_offer_make(sa, conf, acquire_flow(sa->conn, conf), &sa->hs->auth->offer);
	if (err == ERR_TS)
		explain_ends(sa, conf, n);
	if (err != OK)
		return err;
	return child_new(sa, conf, true, &sa->hs->auth->child);
}

void auth_child_put_request(struct ike_sa *sa, struct builder *b)
{
	const struct child_sa *c = sa->hs->auth->child;
	struct suite_policy room;
	struct proposal_want want = carry_want(sa, c->conf, &room);

	if (sa->hs->auth->offer.transport)
		builder_notify(b, NOTIFY_USE_TRANSPORT_MODE, SPAN_EMPTY);
	proposal_offer(builder_begin(b, PL_SA), &want, c->spi_in);
	builder_end(b);
	ts_payload_encode(builder_begin(b, PL_TSI), &sa->hs->auth->offer.ts.i);
	builder_end(b);
	ts_payload_encode(builder_begin(b, PL_TSR), &sa->hs->auth->offer.ts.r);
	builder_end(b);
}

static enum err refusal_of(uint16_t notify)
{
	switch (notify) {
	case NOTIFY_TS_UNACCEPTABLE:
		return ERR_PEER_TS;
	case NOTIFY_NO_PROPOSAL_CHOSEN:
		return ERR_PEER_PROPOSAL;
	default:
		return ERR_PEER_REFUSED;
	}
}

/* The peer authenticated and refused the child: what we offered, and which setting it is. */
static void explain_peers_refusal(struct ike_sa *sa, const struct pl_notify *refusal)
{
	const struct child_sa *c = sa->hs->auth->child;
	struct ike_note n = auth_child_note(sa, c->conf);
	struct suite_policy room;
	struct proposal_want want = carry_want(sa, c->conf, &room);
	enum err err = refusal_of(refusal->type);
	char local[NOTE_TEXT_MAX / 2], remote[NOTE_TEXT_MAX / 2];

	note_print(n.text, sizeof(n.text), "the peer answers %s", notify_name(refusal->type));
	if (err == ERR_PEER_TS) {
		note_print_ts(local, sizeof(local), &sa->hs->auth->offer.ts.i);
		note_print_ts(remote, sizeof(remote), &sa->hs->auth->offer.ts.r);
		note_print(n.offered, sizeof(n.offered), "%s behind us, %s behind the peer", local,
			   remote);
		note_print(n.fix, sizeof(n.fix),
			   "make `local` here the peer's remote, and `remote` here its local");
		n.line = c->conf->local_pos.line;
	} else if (err == ERR_PEER_PROPOSAL) {
		proposal_wanted_text(&want, n.offered, sizeof(n.offered));
		note_print(n.fix, sizeof(n.fix),
			   "make `policy` of both ends have an ESP suite in common; if they have, "
			   "see the peer's log");
	}
	auth_child_failed(sa, err, 0, &n);
	conn_child_failed(sa->conn);
}

/* In transport mode with the addresses that packets have here (2.23.1). */
static enum err take_selectors(struct child_sa *c, const struct message *m)
{
	const struct child_offer *offer = &c->sa->hs->auth->offer;
	enum err err = ts_payload_decode(message_body(m, PL_TSI), &c->ts.i);

	if (err == OK)
		err = ts_payload_decode(message_body(m, PL_TSR), &c->ts.r);
	if (err == OK && c->mode == SA_TRANSPORT &&
	    !transport_substitute(c->sa, true, &c->ts, &c->nat))
		err = ERR_TS;
	return err == OK ? narrow_verify(&offer->ts, &c->ts) : err;
}

static enum err take_mode(struct child_sa *c, const struct message *m)
{
	bool transport = message_notify(m, NOTIFY_USE_TRANSPORT_MODE, NULL);

	if ((transport && !c->sa->hs->auth->offer.transport) ||
	    (!transport && c->conf->mode == CONF_MODE_TRANSPORT))
		return ERR_MODE;
	c->mode = transport ? SA_TRANSPORT : SA_TUNNEL;
	return OK;
}

/* An outbound SPI must be a real one, and not one that this peer's other child has (A27). */
enum err auth_child_judge_spi(const struct ike_sa *sa, uint64_t spi)
{
	if (spi < ESP_SPI_MIN || spi > UINT32_MAX)
		return ERR_SYNTAX;
	for (const struct ike_sa *s = peer_first(sa); s; s = s->peer_next) {
		if (child_find_out(s, (uint32_t)spi))
			return ERR_EXISTS;
	}
	return OK;
}

static enum err take_answer(struct ike_sa *sa, struct child_sa *c, const struct message *m)
{
	struct suite_policy room;
	struct proposal_want want = carry_want(sa, c->conf, &room);
	struct proposal_chosen chosen;
	enum err err = proposal_verify(message_body(m, PL_SA), &want, &chosen);

	if (err == OK)
		err = auth_child_judge_spi(sa, chosen.spi);
	if (err == OK)
		err = take_mode(c, m);
	if (err == OK)
		err = take_selectors(c, m);
	if (err == OK)
		err = child_install_inbound(c, &chosen, sa->hs->ni, sa->hs->nr);
	return err;
}

static void explain_answer(const struct child_sa *c, enum err err, struct ike_note *n)
{
	if (err == ERR_MODE) {
		note_print(n->text, sizeof(n->text), "we want transport mode, the peer a tunnel");
		note_print(n->fix, sizeof(n->fix), "make `mode` of both ends the same");
		return;
	}
	note_print(n->text, sizeof(n->text), "the peer's answer does not lie in our offer: %s",
		   err_text(err));
	note_print_ts(n->got, sizeof(n->got), &c->ts.r);
	note_print_ts(n->wanted, sizeof(n->wanted), &c->sa->hs->auth->offer.ts.r);
}

void auth_child_answered(struct ike_sa *sa)
{
	struct auth *a = sa->hs->auth;
	struct child_sa *c = a->child;
	struct pl_notify refusal = { .type = NOTIFY_NO_PROPOSAL_CHOSEN };
	struct ike_note n;
	enum err err;

	if (!message_has(&a->m, PL_SA)) {
		(void)message_error(&a->m, &refusal);
		explain_peers_refusal(sa, &refusal);
		return;
	}
	err = take_answer(sa, c, &a->m);
	if (err == OK)
		return;
	n = auth_child_note(sa, c->conf);
	n.err = err;
	explain_answer(c, err, &n);
	conn_remember(sa->conn, &n);
	note_tell(sa->e, &n);
	/* The peer has it and must hear that we do not. */
	child_delete(c, err);
	conn_child_failed(sa->conn);
}
