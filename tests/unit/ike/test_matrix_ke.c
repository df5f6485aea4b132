/* SPDX-License-Identifier: Apache-2.0 */
/* Public values that are none, in every group, exchange and role (RFC 6989): 0, 1, p - 1, p, all
 * ones, a point off the curve, one of small order, a byte too few or too many. No keys come of
 * them, and what comes in clear neither ends the attempt nor stays. */
#include <openssl/bn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/alg.h"
#include "crypto/ke.h"
#include "tests/unit/ike/matrix.h"
#include "tests/unit/unit.h"

enum { N_GROUPS = 13, VALUES_MAX = 16, VALUE_ROOM = KE_PUBLIC_MAX + 8 };

static const enum station stations[] = { M_INIT_ASK, M_INIT_ANSWER, M_CREATE_ASK, M_CREATE_ANSWER };

struct values {
	struct {
		uint8_t b[VALUE_ROOM];
		size_t len;
		bool length; /* it is of a wrong length */
	} v[VALUES_MAX];
	size_t n;
};

static void add(struct values *v, const uint8_t *b, size_t len, int last)
{
	ck_assert_uint_lt(v->n, VALUES_MAX);
	memcpy(v->v[v->n].b, b, len);
	v->v[v->n].b[len - 1] = (uint8_t)(v->v[v->n].b[len - 1] + last);
	v->v[v->n++].len = len;
}

static const uint8_t zero[VALUE_ROOM];

static void modp_values(struct values *v, uint16_t id)
{
	static BIGNUM *(*const primes[])(BIGNUM *) = {
		BN_get_rfc3526_prime_2048, BN_get_rfc3526_prime_3072, BN_get_rfc3526_prime_4096,
		BN_get_rfc3526_prime_6144, BN_get_rfc3526_prime_8192,
	};
	BIGNUM *prime = primes[id - KE_MODP_2048](NULL);
	size_t len = ke_find(id)->public_len;
	uint8_t p[VALUE_ROOM];

	ck_assert_int_eq(BN_bn2binpad(prime, p, (int)len), (int)len);
	BN_free(prime);

	add(v, zero, len, 0);
	add(v, zero, len, 1);
	add(v, p, len, -1);
	add(v, p, len, 0);
	memset(v->v[v->n].b, 0xff, len);
	v->v[v->n++].len = len;
}

/* The point of the other end with a bit of x, or of y, turned; and none at all. */
static void ecp_values(struct values *v, const struct span *good)
{
	uint8_t b[VALUE_ROOM];

	add(v, zero, good->len, 0);
	add(v, zero, good->len, 1);
	memcpy(b, good->p, good->len);
	b[good->len / 4] ^= 1;
	add(v, b, good->len, 0);
	b[good->len / 4] ^= 1;
	add(v, b, good->len, b[good->len - 1] == 0xff ? -1 : 1);
	memset(b, 0xff, good->len);
	add(v, b, good->len, 0);
	memcpy(b, good->p, good->len);
	memset(b + good->len / 2, 0, good->len / 2);
	add(v, b, good->len, 0);
}

