/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_AUTH as initiator: our AUTH is made, the request leaves; the answer's AUTH is judged; then
 * the child.
 *
 * Until the peer has proved itself, what it says is believed no further than an error in clear; but
 * protected by the keys it is final (the attempt ends, and is made again later).
 */
#include "ike/auth.h"
#include "ike/child.h"
#include "ike/child_plane.h"
#include "ike/connection.h"
#include "ike/duplicate.h"
#include "ike/exchange_auth.h"
#include "ike/init_rival.h"
#include "ike/life.h"
#include "ike/proof.h"
#include "ike/qcd.h"
#include "ike/redirect.h"
#include "ike/send.h"

enum err auth_begin(struct ike_sa *sa, struct ike_note *n)
{
	enum err err = auth_new(sa);

	if (err == OK)
		err = auth_child_begin(sa, n);
	if (err == OK)
		err = auth_ask_own(sa);
	return err;
}

/* ---- the request ---- */

static enum err send_auth_request(struct ike_sa *sa)
{
	const struct conf_connection *cn = sa->conn->conf;
	struct builder b = send_begin(sa->e);

	auth_put_identity(sa, &b);
	auth_put_certificates(sa, &b);
	auth_put_certreq(sa, &b);
	/* Which of its identities we want to talk to, where the configuration says so. */
	if (cn->identity.type != ID_NONE) {
		pl_id_encode(builder_begin(&b, PL_IDR), &cn->identity);
		builder_end(&b);
	}
	auth_put_auth(sa, &b);
	qcd_put(sa, cn, &b);
	if (duplicate_none(sa))
		builder_notify(&b, NOTIFY_INITIAL_CONTACT, SPAN_EMPTY);
	mobike_put(sa, &b);
	if (!sa->hs->auth->alone) {
		child_plane_expect(sa->hs->auth->deal.child);
		deal_put_offer(sa, &sa->hs->auth->deal, &b);
		deal_put_selectors(&sa->hs->auth->deal.offer.ts, &b);
	}
	return send_request(sa, X_IKE_AUTH, &b);
}

/* We refuse: the peer is told in an INFORMATIONAL of its own when it has the SA (RFC 7296 2.21.2).
 */
static void refuse(struct ike_sa *sa, struct ike_note *n, uint16_t notify)
{
	enum err err = n->err;

	note_refused(sa, n);
	if (notify)
		sa_close(sa, err, notify);
	else
		sa_end(sa, err);
}

static void on_own(struct ike_sa *sa, const struct job_result *r)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REFUSED, OK);

	if (auth_take_own(sa, r, &n) != OK) {
		refuse(sa, &n, 0);
		return;
	}
	n.err = send_auth_request(sa);
	if (n.err == OK)
		return;
	note_print(n.text, sizeof(n.text), "the IKE_AUTH request could not be made: %s",
		   err_text(n.err));
	refuse(sa, &n, 0);
}

/* ---- the answer ---- */

struct step auth_on_response(struct turn *t)
{
	struct ike_sa *sa = t->sa;
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REFUSED, OK);
	uint16_t notify = NOTIFY_AUTHENTICATION_FAILED;

	n.err = auth_keep(sa, t, PL_IDR);
	if (n.err == OK && !auth_child_fits(sa->hs->auth))
		n.err = ERR_SYNTAX;
	if (n.err == OK)
		n.err = auth_judge_method(sa, &n);
	else
		notify = NOTIFY_INVALID_SYNTAX;
	if (n.err == OK)
		n.err = auth_ask_peer(sa, sa->conn->conf);
	if (n.err == OK)
		return step_wait();
	if (rival_waits(sa))
		return rival_follow(sa);
	if (n.text[0] == 0)
		note_print(n.text, sizeof(n.text), "the peer's IKE_AUTH answer: %s",
			   err_text(n.err));
	note_refused(sa, &n);
	return step_fatal(n.err, notify);
}

static enum err refusal_of(uint16_t type)
{
	switch (type) {
	case NOTIFY_AUTHENTICATION_FAILED:
		return ERR_PEER_AUTH;
	case NOTIFY_NO_PROPOSAL_CHOSEN:
		return ERR_PEER_PROPOSAL;
	case NOTIFY_TS_UNACCEPTABLE:
		return ERR_PEER_TS;
	default:
		return ERR_PEER_REFUSED;
	}
}

struct step auth_on_refusal(struct turn *t)
{
	struct ike_sa *sa = t->sa;
	const struct conf_connection *cn = sa->conn->conf;
	struct pl_notify refusal = { .type = NOTIFY_INVALID_SYNTAX };
	struct ike_note n;

	if (rival_waits(sa))
		return rival_follow(sa);
	(void)message_error(t->m, &refusal);
	n = note_of_sa(sa, IKE_NOTE_REFUSED, refusal_of(refusal.type));
	note_print(n.text, sizeof(n.text), "the peer answers %s%s", notify_name(refusal.type),
		   n.err == ERR_PEER_AUTH ? ", which never says why" : "");
	note_explain_rejection(&n, cn);
	note_refused(sa, &n);
	return step_fatal(n.err, 0);
}

/* Who it is does not matter any more; whoever says AUTH is up, and hears our Delete next. */
struct step auth_on_late(struct turn *t)
{
	return message_has(t->m, PL_AUTH) ? step_done() : step_end(t->sa->why);
}

static void follow_another(struct ike_sa *sa)
{
	struct step s = rival_follow(sa);

	if (s.kind == STEP_FATAL)
		sa_end(sa, s.err);
	else
		sa_schedule(sa);
}

static void on_peer(struct ike_sa *sa, const struct job_result *r)
{
	struct auth *a = sa->hs->auth;
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REFUSED, OK);
	enum err err = auth_take_peer(sa, r, &n);

	if (err != OK && rival_waits(sa)) {
		follow_another(sa);
		return;
	}
	if (err != OK) {
		refuse(sa, &n, NOTIFY_AUTHENTICATION_FAILED);
		return;
	}
	if (message_notify(&a->m, NOTIFY_INITIAL_CONTACT, NULL))
		duplicate_forget(sa);
	if (redirect_on_auth(sa, &a->m))
		return;
	mobike_take(sa, &a->m, &sa->path);
	qcd_take(sa, &a->m);
	sa_established(sa);
	proof_on_lifetime(sa, &a->m);
	auth_child_answered(sa);
	sa_forget_handshake(sa);
	sa_settle(sa);
}

void auth_initiator_on_job(struct ike_sa *sa, const struct job_result *r)
{
	if (sa->hs->wait == WAIT_OWN_AUTH)
		on_own(sa, r);
	else
		on_peer(sa, r);
}
