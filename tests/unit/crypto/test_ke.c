/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ke.h"

#include <string.h>

#include "tests/unit/crypto/ke_kit.h"
#include "tests/unit/unit.h"

enum { N_GROUPS = 13, N_CURVES = 6 };

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
START_TEST(x_functions_multiply_as_the_rfc_says)
{
	static const struct {
		uint16_t group;
		const char *scalar;
		const char *u;
		const char *out;
	} cases[] = {
		{ KE_CURVE25519, "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
		{ KE_CURVE25519, "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
		{ KE_CURVE448,
		  "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121"
		  "700a779c984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3",
		  "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9"
		  "814dc031ddbdc38c19c6da2583fa5429db94ada18aa7a7fb4ef8a086",
		  "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239f"
		  "e14fbaadeb445fc66a01b0779d98223961111e21766282f73dd96b6f" },
		{ KE_CURVE448,
		  "203d494428b8399352665ddca42f9de8fef600908e0d461cb021f8c5"
		  "38345dd77c3e4806e25f46d3315c44e0a5b4371282dd2c8d5be3095f",
		  "0fbcc2f993cd56d3305b0b7d9e55d4c1a8fb5dbb52f8e9a1e9b6201b"
		  "165d015894e56c4d3570bee52fe205e28a78b91cdfbde71ce8d157db",
		  "884a02576239ff7a2f2f63b2db6a9ff37047ac13568e1e30fe63c4a7"
		  "ad1b3ee3a5700df34321d62077e63633c575c1c954514e99da7c179d" },
	};
	const struct hex scalar = hex(cases[_i].scalar), u = hex(cases[_i].u);
	const struct ke_group *g = ke_find(cases[_i].group);
	uint8_t out[56];

	ck_assert_int_eq(ke_shared(g, hex_span(&scalar), hex_span(&u), out), OK);
	hex_expect(cases[_i].out, span_of(out, g->secret_len));
}
END_TEST

START_TEST(values_of_another_length_are_refused)
{
	const struct ke_group *g = ke_row((size_t)_i);
	const struct hex i = hex(ke_vector_of(g)->i), gr = hex(ke_vector_of(g)->gr);
	const size_t wrong[] = { 0, 1, g->public_len - 1u, g->public_len + 1u, HEX_MAX };
	uint8_t out[KE_PUBLIC_MAX];

	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++)
		ke_expect_peer_refused(g, span_of(gr.b, wrong[n]));
	for (size_t len = 0; len <= KE_PRIVATE_MAX; len++) {
		const enum err want = len == g->private_len ? OK : ERR_KE_VALUE;

		ck_assert_int_eq(ke_public(g, span_of(i.b, len), out), want);
		ck_assert_int_eq(ke_shared(g, span_of(i.b, len), hex_span(&gr), out), want);
	}
}
END_TEST

struct curve {
	const char *keyword;
	const char *p;
	const char *n; /* the order */
	int x;	       /* (x, y) is on the curve, and x the smallest number for which that is so */
	const char *y;
};

static const struct curve curves[N_CURVES] = {
	{ "ecp256", "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
	  "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 0,
	  "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4" },
	{ "ecp384",
	  "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
	  "ffffffff0000000000000000ffffffff",
	  "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
	  "581a0db248b0a77aecec196accc52973",
	  0,
	  "c306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42dea2c4b4f75550793"
	  "406d80d2b91ad54f9048bd487af1ade1" },
	{ "ecp521",
	  "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffff",
	  "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "fffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e9138"
	  "6409",
	  0,
	  "012df13601594a883ef2d935e44bb90bf4d6619b74e52af7552f97769011c071"
	  "9eb439cfab2a88d40fe59a2bed1f43557169a2d0a2ccd280c607b92bbf51ffe0"
	  "b078" },
	{ "ecp256bp", "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
	  "a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7", 1,
	  "09e0e9e8d98fb89da2a32b2c7618b26bb99b920f02a5e831a142e6c8673110cd" },
	{ "ecp384bp",
	  "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123"
	  "acd3a729901d1a71874700133107ec53",
	  "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7"
	  "cf3ab6af6b7fc3103b883202e9046565",
	  1,
	  "47d3db1d9a221b395122cd9d16d155b3075dbf5cb5db6016ba44d28c0a62500d"
	  "05b564feb2cb4bcd0f78eac648945845" },
	{ "ecp512bp",
	  "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330871"
	  "7d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3",
	  "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870"
	  "553e5c414ca92619418661197fac10471db1d381085ddaddb58796829ca90069",
	  3,
	  "045dd3ad1b6a380eff32bccd947957f3acd60d5a6df18ed9a4d676c192412357"
	  "6c959ae8473de224ca262d456e8d51f6da36eaae8e3dfc0e914afdb1bc552796" },
};

static struct hex point(const struct hex *x, const struct hex *y)
{
	struct hex xy = { .len = x->len + y->len };

	memcpy(xy.b, x->b, x->len);
	memcpy(xy.b + x->len, y->b, y->len);
	return xy;
}

/* a - b, big-endian, both of one length */
static struct hex number_less(const struct hex *a, const struct hex *b)
{
	struct hex n = { .len = a->len };
	int borrow = 0;

	for (size_t i = a->len; i-- > 0;) {
		const int d = a->b[i] - b->b[i] - borrow;

		n.b[i] = (uint8_t)d;
		borrow = d < 0;
	}
	return n;
}

/* x and y run through small numbers, those around p, and all ones; of these only (x, y) and (x, -y)
 * of the table are points, and (p + x, y) and (x, p + y) are not them written otherwise. */
START_TEST(ecp_takes_points_of_the_curve_alone)
{
	static const uint8_t zero[66];
	const struct curve *c = &curves[_i];
	const struct ke_group *g = ke_by_keyword(c->keyword);
	const struct hex i = hex(ke_vector_of(g)->i), p = hex(c->p), y = hex(c->y);
	const struct span none = span_of(zero, p.len);
	const struct hex v[] = {
		number(none, c->x),	  number(none, 0),
		number(none, 1),	  number(none, 3),
		number(hex_span(&p), -1), p,
		number(hex_span(&p), 1),  number(hex_span(&p), c->x),
		number(none, -1),	  y,
		number_less(&p, &y),
	};
	const size_t n_v = sizeof(v) / sizeof(v[0]);
	uint8_t out[KE_SECRET_MAX];

	for (size_t n = 0; n < n_v; n++) {
		for (size_t k = 0; k < n_v; k++) {
			const struct hex xy = point(&v[n], &v[k]);
			const bool on = span_eq(hex_span(&v[n]), hex_span(&v[0])) && k >= n_v - 2;

			if (on)
				ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&xy), out),
						 OK);
			else
				ke_expect_peer_refused(g, hex_span(&xy));
		}
	}
}
END_TEST

