/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ke.h"

#include <string.h>

#include "crypto/ke_ops.h"
#include "tests/unit/crypto/hex.h"
#include "tests/unit/crypto/ke_vectors.h"
#include "tests/unit/unit.h"

enum { N_GROUPS = 6, N_CURVES = 2, N_MODP = 3 };

START_TEST(public_values_and_secrets_are_those_of_the_vector)
{
	const struct ke_vector *v = &ke_vectors[_i];
	const struct ke_group *g = ke_by_keyword(v->keyword);
	const struct hex i = hex(v->i), r = hex(v->r), gi = hex(v->gi), gr = hex(v->gr);
	uint8_t out[KE_PUBLIC_MAX];

	ck_assert_int_eq(ke_public(g, hex_span(&i), out), OK);
	hex_expect(v->gi, span_of(out, g->public_len));
	ck_assert_int_eq(ke_public(g, hex_span(&r), out), OK);
	hex_expect(v->gr, span_of(out, g->public_len));
	ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&gr), out), OK);
	hex_expect(v->gir, span_of(out, g->secret_len));
	ck_assert_int_eq(ke_shared(g, hex_span(&r), hex_span(&gi), out), OK);
	hex_expect(v->gir, span_of(out, g->secret_len));
}
END_TEST

/* RFC 7748 5.2: any scalar with any coordinate; the top bit of the second is to be ignored. */
START_TEST(x25519_multiplies_as_the_rfc_says)
{
	static const struct {
		const char *scalar;
		const char *u;
		const char *out;
	} cases[] = {
		{ "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
		{ "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
	};
	const struct hex scalar = hex(cases[_i].scalar), u = hex(cases[_i].u);
	uint8_t out[32];

	ck_assert_int_eq(ke_shared(ke_find(KE_CURVE25519), hex_span(&scalar), hex_span(&u), out),
			 OK);
	hex_expect(cases[_i].out, span_of(out, sizeof(out)));
}
END_TEST

static const struct ke_vector *vector_of(const struct ke_group *g)
{
	for (size_t i = 0; i < N_KE_VECTORS; i++)
		if (strcmp(ke_vectors[i].keyword, g->keyword) == 0)
			return &ke_vectors[i];
	ck_abort_msg("no vector of %s", g->keyword);
	return NULL;
}

/* Refused, and nothing left in the buffer of the secret. */
static void expect_peer_refused(const struct ke_group *g, struct span peer)
{
	const struct hex i = hex(vector_of(g)->i);
	static const uint8_t zero[KE_SECRET_MAX];
	uint8_t out[KE_SECRET_MAX];

	memset(out, 0xa5, sizeof(out));
	ck_assert_msg(ke_shared(g, hex_span(&i), peer, out) == ERR_KE_VALUE,
		      "%s took a value of %zu bytes, %02x %02x ... %02x", g->keyword, peer.len,
		      peer.len ? peer.p[0] : 0, peer.len ? peer.p[1] : 0,
		      peer.len ? peer.p[peer.len - 1] : 0);
	ck_assert_mem_eq(out, zero, g->secret_len);
}

START_TEST(values_of_another_length_are_refused)
{
	const struct ke_group *g = ke_row((size_t)_i);
	const struct hex i = hex(vector_of(g)->i), gr = hex(vector_of(g)->gr);
	const size_t wrong[] = { 0, 1, g->public_len - 1u, g->public_len + 1u, HEX_MAX };
	uint8_t out[KE_PUBLIC_MAX];

	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++)
		expect_peer_refused(g, span_of(gr.b, wrong[n]));
	for (size_t len = 0; len <= KE_PRIVATE_MAX; len++) {
		const enum err want = len == g->private_len ? OK : ERR_KE_VALUE;

		ck_assert_int_eq(ke_public(g, span_of(i.b, len), out), want);
		ck_assert_int_eq(ke_shared(g, span_of(i.b, len), hex_span(&gr), out), want);
	}
}
END_TEST

static void number_add(struct hex *n, int add)
{
	for (size_t i = n->len; i-- > 0;) {
		add += n->b[i];
		n->b[i] = (uint8_t)add;
		add >>= 8;
	}
}

static void number_reverse(struct hex *n)
{
	for (size_t i = 0; i < n->len / 2; i++) {
		const uint8_t b = n->b[i];

		n->b[i] = n->b[n->len - 1 - i];
		n->b[n->len - 1 - i] = b;
	}
}

/* base + add, big-endian, as long as base */
static struct hex number(struct span base, int add)
{
	struct hex n = { .len = base.len };

	memcpy(n.b, base.p, base.len);
	number_add(&n, add);
	return n;
}

static const struct modp *const primes[N_MODP] = { &modp_2048, &modp_3072, &modp_4096 };
static const uint16_t prime_groups[N_MODP] = { KE_MODP_2048, KE_MODP_3072, KE_MODP_4096 };

START_TEST(modp_takes_what_lies_between_1_and_p_minus_1)
{
	static const uint8_t zero[KE_PUBLIC_MAX];
	const struct ke_group *g = ke_find(prime_groups[_i]);
	const struct hex i = hex(vector_of(g)->i);
	const struct span p = span_of(primes[_i]->prime, g->public_len);
	const struct hex good[] = { number(span_of(zero, p.len), 2), number(p, -2) };
	const struct hex bad[] = {
		number(span_of(zero, p.len), 0),
		number(span_of(zero, p.len), 1),
		number(p, -1),
		number(p, 0),
		number(p, 1),
		number(span_of(zero, p.len), -1),
	};
	uint8_t out[KE_SECRET_MAX];

	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++)
		expect_peer_refused(g, hex_span(&bad[n]));
	for (size_t n = 0; n < sizeof(good) / sizeof(good[0]); n++)
		ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&good[n]), out), OK);
}
END_TEST

