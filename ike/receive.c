/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram's way: see receive.h. */
#include "ike/receive.h"

#include <stdlib.h>

#include "ike/beside.h"
#include "ike/exchange_create.h"
#include "ike/exchange_init.h"
#include "ike/init_rival.h"
#include "ike/keep.h"
#include "ike/life.h"
#include "ike/note.h"
#include "ike/qcd.h"
#include "ike/rules.h"
#include "ike/send.h"

static enum direction direction_of(const struct ike_header *h)
{
	return header_is_response(h) ? RESPONSE : REQUEST;
}

/* Our SPI is the one of the role that the sender does not have. */
static struct ike_sa *sa_of(struct ike_engine *e, const struct ike_header *h)
{
	bool we_began = !header_from_initiator(h);
	struct ike_sa *sa = sa_find(e, we_began ? h->spi_i : h->spi_r);

	if (!sa || sa->initiator != we_began)
		return NULL;
	/* While our IKE_SA_INIT is unanswered the peer's SPI is not known yet. */
	if (sa->state != S_INIT_SENT && (sa->spi_i != h->spi_i || sa->spi_r != h->spi_r))
		return NULL;
	return sa;
}

/* ---- in clear: IKE_SA_INIT ---- */

static enum err receive_clear(struct ike_engine *e, const struct path *p, const struct message *m)
{
	enum direction d = direction_of(&m->h);
	struct ike_sa *sa = d == RESPONSE ? sa_of(e, &m->h) : NULL;
	struct turn t = { .e = e, .sa = sa, .path = p, .m = m };
	const struct rule *rule;
	struct step s;

	if (d == RESPONSE && (!sa || sa->state != S_INIT_SENT))
		return rival_keep(e, p, m);
	rule = rules_find(m->h.exchange, d, sa ? sa->state : S_NONE, m->present);
	if (!rule)
		return ERR_UNEXPECTED;
	if (sa && window_judge(&sa->window, true, m->h.message_id) != WINDOW_NEW)
		return ERR_REPLAY;
	s = rule->handler(&t);
	if (sa && s.kind == STEP_FATAL)
		sa_end(sa, s.err);
	else if (sa && s.kind != STEP_DROP)
		sa_schedule(sa);
	return s.kind == STEP_DROP ? s.err : OK;
}

/* ---- protected ---- */

/* One message that was authenticated, on its way to a handler. */
struct opened {
	struct inner in;
	bool whole; /* false: a fragment that waits for others */
};

static enum err open_whole(struct ike_sa *sa, const struct message *m, struct opened *o)
{
	struct sk_keys keys = sa_keys_in(sa);
	struct wr w = wr_into(sa->e->opened, SCRATCH_LEN);
	enum err err = protect_open(&keys, m, &w, &o->in);

	sk_keys_wipe(&keys);
	o->whole = err == OK;
	return err;
}

/* Puts one fragment that has proved itself to the others; the store is made for the first one. All
 * stores together are bounded, and those of strangers more narrowly (A10). */
static enum err keep_fragment(struct ike_sa *sa, const struct message *m, bool *whole)
{
	const mono_ns patience = 30 * NS_PER_S;
	struct limits *l = &sa->e->limits;
	struct reassembly *store = sa->fragments ? sa->fragments : calloc(1, sizeof(*store));
	struct sk_keys keys = sa_keys_in(sa);
	size_t before = reassembly_cost(sa->fragments);
	enum err err = store ? OK : ERR_NOMEM;

	if (err == OK &&
	    !limits_room(l, sa_stranger(sa), sizeof(*store) + m->raw.len + FRAGMENT_COST))
		err = ERR_LIMIT;
	if (err == OK)
		err = reassembly_add(store, &keys, m, whole);
	sk_keys_wipe(&keys);
	if (store && store->until == 0)
		store->until = sa->e->now + patience; /* RFC 7383 2.6 */
	sa->fragments = store;
	limits_drop(l, sa_stranger(sa), before);
	limits_keep(l, sa_stranger(sa), reassembly_cost(store));
	if (store && store->n == 0)
		sa_drop_fragments(sa);
	return err;
}

/* RFC 7383 2.6. The store goes when the message is whole. */
static enum err open_fragment(struct ike_sa *sa, const struct message *m, struct opened *o)
{
	struct wr w = wr_into(sa->e->opened, SCRATCH_LEN);
	enum err err = keep_fragment(sa, m, &o->whole);

