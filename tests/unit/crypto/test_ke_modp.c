/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bn.h>

#include "crypto/ke.h"
#include "crypto/ke_ops.h"
#include "crypto/prf.h"
#include "crypto/rows.h"
#include "tests/unit/crypto/ke_kit.h"
#include "tests/unit/unit.h"

enum { N_MODP = 5 };

/* RFC 3526 3 to 7: the SHA-256 of each prime, big-endian, as its formula gives it. */
static const struct {
	uint16_t group;
	const char *digest;
} primes[N_MODP] = {
	{ KE_MODP_2048, "d66436f79bbd6b2e38c0ffbd079be904d2641415e2e67140e09448be9a60890e" },
	{ KE_MODP_3072, "48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c" },
	{ KE_MODP_4096, "4ee95187682bcb230ad26a95205f6920e84708f6251b3894329b09ec23919e33" },
	{ KE_MODP_6144, "d1bfe6d0925ce7e4da262b62861514a7755e35831e429f343e7b864848657efd" },
	{ KE_MODP_8192, "39ab4feab950a3128fb71accb9fc3965d857012e081998a85996e3ea8b3c3bcf" },
};

static struct hex prime_of(const struct ke_group *g)
{
	struct hex h = { .len = g->public_len };
	size_t i = 0;
	BIGNUM *p;

	while (i < N_KE && &ke_rows[i].row != g)
		i++;
	ck_assert_ptr_eq(ke_rows[i].ops, &ke_modp_ops);
	p = ((const struct modp *)ke_rows[i].param)->prime(NULL);
	ck_assert_int_eq(BN_num_bytes(p), g->public_len);
	BN_bn2bin(p, h.b);
	BN_free(p);
	return h;
}

START_TEST(the_primes_are_those_of_the_rfc)
{
	const struct hex prime = prime_of(ke_find(primes[_i].group));
	const struct span p = hex_span(&prime);
	uint8_t digest[32];

	ck_assert_int_eq(hash_sha256(&p, 1, digest), OK);
	hex_expect(primes[_i].digest, span_of(digest, sizeof(digest)));
}
END_TEST

START_TEST(modp_takes_what_lies_between_1_and_p_minus_1)
{
	static const uint8_t zero[KE_PUBLIC_MAX];
	const struct ke_group *g = ke_find(primes[_i].group);
	const struct hex i = hex(ke_vector_of(g)->i);
	const struct hex prime = prime_of(g);
	const struct span p = hex_span(&prime);
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
		ke_expect_peer_refused(g, hex_span(&bad[n]));
	for (size_t n = 0; n < sizeof(good) / sizeof(good[0]); n++)
		ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&good[n]), out), OK);
}
END_TEST

START_TEST(modp_of_exponent_zero_is_refused)
{
	static const uint8_t zero[KE_PRIVATE_MAX];
	const struct ke_group *g = ke_find(primes[_i].group);
	uint8_t out[KE_PUBLIC_MAX];

	ck_assert_int_eq(ke_public(g, span_of(zero, g->private_len), out), ERR_KE_VALUE);
}
END_TEST

/* 2^(8 * 8) has many zero bytes before it, and all of them belong to the secret (RFC 7296 2.14). */
START_TEST(modp_keeps_leading_zeros)
{
	const struct ke_group *g = ke_find(primes[_i].group);
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

UNIT("crypto/ke_modp")
{
	tcase_add_loop_test(tc, the_primes_are_those_of_the_rfc, 0, N_MODP);
	tcase_add_loop_test(tc, modp_takes_what_lies_between_1_and_p_minus_1, 0, N_MODP);
	tcase_add_loop_test(tc, modp_of_exponent_zero_is_refused, 0, N_MODP);
	tcase_add_loop_test(tc, modp_keeps_leading_zeros, 0, N_MODP);
}
