/* SPDX-License-Identifier: Apache-2.0 */
/* Every payload of every message of every exchange, omitted, doubled, emptied and cut at every
 * byte; every length inside of it, wrong in every way; and sealed again with the right keys, so
 * that what lies behind the protection reads it.
 *
 * What must come of it is not asked of ike/: a reader of our own says whether a message can be
 * understood at all, and then it has no effect. In any case: no crash, no memory, only errors that
 * the RFC has, nobody up whose ID or AUTH was touched, and in the end all comes up again.
 *
 * MATRIX_ALL in the environment cuts everything at every byte; without it, what lies further inside
 * of a long body only now and then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/core.h"
#include "tests/unit/ike/matrix.h"
#include "tests/unit/ike/understood.h"
#include "tests/unit/unit.h"

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* ---- what came of it ---- */

/* The receiver did what the good message would have made it do. */
static bool had_effect(const struct matrix *m)
{
	enum side to = scene_to(m->scene);

	switch (m->scene->at) {
	case M_INIT_ASK:
		return m->answered_sa;
	case M_INIT_ANSWER:
		return pair_note(m->p, LEFT, IKE_NOTE_ANSWERED) != NULL;
	case M_AUTH_ASK:
	case M_AUTH_ANSWER:
		return pair_note(m->p, to, IKE_NOTE_UP) != NULL ||
		       pair_note(m->p, to, IKE_NOTE_CHILD_UP) != NULL;
	case M_CREATE_ASK:
	case M_CREATE_ANSWER:
		return m->p->end[to].n_sas != 2 && pair_sas(m->p, to) > 0;
	case M_INFO_ASK:
		return m->p->end[to].n_sas == 2;
	case M_INFO_ANSWER:
		return false;
	case N_STATIONS:
		break;
	}
	return true;
}

static void judge(struct matrix *m, const struct chain *good, const char *what)
{
	const char *at = station_names[m->scene->at];

	matrix_expect_legal(m, what);
	if (!understood(m->scene->at, m->bad))
		ck_assert_msg(!had_effect(m), "%s: %s: had an effect", at, what);
	if ((m->scene->at == M_AUTH_ASK || m->scene->at == M_AUTH_ANSWER) &&
	    !same_proof(good, m->bad))
		ck_assert_msg(!had_effect(m), "%s: %s: is up without a proof", at, what);
	if (m->scene->at <= M_AUTH_ANSWER && !child_understood(m->bad))
		ck_assert_msg(!pair_note(m->p, scene_to(m->scene), IKE_NOTE_CHILD_UP),
			      "%s: %s: made a child", at, what);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		if (pair_note(m->p, s, IKE_NOTE_UP))
			ck_assert_msg(pair_note(m->p, s, IKE_NOTE_PROVED) != NULL, "%s: %s", at,
				      what);
	}
}

/* What is forged in clear, before anybody proved anything, is followed by the true message, sent
 * again: that one counts. */
static void true_one_counts(struct matrix *m, const char *what)
{
	if (m->scene->at > M_INIT_ANSWER || had_effect(m))
		return;
	pair_run(m->p, 30 * NS_PER_S);
	ck_assert_msg(pair_note(m->p, LEFT, IKE_NOTE_UP) != NULL &&
			      pair_count(m->p, LEFT, IKE_NOTE_CONNECTING) == 1,
		      "%s: %s: the true message does not count", station_names[m->scene->at], what);
}

/* ---- the changes ---- */

struct work {
	const struct scene *scene;
	struct chain good, bad;
	size_t n; /* changes so far */
	size_t n_refused;
};

static void try_it(struct work *w, const char *what)
{
	static struct matrix m;

	if (w->bad.len == w->good.len && w->bad.first == w->good.first &&
	    memcmp(w->bad.b, w->good.b, w->good.len) == 0)
		return;
	if (matrix_passes_over())
		return;
	matrix_play(&m, w->scene, &w->bad);
	judge(&m, &w->good, what);
	w->n++;
	w->n_refused += !had_effect(&m);
	true_one_counts(&m, what);
	/* The end of each story is the same and takes most of the time. */
	if (matrix_all() || w->n % 8 == 0)
		matrix_recover(&m, what);
	matrix_end(&m, what);
}

/* The chain with payload i left out (n 0), once, or twice. */
static void times(struct work *w, size_t which, unsigned n, bool at_the_end)
{
	struct part parts[PARTS_MAX];
	size_t n_parts;
	char what[64];

	ck_assert(chain_parts(&w->good, parts, &n_parts));
	w->bad = (struct chain){ .len = 0 };
	for (size_t i = 0; i < n_parts; i++) {
		for (unsigned k = 0; k < (i == which && !at_the_end ? n : i != which || n > 0); k++)
			chain_put(&w->bad, parts[i].type, w->good.b + parts[i].at, parts[i].len);
	}
	if (at_the_end)
		chain_put(&w->bad, parts[which].type, w->good.b + parts[which].at,
			  parts[which].len);
	snprintf(what, sizeof(what), "%s %u times%s", payload_name(parts[which].type), n,
		 at_the_end ? ", once at the end" : "");
	try_it(w, what);
}

