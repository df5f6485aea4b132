/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_SA_INIT as responder (the other role: exchange_init_initiator.c).
 *
 * Whoever writes to us may be anybody, and may have forged the address that the request comes from.
 * So nothing is kept before a cookie when there are many (RFC 7296 2.6), errors are answered from
 * nothing and at a bounded rate, and what is kept is small: the two messages, our private value,
 * the suite.
 */
#include "ike/exchange_init.h"

#include <string.h>

#include "crypto/ke.h"
#include "ike/connection.h"
#include "ike/init_message.h"
#include "ike/init_pick.h"
#include "ike/life.h"
#include "ike/natd.h"
#include "ike/note.h"
#include "ike/send.h"

/* ---- refusing ---- */

/* Not remembered as a failure of the connection: it is what the operator asked for. */
static void explain_down(const struct turn *t, const struct conn *c)
{
	struct ike_note n = note_of_conn(c, IKE_NOTE_REFUSED, ERR_OPERATOR);

	n.path = *t->path;
	note_print(n.text, sizeof(n.text), "the peer calls, but %s was taken down here",
		   c->conf->name);
	note_print(n.fix, sizeof(n.fix), "postern up %s", c->conf->name);
	note_tell(t->e, &n);
}

static void explain_refusal(const struct turn *t, const struct init_pick *p, struct span sa_body)
{
	struct ike_note n = { .kind = IKE_NOTE_REFUSED,
			      .err = p->near ? ERR_NO_PROPOSAL : ERR_UNKNOWN_PEER,
			      .path = *t->path };
	struct proposal_texts texts;
	struct proposal_want want;
	char at[ADDR_TEXT_MAX];

	t->e->stats.refused++;
	if (!p->near && p->down) {
		explain_down(t, p->down);
		return;
	}
	if (!p->near) {
		note_print(n.text, sizeof(n.text), "no connection of ours is at %s",
			   addr_text(&t->path->remote.addr, at));
		note_print(n.fix, sizeof(n.fix),
			   "write `address = %s` or `address = any` in the connection it should be",
			   addr_text(&t->path->remote.addr, at));
		note_tell(t->e, &n);
		return;
	}
	want = init_want(p->near->conf);
	proposal_explain(sa_body, &want, &texts);
	note_print(n.connection, sizeof(n.connection), "%s", p->near->conf->name);
	note_print(n.offered, sizeof(n.offered), "%s", texts.offered);
	note_print(n.wanted, sizeof(n.wanted), "%s", texts.wanted);
	note_print(n.text, sizeof(n.text), "%s", texts.differs);
	note_print(n.fix, sizeof(n.fix), "make `policy` of both ends have a suite in common");
	n.line = p->near->conf->pos.line;
	conn_remember((struct conn *)(uintptr_t)p->near, &n);
	note_tell(t->e, &n);
}

static struct step refuse(struct turn *t, const struct init_pick *p, struct span sa_body)
{
	if (!limits_tell_drop(&t->e->limits, t->e->now))
		return step_drop(ERR_NO_PROPOSAL);
	explain_refusal(t, p, sa_body);
	send_clear_notify(t->e, t->path, &t->m->h, NOTIFY_NO_PROPOSAL_CHOSEN, SPAN_EMPTY);
	return step_done();
}

static struct step ask_group(struct turn *t, const struct ke_group *g)
{
	uint8_t body[2];
	struct wr w = wr_into(body, sizeof(body));

	wr_u16(&w, g->id);
	send_clear_notify(t->e, t->path, &t->m->h, NOTIFY_INVALID_KE_PAYLOAD, wr_done(&w));
	return step_done();
}

/* ---- cookies ---- */

static enum err send_cookie(struct turn *t, const struct cookie_claim *claim)
{
	struct limits *l = &t->e->limits;
	uint8_t fresh[COOKIE_SECRET_LEN];
	uint8_t cookie[COOKIE_LEN];
	enum err err;

	if (cookie_stale(&l->jar, t->e->now)) {
		if (!random_fill(&t->e->env.random, fresh, sizeof(fresh)))
			return ERR_CRYPTO;
		cookie_rotate(&l->jar, fresh, t->e->now);
		secret_wipe(fresh, sizeof(fresh));
	}
	err = cookie_make(&l->jar, claim, cookie);
	if (err != OK)
		return err;
	/* Not by send_clear_notify: while cookies are asked for, they are what lets real peers
	 * through. */
	send_clear_always(t->e, t->path, &t->m->h, NOTIFY_COOKIE, span_of(cookie, sizeof(cookie)));
	t->e->stats.cookies_sent++;
	return OK;
}

