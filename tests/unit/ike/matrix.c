/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ike/matrix.h"
#include "tests/unit/ike/pair_memory.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/core.h"
#include "ike/protect.h"

const char *const station_names[N_STATIONS] = {
	"IKE_SA_INIT request",	 "IKE_SA_INIT response",    "IKE_AUTH request",
	"IKE_AUTH response",	 "CREATE_CHILD_SA request", "CREATE_CHILD_SA response",
	"INFORMATIONAL request", "INFORMATIONAL response",
};

/* The run in hand: what the linker's replacements look at. */
static struct matrix *playing;

bool matrix_all(void)
{
	return getenv("MATRIX_ALL") != NULL;
}

size_t matrix_sample(void)
{
	const char *text = getenv("MATRIX_SAMPLE");

	return text ? strtoul(text, NULL, 10) | 1 : 1;
}

bool matrix_passes_over(void)
{
	static size_t n_cases; /* each test is a process of its own */

	return n_cases++ % matrix_sample() != 0;
}

enum side scene_from(const struct scene *s)
{
	bool asks = s->at % 2 == 0;

	if (s->at < M_CREATE_ASK)
		return asks ? LEFT : RIGHT;
	return asks ? s->second : (enum side)(1 - s->second);
}

enum side scene_to(const struct scene *s)
{
	return (enum side)(1 - scene_from(s));
}

/* ---- chains ---- */

bool chain_parts(const struct chain *c, struct part parts[PARTS_MAX], size_t *n)
{
	uint8_t type = c->first;
	size_t at = 0;

	for (*n = 0; type != 0; (*n)++) {
		size_t len;

		if (*n == PARTS_MAX || c->len - at < 4)
			return false;
		len = (size_t)c->b[at + 2] << 8 | c->b[at + 3];
		if (len < 4 || len > c->len - at)
			return false;
		parts[*n] = (struct part){ type, at + 4, len - 4 };
		type = c->b[at];
		at += len;
	}
	return at == c->len;
}

void chain_put(struct chain *c, uint8_t type, const void *body, size_t len)
{
	struct part parts[PARTS_MAX];
	size_t n;

	ck_assert(chain_parts(c, parts, &n));
	ck_assert_uint_le(c->len + 4 + len, CHAIN_MAX);
	if (n == 0)
		c->first = type;
	else
		c->b[parts[n - 1].at - 4] = type;
	c->b[c->len] = 0;
	c->b[c->len + 1] = 0;
	c->b[c->len + 2] = (uint8_t)((len + 4) >> 8);
	c->b[c->len + 3] = (uint8_t)(len + 4);
	if (len > 0)
		memcpy(c->b + c->len + 4, body, len);
	c->len += 4 + len;
}

const struct part *part_find(const struct part *parts, size_t n, uint8_t type)
{
	for (size_t i = 0; i < n; i++) {
		if (parts[i].type == type)
			return &parts[i];
	}
	return NULL;
}

static void chain_set(struct chain *c, uint8_t first, struct span bytes)
{
	ck_assert_uint_le(bytes.len, CHAIN_MAX);
	c->first = first;
	c->len = bytes.len;
	if (bytes.len > 0)
		memcpy(c->b, bytes.p, bytes.len);
}

/* ---- the message, on its way ---- */

static enum station station_of(const struct ike_header *h)
{
	bool answer = header_is_response(h);

	switch (h->exchange) {
	case X_IKE_SA_INIT:
		return answer ? M_INIT_ANSWER : M_INIT_ASK;
	case X_IKE_AUTH:
		return answer ? M_AUTH_ANSWER : M_AUTH_ASK;
	case X_CREATE_CHILD_SA:
		return answer ? M_CREATE_ANSWER : M_CREATE_ASK;
	default:
		return answer ? M_INFO_ANSWER : M_INFO_ASK;
	}
}

/* What the receiver says afterwards. */
static void hear(struct matrix *m, enum side from, const struct chain *c)
{
	struct part parts[PARTS_MAX];
	size_t n;

	if (from != scene_to(m->scene) || !chain_parts(c, parts, &n))
		return;
	m->answered_sa |= part_find(parts, n, PL_SA) != NULL;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *b = c->b + parts[i].at;
		uint16_t type = (uint16_t)(b[2] << 8 | b[3]);

		if (parts[i].type == PL_NOTIFY && type < NOTIFY_STATUS_FIRST && m->notify == 0) {
			m->notify = type;
			m->notify_byte = parts[i].len > 4 ? b[4] : 0;
			return;
		}
	}
}