/* Payload i with only so many bytes of its body, or `more` behind it. */
static void resize(struct work *w, size_t which, size_t len, size_t more)
{
	static const uint8_t zeros[16];
	uint8_t body[CHAIN_MAX];
	struct part parts[PARTS_MAX];
	size_t n_parts;
	char what[64];

	ck_assert(chain_parts(&w->good, parts, &n_parts));
	w->bad = (struct chain){ .len = 0 };
	for (size_t i = 0; i < n_parts; i++) {
		size_t keep = i == which ? len : parts[i].len;

		memcpy(body, w->good.b + parts[i].at, keep);
		memcpy(body + keep, zeros, i == which ? more : 0);
		chain_put(&w->bad, parts[i].type, body, keep + (i == which ? more : 0));
	}
	snprintf(what, sizeof(what), "%s number %zu of %zu bytes", payload_name(parts[which].type),
		 which, len + more);
	try_it(w, what);
}

static size_t step_at(size_t i, size_t len)
{
	return matrix_all() || len < 600 || i < 12 || i + 4 >= len ? 1 : 67;
}

/* Unknown types in the place of a known one, the critical bit on both. */
static void retype(struct work *w, size_t which)
{
	static const uint8_t types[] = { 1, 32, 49, 200, 255, PL_SK, PL_SKF };
	struct part parts[PARTS_MAX];
	size_t n_parts, next_at;
	char what[64];

	ck_assert(chain_parts(&w->good, parts, &n_parts));
	next_at = which > 0 ? parts[which - 1].at - 4 : 0;
	for (unsigned i = 0; i < 2 * sizeof(types) + 1; i++) {
		uint8_t type = i / 2 < sizeof(types) ? types[i / 2] : parts[which].type;

		w->bad = w->good;
		if (which == 0)
			w->bad.first = type;
		else
			w->bad.b[next_at] = type;
		w->bad.b[parts[which].at - 3] = i % 2 == 0 ? 0x80 : 0;
		snprintf(what, sizeof(what), "type %u for %s, critical %u", type,
			 payload_name(parts[which].type), i % 2 == 0);
		try_it(w, what);
	}
}

/* ---- lengths ---- */

struct site {
	size_t at;
	size_t width;
	size_t header; /* of the structure that it is the length of */
	size_t rest;   /* from its beginning to the end of what it lies in */
};
enum { SITES_MAX = 256 };

struct sites {
	struct site v[SITES_MAX];
	size_t n;
};

static void add_site(struct sites *s, struct site site)
{
	ck_assert_uint_lt(s->n, SITES_MAX);
	s->v[s->n++] = site;
}

/* Proposals, their SPIs and counts, transforms, attributes (RFC 7296 3.3). */
static void sites_of_sa(struct sites *s, const struct chain *c, const struct part *p)
{
	size_t end = p->at + p->len;

	for (size_t at = p->at; end - at >= 8; at += u16(c->b + at + 2)) {
		size_t stop = at + u16(c->b + at + 2), t = at + 8 + c->b[at + 6];

		add_site(s, (struct site){ at + 2, 2, 8, end - at });
		add_site(s, (struct site){ at + 6, 1, 0, stop - at - 8 });
		add_site(s, (struct site){ at + 7, 1, 0, c->b[at + 7] });
		for (; t < stop; t += u16(c->b + t + 2)) {
			add_site(s, (struct site){ t + 2, 2, 8, stop - t });
			/* an attribute by value; as one with a length it lies */
			if (u16(c->b + t + 2) > 8) {
				add_site(s, (struct site){ t + 8, 2, 4, stop - t });
				add_site(s, (struct site){ t + 10, 2, 4, stop - t });
			}
		}
	}
}

static void sites_of_ts(struct sites *s, const struct chain *c, const struct part *p)
{
	size_t end = p->at + p->len;

	add_site(s, (struct site){ p->at, 1, 0, c->b[p->at] });
	for (size_t at = p->at + 4; end - at >= 8; at += u16(c->b + at + 2))
		add_site(s, (struct site){ at + 2, 2, 8, end - at });
}

static void sites_of(struct sites *s, const struct chain *c)
{
	struct part parts[PARTS_MAX];
	size_t n;

	s->n = 0;
	ck_assert(chain_parts(c, parts, &n));
	for (size_t i = 0; i < n; i++) {
		const struct part *p = &parts[i];

		add_site(s, (struct site){ p->at - 2, 2, 4, c->len - p->at + 4 });
		if (p->type == PL_SA)
			sites_of_sa(s, c, p);
		if (p->type == PL_TSI || p->type == PL_TSR)
			sites_of_ts(s, c, p);
		if (p->type == PL_NOTIFY)
			add_site(s, (struct site){ p->at + 1, 1, 0, p->len - 4 });
		if (p->type == PL_DELETE) {
			add_site(s, (struct site){ p->at + 1, 1, 0, p->len - 4 });
			add_site(s, (struct site){ p->at + 2, 2, 0, p->len - 4 });
		}
	}
}

