/* SPDX-License-Identifier: Apache-2.0 */
/* See explore.h. */
#include "tests/unit/ike/explore.h"

#include <check.h>

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/create.h"
#include "ike/exchange_init.h"

/* ---- places ---- */

const struct place_row places[N_PLACES] = {
	[NOWHERE] = { "no SA", RIGHT, S_NONE, false, S_NONE },
	[INIT_SENT] = { "INIT_SENT", LEFT, S_INIT_SENT, false, S_INIT_SENT },
	[INIT_DONE] = { "INIT_DONE", RIGHT, S_INIT_DONE, true, S_INIT_DONE },
	[AUTH_SENT] = { "AUTH_SENT", LEFT, S_AUTH_SENT, true, S_AUTH_SENT },
	[UP_BEGAN] = { "UP, initiator", LEFT, S_UP, true, S_UP },
	[UP_ANSWERED] = { "UP, responder", RIGHT, S_UP, true, S_UP },
	[ASKED_BEGAN] = { "UP and asking, initiator", LEFT, S_UP, true, S_UP },
	[ASKED_ANSWERED] = { "UP and asking, responder", RIGHT, S_UP, true, S_UP },
	[CLOSING_BEGAN] = { "CLOSING, initiator", LEFT, S_CLOSING, true, S_CLOSING },
	[CLOSING_ANSWERED] = { "CLOSING, responder", RIGHT, S_CLOSING, true, S_CLOSING },
	[LEAVING] = { "CLOSING before IKE_AUTH is answered", LEFT, S_CLOSING, true, S_LEAVING },
	[PROVING] = { "AUTH_SENT, AUTH is being made", LEFT, S_AUTH_SENT, true, S_PARKED },
	[CHECKING] = { "AUTH_SENT, AUTH is being judged", LEFT, S_AUTH_SENT, true, S_PARKED },
	[JUDGING] = { "INIT_DONE, AUTH is being judged", RIGHT, S_INIT_DONE, true, S_PARKED },
	[INSTALLING] = { "UP, a child is put in", RIGHT, S_UP, true, S_PARKED },
};

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

static bool judged_by_nobody(struct pair *p, struct datagram *d)
{
	if (d->to == LEFT && d->bytes[18] == X_IKE_AUTH)
		p->end[LEFT].hold_jobs = true;
	return true;
}

static void command(struct pair *p, enum side s, enum ike_event_kind kind, const char *child)
{
	pair_command(p, s, kind, child);
	pair_drain(p);
}

/* What keeps the first two exchanges from their end. */
static void hold_up(struct pair *p, enum stage place)
{
	static bool (*const filters[N_PLACES])(struct pair * p, struct datagram * d) = {
		[NOWHERE] = pair_lose,	       [INIT_SENT] = pair_lose,
		[INIT_DONE] = no_auth_request, [AUTH_SENT] = no_auth_answer,
		[LEAVING] = no_auth_answer,    [CHECKING] = judged_by_nobody,
	};

	p->filter = filters[place];
	p->end[LEFT].hold_jobs = place == PROVING;
	p->end[RIGHT].hold_jobs = place == JUDGING;
}

/* What happens to an SA that is up, or to one that is not yet. */
static void go_on(struct pair *p, enum stage place)
{
	enum side at = places[place].at;

	if (place == ASKED_ANSWERED)
		pair_run(p, 3 * NS_PER_S);
	p->end[RIGHT].hold_sas = place == INSTALLING;
	p->filter = place == INSTALLING ? NULL : pair_lose;
	if (place == INSTALLING)
		command(p, LEFT, IKE_EV_UP, "lab");
	p->filter = pair_lose;
	if (place == ASKED_BEGAN || place == ASKED_ANSWERED)
		command(p, at, IKE_EV_UP, "lab");
	if (places[place].state == S_CLOSING)
		command(p, at, IKE_EV_DOWN, NULL);
}

void explore_go(struct world *w)
{
	static const struct scene scene = { M_INIT_ASK, false, LEFT, NULL };
	struct pair *p = pair_new(matrix_conf(&scene, LEFT), matrix_conf(&scene, RIGHT));
	enum side at = places[w->place].at;

	w->m.p = p;
	w->at = at;
	hold_up(p, w->place);
	if (w->place != NOWHERE)
		command(p, LEFT, IKE_EV_UP, "net");
	go_on(p, w->place);
	/* A peer that speaks of an SA that is gone is called at once (conn_hear), but not twice. */
	p->end[at].e->conns[0]->heard = p->now;
	w->sa = matrix_sa(&w->m, at);
	w->other = matrix_sa(&w->m, (enum side)(1 - at));
	ck_assert((w->sa == NULL) == (w->place == NOWHERE));
	ck_assert(!w->sa || w->sa->state == places[w->place].state);
	ck_assert(w->place < ASKED_BEGAN || w->place > LEAVING || w->sa->window.asked);
	ck_assert((places[w->place].as == S_PARKED) ==
		  (w->sa && (sa_parked(w->sa) || w->sa->window.busy)));
	/* A responder makes its keys when somebody seems to use them. */
	if (w->place == PROVING)
		ck_assert_int_eq(init_keys(w->other), OK);
}