/* An IKE_SA_INIT answer that is none yet. */
static bool wants_a_cookie(const struct ike_header *h, const struct chain *c)
{
	return station_of(h) == M_INIT_ANSWER && c->first == PL_NOTIFY;
}

/* True: `c` is the message of the scene, and has been put in the place of the true one. */
static bool exchange_it(struct matrix *m, const struct ike_header *h, struct chain *c)
{
	enum side from = header_from_initiator(h) ? LEFT : RIGHT;

	if (m->seen) {
		hear(m, from, c);
		return false;
	}
	if (station_of(h) != m->scene->at || from != scene_from(m->scene) || wants_a_cookie(h, c))
		return false;
	m->seen = true;
	m->good = *c;
	if (!m->bad)
		return false;
	*c = *m->bad;
	return true;
}

static uint8_t left_out; /* of each protected request; 0: nothing */

void matrix_leave_out(uint8_t type)
{
	left_out = type;
}

static void leave_out(struct chain *c)
{
	static struct chain all;
	struct part parts[PARTS_MAX];
	size_t n;

	all = *c;
	ck_assert(chain_parts(&all, parts, &n));
	*c = (struct chain){ .len = 0 };
	for (size_t i = 0; i < n; i++) {
		if (parts[i].type != left_out)
			chain_put(c, parts[i].type, all.b + parts[i].at, parts[i].len);
	}
}

enum err __real_protect_seal_fragments(struct sk_keys *k, const struct ike_header *h,
				       const struct inner *in, size_t max, struct wr *w);
enum err __wrap_protect_seal_fragments(struct sk_keys *k, const struct ike_header *h,
				       const struct inner *in, size_t max, struct wr *w);

enum err __wrap_protect_seal_fragments(struct sk_keys *k, const struct ike_header *h,
				       const struct inner *in, size_t max, struct wr *w)
{
	static struct chain c;
	struct inner other;

	if (!playing && left_out == 0)
		return __real_protect_seal_fragments(k, h, in, max, w);
	chain_set(&c, in->first, in->chain);
	if (playing)
		(void)exchange_it(playing, h, &c);
	if (left_out != 0 && !header_is_response(h))
		leave_out(&c);
	other = (struct inner){ .first = c.first, .chain = span_of(c.b, c.len) };
	return __real_protect_seal_fragments(k, h, &other, max, w);
}

/* Another datagram on the wire in the place of this one. */
static void put_instead(struct pair *p, const struct datagram *old, const struct chain *c)
{
	size_t len = IKE_HEADER_LEN + c->len;
	struct datagram *d = calloc(1, sizeof(*d) + len), **at = &p->wire;

	ck_assert_ptr_nonnull(d);
	*d = (struct datagram){ .path = old->path, .to = old->to, .len = len };
	memcpy(d->bytes, old->bytes, IKE_HEADER_LEN);
	d->bytes[16] = c->first;
	for (int i = 0; i < 4; i++)
		d->bytes[24 + i] = (uint8_t)(len >> (8 * (3 - i)));
	memcpy(d->bytes + IKE_HEADER_LEN, c->b, c->len);
	while (*at)
		at = &(*at)->next;
	*at = d;
}

static bool in_clear(struct pair *p, struct datagram *d)
{
	static struct chain c;
	struct ike_header h;

	if (!playing || header_decode(span_of(d->bytes, d->len), &h) != OK ||
	    h.exchange != X_IKE_SA_INIT)
		return true;
	chain_set(&c, h.next, span_of(d->bytes + IKE_HEADER_LEN, d->len - IKE_HEADER_LEN));
	if (!exchange_it(playing, &h, &c))
		return true;
	put_instead(p, d, &c);
	return false;
}

/* ---- the run ---- */

const char *matrix_conf(const struct scene *sc, enum side s)
{
	return pair_two(s, sc->cert, sc->more ? sc->more : "");
}

static void command(struct matrix *m, enum side s, enum ike_event_kind kind, const char *child)
{
	pair_command(m->p, s, kind, child);
	pair_drain(m->p);
}