	if (err != OK || !o->whole)
		return err;
	err = reassembly_join(sa->fragments, &w, &o->in);
	sa_drop_fragments(sa);
	return err;
}

/* Whether a copy of a request is from the holder of the keys; of a fragmented one only the first
 * fragment says so (RFC 7383 2.6.1). */
static enum err prove_copy(struct ike_sa *sa, const struct message *m)
{
	struct sk_keys keys = sa_keys_in(sa);
	struct wr w = wr_into(sa->e->opened, SCRATCH_LEN);
	struct pl_skf f = { .number = 1 };
	struct span piece;
	struct inner in;
	enum err err;

	if (message_has(m, PL_SKF)) {
		err = protect_fragment_peek(m, &f);
		if (err == OK)
			err = protect_open_fragment(&keys, m, &w, &piece);
	} else {
		err = protect_open(&keys, m, &w, &in);
	}
	sk_keys_wipe(&keys);
	secret_wipe(sa->e->opened, m->raw.len);
	return err == OK && f.number != 1 ? ERR_REPLAY : err;
}

/* A request that we have answered gets the same bytes again, and one that is being worked on its
 * answer where it was sent from last: whoever asks may have moved. */
static enum err heard_again(struct ike_sa *sa, const struct path *p, const struct message *m,
			    enum window_verdict verdict)
{
	enum err err = prove_copy(sa, m);

	if (err == OK && verdict == WINDOW_AGAIN)
		send_answer_again(sa, p);
	else if (err == OK)
		create_asked_again(sa, p);
	return err;
}

static void answer_notify(struct ike_sa *sa, uint8_t exchange, const struct step *s,
			  const struct path *p)
{
	struct builder b = send_begin(sa->e);

	if (s->notify == NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD)
		builder_notify(&b, s->notify, span_of(&s->byte, 1));
	else if (s->notify)
		builder_notify(&b, s->notify, SPAN_EMPTY);
	if (send_answer(sa, exchange, &b, p) != OK)
		sa->window.busy = false;
}

void receive_commit(struct ike_sa *sa, uint8_t exchange, const struct step *s,
		    struct builder *reply, const struct path *p)
{
	enum err err = OK;

	switch (s->kind) {
	case STEP_REPLY:
	case STEP_END:
		err = send_answer(sa, exchange, reply, p);
		break;
	case STEP_FAIL:
	case STEP_FATAL:
		answer_notify(sa, exchange, s, p);
		break;
	case STEP_WAIT:
		sa->window.busy = true;
		break;
	case STEP_DONE:
	case STEP_DROP:
		break;
	}
	/* A handshake that ends by a fault of the peer's is charged to where it began. */
	if (s->kind == STEP_FATAL && sa->counted && s->notify != NOTIFY_TEMPORARY_FAILURE)
		limits_failed(&sa->e->limits, &sa->counted_for, sa->e->now);
	if (s->kind == STEP_END || s->kind == STEP_FATAL || err != OK) {
		sa_end(sa, s->kind == STEP_REPLY ? err : s->err);
		return;
	}
	if (s->kind != STEP_DROP)
		sa_settle(sa);
}

/* What a response's handler decided. Nothing is sent back for a response (RFC 7296 2.21), but a
 * peer that thinks the SA is up must hear that it is not: in an INFORMATIONAL of our own. */
static void commit_response(struct ike_sa *sa, const struct step *s)
{
	if (s->kind == STEP_FATAL && s->notify && (sa->state == S_AUTH_SENT || sa->state == S_UP))
		sa_close(sa, s->err, sa->state == S_UP ? 0 : s->notify);
	else if (s->kind == STEP_FATAL || s->kind == STEP_END)
		sa_end(sa, s->err);
	else if (s->kind != STEP_DROP)
		sa_settle(sa);
}

/* What is wrong with an authenticated message as a whole (RFC 7296 2.5, 2.21.2, 2.21.3). A
 * malformed one ends the SA at both ends; one with a critical payload that we do not know ends only
 * a handshake. */
static struct step judge_malformed(struct ike_sa *sa, enum err err, const struct message *inner)
{
	struct step s = step_fatal(err, NOTIFY_INVALID_SYNTAX);

