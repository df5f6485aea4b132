/* SPDX-License-Identifier: Apache-2.0 */
/* Transform type 2, pseudo-random functions: the rows, and prf and prf+ over them. HMAC takes keys
 * of any length as they are (RFC 7296 2.13); AES-CMAC makes one of its own length of them first.
 *
 * AES-XCBC as a PRF (RFC 4434) is not here: who offers it offers HMAC too.
 */
#include "crypto/prf.h"

#include <string.h>

#include "crypto/mac.h"
#include "crypto/rows.h"

const struct prf_impl prf_rows[N_PRF] = {
	[PRF_SHA384] = {
		.row = { .id = PRF_HMAC_SHA2_384, .keyword = "prfsha384", .name = "HMAC-SHA2-384",
			 .len = 48 },
		.mac = { BY_HMAC, "SHA384", 48 },
	},
	[PRF_SHA256] = {
		.row = { .id = PRF_HMAC_SHA2_256, .keyword = "prfsha256", .name = "HMAC-SHA2-256",
			 .len = 32 },
		.mac = { BY_HMAC, "SHA256", 32 },
	},
	[PRF_SHA512] = {
		.row = { .id = PRF_HMAC_SHA2_512, .keyword = "prfsha512", .name = "HMAC-SHA2-512",
			 .len = 64 },
		.mac = { BY_HMAC, "SHA512", 64 },
	},
	[PRF_CMAC] = {
		/* RFC 7296 2.14: of the nonces the first 64 bits each */
		.row = { .id = PRF_AES128_CMAC, .keyword = "prfaescmac", .name = "AES128-CMAC",
			 .len = 16, .nonce_len = 8 },
		.mac = { BY_CMAC, "AES-128-CBC", 16 },
	},
	[PRF_SHA1] = {
		.row = { .id = PRF_HMAC_SHA1, .keyword = "prfsha1", .name = "HMAC-SHA1",
			 .len = 20, .weak = true },
		.mac = { BY_HMAC, "SHA1", 20 },
	},
};

enum { PRF_PARTS_MAX = 8, CMAC_KEY_LEN = 16 };

const struct prf *prf_find(uint16_t id)
{
	for (size_t i = 0; i < N_PRF; i++)
		if (prf_rows[i].row.id == id)
			return &prf_rows[i].row;
	return NULL;
}

const struct prf *prf_by_keyword(const char *kw)
{
	for (size_t i = 0; i < N_PRF; i++)
		if (strcmp(prf_rows[i].row.keyword, kw) == 0)
			return &prf_rows[i].row;
	return NULL;
}

const struct prf *prf_row(size_t i)
{
	return i < N_PRF ? &prf_rows[i].row : NULL;
}

static const struct mac_algo *prf_mac(const struct prf *prf)
{
	for (size_t i = 0; prf && i < N_PRF; i++)
		if (prf_rows[i].row.id == prf->id)
			return &prf_rows[i].mac;
	return NULL;
}

/* RFC 4615 3: a key that is not of 128 bits is itself MACed first, under zeros. */
static enum err cmac_keyed(const struct mac_algo *algo, struct span key, struct mac **out)
{
	static const uint8_t zero[CMAC_KEY_LEN];
	uint8_t made[CMAC_KEY_LEN];
	struct mac *m;
	enum err e = mac_new(algo, span_of(zero, sizeof(zero)), &m);

	if (e == OK)
		e = mac_parts(m, &key, 1, made);
	mac_free(m);
	if (e == OK)
		e = mac_new(algo, span_of(made, sizeof(made)), out);
	secret_wipe(made, sizeof(made));
	return e;
}

static enum err prf_keyed(const struct mac_algo *algo, struct span key, struct mac **out)
{
	*out = NULL;
	if (!algo)
		return ERR_UNSUPPORTED;
	if (algo->kind == BY_CMAC && key.len != CMAC_KEY_LEN)
		return cmac_keyed(algo, key, out);
	return mac_new(algo, key, out);
}

enum err prf_compute(const struct prf *prf, struct span key, const struct span *parts,
		     size_t n_parts, struct key *out)
{
	struct mac *m;
	enum err e = prf_keyed(prf_mac(prf), key, &m);

	key_wipe(out);
	if (e == OK)
		e = mac_parts(m, parts, n_parts, out->b);
	if (e == OK)
		out->len = prf->len;
	else
		key_wipe(out);
	mac_free(m);
	return e;
}

/* One round of prf+: block = prf(key, last block | seed | round), the last block being empty in
 * round 1. */
static enum err prf_plus_round(struct mac *m, struct span *parts, size_t n_parts, uint8_t round,
			       struct key *block)
{
	uint8_t next[KEY_MAX];
	enum err e;

	parts[0] = round == 1 ? SPAN_EMPTY : key_span(block);
	parts[n_parts - 1] = span_of(&round, 1);
	e = mac_parts(m, parts, n_parts, next);
	if (e == OK)
		memcpy(block->b, next, block->len);
	secret_wipe(next, sizeof(next));
	return e;
}

enum err prf_plus(const struct prf *prf, struct span key, const struct span *parts, size_t n_parts,
		  struct wr *out)
{
	struct span all[PRF_PARTS_MAX + 2] = { 0 }; /* last block | seed parts | round */
	const struct mac_algo *algo = prf_mac(prf);
	const struct wr before = *out;
	struct mac *m = NULL;
	struct key block = { 0 };
	enum err e;

	if (!algo || n_parts > PRF_PARTS_MAX)
		return ERR_UNSUPPORTED;
	if (wr_left(out) > 255u * prf->len) /* the round is one byte */
		return ERR_LIMIT;
	for (size_t i = 0; i < n_parts; i++)
		all[i + 1] = parts[i];
	block.len = prf->len;
	e = prf_keyed(algo, key, &m);
	for (uint8_t round = 1; e == OK && wr_left(out) > 0; round++) {
		e = prf_plus_round(m, all, n_parts + 2, round, &block);
		wr_span(out, span_head(key_span(&block), wr_left(out)));
	}
	if (e != OK) {
		*out = before;
		secret_wipe(out->p, wr_left(out));
	}
	key_wipe(&block);
	mac_free(m);
	return e;
}
