/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_SA_INIT as initiator (the other role: exchange_init_responder.c, what both share:
 * init_message.c).
 *
 * Nothing here is authenticated. An error is a hint: it is shown at once, and the attempt goes on
 * to its normal end. COOKIE and INVALID_KE_PAYLOAD are followed only into what we offer anyway,
 * once per group and five times in all, with the same SPI, nonce and full offer; and an answer to
 * an earlier form of our request that fits counts.
 */
#include "ike/exchange_init.h"

#include <string.h>

#include "crypto/ke.h"
#include "ike/connection.h"
#include "ike/exchange_auth.h"
#include "ike/init_message.h"
#include "ike/init_rival.h"
#include "ike/life.h"
#include "ike/natd.h"
#include "ike/redirect.h"
#include "ike/send.h"

/* Anybody who sees our request can forge a cookie for it, and be faster than the peer. Who has been
 * asked for a cookie cannot tell from a later answer which form of the request it is for; so the
 * peer's own answer to the first form gets this much time to come. */
static const mono_ns cookie_wait = 100 * NS_PER_MS;

/* ---- asking ---- */

static enum err build_request(struct ike_sa *sa, const struct init_try *try, struct span pub,
			      struct span *datagram)
{
	struct handshake *hs = sa->hs;
	struct ike_header h = send_header(sa, X_IKE_SA_INIT, false, 0);
	struct builder b = builder_message(sa->e->built, SCRATCH_LEN, &h);
	struct proposal_want want = init_offer(sa->conn->conf);
	struct pl_ke ke = { .group = try->group->id, .data = pub };
	enum err err;

	/* First of all payloads, as 2.6 wants it. */
	if (hs->cookie_len > 0)
		builder_notify(&b, NOTIFY_COOKIE, span_of(hs->cookie, hs->cookie_len));
	proposal_offer(builder_begin(&b, PL_SA), &want, 0);
	builder_end(&b);
	pl_ke_encode(builder_begin(&b, PL_KE), &ke);
	builder_end(&b);
	builder_add(&b, PL_NONCE, span_of(hs->nonce, sizeof(hs->nonce)));
	err = natd_add(&b, &h, &sa->path, sa->conn->conf->encap == CONF_ENCAP_ALWAYS);
	if (err != OK)
		return err;
	init_put_abilities(&b);
	redirect_put(sa, &b);
	return builder_finish(&b, datagram);
}

static enum err send_try(struct ike_sa *sa, struct span pub)
{
	struct handshake *hs = sa->hs;
	struct init_try *try = hs->chosen;
	struct packets kept = { 0 };
	struct span datagram;
	enum err err = build_request(sa, try, pub, &datagram);

	if (err == OK)
		err = packets_set(&try->request, datagram);
	if (err == OK)
		err = packets_set(&kept, datagram);
	if (err != OK)
		return err;
	if (sa->window.asked)
		window_asked_anew(&sa->window, &kept);
	else
		window_asked(&sa->window, &kept);
	send_packets(sa, &sa->window.request, &sa->path);
	retransmit_start(&sa->rt, &sa->e->env.random, sa->e->now);
	sa_schedule(sa);
	return OK;
}

/* Another form of the request: with this group, and the cookie if there is one. */
static enum err begin_try(struct ike_sa *sa, const struct ke_group *g)
{
	struct handshake *hs = sa->hs;
	struct init_try *try = &hs->tries[hs->n_tries];
	uint8_t pub[KE_PUBLIC_MAX];
	enum err err = init_draw(sa->e, g, try->priv, pub);

	if (err != OK)
		return err;
	try->group = g;
	hs->chosen = try;
	hs->n_tries++;
	if (g->slow)
		return init_ask_worker(sa, SPAN_EMPTY);
	return send_try(sa, span_of(pub, g->public_len));
}

enum err init_begin(struct conn *c, const struct path *p)
{
	struct ike_sa *sa;
	enum err err = sa_new(c->e, true, p, &sa);

	if (err != OK)
		return err;
	sa->state = S_INIT_SENT;
	conn_add_sa(c, sa);
	if (!random_fill(&c->e->env.random, sa->hs->nonce, sizeof(sa->hs->nonce)))
		err = ERR_CRYPTO;
	else if (!c->conf->policy.ke[0])
		err = ERR_CONFIG;
	else
		err = begin_try(sa, c->conf->policy.ke[0]);
	if (err != OK)
		sa_free(sa);
	else
		sa_schedule(sa);
	return err;
}

/* ---- answers ---- */

