/* SPDX-License-Identifier: Apache-2.0 */
/* One stream of prf+ bytes, cut into keys in the order that the RFC gives. The stream lives in a
 * local buffer that is wiped whatever happens, and the result appears whole or not at all.
 */
#include "ike/keymat.h"

#include "crypto/prf.h"
#include "ike/wire.h"

enum { IKE_KEYS = 7, CHILD_KEYS = 4 };

/* A key to be cut off the stream. */
struct cut {
	struct key *key;
	size_t len;
};

static size_t cuts_len(const struct cut *cuts, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += cuts[i].len;
	return len;
}

/* A key of no bytes (integrity beside AEAD) stays empty. */
static enum err cuts_take(struct span stream, const struct cut *cuts, size_t n)
{
	struct rd r = rd_from(stream);

	for (size_t i = 0; i < n; i++) {
		if (!key_set(cuts[i].key, rd_take(&r, cuts[i].len)))
			return ERR_CRYPTO;
	}
	return rd_end(&r) ? OK : ERR_CRYPTO;
}

static size_t encr_len(const struct suite *s)
{
	return (size_t)s->encr->key_len + s->encr->salt_len;
}

static size_t integ_len(const struct suite *s)
{
	return s->integ != NULL ? s->integ->key_len : 0;
}

/* 2.14: {SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} = prf+(SKEYSEED, Ni | Nr | SPIi |
 * SPIr) */
static enum err ike_expand(const struct suite *s, const struct key *skeyseed,
			   const struct keymat_seed *seed, struct ike_keys *k)
{
	const struct cut cuts[IKE_KEYS] = {
		{ &k->d, s->prf->len },	 { &k->ai, integ_len(s) }, { &k->ar, integ_len(s) },
		{ &k->ei, encr_len(s) }, { &k->er, encr_len(s) },  { &k->pi, s->prf->len },
		{ &k->pr, s->prf->len },
	};
	uint8_t spis[2 * IKE_SPI_LEN], stream[IKE_KEYS * KEY_MAX];
	struct wr w = wr_into(spis, sizeof(spis));
	const struct span parts[] = { seed->ni, seed->nr, span_of(spis, sizeof(spis)) };
	size_t len = cuts_len(cuts, IKE_KEYS);
	enum err err = ERR_CRYPTO;

	wr_u64(&w, seed->spi_i);
	wr_u64(&w, seed->spi_r);
	if (len <= sizeof(stream)) {
		w = wr_into(stream, len);
		err = prf_plus(s->prf, key_span(skeyseed), parts, 3, &w);
	}
	if (err == OK)
		err = cuts_take(span_of(stream, len), cuts, IKE_KEYS);
	secret_wipe(stream, sizeof(stream));
	return err;
}

/* 2.14: SKEYSEED = prf(Ni | Nr, g^ir); with a PRF of fixed key length the beginning of each nonce
 * alone. */
static enum err skeyseed_first(const struct prf *prf, const struct keymat_seed *seed,
			       struct key *out)
{
	uint8_t nonces[2 * NONCE_MAX];
	struct wr w = wr_into(nonces, sizeof(nonces));

	wr_span(&w, prf->nonce_len > 0 ? span_head(seed->ni, prf->nonce_len) : seed->ni);
	wr_span(&w, prf->nonce_len > 0 ? span_head(seed->nr, prf->nonce_len) : seed->nr);
	return wr_ok(&w) ? prf_compute(prf, wr_done(&w), &seed->g_ir, 1, out) : ERR_SPACE;
}

enum err keymat_ike(const struct suite *s, const struct keymat_seed *seed, struct ike_keys *k)
{
	struct key skeyseed;
	enum err err = skeyseed_first(s->prf, seed, &skeyseed);

	ike_keys_wipe(k);
	if (err == OK)
		err = ike_expand(s, &skeyseed, seed, k);
	if (err != OK)
		ike_keys_wipe(k);
	key_wipe(&skeyseed);
	return err;
}

/* 2.18: SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr) */
enum err keymat_ike_rekey(const struct suite *s, const struct prf *old_prf, const struct key *old_d,
			  const struct keymat_seed *seed, struct ike_keys *k)
{
	const struct span parts[] = { seed->g_ir, seed->ni, seed->nr };
	struct key skeyseed;
	enum err err = prf_compute(old_prf, key_span(old_d), parts, 3, &skeyseed);

	ike_keys_wipe(k);
	if (err == OK)
		err = ike_expand(s, &skeyseed, seed, k);
	if (err != OK)
		ike_keys_wipe(k);
	key_wipe(&skeyseed);
	return err;
}

/* KEYMAT = prf+(SK_d, g^ir (new) | Ni | Nr), the first part only with PFS. */
enum err keymat_child(const struct suite *esp, const struct prf *prf, const struct key *d,
		      const struct keymat_seed *seed, struct child_keys *k)
{
	const struct cut cuts[CHILD_KEYS] = {
		{ &k->i_encr, encr_len(esp) },
		{ &k->i_integ, integ_len(esp) },
		{ &k->r_encr, encr_len(esp) },
		{ &k->r_integ, integ_len(esp) },
	};
	const struct span parts[] = { seed->g_ir, seed->ni, seed->nr };
	uint8_t stream[CHILD_KEYS * KEY_MAX];
	size_t len = cuts_len(cuts, CHILD_KEYS);
	enum err err = ERR_CRYPTO;

	child_keys_wipe(k);
	if (len <= sizeof(stream)) {
		struct wr w = wr_into(stream, len);

		err = prf_plus(prf, key_span(d), parts, 3, &w);
	}
	if (err == OK)
		err = cuts_take(span_of(stream, len), cuts, CHILD_KEYS);
	if (err != OK)
		child_keys_wipe(k);
	secret_wipe(stream, sizeof(stream));
	return err;
}

void ike_keys_wipe(struct ike_keys *k)
{
	secret_wipe(k, sizeof(*k));
}

void child_keys_wipe(struct child_keys *k)
{
	secret_wipe(k, sizeof(*k));
}
