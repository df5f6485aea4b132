/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine, explored: every exchange, as request and as response, in every state of either
 * role, in clear and sealed with the right keys, critical or not, with every set of up to two
 * payloads (of all types, one that nobody knows, and one that may not be inside; up to three with
 * MATRIX_ALL, all sets with MATRIX_SETS=17) and every set that is up to two payloads away from a
 * good message. And the same with what is not its payloads: damaged, another message ID, the other
 * role, swapped or other SPIs.
 *
 * Only what a row of the exchange table names is processed. What is dropped leaves the SA byte for
 * byte as it was, with its children, its handshake and its window; what is refused leaves
 * everything but the window. Each set has the bodies of a good run. In every place some have an
 * effect.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/protect.h"
#include "ike/send.h"
#include "tests/unit/ike/explore.h"
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

/* Those of the message that this place waits for come last. */
static void make_bodies(enum stage place)
{
	static const enum station waits[N_PLACES] = {
		[NOWHERE] = M_INIT_ASK,		 [INIT_SENT] = M_INIT_ANSWER,
		[INIT_DONE] = M_AUTH_ASK,	 [AUTH_SENT] = M_AUTH_ANSWER,
		[UP_BEGAN] = M_CREATE_ASK,	 [UP_ANSWERED] = M_CREATE_ASK,
		[ASKED_BEGAN] = M_CREATE_ANSWER, [ASKED_ANSWERED] = M_CREATE_ANSWER,
		[CLOSING_BEGAN] = M_CREATE_ASK,	 [CLOSING_ANSWERED] = M_CREATE_ASK,
		[LEAVING] = M_AUTH_ANSWER,	 [PROVING] = M_AUTH_ANSWER,
		[CHECKING] = M_AUTH_ANSWER,	 [JUDGING] = M_AUTH_ASK,
		[INSTALLING] = M_CREATE_ASK,
	};
	/* Who asks is the other end, unless this one has asked already. */
	bool asked = waits[place] == M_CREATE_ANSWER;
	enum side at = places[place].at;
	const struct scene last = { waits[place], false, asked ? at : (enum side)(1 - at), NULL };
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
	take_bodies(&last);
	for (size_t i = 0; i < N_TYPES; i++) {
		if (types[i] != PL_NOTIFY)
			continue;
		memcpy(bodies[i].b, notify, sizeof(notify));
		bodies[i].len = sizeof(notify);
	}
}

/* ---- one message ---- */

/* What may be wrong around the payloads. */
enum how { AS_IT_IS, DAMAGED, EARLIER, LATER, MIRRORED, SWAPPED, OTHER_SPI_I, OTHER_SPI_R, N_HOWS };

struct say {
	uint8_t exchange;
	enum direction direction;
	uint32_t set; /* of types[] */
	bool critical;
	bool clear;
	enum how how;
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

static uint32_t set_of(uint32_t payloads)
{
	uint32_t set = 0;

	for (size_t i = 0; i < N_TYPES; i++)
		set |= types[i] != UNKNOWN && payloads & PL_BIT(types[i]) ? 1u << i : 0;
	return set;
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
	h.message_id += m->how == LATER ? 1 : m->how == EARLIER ? (uint32_t)-2 : 0;
	h.flags ^= m->how == MIRRORED || m->how == SWAPPED ? FLAG_INITIATOR : 0;
	if (m->how == SWAPPED) {
		uint64_t i = h.spi_i;

		h.spi_i = h.spi_r;
		h.spi_r = i;
	}
	h.spi_i ^= m->how == OTHER_SPI_I;
	h.spi_r ^= m->how == OTHER_SPI_R;
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
	if (m->how == DAMAGED)
		bytes[wr_done(&out).len - 1] ^= 1;
	pair_deliver(w->m.p, w->at, &path, wr_done(&out));
}

/* ---- what may come of it ---- */

/* FAILED: an answer that says nothing, so that what was asked for is not there. */
enum fate { DROPPED, REFUSED, FAILED, ENDED, PROCESSED };

static bool unfit(const struct say *m)
{
	bool unknown = m->set & 1u << (N_TYPES - 1);

	return (unknown && m->critical) || present(m) & PL_BIT(PL_SK);
}

/* What the table and RFC 7296 2.21 say of it. */
static enum fate fate_of(const struct world *w, const struct say *m)
{
	unsigned s = w->sa ? places[w->place].as : S_NONE;
	bool row = explore_takes(m->exchange, m->direction, s, present(m)) && !unfit(m);