START_TEST(modp_of_exponent_zero_is_refused)
{
	static const uint8_t zero[KE_PRIVATE_MAX];
	const struct ke_group *g = ke_find(prime_groups[_i]);
	uint8_t out[KE_PUBLIC_MAX];

	ck_assert_int_eq(ke_public(g, span_of(zero, g->private_len), out), ERR_KE_VALUE);
}
END_TEST

/* 2^(8 * 8) has many zero bytes before it, and all of them belong to the secret (RFC 7296 2.14). */
START_TEST(modp_keeps_leading_zeros)
{
	const struct ke_group *g = ke_find(prime_groups[_i]);
	uint8_t two[KE_PUBLIC_MAX] = { 0 }, priv[KE_PRIVATE_MAX] = { 0 };
	uint8_t want[KE_SECRET_MAX] = { 0 }, out[KE_SECRET_MAX];

	two[g->public_len - 1] = 2;
	priv[g->private_len - 1] = 64;
	want[g->secret_len - 9] = 1;
	ck_assert_int_eq(
		ke_shared(g, span_of(priv, g->private_len), span_of(two, g->public_len), out), OK);
	ck_assert_mem_eq(out, want, g->secret_len);
}
END_TEST

struct curve {
	const char *keyword;
	const char *p;
	const char *n;	/* the order */
	const char *y0; /* (0, y0) is on the curve: y0 is a root of b */
};

static const struct curve curves[N_CURVES] = {
	{ "ecp256", "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
	  "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
	  "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4" },
	{ "ecp384",
	  "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
	  "ffffffff0000000000000000ffffffff",
	  "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
	  "581a0db248b0a77aecec196accc52973",
	  "c306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42dea2c4b4f75550793"
	  "406d80d2b91ad54f9048bd487af1ade1" },
};

static struct hex point(const struct hex *x, const struct hex *y)
{
	struct hex xy = { .len = x->len + y->len };

	memcpy(xy.b, x->b, x->len);
	memcpy(xy.b + x->len, y->b, y->len);
	return xy;
}

/* x and y run through 0, 1, p-1, p, p+1 and all ones; of these only (0, y0) is a point, and it
 * counts only when written with x = 0 and not x = p. */
START_TEST(ecp_takes_points_of_the_curve_alone)
{
	static const uint8_t zero[48];
	const struct curve *c = &curves[_i];
	const struct ke_group *g = ke_by_keyword(c->keyword);
	const struct hex i = hex(vector_of(g)->i), y0 = hex(c->y0), p = hex(c->p);
	const struct span none = span_of(zero, p.len);
	const struct hex v[] = {
		number(none, 0),
		number(none, 1),
		number(hex_span(&p), -1),
		p,
		number(hex_span(&p), 1),
		number(none, -1),
		y0,
	};
	const size_t n_v = sizeof(v) / sizeof(v[0]);
	uint8_t out[KE_SECRET_MAX];

	for (size_t x = 0; x < n_v; x++) {
		for (size_t y = 0; y < n_v; y++) {
			const struct hex xy = point(&v[x], &v[y]);

			if (x == 0 && y == n_v - 1)
				ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&xy), out),
						 OK);
			else
				expect_peer_refused(g, hex_span(&xy));
		}
	}
}
END_TEST

START_TEST(ecp_refuses_a_point_with_one_bit_turned)
{
	const struct ke_group *g = ke_by_keyword(curves[_i].keyword);
	const struct hex gr = hex(vector_of(g)->gr);

	for (size_t n = 0; n < gr.len; n++) {
		struct hex bent = gr;

		bent.b[n] = (uint8_t)(bent.b[n] ^ 1 << n % 8);
		expect_peer_refused(g, hex_span(&bent));
	}
}
END_TEST

