/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine, explored: every exchange, as request and as response, in every state of either
 * role, with every set of up to three payloads (of all types, one that nobody knows, and one that
 * may not be inside), critical or not, in clear and sealed with the right keys.
 *
 * Only what a row of the exchange table names is processed. What is dropped leaves the SA byte for
 * byte as it was, with its children, its handshake and its window; what is refused leaves everything
 * but the window. Each set has the bodies of a good run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/create.h"
#include "ike/protect.h"
#include "ike/rules.h"
#include "ike/send.h"
#include "tests/unit/ike/matrix.h"
#include "tests/unit/unit.h"

static const uint8_t exchanges[] = { 0,
				     33,
				     X_IKE_SA_INIT,
				     X_IKE_AUTH,
				     X_CREATE_CHILD_SA,
				     X_INFORMATIONAL,
				     X_IKE_SESSION_RESUME,
				     X_IKE_INTERMEDIATE,
				     99,
				     255 };

enum { UNKNOWN = 200 };
static const uint8_t types[] = { PL_SA,	  PL_KE,    PL_IDI,    PL_IDR,	  PL_CERT,   PL_CERTREQ,
				 PL_AUTH, PL_NONCE, PL_NOTIFY, PL_DELETE, PL_VENDOR, PL_TSI,
				 PL_TSR,  PL_SK,    PL_CP,     PL_EAP,	  UNKNOWN };
enum { N_TYPES = sizeof(types), SK_ALONE = 1 << 13, N_EXCHANGES = sizeof(exchanges) };

/* ---- bodies ---- */

struct body {
	uint8_t b[512];
	size_t len;
};
static struct body bodies[N_TYPES];

static void take_bodies(const struct scene *s)
{
	static struct chain c;
	struct part parts[PARTS_MAX];
	size_t n;

	matrix_record(s, &c);
	ck_assert(chain_parts(&c, parts, &n));
	for (size_t i = 0; i < N_TYPES; i++) {
		const struct part *p = part_find(parts, n, types[i]);

		if (!p || p->len > sizeof(bodies[i].b))
			continue;
		memcpy(bodies[i].b, c.b + p->at, p->len);
		bodies[i].len = p->len;
	}
}

static void make_bodies(void)
{
	static const uint8_t notify[] = { 0, 0, NOTIFY_INITIAL_CONTACT >> 8, 0 };
	static const struct scene from[] = { { M_INFO_ASK, false, LEFT, NULL },
					     { M_INIT_ASK, false, LEFT, NULL },
					     { M_AUTH_ANSWER, false, LEFT, NULL },
					     { M_AUTH_ASK, false, LEFT, NULL } };

	for (size_t i = 0; i < N_TYPES; i++) {
		bodies[i].len = 12;
		memset(bodies[i].b, 1, 12);
	}
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++)
		take_bodies(&from[i]);
	for (size_t i = 0; i < N_TYPES; i++) {
		if (types[i] != PL_NOTIFY)
			continue;
		memcpy(bodies[i].b, notify, sizeof(notify));
		bodies[i].len = sizeof(notify);
	}
}

/* ---- places ---- */

enum place {
	NOWHERE,
	INIT_SENT,
	INIT_DONE,
	AUTH_SENT,
	UP_BEGAN,
	UP_ANSWERED,
	ASKED_BEGAN,
	ASKED_ANSWERED,
	CLOSING_BEGAN,
	CLOSING_ANSWERED,
	N_PLACES
};

static const struct {
	const char *name;
	enum side at; /* the end that is looked at */
	enum sa_state state;
	bool keys; /* the other end has them */
} places[N_PLACES] = {
	[NOWHERE] = { "no SA", RIGHT, S_NONE, false },
	[INIT_SENT] = { "INIT_SENT", LEFT, S_INIT_SENT, false },
	[INIT_DONE] = { "INIT_DONE", RIGHT, S_INIT_DONE, true },
	[AUTH_SENT] = { "AUTH_SENT", LEFT, S_AUTH_SENT, true },
	[UP_BEGAN] = { "UP, initiator", LEFT, S_UP, true },
	[UP_ANSWERED] = { "UP, responder", RIGHT, S_UP, true },
	[ASKED_BEGAN] = { "UP and asking, initiator", LEFT, S_UP, true },
	[ASKED_ANSWERED] = { "UP and asking, responder", RIGHT, S_UP, true },
	[CLOSING_BEGAN] = { "CLOSING, initiator", LEFT, S_CLOSING, true },
	[CLOSING_ANSWERED] = { "CLOSING, responder", RIGHT, S_CLOSING, true },
};