	if (err == ERR_CRITICAL) {
		s.kind = sa->hs ? STEP_FATAL : STEP_FAIL;
		s.notify = NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD;
		s.byte = inner->critical_type;
	}
	if (sa->hs) {
		struct ike_note n = note_of_sa(sa, IKE_NOTE_REFUSED, err);

		note_print(n.text, sizeof(n.text), "the peer's %s message is malformed",
			   exchange_name(inner->h.exchange));
		note_refused(sa, &n);
	}
	return s;
}

static struct step judge_inner(struct turn *t, enum err err)
{
	const struct ike_header *h = &t->m->h;
	enum direction d = direction_of(h);
	const struct rule *rule;

	if (err != OK)
		return judge_malformed(t->sa, err, t->m);
	/* Another exchange harms nobody: it is refused, and the SA stays. */
	if (!rules_expect(h->exchange, d, t->sa->state))
		return step_fail(ERR_UNEXPECTED, NOTIFY_INVALID_SYNTAX);
	rule = rules_find(h->exchange, d, t->sa->state, t->m->present);
	return rule ? rule->handler(t) : judge_malformed(t->sa, ERR_SYNTAX, t->m);
}

static void handle_inner(struct ike_sa *sa, const struct path *p, const struct message *m,
			 const struct inner *in)
{
	enum direction d = direction_of(&m->h);
	struct builder reply = send_begin(sa->e);
	struct message inner;
	struct turn t = { .e = sa->e, .sa = sa, .path = p, .m = &inner, .in = in, .reply = &reply };
	enum err err = message_decode_inner(&m->h, in, &inner);
	struct step s;

	if (d == RESPONSE && beside_is(sa, m->h.message_id)) {
		beside_heard(sa);
	} else if (d == RESPONSE) {
		window_heard(&sa->window);
		retransmit_idle(&sa->rt);
		standby_answered(sa);
		mobike_answered(sa, p);
		move_answered(sa, &p->remote);
	} else {
		move_heard(sa, &p->remote);
	}
	if (err == OK && sa->established)
		beside_take_window(sa, &inner);
	s = judge_inner(&t, err);
	if (d == REQUEST)
		receive_commit(sa, m->h.exchange, &s, &reply, p);
	else
		commit_response(sa, &s);
}

/* What an SK-less message about a known SA says is a hint: at most it makes us ask the peer (RFC
 * 7296 2.21.4); but for a token, that the peer alone can have. */
static enum err receive_hint(struct ike_sa *sa, const struct path *p, const struct message *m)
{
	enum err err = qcd_judge(sa, p, m);

	if (err == OK)
		return OK;
	if (sa->state == S_UP && message_notify(m, NOTIFY_INVALID_IKE_SPI, NULL))
		sa_doubt(sa);
	return err == ERR_NOT_FOUND ? ERR_UNEXPECTED : err;
}

/* Nobody's SPI. A request is answered at a bounded rate, so that a peer learns that we have
 * forgotten it; and one that we have been calling in vain is there again. */
static enum err receive_stranger(struct ike_engine *e, const struct path *p,
				 const struct message *m)
{
	bool request = direction_of(&m->h) == REQUEST;

	if (!request || (!message_has(m, PL_SK) && !message_has(m, PL_SKF)))
		return ERR_NOT_FOUND;
	if (!limits_answer(&e->limits, e->now))
		return ERR_NOT_FOUND;
	qcd_answer(e, p, &m->h);
	for (size_t i = 0; i < e->n_conns; i++)
		conn_hear(e->conns[i], &p->remote.addr);
	return ERR_NOT_FOUND;
}

/* Only the exchanges of the table are opened, but an established peer's request is opened whatever
 * it is: once its integrity is proved it gets an answer (RFC 7296 2.21.3). Who closes before a
 * responder has proved itself hears no request of it. */
static bool is_opened(const struct ike_sa *sa, const struct message *m)
{
	enum direction d = direction_of(&m->h);

	if (d == REQUEST && sa->state == S_CLOSING && sa->up_at == 0)
		return false;
	return rules_expect(m->h.exchange, d, sa->state) || (d == REQUEST && sa->state == S_UP);
}

/* Of the request that this response is to. */
static uint8_t asked_exchange(const struct ike_sa *sa, const struct message *m)
{
	return beside_is(sa, m->h.message_id) ? X_INFORMATIONAL : sa->window.exchange;
}

static enum window_verdict judge_id(const struct ike_sa *sa, const struct message *m)
{
	bool response = header_is_response(&m->h);

