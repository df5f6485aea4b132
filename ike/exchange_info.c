/* SPDX-License-Identifier: Apache-2.0 */
/* INFORMATIONAL, both roles: see exchange_info.h. Every authenticated request gets an answer, an
 * empty one when there is nothing to say; what we do not know is ignored (RFC 7296 1.4, 2.21.3). */
#include "ike/exchange_info.h"

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/create.h"
#include "ike/exchange_create.h"
#include "ike/life.h"
#include "ike/note.h"
#include "ike/proof.h"
#include "ike/qcd.h"
#include "ike/rekey.h"
#include "ike/send.h"

/* ---- asking ---- */

static bool put_close(struct ike_sa *sa, struct builder *b)
{
	/* What the peer makes in its place is to be known first, and closed (rekey_ike.h). */
	if (!sa->close_wanted || sa->mine)
		return false;
	sa->close_wanted = false;
	if (sa->close_notify) {
		builder_notify(b, sa->close_notify, SPAN_EMPTY);
		return true;
	}
	pl_delete_encode(builder_begin(b, PL_DELETE), PROTO_IKE, NULL, 0);
	builder_end(b);
	return true;
}

/* The peer must know it, else it would look for nothing. */
static bool can_delete(const struct child_sa *c)
{
	return c->delete_wanted && !create_is_dealing(c->sa, c);
}

bool info_is_due(const struct ike_sa *sa)
{
	const struct child_sa *c = sa->children;

	while (c && !can_delete(c))
		c = c->next;
	return c || sa->close_wanted || sa->token_wanted || mobike_is_due(sa);
}

static bool put_child_deletes(struct ike_sa *sa, struct builder *b)
{
	uint32_t spis[SA_PAIRS_MAX];
	uint16_t n = 0;

	for (struct child_sa *c = sa->children; c && n < SA_PAIRS_MAX; c = c->next) {
		if (!can_delete(c))
			continue;
		c->delete_wanted = false;
		c->delete_sent = true;
		spis[n++] = c->spi_in;
	}
	if (n == 0)
		return false;
	pl_delete_encode(builder_begin(b, PL_DELETE), PROTO_ESP, spis, n);
	builder_end(b);
	return true;
}

/* After a rekey of the IKE SA that we began (RFC 6290 4.3). */
static bool put_token(struct ike_sa *sa, struct builder *b)
{
	bool wanted = sa->token_wanted;

	sa->token_wanted = false;
	if (wanted)
		qcd_put(sa, sa->conn->conf, b);
	return wanted;
}

static bool put_alive(struct ike_sa *sa, struct builder *b)
{
	if (!sa->alive_wanted)
		return false;
	sa->alive_wanted = false;
	mobike_add(sa, b);
	return true;
}

/* For want of memory nothing left: everything is still due, and tried again soon. */
static void put_back(struct ike_sa *sa)
{
	for (struct child_sa *c = sa->children; c; c = c->next) {
		c->delete_wanted = c->delete_wanted || c->delete_sent;
		c->delete_sent = false;
	}
	sa->close_wanted = sa->state == S_CLOSING;
	sa->alive_wanted = true;
	mobike_put_back(sa);
	sa->again = sa->e->now + NS_PER_S;
}

void info_ask(struct ike_sa *sa)
{
	struct builder b = send_begin(sa->e);
	bool token = sa->token_wanted, tells = sa->tell_proof;

	if (!put_close(sa, &b) && !mobike_ask(sa, &b) && !put_child_deletes(sa, &b) &&
	    !put_token(sa, &b) && !proof_put_change(sa, &b) && !put_alive(sa, &b))
		return;
	if (send_request(sa, X_INFORMATIONAL, &b) == OK)
		return;
	sa->token_wanted = token;
	sa->tell_proof = tells;
	put_back(sa);
}

/* ---- answering ---- */

/* The peer deletes its inbound SAs, our outbound ones; we answer with the other halves, and leave
 * out those that we are deleting ourselves: the peer has that Delete or will (1.4.1). */
