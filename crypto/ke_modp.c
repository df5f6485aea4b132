/* SPDX-License-Identifier: Apache-2.0 */
/* The MODP groups (RFC 3526), by GMP's constant-time powers. On limbs of our own rather than mpz_t,
 * so that every limb that saw a secret, GMP's scratch included, is wiped. The primes are OpenSSL's.
 *
 * The groups are safe primes: 1 < y < p-1 leaves no element of small order (RFC 6989 2.1).
 */
#include <gmp.h>
#include <openssl/bn.h>
#include <stdlib.h>

#include "base/secret.h"
#include "crypto/ke.h"
#include "crypto/ke_ops.h"
#include "crypto/ossl.h"

enum {
	LIMB_BYTES = sizeof(mp_limb_t),
	LIMBS_MAX = KE_PUBLIC_MAX / LIMB_BYTES,
};

/* The numbers of one power: result = base ^ exponent mod prime. */
struct modp_work {
	mp_limb_t prime[LIMBS_MAX];
	mp_limb_t base[LIMBS_MAX];
	mp_limb_t exponent[LIMBS_MAX];
	mp_limb_t result[LIMBS_MAX];
	mp_size_t n; /* limbs of the prime */
};

/* Big-endian bytes to limbs, lowest first; the limbs above stay zero. */
static void limbs_from_bytes(mp_limb_t *limb, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		const mp_limb_t byte = s.p[s.len - 1 - i];

		limb[i / LIMB_BYTES] |= byte << (8 * (i % LIMB_BYTES));
	}
}

static void limbs_to_bytes(const mp_limb_t *limb, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[len - 1 - i] = (uint8_t)(limb[i / LIMB_BYTES] >> (8 * (i % LIMB_BYTES)));
}

/* 1 < y < p-1. Used on public values alone, so that its time may tell. */
static bool modp_in_range(const struct modp_work *w, const mp_limb_t *y)
{
	mp_limb_t top[LIMBS_MAX] = { 0 };
	static const mp_limb_t one[LIMBS_MAX] = { 1 };

	mpn_sub_1(top, w->prime, w->n, 1);
	return mpn_cmp(y, one, w->n) > 0 && mpn_cmp(y, top, w->n) < 0;
}

static enum err modp_power(struct modp_work *w, struct span priv)
{
	const mp_bitcnt_t bits = 8 * priv.len;
	const size_t scratch_len = (size_t)mpn_sec_powm_itch(w->n, bits, w->n) * LIMB_BYTES;
	mp_limb_t *scratch = malloc(scratch_len);

	if (!scratch)
		return ERR_NOMEM;
	limbs_from_bytes(w->exponent, priv);
	mpn_sec_powm(w->result, w->base, w->n, w->exponent, bits, w->prime, w->n, scratch);
	secret_free(scratch, scratch_len);
	return OK;
}

static enum err modp_begin(struct modp_work *w, const struct ke_group *g, const struct modp *modp)
{
	uint8_t b[KE_PUBLIC_MAX];
	BIGNUM *prime = modp->prime(NULL);
	bool good = prime && BN_bn2binpad(prime, b, g->public_len) == g->public_len;

	BN_free(prime);
	if (!good)
		return ossl_fail(ERR_CRYPTO);
	w->n = g->public_len / LIMB_BYTES;
	limbs_from_bytes(w->prime, span_of(b, g->public_len));
	return OK;
}

/* A private value of 0 or so gives a public one of 1 or 2^small: never drawn by chance, and never
 * sent. */
static enum err modp_public(const struct ke_group *g, const void *param, struct span priv,
			    uint8_t *pub)
{
	struct modp_work w = { .base = { 2 } };
	enum err e = modp_begin(&w, g, param);

	if (e == OK)
		e = modp_power(&w, priv);
	if (e == OK && !modp_in_range(&w, w.result))
		e = ERR_KE_VALUE;
	if (e == OK)
		limbs_to_bytes(w.result, pub, g->public_len);
	secret_wipe(&w, sizeof(w));
	return e;
}

static enum err modp_share(const struct ke_group *g, const void *param, const struct span side[2],
			   uint8_t *out)
{
	struct modp_work w = { 0 };
	enum err e = modp_begin(&w, g, param);

	limbs_from_bytes(w.base, side[KE_SIDE_PEER]);
	if (e == OK && !modp_in_range(&w, w.base))
		e = ERR_KE_VALUE;
	if (e == OK)
		e = modp_power(&w, side[KE_SIDE_PRIVATE]);
	if (e == OK)
		limbs_to_bytes(w.result, out, g->secret_len);
	secret_wipe(&w, sizeof(w));
	return e;
}

const struct ke_ops ke_modp_ops = { .make_public = modp_public, .share = modp_share };