/* A fresh private value goes with every form, but a COOKIE asks for the same KE again (2.6). */
static enum err repeat_with_cookie(struct ike_sa *sa)
{
	struct handshake *hs = sa->hs;
	const struct init_try *last = &hs->tries[hs->n_tries - 1];
	struct init_try *try = &hs->tries[hs->n_tries];
	uint8_t pub[KE_PUBLIC_MAX];
	enum err err;

	memcpy(hs->cookie, hs->next_cookie, sizeof(hs->cookie));
	hs->cookie_len = hs->next_cookie_len;
	memcpy(try->priv, last->priv, sizeof(try->priv));
	try->group = last->group;
	hs->chosen = try;
	hs->n_tries++;
	if (try->group->slow)
		return init_ask_worker(sa, SPAN_EMPTY);
	err = ke_public(try->group, span_of(try->priv, try->group->private_len), pub);
	return err == OK ? send_try(sa, span_of(pub, try->group->public_len)) : err;
}

static bool tried(const struct handshake *hs, uint16_t group)
{
	for (size_t i = 0; i < hs->n_tries; i++) {
		if (hs->tries[i].group->id == group)
			return true;
	}
	return false;
}

static struct step follow(struct ike_sa *sa, enum err err)
{
	struct ike_note n;

	if (err == OK)
		return step_done();
	n = note_of_sa(sa, IKE_NOTE_REFUSED, err);
	note_print(n.text, sizeof(n.text), "the request could not be made again: %s",
		   err_text(err));
	note_refused(sa, &n);
	return step_fatal(err, 0);
}

static struct step on_cookie(struct ike_sa *sa, const struct pl_notify *cookie)
{
	struct span held = span_of(sa->hs->cookie, sa->hs->cookie_len);
	struct wr w;

	if (cookie->data.len == 0 || cookie->data.len > COOKIE_MAX)
		return step_drop(ERR_SYNTAX);
	/* The answer to a duplicate of what we have sent already. */
	if (span_eq(cookie->data, held))
		return step_drop(ERR_REPLAY);
	if (sa->hs->n_tries >= sa->hs->max_tries) {
		note_hint(sa, ERR_LOOP, "the peer asks for one cookie after another");
		return step_drop(ERR_LOOP);
	}
	w = wr_into(sa->hs->next_cookie, sizeof(sa->hs->next_cookie));
	wr_span(&w, cookie->data);
	sa->hs->next_cookie_len = (uint8_t)wr_len(&w);
	/* The wait is not begun anew by another cookie, which takes the place of this one. */
	if (sa->hs->follow_at == NEVER)
		sa->hs->follow_at = sa->e->now + cookie_wait;
	return step_done();
}

void init_follow_cookie(struct ike_sa *sa)
{
	struct step s;

	sa->hs->follow_at = NEVER;
	if (redirect_follow(sa))
		return;
	s = follow(sa, repeat_with_cookie(sa));
	if (s.kind == STEP_FATAL)
		sa_end(sa, s.err);
	else
		sa_schedule(sa);
}

static struct step on_invalid_ke(struct ike_sa *sa, const struct pl_notify *n)
{
	struct proposal_want want = init_offer(sa->conn->conf);
	const struct ke_group *g = proposal_ke_asked(&want, n->data, 0);

	if (!g) {
		note_hint(sa, ERR_KE_GROUP,
			  "somebody asks for a group that we do not offer (unauthenticated)");
		return step_drop(ERR_KE_GROUP);
	}
	if (tried(sa->hs, g->id))
		return step_drop(ERR_REPLAY);
	if (sa->hs->n_tries >= sa->hs->max_tries) {
		note_hint(sa, ERR_LOOP, "the peer asks for one group after another");
		return step_drop(ERR_LOOP);
	}
	return follow(sa, begin_try(sa, g));
}

static enum err hint_of(uint16_t notify)
{
	switch (notify) {
	case NOTIFY_NO_PROPOSAL_CHOSEN:
		return ERR_PEER_PROPOSAL;
	case NOTIFY_AUTHENTICATION_FAILED:
		return ERR_PEER_AUTH;
	case NOTIFY_INVALID_MAJOR_VERSION:
		return ERR_VERSION;
	default:
		return ERR_PEER_REFUSED;
	}
}

struct step init_on_refusal(struct turn *t)
{
	struct ike_sa *sa = t->sa;
	struct pl_notify n;
	char text[NOTE_TEXT_MAX];

