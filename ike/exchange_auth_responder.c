/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_AUTH as responder: the connection is chosen by the identities, the peer's AUTH is judged,
 * ours is made, the child's inbound half is put in, and only then the answer leaves. Between the
 * stations the exchange is parked; the request stays busy in the window, so that a retransmission
 * of it does nothing.
 *
 * The peer learns AUTHENTICATION_FAILED and no more, whatever the reason (2.21.2), and after the
 * same work: who tries identities shall not learn which of them we know. The operator learns all.
 */
#include "ike/auth.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/duplicate.h"
#include "ike/exchange_auth.h"
#include "ike/life.h"
#include "ike/proof.h"
#include "ike/qcd.h"
#include "ike/receive.h"
#include "ike/rekey.h"
#include "ike/send.h"

/* ---- the request ---- */

/* A fault of ours (a process that died, no memory) is not called a fault of the peer's proof: it
 * may come back. */
static uint16_t refusal_notify(enum err err)
{
	uint16_t notify = err_row(err)->notify;

	if (notify == NOTIFY_INVALID_SYNTAX || notify == NOTIFY_TEMPORARY_FAILURE)
		return notify;
	return NOTIFY_AUTHENTICATION_FAILED;
}

static struct step refuse(struct ike_sa *sa, struct ike_note *n)
{
	enum err err = n->err;

	if (n->text[0] == 0)
		note_print(n->text, sizeof(n->text), "%s", err_text(err));
	note_refused(sa, n);
	return step_fatal(err, refusal_notify(err));
}

/* The floor of the connection that was chosen, and its wish for a full transcript. */
static enum err judge_policy(const struct ike_sa *sa, struct ike_note *n)
{
	const struct conf_connection *cn = sa->conn->conf;
	struct proposal_want want = { .policy = &cn->policy,
				      .protocol = PROTO_IKE,
				      .with_ke = true };

	n->line = cn->pos.line;
	if (!auth_floor_holds(&cn->policy, &sa->suite)) {
		suite_text(&sa->suite, n->got, sizeof(n->got));
		proposal_wanted_text(&want, n->wanted, sizeof(n->wanted));
		note_print(n->text, sizeof(n->text),
			   "the IKE SA uses what this connection's policy does not allow");
		note_print(n->fix, sizeof(n->fix),
			   "make `policy` of both ends have a suite in common");
		return ERR_DOWNGRADE;
	}
	if (cn->full_transcript == CONF_TRANSCRIPT_REQUIRE && !sa->transcript_full) {
		note_print(n->text, sizeof(n->text),
			   "the peer did not announce full-transcript authentication");
		note_print(n->fix, sizeof(n->fix),
			   "bring the peer up to date, or set `full_transcript = auto`");
		return ERR_DOWNGRADE;
	}
	return OK;
}

/* A reload came since our answer: the peer was told of no NAT there, so it takes no ESP in UDP. */
static enum err judge_reload(const struct ike_sa *sa, struct ike_note *n)
{
	const struct conf_connection *cn = sa->hs->candidate;

	if (sa->encap || cn->encap != CONF_ENCAP_ALWAYS)
		return OK;
	n->line = cn->pos.line;
	note_print(n->connection, sizeof(n->connection), "%s", cn->name);
	note_print(n->text, sizeof(n->text),
		   "`encap` has become another one while the peer was half-way in");
	return ERR_BUSY;
}

/* Which connection; from here on the SA is one of its. */
static enum err choose(struct ike_sa *sa, const struct turn *t, struct ike_note *n)
{
	struct auth *a = sa->hs->auth;
	struct identity asked = { .type = ID_NONE };
	struct conn *c;
	struct wr w;

	if (message_has(t->m, PL_IDR) &&
	    pl_identity_decode(message_body(t->m, PL_IDR), &asked) != OK)
		return ERR_SYNTAX;
	c = auth_choose(sa, &asked, n);
	if (!c)
		return ERR_UNKNOWN_PEER;
	conn_add_sa(c, sa);
	*n = note_of_sa(sa, IKE_NOTE_REFUSED, OK);
	n->identity = a->claimed;
	w = wr_into(a->own_id, sizeof(a->own_id));
	pl_id_encode(&w, &c->conf->local_identity);
	a->own_id_len = (uint16_t)wr_len(&w);
	return wr_ok(&w) ? OK : ERR_SPACE;
}

/* The peer is refused for who it says it is, or how it came here; its proof is judged all the same,
 * against a connection that takes such, and counts for nothing. */
static struct step pretend(struct ike_sa *sa, struct ike_note *n)
{
	const struct conf_connection *decoy = auth_decoy(sa);
	struct step s = refuse(sa, n);

	sa->hs->auth->refused = n->err;
	return decoy && auth_ask_peer(sa, decoy) == OK ? step_wait() : s;
}

static bool is_about_who(enum err err)
{
	return err == ERR_UNKNOWN_PEER || err == ERR_DOWNGRADE || err == ERR_AUTH_METHOD;
}