struct world {
	enum place place;
	struct matrix m; /* for its pair alone */
	enum side at;
	struct ike_sa *sa; /* there; NULL: none */
	struct ike_sa *other;
	size_t n, n_dropped, n_refused, n_processed;
};

static bool nothing_passes(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return false;
}

static bool no_auth_request(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->to == LEFT || d->bytes[18] != X_IKE_AUTH;
}

static bool no_auth_answer(struct pair *p, struct datagram *d)
{
	(void)p;
	return d->to == RIGHT || d->bytes[18] != X_IKE_AUTH;
}

static void command(struct pair *p, enum side s, enum ike_event_kind kind, const char *child)
{
	struct ike_event ev = { .kind = kind, .command = { .connection = "site", .child = child } };

	pair_event(&p->end[s], &ev);
	pair_act(p, s);
	pair_drain(p);
}

static void go_there(struct world *w)
{
	static const struct scene scene = { M_INIT_ASK, false, LEFT, NULL };
	struct pair *p = pair_new(matrix_conf(&scene, LEFT), matrix_conf(&scene, RIGHT));
	enum side at = places[w->place].at;

	w->m.p = p;
	w->at = at;
	p->filter = w->place <= INIT_SENT   ? nothing_passes
		    : w->place == INIT_DONE ? no_auth_request
		    : w->place == AUTH_SENT ? no_auth_answer
					    : NULL;
	if (w->place != NOWHERE)
		command(p, LEFT, IKE_EV_UP, "net");
	if (w->place == ASKED_ANSWERED)
		pair_run(p, 3 * NS_PER_S);
	p->filter = nothing_passes;
	if (w->place == ASKED_BEGAN || w->place == ASKED_ANSWERED)
		command(p, at, IKE_EV_UP, "lab");
	if (w->place >= CLOSING_BEGAN)
		command(p, at, IKE_EV_DOWN, NULL);
	w->sa = matrix_sa(&w->m, at);
	w->other = matrix_sa(&w->m, (enum side)(1 - at));
	ck_assert((w->sa == NULL) == (w->place == NOWHERE));
	ck_assert(!w->sa || w->sa->state == places[w->place].state);
	ck_assert(w->place < ASKED_BEGAN || w->sa->window.asked);
}

static void leave(struct world *w)
{
	pair_free(w->m.p);
	w->m.p = NULL;
}

/* ---- what the SA is, as bytes ---- */

struct digest {
	uint64_t all;  /* everything */
	uint64_t rest; /* but window, and when something was last heard */
};

static uint64_t mix(uint64_t h, const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3u;
	return h;
}

static uint64_t mix_packets(uint64_t h, const struct packets *p)
{
	return mix(mix(h, &p->len, sizeof(p->len)), p->bytes, p->len);
}

static uint64_t mix_parts(uint64_t h, const struct ike_sa *sa)
{
	const struct child_sa *c = sa->children;

	for (; c; c = c->next)
		h = mix(h, c, sizeof(*c));
	if (sa->hs) {
		h = mix(h, sa->hs, sizeof(*sa->hs));
		h = mix_packets(h, &sa->hs->request);
		h = mix_packets(h, &sa->hs->response);
	}
	if (sa->mine)
		h = mix(h, sa->mine, sizeof(*sa->mine));
	if (sa->theirs)
		h = mix(h, sa->theirs, sizeof(*sa->theirs));
	if (sa->conn)
		h = mix(h, sa->conn, sizeof(*sa->conn));
	return h;
}

static struct digest digest(const struct world *w)
{
	const struct end *end = &w->m.p->end[w->at];
	const struct ike_sa *sa = w->sa;
	struct digest d = { 14695981039346656037u, 14695981039346656037u };

	d.rest = mix(d.rest, &end->n_sas, sizeof(end->n_sas));
	d.rest = mix(d.rest, &end->n_notes, sizeof(end->n_notes));
	d.rest = mix(d.rest, &end->e->stats.sas, sizeof(end->e->stats.sas));
	d.rest = mix(d.rest, &end->e->stats.half_open, sizeof(end->e->stats.half_open));
	d.rest = mix(d.rest, &end->e->limits.fragment_bytes, sizeof(uint32_t));
	if (!sa)
		return (struct digest){ d.rest, d.rest };
	d.all = mix_parts(mix(d.rest, sa, sizeof(*sa)), sa);
	d.all = mix_packets(mix_packets(d.all, &sa->window.answer), &sa->window.request);
	d.rest = mix(d.rest, &sa->state, sizeof(sa->state));
	d.rest = mix(d.rest, &sa->keys, sizeof(sa->keys));
	d.rest = mix(d.rest, &sa->suite, sizeof(sa->suite));
	d.rest = mix_parts(mix(d.rest, &sa->path, sizeof(sa->path)), sa);
	return d;
}