/* Little-endian: 0, 1, p - 1, p, p + 1, and Curve25519's points of order 8. */
static void x_values(struct values *v, uint16_t id, size_t len)
{
	static const uint8_t order8[2][32] = {
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
		  0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
		  0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
		{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
		  0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
		  0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
	};
	uint8_t p[VALUE_ROOM];

	memset(p, 0xff, len);
	if (id == KE_CURVE25519) {
		p[0] = 0xed;
		p[31] = 0x7f;
		add(v, order8[0], len, 0);
		add(v, order8[1], len, 0);
	} else {
		p[28] = 0xfe;
	}
	add(v, zero, len, 0);
	add(v, zero, len, 0);
	v->v[v->n - 1].b[0] = 1;
	/* p of Curve448 ends in ff, so p + 1 is left out. */
	for (int d = -1; d <= (id == KE_CURVE25519 ? 1 : 0); d++) {
		add(v, p, len, 0);
		v->v[v->n - 1].b[0] = (uint8_t)(p[0] + d);
	}
}

static void lengths(struct values *v, const struct span *good)
{
	const size_t lens[] = { 1, good->len / 2, good->len - 1, good->len + 1 };

	for (size_t i = 0; i < 4; i++) {
		add(v, zero, lens[i], 0);
		memcpy(v->v[v->n - 1].b, good->p, lens[i] < good->len ? lens[i] : good->len);
		v->v[v->n - 1].length = true;
	}
}

static void values_of(struct values *v, const struct ke_group *g, const struct span *good)
{
	*v = (struct values){ .n = 0 };
	if (g->id <= KE_MODP_8192)
		modp_values(v, g->id);
	else if (g->id >= KE_CURVE25519)
		x_values(v, g->id, good->len);
	else
		ecp_values(v, good);
	lengths(v, good);
}

static struct chain with_ke(const struct chain *good, const uint8_t *value, size_t len)
{
	static uint8_t body[4 + VALUE_ROOM];
	struct chain c = { .len = 0 };
	struct part parts[PARTS_MAX];
	size_t n;

	ck_assert(chain_parts(good, parts, &n));
	for (size_t i = 0; i < n; i++) {
		memcpy(body, good->b + parts[i].at, 4);
		memcpy(body + 4, value, len);
		if (parts[i].type == PL_KE)
			chain_put(&c, PL_KE, body, 4 + len);
		else
			chain_put(&c, parts[i].type, good->b + parts[i].at, parts[i].len);
	}
	return c;
}

/* No keys, so nobody is up; a second child is not there, and the IKE SA is. */
static void judge(struct matrix *m, const struct ke_group *g, bool length, size_t i)
{
	enum side to = scene_to(m->scene);
	char what[64];
	bool early = length || !g->slow;

	snprintf(what, sizeof(what), "%s, value %zu", g->keyword, i);
	matrix_expect_legal(m, what);
	if (m->scene->at <= M_INIT_ANSWER) {
		ck_assert_msg(!pair_note(m->p, LEFT, IKE_NOTE_UP), "%s", what);
		ck_assert_msg(!pair_note(m->p, RIGHT, IKE_NOTE_UP), "%s", what);
	} else {
		ck_assert_msg(m->p->end[to].n_sas == 2, "%s: %s: %zu", what,
			      station_names[m->scene->at], m->p->end[to].n_sas);
	}
	/* The initiator is not taken in by what came in clear; the responder looks at the length
	 * alone before it knows that the initiator goes on. */
	if ((m->scene->at == M_INIT_ANSWER && early) || (m->scene->at == M_INIT_ASK && length)) {
		pair_run(m->p, 30 * NS_PER_S);
		ck_assert_msg(pair_note(m->p, LEFT, IKE_NOTE_UP) &&
				      pair_count(m->p, LEFT, IKE_NOTE_CONNECTING) == 1,
			      "%s: %s: the true message does not count", what,
			      station_names[m->scene->at]);
	}
	if (!g->slow || matrix_all())
		matrix_recover(m, what);
	matrix_end(m, what);
}

/* The control: the true value, put in again. */
static void the_true_one_is_taken(const struct scene *s, const struct chain *same)
{
	static struct matrix m;

	matrix_play(&m, s, same);
	pair_run(m.p, 3 * NS_PER_S);
	ck_assert(pair_note(m.p, LEFT, IKE_NOTE_UP) && pair_note(m.p, RIGHT, IKE_NOTE_UP));
	pair_expect_children(m.p, s->at >= M_CREATE_ASK ? 2 : 1);
	matrix_end(&m, "the true value");
}

START_TEST(a_public_value_that_is_none_is_refused)
{
	static struct values v;
	static struct matrix m;
	const struct ke_group *g = ke_row((size_t)_i / 4);
	char more[96];
	struct scene s = { stations[_i % 4], false, LEFT, more };
	struct chain good, bad;
	struct part parts[PARTS_MAX];
	struct span value;
	size_t n, n_tried = 0;

	snprintf(more, sizeof(more), "policy = { aes128gcm16 prfsha256 %s }", g->keyword);
	matrix_record(&s, &good);
	ck_assert(chain_parts(&good, parts, &n));
	ck_assert_ptr_nonnull(part_find(parts, n, PL_KE));
	value = span_of(good.b + part_find(parts, n, PL_KE)->at + 4,
			part_find(parts, n, PL_KE)->len - 4);
	ck_assert_uint_eq(value.len, g->public_len);
	values_of(&v, g, &value);
	bad = with_ke(&good, value.p, value.len);
	ck_assert_mem_eq(bad.b, good.b, good.len);
	the_true_one_is_taken(&s, &bad);
	for (size_t i = 0; i < v.n; i++) {
		/* What costs tenths of a second each: 0, p - 1, a byte too few. */
		if (g->slow && !matrix_all() && i != 0 && i != 2 && i != 7)
			continue;
		if (matrix_passes_over())
			continue;
		bad = with_ke(&good, v.v[i].b, v.v[i].len);
		n_tried++;
		matrix_play(&m, &s, &bad);
		judge(&m, g, v.v[i].length, i);
	}
	if (getenv("MATRIX_COUNT"))
		fprintf(stderr, "%s, %s: %zu refused\n", g->keyword, station_names[s.at], n_tried);
}
END_TEST

UNIT("ike/matrix-ke")
{
	tcase_set_timeout(tc, 3600);
	tcase_add_loop_test(tc, a_public_value_that_is_none_is_refused, 0, N_GROUPS * 4);
}