	if (response && beside_is(sa, m->h.message_id))
		return WINDOW_NEW;
	return window_judge(&sa->window, response, m->h.message_id);
}

/* Everything that can be judged without keys. */
static enum err judge_outside(struct ike_sa *sa, const struct message *m,
			      enum window_verdict verdict)
{
	switch (verdict) {
	case WINDOW_BUSY: /* of other exchanges the answer goes where the SA is */
		return sa->theirs ? OK : ERR_BUSY;
	case WINDOW_OUTSIDE:
		return ERR_REPLAY;
	case WINDOW_AGAIN:
		return OK;
	case WINDOW_NEW:
		break;
	}
	if (!is_opened(sa, m) || sa_parked(sa))
		return ERR_UNEXPECTED;
	if (header_is_response(&m->h) && m->h.exchange != asked_exchange(sa, m))
		return ERR_UNEXPECTED;
	return message_has(m, PL_SKF) && !sa->fragmentation ? ERR_UNEXPECTED : OK;
}

/* The keys, and for them a handshake's one expensive computation. A public value that gives none
 * gives none the next time: the handshake is over, or each datagram would cost as much. */
static enum err ready_keys(struct ike_sa *sa, const struct path *p)
{
	struct limits *l = &sa->e->limits;
	enum err err;

	if (sa->counted && !limits_may_open(l, &p->remote.addr, sa->e->now))
		return ERR_LIMIT;
	err = init_keys(sa);
	if (err == ERR_KE_VALUE && sa->counted) {
		limits_failed(l, &sa->counted_for, sa->e->now);
		sa_end(sa, err);
	}
	return err;
}

static enum err open_any(struct ike_sa *sa, const struct message *m, struct opened *o)
{
	return message_has(m, PL_SKF) ? open_fragment(sa, m, o) : open_whole(sa, m, o);
}

static enum err receive_protected(struct ike_engine *e, const struct path *p,
				  const struct message *m)
{
	struct ike_sa *sa = sa_of(e, &m->h);
	struct opened o = { .whole = false };
	enum window_verdict verdict;
	enum err err;

	if (!sa)
		return receive_stranger(e, p, m);
	if (!message_has(m, PL_SK) && !message_has(m, PL_SKF))
		return receive_hint(sa, p, m);
	keep_touch_sa(sa);
	verdict = judge_id(sa, m);
	err = judge_outside(sa, m, verdict);
	if (err == OK)
		err = ready_keys(sa, p);
	if (err != OK)
		return err;
	err = verdict == WINDOW_NEW ? open_any(sa, m, &o) : heard_again(sa, p, m, verdict);
	if (err == ERR_ICV && sa->counted)
		limits_opened_badly(&e->limits, &p->remote.addr, e->now);
	if (err != OK || verdict != WINDOW_NEW)
		return err;
	/* A fragment that we have already is passed over unopened, so it proves nobody alive. */
	if (o.whole) {
		sa->heard = e->now;
		sa->looks_until = 0;
		standby_heard(sa);
		handle_inner(sa, p, m, &o.in);
	} else {
		sa_schedule(sa);
	}
	secret_wipe(e->opened, o.in.chain.len > m->raw.len ? o.in.chain.len : m->raw.len);
	return OK;
}

/* A header of another major version: only a higher one gets an answer (RFC 7296 2.5); IKEv1 gets
 * silence. */
static void answer_version(struct ike_engine *e, const struct path *p, const struct message *m)
{
	if (m->h.version >> 4 > IKE_MAJOR && direction_of(&m->h) == REQUEST)
		send_clear_notify(e, p, &m->h, NOTIFY_INVALID_MAJOR_VERSION, SPAN_EMPTY);
}

void receive_datagram(struct ike_engine *e, const struct path *p, struct span datagram)
{
	struct message m;
	enum err err = message_decode(datagram, &m);

	if (err == ERR_VERSION)
		answer_version(e, p, &m);
	if (err == ERR_CRITICAL && m.h.exchange == X_IKE_SA_INIT && direction_of(&m.h) == REQUEST)
		send_clear_notify(e, p, &m.h, NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD,
				  span_of(&m.critical_type, 1));
	if (err == OK)
		err = m.h.exchange == X_IKE_SA_INIT ? receive_clear(e, p, &m)
						    : receive_protected(e, p, &m);
	if (err != OK)
		note_dropped(e, p, err);
}