struct step auth_on_request(struct turn *t)
{
	struct ike_sa *sa = t->sa;
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REFUSED, OK);

	/* Authenticated by the SA's keys: the peer may have moved to port 4500 (2.23). */
	sa->path = *t->path;
	n.path = sa->path;
	n.err = judge_reload(sa, &n);
	if (n.err == OK)
		n.err = auth_new(sa);
	if (n.err == OK)
		n.err = auth_keep(sa, t, PL_IDI);
	if (n.err == OK)
		n.err = choose(sa, t, &n);
	if (n.err == OK)
		n.err = judge_policy(sa, &n);
	if (n.err == OK)
		n.err = auth_judge_method(sa, &n);
	if (n.err == OK)
		n.err = auth_ask_peer(sa, sa->conn->conf);
	if (is_about_who(n.err))
		return pretend(sa, &n);
	return n.err == OK ? step_wait() : refuse(sa, &n);
}

struct step auth_on_eap_request(struct turn *t)
{
	struct ike_note n = note_of_sa(t->sa, IKE_NOTE_REFUSED, ERR_AUTH_METHOD);

	note_print(n.got, sizeof(n.got), "EAP");
	note_print(n.wanted, sizeof(n.wanted), "a certificate or a pre-shared key");
	note_print(n.text, sizeof(n.text), "the peer wants to authenticate by EAP");
	note_print(n.fix, sizeof(n.fix), "set the peer to a certificate or a pre-shared key");
	return refuse(t->sa, &n);
}

/* ---- the stations ---- */

static void end(struct ike_sa *sa, struct step s)
{
	receive_commit(sa, X_IKE_AUTH, &s, NULL, &sa->path);
}

static void end_refused(struct ike_sa *sa, struct ike_note *n)
{
	end(sa, refuse(sa, n));
}

/* The last one: the answer leaves and the SA is up. */
static void finish(struct ike_sa *sa)
{
	struct auth *a = sa->hs->auth;
	struct builder b = send_begin(sa->e);
	struct child_sa *c = a->deal.child;
	struct ike_note n;
	enum err err;

	auth_put_identity(sa, &b);
	auth_put_certificates(sa, &b);
	auth_put_auth(sa, &b);
	qcd_put(sa, sa->conn->conf, &b);
	if (duplicate_none(sa))
		builder_notify(&b, NOTIFY_INITIAL_CONTACT, SPAN_EMPTY);
	mobike_put(sa, &b);
	proof_put_lifetime(sa, &b);
	auth_child_put_response(sa, &b);
	err = send_answer(sa, X_IKE_AUTH, &b, &sa->path);
	if (err != OK) {
		n = note_of_sa(sa, IKE_NOTE_REFUSED, err);
		note_print(n.text, sizeof(n.text), "the IKE_AUTH answer could not be made: %s",
			   err_text(err));
		note_refused(sa, &n);
		sa_end(sa, err);
		return;
	}
	sa_established(sa);
	sa_forget_handshake(sa);
	if (c)
		rekey_hold(c);
	sa_settle(sa);
}

static void on_own(struct ike_sa *sa, const struct job_result *r)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REFUSED, OK);

	if (auth_take_own(sa, r, &n) != OK)
		end_refused(sa, &n);
	else if (auth_child_is_asked(sa) && auth_child_respond(sa) == OK)
		sa->hs->wait = WAIT_INSTALL;
	else
		finish(sa);
}

static void on_peer(struct ike_sa *sa, const struct job_result *r)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REFUSED, OK);
	enum err refused = sa->hs->auth->refused;

	if (refused != OK) {
		end(sa, step_fatal(refused, refusal_notify(refused)));
		return;
	}
	if (auth_take_peer(sa, r, &n) != OK) {
		end_refused(sa, &n);
		return;
	}
	/* Before its child: a peer that has restarted may choose the SPI that it had before. */
	if (message_notify(&sa->hs->auth->m, NOTIFY_INITIAL_CONTACT, NULL))
		duplicate_forget(sa);
	qcd_take(sa, &sa->hs->auth->m);
	mobike_take(sa, &sa->hs->auth->m, &sa->path);
	if (sa->mobike.on && mobike_hits_nat(&sa->hs->auth->m, &sa->path)) {
		end(sa, step_fatal(ERR_UNEXPECTED, NOTIFY_UNEXPECTED_NAT_DETECTED));
		return;
	}
	n.err = auth_ask_own(sa);
	if (n.err != OK)
		end_refused(sa, &n);
}

void auth_responder_on_job(struct ike_sa *sa, const struct job_result *r)
{
	if (sa->hs->wait == WAIT_OWN_AUTH)
		on_own(sa, r);
	else
		on_peer(sa, r);
}

void auth_on_installed(struct ike_sa *sa, const struct sa_done *done)
{
	struct deal *d = &sa->hs->auth->deal;

	sa->hs->wait = WAIT_NONE;
	if (done->err == OK)
		d->child->stage = CHILD_READY;
	else
		deal_not_installed(sa, d, done);
	finish(sa);
}

void auth_on_job(struct ike_sa *sa, const struct job_result *r)
{
	if (sa->initiator)
		auth_initiator_on_job(sa, r);
	else
		auth_responder_on_job(sa, r);
}