void matrix_play(struct matrix *m, const struct scene *s, const struct chain *bad)
{
	*m = (struct matrix){ .scene = s, .bad = bad, .live = pair_memory_live() };
	m->p = pair_new(matrix_conf(s, LEFT), matrix_conf(s, RIGHT));
	m->p->filter = in_clear;
	playing = m;
	command(m, LEFT, IKE_EV_UP, "net");
	/* A long public value is asked for a cookie first, and that is followed a little later. */
	for (int i = 0; i < 20 && !pair_note(m->p, LEFT, IKE_NOTE_UP) && s->more && !m->seen; i++)
		pair_run(m->p, 200 * NS_PER_MS);
	if (s->at >= M_CREATE_ASK) {
		/* Who did not begin lets the other go first for a moment. */
		pair_run(m->p, s->second == RIGHT ? 3 * NS_PER_S : 0);
		command(m, s->second, IKE_EV_UP, "lab");
	}
	if (s->at >= M_INFO_ASK)
		command(m, s->second, IKE_EV_DOWN, "lab");
	ck_assert_msg(m->seen, "no %s", station_names[s->at]);
}

void matrix_record(const struct scene *s, struct chain *good)
{
	static struct matrix m;

	matrix_play(&m, s, NULL);
	*good = m.good;
	ck_assert_uint_eq(m.notify, 0);
	matrix_end(&m, "the good run");
}

void matrix_recover(struct matrix *m, const char *what)
{
	struct pair *p = m->p;

	playing = NULL;
	p->end[LEFT].n_notes = p->end[RIGHT].n_notes = 0;
	command(m, LEFT, IKE_EV_DOWN, NULL);
	pair_run(p, 100 * NS_PER_S);
	command(m, LEFT, IKE_EV_UP, NULL);
	/* Who took it down himself has to want it again. */
	command(m, m->scene->second, IKE_EV_UP, "lab");
	pair_run(p, 200 * NS_PER_S);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_msg(pair_sas(p, s) == 1, "%s: %s: %zu IKE SAs in the end",
			      station_names[m->scene->at], what, pair_sas(p, s));
		ck_assert_msg(p->end[s].n_sas == 4, "%s: %s: %zu ESP SAs in the end",
			      station_names[m->scene->at], what, p->end[s].n_sas);
	}
	pair_expect_children(p, 2);
}

/* What two engines leave that never did anything: 0, but for what the C library allocates for us to
 * free (asprintf), which is not counted when it comes. */
static long idle_leaves(const struct scene *s)
{
	long before = pair_memory_live();

	pair_free(pair_new(matrix_conf(s, LEFT), matrix_conf(s, RIGHT)));
	return pair_memory_live() - before;
}

void matrix_end(struct matrix *m, const char *what)
{
	static bool known[2];
	static long idle[2];
	bool cert = m->scene->cert;

	playing = NULL;
	pair_free(m->p);
	m->p = NULL;
	m->live = pair_memory_live() - m->live;
	if (!known[cert])
		idle[cert] = idle_leaves(m->scene);
	known[cert] = true;
	ck_assert_msg(m->live == idle[cert], "%s: %s: %ld blocks are left",
		      station_names[m->scene->at], what, m->live - idle[cert]);
}

struct ike_sa *matrix_sa(const struct matrix *m, enum side s)
{
	struct table_node *n = table_next(&m->p->end[s].e->by_spi, NULL);

	return n ? container_of(n, struct ike_sa, by_spi) : NULL;
}

void matrix_expect_legal(const struct matrix *m, const char *what)
{
	static const uint16_t legal[] = {
		NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD,
		NOTIFY_INVALID_SYNTAX,
		NOTIFY_NO_PROPOSAL_CHOSEN,
		NOTIFY_INVALID_KE_PAYLOAD,
		NOTIFY_AUTHENTICATION_FAILED,
		NOTIFY_NO_ADDITIONAL_SAS,
		NOTIFY_TS_UNACCEPTABLE,
		NOTIFY_TEMPORARY_FAILURE,
		NOTIFY_CHILD_SA_NOT_FOUND,
	};
	bool found = m->notify == 0;

	for (size_t i = 0; i < sizeof(legal) / sizeof(legal[0]); i++)
		found |= m->notify == legal[i];
	ck_assert_msg(found && (m->notify == 0 || m->scene->at != M_INIT_ANSWER),
		      "%s: %s: is answered with %u", station_names[m->scene->at], what, m->notify);
}