	if (m->how != AS_IT_IS)
		return DROPPED;
	if (m->clear)
		return row && m->exchange == X_IKE_SA_INIT ? PROCESSED : DROPPED;
	/* That exchange is never protected. */
	if (m->exchange == X_IKE_SA_INIT)
		return DROPPED;
	if (m->direction == RESPONSE &&
	    (!w->sa->window.asked || w->sa->window.exchange != m->exchange))
		return DROPPED;
	if (!explore_expects(m->exchange, m->direction, s) &&
	    (m->direction == RESPONSE || s != S_UP))
		return DROPPED;
	/* An SK inside of an SK is malformed, whatever the exchange; who has a handshake to lose
	 * loses it by a critical payload, too. */
	if (present(m) & PL_BIT(PL_SK))
		return ENDED;
	if (unfit(m))
		return w->sa->hs ? ENDED : m->direction == REQUEST ? REFUSED : FAILED;
	if (!explore_expects(m->exchange, m->direction, s))
		return REFUSED;
	return row ? PROCESSED : ENDED;
}

/* Found out before it is delivered: the SA may be gone afterwards. */
struct before {
	struct digest digest;
	enum fate fate;
	size_t sent;
};

/* Errors in clear: a critical payload that nobody knows (2.5), an SA that nobody has (2.21.4). */
static bool may_be_answered(const struct say *m)
{
	return m->direction == REQUEST && ((m->clear && unfit(m)) || m->how >= MIRRORED);
}

static bool is_proof(const struct say *m)
{
	uint32_t id = PL_BIT(PL_IDI) | PL_BIT(PL_IDR);

	return !m->clear && m->exchange == X_IKE_AUTH && present(m) & PL_BIT(PL_AUTH) &&
	       present(m) & id;
}

/* It was so before: the other end has proved itself. Nobody else comes up but by ID and AUTH. */
static bool is_up(enum stage place)
{
	return (place >= UP_BEGAN && place < LEAVING) || place == INSTALLING;
}

static bool is_child(const struct say *m)
{
	uint32_t must = PL_BIT(PL_SA) | PL_BIT(PL_NONCE) | PL_BIT(PL_TSI) | PL_BIT(PL_TSR);

	return !m->clear && m->exchange == X_CREATE_CHILD_SA && (present(m) & must) == must;
}

static void judge(struct world *w, const struct say *m, const struct before *b)
{
	const struct end *end = &w->m.p->end[w->at];
	char what[160];
	bool there;

	snprintf(what, sizeof(what), "%s: exchange %u, %s, set %05x%s%s, %u", places[w->place].name,
		 m->exchange, m->direction == REQUEST ? "request" : "response", m->set,
		 m->critical ? ", critical" : "", m->clear ? ", in clear" : "", m->how);
	ck_assert_msg(is_up(w->place) || !pair_note(w->m.p, w->at, IKE_NOTE_UP) ||
			      (is_proof(m) && places[w->place].as < S_UP),
		      "%s", what);
	ck_assert_msg(end->n_sas <= 2 || is_child(m), "%s", what);
	there = !w->sa || matrix_sa(&w->m, w->at) == w->sa;
	ck_assert_msg(there || b->fate >= FAILED, "%s: the SA is gone", what);
	if (b->fate == DROPPED) {
		struct digest after = explore_digest(w);

		ck_assert_msg(after.all == b->digest.all, "%s: is not as it was", what);
		ck_assert_msg(w->m.p->n_sent == b->sent || may_be_answered(m), "%s: is answered",
			      what);
		w->n_dropped++;
	} else if (b->fate == REFUSED) {
		struct digest after = explore_digest(w);

		ck_assert_msg(after.rest == b->digest.rest, "%s: is not as it was", what);
		ck_assert_msg(w->m.p->n_sent == b->sent + 1, "%s: is not answered", what);
		w->n_refused++;
	} else if (b->fate == ENDED) {
		ck_assert_msg(!there || w->sa->state == S_CLOSING, "%s: goes on", what);
		ck_assert_msg(end->n_sas == 0, "%s: has a child", what);
		w->n_refused++;
	} else if (b->fate == FAILED) {
		ck_assert_msg(end->n_sas <= 2, "%s: has another child", what);
		w->n_refused++;
	} else {
		w->n_processed++;
		w->n_effects += !there || explore_digest(w).all != b->digest.all;
	}
}

static void arrive(struct world *w)
{
	static const struct say seems = { .exchange = X_IKE_AUTH, .set = SK_ALONE, .clear = true };

	if (w->m.p)
		return;
	explore_go(w);
	/* The keys are made when somebody seems to use them, and kept. */
	if (w->place == INIT_DONE)
		deliver(w, &seems);
}

static void must_try(struct world *w, const struct say *m)
{
	struct before b;

	arrive(w);
	b = (struct before){ explore_digest(w), fate_of(w, m), w->m.p->n_sent };
	w->m.p->end[w->at].n_dropped = 0;
	deliver(w, m);
	judge(w, m, &b);
	w->n++;
	/* What had an effect is not where the next one begins. */
	if (b.fate >= FAILED)
		explore_leave(w);
}

static void try_it(struct world *w, const struct say *m)
{
	if (!matrix_passes_over())
		must_try(w, m);
}

/* ---- all of them ---- */

static void critical_or_not(struct world *w, struct say *m)
{
	for (int critical = 0; critical <= 1; critical++) {
		m->critical = critical;
		try_it(w, m);
	}
}

/* Up to two payloads more or less than these. */
static void with_sets_near(struct world *w, struct say *m, uint32_t payloads, int beyond)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		for (size_t k = i; k < N_TYPES; k++) {
			m->set = set_of(payloads) ^ 1u << i ^ (k > i ? 1u << k : 0);
			if (__builtin_popcount(m->set) > beyond)
				critical_or_not(w, m);
		}
	}
}