/* ---- one message ---- */

struct say {
	uint8_t exchange;
	enum direction direction;
	uint32_t set; /* of types[] */
	bool critical;
	bool clear;
};

static uint32_t present(const struct say *m)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < N_TYPES; i++)
		bits |= m->set & 1u << i && types[i] != UNKNOWN ? PL_BIT(types[i]) : 0;
	return bits;
}

static void chain_of(const struct say *m, struct chain *c)
{
	*c = (struct chain){ .len = 0 };
	for (size_t i = 0; i < N_TYPES; i++) {
		size_t at = c->len;

		if (!(m->set & 1u << i))
			continue;
		chain_put(c, types[i], bodies[i].b, bodies[i].len);
		c->b[at + 1] = m->critical ? 0x80 : 0;
	}
}

static struct ike_header header(const struct world *w, const struct say *m)
{
	struct ike_header h = { .spi_i = 0x1122334455667788 };
	bool answer = m->direction == RESPONSE;

	if (w->sa) {
		h = send_header(w->sa, m->exchange, answer, 0);
		h.flags ^= FLAG_INITIATOR;
		h.message_id = answer ? w->sa->window.next_out - 1 : w->sa->window.next_in;
	} else {
		h.flags = (uint8_t)(FLAG_INITIATOR | (answer ? FLAG_RESPONSE : 0));
	}
	h.version = IKE_VERSION;
	h.exchange = m->exchange;
	if (w->sa && w->sa->state == S_INIT_SENT)
		h.spi_r = 0x99;
	return h;
}

static void deliver(struct world *w, const struct say *m)
{
	static struct chain c;
	static uint8_t bytes[CHAIN_MAX + 256];
	struct path path = w->sa ? w->sa->path : pair_path(w->m.p, (enum side)(1 - w->at));
	struct ike_header h = header(w, m);
	struct wr out = wr_into(bytes, sizeof(bytes));
	struct inner in;

	chain_of(m, &c);
	in = (struct inner){ .first = c.first, .chain = span_of(c.b, c.len) };
	if (m->clear) {
		h.next = c.first;
		h.length = (uint32_t)(IKE_HEADER_LEN + c.len);
		header_encode(&out, &h);
		wr_span(&out, in.chain);
	} else {
		struct sk_keys keys = sa_keys_out(w->other);

		ck_assert_int_eq(protect_seal(&keys, &h, &in, &out), OK);
		w->other->next_iv = keys.next_iv;
		sk_keys_wipe(&keys);
	}
	ck_assert(wr_ok(&out));
	pair_deliver(w->m.p, w->at, &path, wr_done(&out));
}

/* ---- what may come of it ---- */

enum fate { DROPPED, REFUSED, ENDED, PROCESSED };

static bool unfit(const struct say *m)
{
	bool unknown = m->set & 1u << (N_TYPES - 1);

	return (unknown && m->critical) || present(m) & PL_BIT(PL_SK);
}

/* What the table and RFC 7296 2.21 say of it. */
static enum fate fate_of(const struct world *w, const struct say *m)
{
	enum sa_state s = w->sa ? w->sa->state : S_NONE;
	bool row = rules_find(m->exchange, m->direction, s, present(m)) && !unfit(m);

	if (m->clear)
		return row && m->exchange == X_IKE_SA_INIT ? PROCESSED : DROPPED;
	/* That exchange is never protected. */
	if (m->exchange == X_IKE_SA_INIT)
		return DROPPED;
	if (m->direction == RESPONSE &&
	    (!w->sa->window.asked || w->sa->window.exchange != m->exchange))
		return DROPPED;
	if (!rules_expect(m->exchange, m->direction, s) && (m->direction == RESPONSE || s != S_UP))
		return DROPPED;
	/* An SK inside of an SK is malformed, whatever the exchange; who has a handshake to lose
	 * loses it by a critical payload, too. */
	if (present(m) & PL_BIT(PL_SK))
		return ENDED;
	if (unfit(m))
		return m->direction == REQUEST && !w->sa->hs ? REFUSED : ENDED;
	if (!rules_expect(m->exchange, m->direction, s))
		return REFUSED;
	return row ? PROCESSED : ENDED;
}