static void on_child_deletes(struct ike_sa *sa, const struct pl_delete *d, struct builder *reply)
{
	uint32_t spis[SA_PAIRS_MAX];
	uint16_t n = 0;

	for (uint16_t i = 0; i < d->n; i++) {
		struct child_sa *c = child_find_out(sa, pl_delete_spi(d, i));

		if (!c) {
			create_on_delete(sa, pl_delete_spi(d, i));
			continue;
		}
		if (!c->delete_sent && n < SA_PAIRS_MAX)
			spis[n++] = c->spi_in;
		rekey_release(c);
		rekey_end(c, ERR_PEER_DELETED);
	}
	if (n == 0)
		return;
	pl_delete_encode(builder_begin(reply, PL_DELETE), PROTO_ESP, spis, n);
	builder_end(reply);
}

/* The errors that end an IKE SA without a Delete (2.21.2). */
static enum err fatal_notify(const struct message *m)
{
	if (message_notify(m, NOTIFY_AUTHENTICATION_FAILED, NULL))
		return ERR_PEER_AUTH;
	if (message_notify(m, NOTIFY_INVALID_SYNTAX, NULL) ||
	    message_notify(m, NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD, NULL))
		return ERR_PEER_REFUSED;
	return OK;
}

/* Deletes that are well-formed. The IKE SA's own one ends everything, whatever else stands in the
 * message. */
static enum err find_ike_delete(const struct message *m, bool *found)
{
	*found = false;
	for (const struct payload *p = message_find(m, PL_DELETE); p; p = message_next(m, p)) {
		struct pl_delete d;
		enum err err = pl_delete_decode(p->body, &d);

		if (err != OK)
			return err;
		*found = *found || d.protocol == PROTO_IKE;
	}
	return OK;
}

static void tell_refused(struct ike_sa *sa, enum err err)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REFUSED, err);

	note_print(n.text, sizeof(n.text), "the peer took our answer apart and refused it: %s",
		   err_text(err));
	if (err == ERR_PEER_AUTH && sa->conn)
		note_explain_rejection(&n, sa->conn->conf);
	note_refused(sa, &n);
}

struct step info_on_request(struct turn *t)
{
	struct ike_sa *sa = t->sa;
	enum err fatal = fatal_notify(t->m);
	bool ike_delete;

	if (find_ike_delete(t->m, &ike_delete) != OK)
		return step_fatal(ERR_SYNTAX, NOTIFY_INVALID_SYNTAX);
	if (fatal != OK) {
		tell_refused(sa, fatal);
		return step_end(fatal);
	}
	if (ike_delete)
		return step_end(ERR_PEER_DELETED);
	mobike_on_request(t);
	qcd_take(sa, t->m);
	proof_on_lifetime(sa, t->m);
	for (const struct payload *p = message_find(t->m, PL_DELETE); p;
	     p = message_next(t->m, p)) {
		struct pl_delete d;

		if (pl_delete_decode(p->body, &d) == OK && d.protocol == PROTO_ESP)
			on_child_deletes(sa, &d, t->reply);
	}
	return step_reply();
}

struct step info_on_response(struct turn *t)
{
	struct ike_sa *sa = t->sa;
	struct child_sa *c = sa->children;
	enum err fatal = fatal_notify(t->m);
	struct step step;

	if (sa->state == S_CLOSING && !sa->close_wanted && !sa->waits)
		return step_fatal(sa->why, 0);
	if (fatal != OK)
		return step_fatal(fatal, 0);
	qcd_take(sa, t->m);
	step = mobike_on_response(t);
	if (step.kind != STEP_DONE)
		return step;
	/* Whatever the answer says: what we deleted is gone. */
	while (c) {
		struct child_sa *next = c->next;

		if (c->delete_sent)
			rekey_end(c, c->why);
		c = next;
	}
	return step_done();
}