static void tell_cookies(struct ike_engine *e)
{
	struct ike_note n;
	bool many = e->limits.cookies;

	if (many == e->limits.told_cookies)
		return;
	e->limits.told_cookies = many;
	n = (struct ike_note){ .kind = IKE_NOTE_COOKIE, .tries = e->limits.half_open };
	note_print(n.text, sizeof(n.text),
		   many ? "cookies are asked for: %u handshakes are half-open"
			: "cookies are no longer asked for: %u handshakes are half-open",
		   e->limits.half_open);
	note_tell(e, &n);
}

/* What would be kept of a stranger, as a request with a public value of INIT_KE_FREE bytes: the
 * answer, which is kept too, has one as long as the group says. */
static size_t kept_len(const struct turn *t, const struct init_views *v)
{
	const struct ke_group *g = ke_find(v->ke.group);
	size_t more = g && g->public_len > INIT_KE_FREE ? g->public_len - INIT_KE_FREE : 0;

	return t->m->raw.len + more;
}

/* True when the request may go on; else it was answered with a cookie. */
static bool settle_cookie(struct turn *t, const struct init_views *v)
{
	struct limits *l = &t->e->limits;
	struct cookie_claim claim = { .ni = v->nonce,
				      .source = t->path->remote.addr,
				      .spi_i = t->m->h.spi_i };
	struct pl_notify n;

	tell_cookies(t->e);
	if (!limits_want_cookie(l, &t->path->remote.addr, kept_len(t, v), t->e->now))
		return true;
	if (message_notify(t->m, NOTIFY_COOKIE, &n) &&
	    cookie_check(&l->jar, &claim, n.data, t->e->now))
		return true;
	if (send_cookie(t, &claim) != OK)
		note_dropped(t->e, t->path, ERR_CRYPTO);
	return false;
}

/* ---- answering ---- */

static enum err build_response(struct ike_sa *sa, const struct conf_connection *cn, struct span pub,
			       struct span *datagram)
{
	struct handshake *hs = sa->hs;
	struct ike_header h = send_header(sa, X_IKE_SA_INIT, true, 0);
	struct builder b = builder_message(sa->e->built, SCRATCH_LEN, &h);
	struct proposal_want want = init_want(cn);
	struct pl_ke ke = { .group = hs->chosen->group->id, .data = pub };
	enum err err;

	proposal_answer(builder_begin(&b, PL_SA), &want, &hs->proposal, 0);
	builder_end(&b);
	pl_ke_encode(builder_begin(&b, PL_KE), &ke);
	builder_end(&b);
	builder_add(&b, PL_NONCE, span_of(hs->nonce, sizeof(hs->nonce)));
	err = natd_add(&b, &h, &sa->path, cn->encap == CONF_ENCAP_ALWAYS);
	if (err != OK)
		return err;
	if (cn->auth == CONF_AUTH_CERTIFICATE) {
		struct pl_cert req = { .encoding = CERT_X509_SIGNATURE,
				       .data = sa->e->env.authorities(sa->e->env.ctx, cn->me) };

		pl_cert_encode(builder_begin(&b, PL_CERTREQ), &req);
		builder_end(&b);
	}
	init_put_abilities(&b);
	builder_notify(&b, NOTIFY_CHILDLESS_IKEV2_SUPPORTED, SPAN_EMPTY);
	return builder_finish(&b, datagram);
}

/* Keeps the answer, for the keys' transcript and for the same request again. What it says of a NAT
 * holds for both, whatever connection it turns out to be. */
static enum err make_response(struct ike_sa *sa, struct span pub)
{
	struct span datagram;
	enum err err = build_response(sa, sa->hs->candidate, pub, &datagram);

	if (err == OK)
		err = packets_set(&sa->hs->response, datagram);
	sa->encap = sa->encap || sa->hs->candidate->encap == CONF_ENCAP_ALWAYS;
	sa->hs->nr = span_of(sa->hs->nonce, sizeof(sa->hs->nonce));
	return err;
}

void init_answer(struct ike_sa *sa)
{
	send_packets(sa, &sa->hs->response, &sa->path);
	sa->hs->answered = true;
	sa_schedule(sa);
}

void init_on_public_responder(struct ike_sa *sa, struct span pub)
{
	enum err err = make_response(sa, pub);

	if (err == OK)
		err = init_ask_worker(sa, sa->hs->peer_ke);
	if (err != OK)
		sa_end(sa, err);
}