/* MATRIX_SETS=17: every set that there is. */
static int sets_up_to(void)
{
	const char *said = getenv("MATRIX_SETS");

	return said ? (int)strtol(said, NULL, 10) : matrix_all() ? 3 : 2;
}

static void with_all_sets(struct world *w, struct say *m)
{
	int most = sets_up_to();
	uint32_t present;
	struct say good;

	for (m->set = 0; m->set < 1u << N_TYPES; m->set++) {
		if (__builtin_popcount(m->set) <= most)
			critical_or_not(w, m);
	}
	for (size_t n = 0; explore_good(n, &good.exchange, &good.direction, &present); n++) {
		if (good.exchange != m->exchange || good.direction != m->direction)
			continue;
		m->set = set_of(present);
		m->critical = false;
		must_try(w, m);
		with_sets_near(w, m, present, most);
	}
}

/* It would be a message of an SA to be, or one that does not know the responder's SPI yet. */
static bool means_nothing(const struct world *w, const struct say *m)
{
	return (m->clear && m->how == DAMAGED) || (!w->sa && m->how == OTHER_SPI_I) ||
	       (w->place == INIT_SENT && m->how == OTHER_SPI_R) || (!w->sa && m->how == SWAPPED);
}

static void with_all_wrongs(struct world *w, struct say *m)
{
	uint32_t present;
	struct say good;

	for (m->how = DAMAGED; m->how < N_HOWS; m->how++) {
		arrive(w);
		if (means_nothing(w, m))
			continue;
		m->set = 0;
		try_it(w, m);
		for (size_t i = 0; i < N_TYPES; i++) {
			m->set = 1u << i;
			critical_or_not(w, m);
		}
		for (size_t n = 0; explore_good(n, &good.exchange, &good.direction, &present);
		     n++) {
			m->set = set_of(present);
			critical_or_not(w, m);
		}
	}
	m->how = AS_IT_IS;
}

/* Is there anything that is processed in this place? */
static bool has_a_row(const struct world *w, bool clear)
{
	enum direction d;
	uint32_t present;
	uint8_t x;
	bool found = false;

	for (size_t n = 0; explore_good(n, &x, &d, &present); n++)
		found |=
			clear == (x == X_IKE_SA_INIT) && explore_expects(x, d, places[w->place].as);
	return found;
}

START_TEST(only_what_the_table_names_is_processed)
{
	struct world w = { .place = (enum stage)(_i / 2) };
	struct say m = { .clear = _i % 2 == 0 };

	if (!m.clear && !places[w.place].keys)
		return;
	make_bodies(w.place);
	for (size_t x = 0; x < N_EXCHANGES; x++) {
		for (m.direction = REQUEST; m.direction <= RESPONSE; m.direction++) {
			m.exchange = exchanges[x];
			with_all_sets(&w, &m);
			with_all_wrongs(&w, &m);
		}
	}
	if (w.m.p)
		explore_leave(&w);
	if (getenv("MATRIX_COUNT"))
		fprintf(stderr,
			"%s%s: %zu messages, %zu dropped, %zu refused, %zu processed, "
			"%zu with an effect\n",
			places[w.place].name, m.clear ? ", in clear" : "", w.n, w.n_dropped,
			w.n_refused, w.n_processed, w.n_effects);
	ck_assert_uint_gt(w.n_dropped, 0);
	ck_assert((w.n_effects > 0) == has_a_row(&w, m.clear));
}
END_TEST

UNIT("ike/matrix-explore")
{
	tcase_set_timeout(tc, getenv("MATRIX_SETS") ? 24 * 3600 : 3600);
	tcase_add_loop_test(tc, only_what_the_table_names_is_processed, 0, 2 * N_PLACES);
}