void explore_leave(struct world *w)
{
	pair_free(w->m.p);
	w->m.p = NULL;
}

/* ---- what the SA is, as bytes ---- */

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

struct digest explore_digest(const struct world *w)
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

/* ---- the exchange table, said a second time ---- */

#define ST(s)  (1u << S_##s)
#define P(pl)  PL_BIT(PL_##pl)
#define CHILD  (P(SA) | P(TSI) | P(TSR))
/* Passed over, inside of what is protected and may carry anything. */
#define OTHERS (P(KE) | P(IDI) | P(IDR) | P(CERT) | P(CERTREQ) | P(AUTH))
#define REST   (OTHERS | P(DELETE) | P(CP) | P(EAP))

static const struct {
	uint8_t exchange;
	enum direction direction;
	uint32_t states;
	uint32_t good; /* all of these */
	uint32_t more; /* perhaps some of these; NOTIFY and VENDOR anyhow */
} table[] = {
	{ X_IKE_SA_INIT, REQUEST, ST(NONE), P(SA) | P(KE) | P(NONCE), 0 },
	{ X_IKE_SA_INIT, RESPONSE, ST(INIT_SENT), P(SA) | P(KE) | P(NONCE), P(CERTREQ) },
	{ X_IKE_SA_INIT, RESPONSE, ST(INIT_SENT), P(NOTIFY), 0 },
	{ X_IKE_AUTH, REQUEST, ST(INIT_DONE), P(IDI) | P(AUTH) | CHILD,
	  P(IDR) | P(CERT) | P(CERTREQ) | P(CP) },
	{ X_IKE_AUTH, REQUEST, ST(INIT_DONE), P(IDI) | P(AUTH),
	  P(IDR) | P(CERT) | P(CERTREQ) | P(CP) },
	{ X_IKE_AUTH, REQUEST, ST(INIT_DONE), P(IDI) | CHILD,
	  P(IDR) | P(CERT) | P(CERTREQ) | P(CP) },
	{ X_IKE_AUTH, RESPONSE, ST(AUTH_SENT), P(IDR) | P(AUTH) | CHILD,
	  P(CERT) | P(CERTREQ) | P(CP) },
	{ X_IKE_AUTH, RESPONSE, ST(AUTH_SENT), P(IDR) | P(AUTH), P(CERT) | P(CERTREQ) | P(CP) },
	{ X_IKE_AUTH, RESPONSE, ST(AUTH_SENT), P(NOTIFY), 0 },
	{ X_IKE_AUTH, RESPONSE, ST(LEAVING), 0, REST | CHILD | P(NONCE) },
	{ X_CREATE_CHILD_SA, REQUEST, ST(UP) | ST(CLOSING), 0, REST | CHILD | P(NONCE) },
	{ X_CREATE_CHILD_SA, RESPONSE, ST(UP), CHILD | P(NONCE), REST },
	{ X_CREATE_CHILD_SA, RESPONSE, ST(UP), P(SA) | P(KE) | P(NONCE), REST },
	{ X_CREATE_CHILD_SA, RESPONSE, ST(UP), P(NOTIFY), REST | P(NONCE) | P(TSI) | P(TSR) },
	{ X_CREATE_CHILD_SA, RESPONSE, ST(CLOSING), 0, REST | CHILD | P(NONCE) },
	{ X_INFORMATIONAL, REQUEST, ST(UP) | ST(CLOSING), 0, REST | CHILD | P(NONCE) },
	{ X_INFORMATIONAL, RESPONSE, ST(UP) | ST(CLOSING), 0, REST | CHILD | P(NONCE) },
};
enum { N_TABLE = sizeof(table) / sizeof(table[0]) };

bool explore_takes(uint8_t exchange, enum direction d, unsigned s, uint32_t present)
{
	for (size_t i = 0; i < N_TABLE; i++) {
		uint32_t may = table[i].good | table[i].more | P(NOTIFY) | P(VENDOR);

		if (table[i].exchange == exchange && table[i].direction == d &&
		    table[i].states & 1u << s && (present & table[i].good) == table[i].good &&
		    (present & ~may) == 0)
			return true;
	}
	return false;
}

bool explore_expects(uint8_t exchange, enum direction d, unsigned s)
{
	for (size_t i = 0; i < N_TABLE; i++) {
		if (table[i].exchange == exchange && table[i].direction == d &&
		    table[i].states & 1u << s)
			return true;
	}
	return false;
}

bool explore_good(size_t n, uint8_t *exchange, enum direction *d, uint32_t *present)
{
	/* What the table leaves to the purpose of the exchange. */
	bool create = n < N_TABLE && table[n].exchange == X_CREATE_CHILD_SA;

	if (n >= N_TABLE)
		return false;
	*exchange = table[n].exchange;
	*d = table[n].direction;
	*present = create && *d == REQUEST ? CHILD | P(NONCE) : table[n].good;
	return true;
}