START_TEST(ecp_refuses_a_point_with_one_bit_turned)
{
	const struct ke_group *g = ke_by_keyword(curves[_i].keyword);
	const struct hex gr = hex(ke_vector_of(g)->gr);

	for (size_t n = 0; n < gr.len; n++) {
		struct hex bent = gr;

		bent.b[n] = (uint8_t)(bent.b[n] ^ 1 << n % 8);
		ke_expect_peer_refused(g, hex_span(&bent));
	}
}
END_TEST

START_TEST(ecp_scalars_lie_between_0_and_the_order)
{
	static const uint8_t zero[66];
	const struct curve *c = &curves[_i];
	const struct ke_group *g = ke_by_keyword(c->keyword);
	const struct hex n = hex(c->n), gr = hex(ke_vector_of(g)->gr);
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
		ke_expect_peer_refused(ke_find(KE_CURVE25519), hex_span(&bad[n]));
		bad[n].b[31] |= 0x80;
		ke_expect_peer_refused(ke_find(KE_CURVE25519), hex_span(&bad[n]));
	}
}
END_TEST

/* Curve448: 0, 1, p-1, and p, p+1, which are 0 and 1 written otherwise (RFC 7748 6.2, 7). */
START_TEST(x448_of_small_order_is_refused)
{
	static const char p[] = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
				"ffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
	static const uint8_t zero[56];
	const struct hex prime = hex(p);
	struct hex bad[] = {
		number(span_of(zero, 56), 0), number(span_of(zero, 56), 1),
		number(hex_span(&prime), -1), prime,
		number(hex_span(&prime), 1),
	};
	/* 2 and p-2 are of large order */
	struct hex good[] = { number(span_of(zero, 56), 2), number(hex_span(&prime), -2) };
	const struct hex i = hex(ke_vector_of(ke_find(KE_CURVE448))->i);
	uint8_t out[56];

	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		number_reverse(&bad[n]);
		ke_expect_peer_refused(ke_find(KE_CURVE448), hex_span(&bad[n]));
	}
	for (size_t n = 0; n < sizeof(good) / sizeof(good[0]); n++) {
		number_reverse(&good[n]);
		ck_assert_int_eq(
			ke_shared(ke_find(KE_CURVE448), hex_span(&i), hex_span(&good[n]), out), OK);
	}
}
END_TEST

/* ECP-521 has more bits in its bytes than in its order: those above do not count, so that a draw is
 * hardly ever in vain. */
START_TEST(ecp521_takes_521_bits_of_a_private_value)
{
	const struct ke_group *g = ke_find(KE_ECP_521);
	struct hex i = hex(ke_vector_of(g)->i);
	uint8_t a[KE_PUBLIC_MAX], b[KE_PUBLIC_MAX];

	ck_assert_int_eq(ke_public(g, hex_span(&i), a), OK);
	i.b[0] |= 0xfe;
	ck_assert_int_eq(ke_public(g, hex_span(&i), b), OK);
	ck_assert_mem_eq(a, b, g->public_len);
	i.b[0] ^= 1;
	ck_assert_int_eq(ke_public(g, hex_span(&i), b), OK);
	ck_assert_mem_ne(a, b, g->public_len);
}
END_TEST

/* RFC 7748 5: coordinates of the prime and above are taken modulo the prime. All ones are 18. */
START_TEST(x25519_takes_all_ones)
{
	const struct ke_group *g = ke_find(KE_CURVE25519);
	const struct hex i = hex(ke_vector_of(g)->i);
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
	tcase_add_loop_test(tc, x_functions_multiply_as_the_rfc_says, 0, 4);
	tcase_add_loop_test(tc, values_of_another_length_are_refused, 0, N_GROUPS);
	tcase_add_loop_test(tc, ecp_takes_points_of_the_curve_alone, 0, N_CURVES);
	tcase_add_loop_test(tc, ecp_refuses_a_point_with_one_bit_turned, 0, N_CURVES);
	tcase_add_loop_test(tc, ecp_scalars_lie_between_0_and_the_order, 0, N_CURVES);
	tcase_add_test(tc, x25519_of_small_order_is_refused);
	tcase_add_test(tc, x448_of_small_order_is_refused);
	tcase_add_test(tc, ecp521_takes_521_bits_of_a_private_value);
	tcase_add_test(tc, x25519_takes_all_ones);
	tcase_add_loop_test(tc, rows_agree_with_what_callers_reserve, 0, N_GROUPS);
	tcase_add_test(tc, every_other_number_is_no_group);
}