/* Found out before it is delivered: the SA may be gone afterwards. */
struct before {
	struct digest digest;
	enum fate fate;
	size_t sent;
};

/* Errors in clear: a critical payload that nobody knows (2.5). */
static bool may_be_answered(const struct say *m)
{
	return m->clear && m->direction == REQUEST && unfit(m);
}

static bool is_proof(const struct say *m)
{
	uint32_t id = PL_BIT(PL_IDI) | PL_BIT(PL_IDR);

	return !m->clear && m->exchange == X_IKE_AUTH && present(m) & PL_BIT(PL_AUTH) &&
	       present(m) & id;
}

static void judge(struct world *w, const struct say *m, const struct before *b)
{
	const struct end *end = &w->m.p->end[w->at];
	char what[160];
	bool there;

	snprintf(what, sizeof(what), "%s: exchange %u, %s, set %05x%s%s", places[w->place].name,
		 m->exchange, m->direction == REQUEST ? "request" : "response", m->set,
		 m->critical ? ", critical" : "", m->clear ? ", in clear" : "");
	/* Nobody comes up but by ID and AUTH. */
	ck_assert_msg(w->place >= UP_BEGAN || is_proof(m) || !pair_note(w->m.p, w->at, IKE_NOTE_UP),
		      "%s", what);
	ck_assert_msg(end->n_sas <= 2, "%s", what);
	there = !w->sa || matrix_sa(&w->m, w->at) == w->sa;
	ck_assert_msg(there || b->fate == ENDED || b->fate == PROCESSED, "%s: the SA is gone",
		      what);
	if (b->fate == DROPPED) {
		struct digest after = digest(w);

		ck_assert_msg(after.all == b->digest.all, "%s: is not as it was", what);
		ck_assert_msg(w->m.p->n_sent == b->sent || may_be_answered(m), "%s: is answered",
			      what);
		w->n_dropped++;
	} else if (b->fate == REFUSED) {
		struct digest after = digest(w);

		ck_assert_msg(after.rest == b->digest.rest, "%s: is not as it was", what);
		ck_assert_msg(w->m.p->n_sent == b->sent + 1, "%s: is not answered", what);
		w->n_refused++;
	} else {
		w->n_processed += b->fate == PROCESSED;
		w->n_refused += b->fate == ENDED;
	}
}

static void try_it(struct world *w, const struct say *m)
{
	static const struct say seems = { .exchange = X_IKE_AUTH, .set = SK_ALONE, .clear = true };
	struct before b;

	if (!w->m.p) {
		go_there(w);
		/* The keys are made when somebody seems to use them, and kept. */
		if (w->place == INIT_DONE)
			deliver(w, &seems);
	}
	b = (struct before){ digest(w), fate_of(w, m), w->m.p->n_sent };
	w->m.p->end[w->at].n_dropped = 0;
	deliver(w, m);
	judge(w, m, &b);
	w->n++;
	/* What had an effect is not where the next one begins. */
	if (b.fate == ENDED || b.fate == PROCESSED)
		leave(w);
}

/* ---- all of them ---- */

static void with_all_sets(struct world *w, struct say *m)
{
	unsigned most = matrix_all() ? 3 : 2;

	for (m->set = 0; m->set < 1u << N_TYPES; m->set++) {
		if (__builtin_popcount(m->set) > (int)most)
			continue;
		for (int critical = 0; critical <= 1; critical++) {
			m->critical = critical;
			try_it(w, m);
		}
	}
}

START_TEST(only_what_the_table_names_is_processed)
{
	struct world w = { .place = (enum place)(_i / 2) };
	struct say m = { .clear = _i % 2 == 0 };

	if (!m.clear && !places[w.place].keys)
		return;
	make_bodies();
	for (size_t x = 0; x < N_EXCHANGES; x++) {
		for (m.direction = REQUEST; m.direction <= RESPONSE; m.direction++) {
			m.exchange = exchanges[x];
			with_all_sets(&w, &m);
		}
	}
	if (w.m.p)
		leave(&w);
	if (getenv("MATRIX_COUNT"))
		fprintf(stderr, "%s%s: %zu messages, %zu dropped, %zu refused, %zu processed\n",
			places[w.place].name, m.clear ? ", in clear" : "", w.n, w.n_dropped,
			w.n_refused, w.n_processed);
	ck_assert_uint_gt(w.n_dropped, 0);
}
END_TEST

UNIT("ike/matrix-explore")
{
	tcase_set_timeout(tc, 3600);
	tcase_add_loop_test(tc, only_what_the_table_names_is_processed, 0, 2 * N_PLACES);
}