/* The peer's message, kept, and views into the copy. */
static enum err keep_request(struct ike_sa *sa, struct span raw)
{
	struct handshake *hs = sa->hs;
	struct init_views v;
	struct message kept;
	enum err err = packets_set(&hs->request, raw);

	if (err == OK)
		err = message_decode(packets_span(&hs->request), &kept);
	if (err == OK)
		err = init_views_decode(&kept, &v);
	if (err != OK)
		return err;
	hs->ni = v.nonce;
	hs->peer_ke = v.ke.data;
	return OK;
}

static enum err fill(struct ike_sa *sa, const struct turn *t, const struct init_pick *p)
{
	struct handshake *hs = sa->hs;
	struct natd nat;
	enum err err = keep_request(sa, t->m->raw);

	if (err == OK)
		err = natd_judge(t->m, t->path, &nat);
	if (err == OK && !random_fill(&t->e->env.random, hs->nonce, sizeof(hs->nonce)))
		err = ERR_CRYPTO;
	if (err != OK)
		return err;
	sa->state = S_INIT_DONE;
	sa->spi_i = t->m->h.spi_i;
	sa->suite = p->chosen.suite;
	sa->window.next_in = 1;
	sa->nat_here = nat.known && nat.nat_here;
	sa->nat_there = nat.known && nat.nat_there;
	sa->encap = sa->nat_here || sa->nat_there;
	hs->proposal = p->chosen;
	hs->candidate = p->c->conf;
	hs->chosen = &hs->tries[0];
	hs->chosen->group = p->chosen.suite.ke;
	init_take_abilities(sa, t->m);
	mobike_begin(sa, nat.known);
	return sa_index_init(sa);
}

static enum err begin_response(struct ike_sa *sa)
{
	const struct ke_group *g = sa->hs->chosen->group;
	uint8_t pub[KE_PUBLIC_MAX];
	enum err err = init_draw(sa->e, g, sa->hs->chosen->priv, pub);

	if (err == OK && g->slow)
		return init_ask_worker(sa, SPAN_EMPTY);
	if (err == OK)
		err = make_response(sa, span_of(pub, g->public_len));
	if (err == OK)
		init_answer(sa);
	return err;
}

static struct step open_sa(struct turn *t, const struct init_pick *p)
{
	struct ike_sa *sa;
	enum err err = sa_new(t->e, false, t->path, &sa);

	if (err != OK)
		return step_drop(err);
	err = fill(sa, t, p);
	if (err == OK)
		err = begin_response(sa);
	if (err != OK) {
		sa_free(sa);
		return step_drop(err);
	}
	sa_count(sa);
	sa_schedule(sa);
	return step_done();
}

/* The same request once more gets the same answer; another one with the same SPI from there gets
 * none. */
static struct step again(struct turn *t, struct ike_sa *sa)
{
	if (!sa->hs || !sa->hs->answered || !span_eq(packets_span(&sa->hs->request), t->m->raw))
		return step_drop(ERR_REPLAY);
	send_packets(sa, &sa->hs->response, t->path);
	return step_done();
}

static bool is_first_request(const struct message *m)
{
	return m->h.spi_r == 0 && m->h.message_id == 0 && header_from_initiator(&m->h);
}

struct step init_on_request(struct turn *t)
{
	struct ike_sa *known = sa_find_init(t->e, t->m->h.spi_i, &t->path->remote);
	struct init_views v;
	struct init_pick p;

	if (!is_first_request(t->m) || init_views_decode(t->m, &v) != OK)
		return step_drop(ERR_SYNTAX);
	if (known)
		return again(t, known);
	/* Our own request, thrown back at us (A4). */
	if (sa_find(t->e, t->m->h.spi_i))
		return step_drop(ERR_REPLAY);
	if (!settle_cookie(t, &v))
		return step_done();
	/* Only now: what is charged to an address is charged to who can receive there. */
	if (limits_full(&t->e->limits, &t->path->remote.addr) ||
	    limits_distrust(&t->e->limits, &t->path->remote.addr, t->e->now))
		return step_drop(ERR_LIMIT);
	p = init_pick(t->e, &t->path->remote.addr, v.sa);
	if (!p.c)
		return refuse(t, &p, v.sa);
	if (proposal_ke_check(&p.chosen, v.ke.group) != OK)
		return ask_group(t, p.chosen.suite.ke);
	return open_sa(t, &p);
}