	if (sa_parked(sa))
		return step_drop(ERR_BUSY);
	if (message_notify(t->m, NOTIFY_COOKIE, &n))
		return on_cookie(sa, &n);
	if (message_notify(t->m, NOTIFY_INVALID_KE_PAYLOAD, &n))
		return on_invalid_ke(sa, &n);
	if (message_notify(t->m, NOTIFY_REDIRECT, &n))
		return redirect_on_answer(sa, &n);
	if (!message_error(t->m, &n))
		return step_drop(ERR_UNEXPECTED);
	note_print(text, sizeof(text), "somebody answers %s (in clear, so perhaps not the peer)",
		   notify_name(n.type));
	note_hint(sa, hint_of(n.type), text);
	return step_drop(hint_of(n.type));
}

/* The form of our request that this answer is for: the latest with its group. */
static struct init_try *try_of(struct handshake *hs, uint16_t group)
{
	for (size_t i = hs->n_tries; i > 0; i--) {
		if (hs->tries[i - 1].group->id == group && hs->tries[i - 1].request.len > 0)
			return &hs->tries[i - 1];
	}
	return NULL;
}

static bool is_full_transcript(const struct message *m)
{
	return message_notify(m, NOTIFY_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, NULL);
}

/* Does it fit what we asked for, and policy? Anything else is somebody's in the middle until proved
 * otherwise. */
static enum err judge_response(struct ike_sa *sa, const struct message *m, struct init_views *v,
			       struct proposal_chosen *c)
{
	struct proposal_want want = init_offer(sa->conn->conf);
	enum err err = init_views_decode(m, v);

	if (err != OK || m->h.spi_r == 0)
		return ERR_SYNTAX;
	/* Our own nonce come back: a mirror (A4). */
	if (rival_was_followed(sa, m->h.spi_r) ||
	    span_eq(v->nonce, span_of(sa->hs->nonce, sizeof(sa->hs->nonce))))
		return ERR_REPLAY;
	err = proposal_verify(v->sa, &want, c);
	if (err == OK)
		err = proposal_ke_check(c, v->ke.group);
	if (err == OK && !try_of(sa->hs, v->ke.group))
		err = ERR_KE_GROUP;
	if (err == OK && sa->conn->conf->full_transcript == CONF_TRANSCRIPT_REQUIRE &&
	    !is_full_transcript(m))
		err = ERR_DOWNGRADE;
	return err;
}

enum err init_fits(struct ike_sa *sa, const struct message *m)
{
	struct proposal_chosen chosen;
	struct init_views v;

	return judge_response(sa, m, &v, &chosen);
}

static void hint_unfit(struct ike_sa *sa, enum err err)
{
	if (err == ERR_DOWNGRADE)
		note_hint(
			sa, err,
			"the answer does not announce full-transcript authentication, which `full_transcript = require` wants");
	else if (err == ERR_NO_PROPOSAL || err == ERR_KE_GROUP)
		note_hint(
			sa, err,
			"an answer does not lie in our offer (in clear, so perhaps not the peer's)");
}

/* NAT on the way, or so configured: on to 4500 from the next message on (2.23). */
static void take_nat(struct ike_sa *sa, const struct natd *nat)
{
	const struct conf_connection *cn = sa->conn->conf;
	bool always = cn->encap == CONF_ENCAP_ALWAYS;

	sa->nat_here = nat->known && nat->nat_here;
	sa->nat_there = nat->known && nat->nat_there;
	sa->encap = sa->nat_here || sa->nat_there || always;
	/* MOBIKE: no later path shall need another port (RFC 4555 3.3). */
	if ((sa->encap || (nat->known && cn->mobike)) && sa->path.local.port == PORT_IKE) {
		sa->path.local.port = PORT_NATT;
		sa->path.remote.port = PORT_NATT;
	}
}

static struct step go_on(struct ike_sa *sa)
{
	struct handshake *hs = sa->hs;
	struct ike_note n;
	enum err err;

	if (hs->chosen->group->slow && !hs->keyed)
		err = init_ask_worker(sa, hs->peer_ke);
	else
		err = init_keys(sa);
	n = note_of_sa(sa, IKE_NOTE_REFUSED, OK);
	if (err == OK && hs->wait == WAIT_NONE)
		err = auth_begin(sa, &n);
	if (err == OK)
		return step_done();
	if (rival_waits(sa))
		return rival_follow(sa);
	n.err = err;
	if (n.text[0] == 0)
		note_print(n.text, sizeof(n.text), "no keys from the peer's answer: %s",
			   err_text(err));
	note_refused(sa, &n);
	return step_fatal(err, 0);
}

static void tell_answered(struct ike_sa *sa)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_ANSWERED, OK);

	note_tell(sa->e, &n);
}