static void lie(struct work *w, const struct site *s)
{
	size_t was = s->width == 1 ? w->good.b[s->at] : u16(w->good.b + s->at);
	const size_t values[] = { 0,	   1,	    s->header - 1, s->header,	s->header + 1,
				  was - 1, was + 1, s->rest,	   s->rest + 1, 0x7fff,
				  0x80,	   0x8000,  0xffff };
	char what[64];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		w->bad = w->good;
		if (s->width == 2)
			w->bad.b[s->at] = (uint8_t)(values[i] >> 8);
		w->bad.b[s->at + s->width - 1] = (uint8_t)values[i];
		snprintf(what, sizeof(what), "length at %zu is %zu", s->at, values[i] & 0xffff);
		try_it(w, what);
	}
}

/* ---- the scenes ---- */

static const struct scene scenes[] = {
	{ M_INIT_ASK, false, LEFT, NULL },    { M_INIT_ANSWER, false, LEFT, NULL },
	{ M_AUTH_ASK, false, LEFT, NULL },    { M_AUTH_ANSWER, false, LEFT, NULL },
	{ M_AUTH_ASK, true, LEFT, NULL },     { M_AUTH_ANSWER, true, LEFT, NULL },
	{ M_CREATE_ASK, false, LEFT, NULL },  { M_CREATE_ANSWER, false, LEFT, NULL },
	{ M_CREATE_ASK, false, RIGHT, NULL }, { M_CREATE_ANSWER, false, RIGHT, NULL },
	{ M_INFO_ASK, false, LEFT, NULL },    { M_INFO_ANSWER, false, LEFT, NULL },
	{ M_INFO_ASK, false, RIGHT, NULL },   { M_INFO_ANSWER, false, RIGHT, NULL },
};
enum { N_SCENES = sizeof(scenes) / sizeof(scenes[0]) };

static struct work begin(int i)
{
	struct work w = { .scene = &scenes[i] };

	matrix_record(w.scene, &w.good);
	return w;
}

/* A matrix that refuses nothing looks at nothing. */
static void finish(const struct work *w, const char *kind)
{
	if (getenv("MATRIX_COUNT"))
		fprintf(stderr, "%s, %s%s: %zu cases, %zu refused\n", kind,
			station_names[w->scene->at], w->scene->cert ? " (certificates)" : "", w->n,
			w->n_refused);
	ck_assert_uint_gt(w->n_refused, 0);
}

static size_t parts_in(const struct work *w, struct part parts[PARTS_MAX])
{
	size_t n;

	ck_assert(chain_parts(&w->good, parts, &n));
	ck_assert_uint_gt(n, 0);
	return n;
}

START_TEST(a_payload_that_is_missing_or_there_twice_or_of_another_type_does_no_harm)
{
	struct work w = begin(_i);
	struct part parts[PARTS_MAX];
	size_t n = parts_in(&w, parts);

	for (size_t i = 0; i < n; i++) {
		times(&w, i, 0, false);
		times(&w, i, 2, false);
		times(&w, i, 1, true);
		retype(&w, i);
	}
	finish(&w, "payloads");
}
END_TEST

START_TEST(a_payload_that_is_cut_at_any_byte_does_no_harm)
{
	struct work w = begin(_i);
	struct part parts[PARTS_MAX];
	size_t n = parts_in(&w, parts);

	for (size_t i = 0; i < n; i++) {
		for (size_t len = 0; len < parts[i].len; len += step_at(len, parts[i].len))
			resize(&w, i, len, 0);
		resize(&w, i, parts[i].len, 1);
		resize(&w, i, parts[i].len, 16);
	}
	finish(&w, "cut payloads");
}
END_TEST

START_TEST(a_message_that_is_cut_at_any_byte_has_no_effect)
{
	struct work w = begin(_i);

	for (size_t len = 0; len < w.good.len; len += step_at(len, w.good.len)) {
		char what[64];

		w.bad = w.good;
		w.bad.len = len;
		snprintf(what, sizeof(what), "cut to %zu bytes", len);
		ck_assert(!understood(w.scene->at, &w.bad));
		try_it(&w, what);
	}
	finish(&w, "cut messages");
}
END_TEST

START_TEST(a_length_that_lies_does_no_harm)
{
	static struct sites sites;
	struct work w = begin(_i);

	sites_of(&sites, &w.good);
	for (size_t i = 0; i < sites.n; i++)
		lie(&w, &sites.v[i]);
	finish(&w, "lengths");
}
END_TEST

UNIT("ike/matrix-payloads")
{
	tcase_set_timeout(tc, 3600);
	tcase_add_loop_test(
		tc, a_payload_that_is_missing_or_there_twice_or_of_another_type_does_no_harm, 0,
		N_SCENES);
	tcase_add_loop_test(tc, a_payload_that_is_cut_at_any_byte_does_no_harm, 0, N_SCENES);
	tcase_add_loop_test(tc, a_message_that_is_cut_at_any_byte_has_no_effect, 0, N_SCENES);
	tcase_add_loop_test(tc, a_length_that_lies_does_no_harm, 0, N_SCENES);
}