START_TEST(ecp_scalars_lie_between_0_and_the_order)
{
	static const uint8_t zero[48];
	const struct curve *c = &curves[_i];
	const struct ke_group *g = ke_by_keyword(c->keyword);
	const struct hex n = hex(c->n), gr = hex(vector_of(g)->gr);
	const struct {
		struct hex scalar;
		enum err want;
	} cases[] = {
		{ number(span_of(zero, n.len), 0), ERR_KE_VALUE },
		{ number(span_of(zero, n.len), 1), OK },
		{ number(hex_span(&n), -1), OK },
		{ n, ERR_KE_VALUE },
		{ number(hex_span(&n), 1), ERR_KE_VALUE },
		{ number(span_of(zero, n.len), -1), ERR_KE_VALUE },
	};
	uint8_t out[KE_PUBLIC_MAX];

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		ck_assert_int_eq(ke_public(g, hex_span(&cases[k].scalar), out), cases[k].want);
		ck_assert_int_eq(ke_shared(g, hex_span(&cases[k].scalar), hex_span(&gr), out),
				 cases[k].want);
	}
}
END_TEST

/* Little-endian, as everything of Curve25519: 0, 1, p-1, p, p+1 and the two of order 8 (RFC
 * 7748 6.1, 7); each also with the ignored top bit set. */
START_TEST(x25519_of_small_order_is_refused)
{
	static const char p[] = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
	static const uint8_t zero[32];
	const struct hex prime = hex(p);
	struct hex bad[] = {
		number(span_of(zero, 32), 0),
		number(span_of(zero, 32), 1),
		number(hex_span(&prime), -1),
		prime,
		number(hex_span(&prime), 1),
		hex("00b8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0"),
		hex("57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5f"),
	};

	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		number_reverse(&bad[n]);
		expect_peer_refused(ke_find(KE_CURVE25519), hex_span(&bad[n]));
		bad[n].b[31] |= 0x80;
		expect_peer_refused(ke_find(KE_CURVE25519), hex_span(&bad[n]));
	}
}
END_TEST

/* RFC 7748 5: coordinates of the prime and above are taken modulo the prime. All ones are 18. */
START_TEST(x25519_takes_all_ones)
{
	const struct ke_group *g = ke_find(KE_CURVE25519);
	const struct hex i = hex(vector_of(g)->i);
	const struct hex eighteen = { .len = 32, .b = { 18 } };
	struct hex ones = { .len = 32 };
	uint8_t a[32], b[32];

	memset(ones.b, 0xff, 32);
	ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&ones), a), OK);
	ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&eighteen), b), OK);
	ck_assert_mem_eq(a, b, sizeof(a));
}
END_TEST

START_TEST(rows_agree_with_what_callers_reserve)
{
	const struct ke_group *g = ke_row((size_t)_i);

	ck_assert_uint_le(g->public_len, KE_PUBLIC_MAX);
	ck_assert_uint_le(g->secret_len, KE_SECRET_MAX);
	ck_assert_uint_le(g->private_len, KE_PRIVATE_MAX);
	ck_assert_uint_ge(g->private_len, 32);
	ck_assert_ptr_eq(ke_find(g->id), g);
	ck_assert_ptr_eq(ke_by_keyword(g->keyword), g);
}
END_TEST

START_TEST(every_other_number_is_no_group)
{
	size_t known = 0;

	for (unsigned int id = 0; id <= UINT16_MAX; id++)
		known += ke_find((uint16_t)id) != NULL;
	ck_assert_uint_eq(known, N_GROUPS);
	ck_assert_ptr_null(ke_row(N_GROUPS));
}
END_TEST

UNIT("crypto/ke")
{
	tcase_add_loop_test(tc, public_values_and_secrets_are_those_of_the_vector, 0, N_KE_VECTORS);
	tcase_add_loop_test(tc, x25519_multiplies_as_the_rfc_says, 0, 2);
	tcase_add_loop_test(tc, values_of_another_length_are_refused, 0, N_GROUPS);
	tcase_add_loop_test(tc, modp_takes_what_lies_between_1_and_p_minus_1, 0, N_MODP);
	tcase_add_loop_test(tc, modp_of_exponent_zero_is_refused, 0, N_MODP);
	tcase_add_loop_test(tc, modp_keeps_leading_zeros, 0, N_MODP);
	tcase_add_loop_test(tc, ecp_takes_points_of_the_curve_alone, 0, N_CURVES);
	tcase_add_loop_test(tc, ecp_refuses_a_point_with_one_bit_turned, 0, N_CURVES);
	tcase_add_loop_test(tc, ecp_scalars_lie_between_0_and_the_order, 0, N_CURVES);
	tcase_add_test(tc, x25519_of_small_order_is_refused);
	tcase_add_test(tc, x25519_takes_all_ones);
	tcase_add_loop_test(tc, rows_agree_with_what_callers_reserve, 0, N_GROUPS);
	tcase_add_test(tc, every_other_number_is_no_group);
}