/* Keys from this answer. It came in clear: when its value is none (RFC 6989) it is as if it had
 * never come, and the attempt goes on. Of a slow group that is found out too late for that. */
static enum err agree(struct ike_sa *sa, const struct init_views *v)
{
	struct handshake *hs = sa->hs;
	enum err err;

	hs->chosen = try_of(hs, v->ke.group);
	hs->ni = span_of(hs->nonce, sizeof(hs->nonce));
	hs->nr = v->nonce;
	hs->peer_ke = v->ke.data;
	err = hs->chosen->group->slow ? OK : init_keys(sa);
	if (err == OK)
		return OK;
	packets_free(&hs->response);
	hs->chosen = NULL;
	hs->ni = hs->nr = hs->peer_ke = SPAN_EMPTY;
	sa->spi_r = 0;
	sa->suite = (struct suite){ .encr = NULL };
	return err;
}

struct step init_on_response(struct turn *t)
{
	struct ike_sa *sa = t->sa;
	struct handshake *hs = sa->hs;
	struct packets response = { 0 };
	struct proposal_chosen chosen;
	struct init_views v;
	struct message kept;
	struct natd nat;
	enum err err;

	if (sa_parked(sa))
		return step_drop(ERR_BUSY);
	err = judge_response(sa, t->m, &v, &chosen);
	if (err == OK)
		err = natd_judge(t->m, t->path, &nat);
	if (err == OK)
		err = packets_set(&response, t->m->raw);
	if (err == OK)
		err = message_decode(packets_span(&response), &kept);
	if (err == OK)
		err = init_views_decode(&kept, &v);
	if (err != OK) {
		packets_free(&response);
		hint_unfit(sa, err);
		return step_drop(err);
	}
	hs->response = response;
	sa->spi_r = t->m->h.spi_r;
	sa->suite = chosen.suite;
	err = agree(sa, &v);
	if (err != OK)
		return step_drop(err);
	sa->state = S_AUTH_SENT;
	window_heard(&sa->window);
	retransmit_idle(&sa->rt);
	init_take_abilities(sa, t->m);
	take_nat(sa, &nat);
	mobike_begin(sa, nat.known);
	sa->heard = t->e->now;
	tell_answered(sa);
	return go_on(sa);
}

void init_on_public(struct ike_sa *sa, struct span pub)
{
	struct step s = follow(sa, send_try(sa, pub));

	if (s.kind == STEP_FATAL)
		sa_end(sa, s.err);
}

void init_go_on(struct ike_sa *sa)
{
	struct step s = go_on(sa);

	if (s.kind == STEP_FATAL)
		sa_end(sa, s.err);
}

/* Nobody proved the hint, but nothing better came in all that time. */
static void explain_hint(const struct ike_sa *sa, struct ike_note *n)
{
	const struct proposal_want want = init_offer(sa->conn->conf);
	const char *fix = "see the peer's log";

	n->err = sa->hs->hint;
	note_print(n->text, sizeof(n->text), "no other answer came, and this one is unproven: %s",
		   err_text(n->err));
	if (n->err == ERR_DOWNGRADE)
		fix = "bring the peer up to date, or set `full_transcript = auto`";
	if (n->err == ERR_PEER_PROPOSAL || n->err == ERR_NO_PROPOSAL || n->err == ERR_KE_GROUP) {
		proposal_wanted_text(&want, n->offered, sizeof(n->offered));
		fix = "see the peer's log: `policy` of both ends, or our address in its connection";
	}
	note_print(n->fix, sizeof(n->fix), "%s", fix);
}

void init_explain_silence(const struct ike_sa *sa, struct ike_note *n)
{
	const struct handshake *hs = sa->hs;

	if (!sa->initiator || !sa->conn || !hs) {
		note_print(n->text, sizeof(n->text), "the peer began and then went silent");
		return;
	}
	if (sa_parked(sa)) {
		n->err = ERR_SYSTEM;
		note_print(n->text, sizeof(n->text),
			   "a process of this machine did not answer in time");
		return;
	}
	if (sa->state == S_AUTH_SENT) {
		note_print(n->text, sizeof(n->text),
			   "the peer answered IKE_SA_INIT but not IKE_AUTH");
		note_print(
			n->fix, sizeof(n->fix),
			"see the peer's log; if large packets are lost on the way, lower `fragment_size`");
		return;
	}
	note_print(n->text, sizeof(n->text), "no answer from the peer");
	note_print(n->fix, sizeof(n->fix),
		   "check `address`, the peer, and that UDP 500 and 4500 pass on the way");
	if (hs->hint != OK)
		explain_hint(sa, n);
}
