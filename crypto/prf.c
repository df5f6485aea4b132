/* SPDX-License-Identifier: Apache-2.0 */
/* Transform type 2, pseudo-random functions: the rows, and prf and prf+ over them. All are HMAC at
 * full length, so keys of any length are taken as they are (RFC 7296 2.13).
 */
#include "crypto/prf.h"

#include <string.h>

#include "crypto/hmac.h"
#include "crypto/rows.h"

const struct prf_impl prf_rows[N_PRF] = {
	[PRF_SHA384] = {
		.row = { .id = PRF_HMAC_SHA2_384, .keyword = "prfsha384", .name = "HMAC-SHA2-384",
			 .len = 48 },
		.digest = "SHA384",
	},
	[PRF_SHA256] = {
		.row = { .id = PRF_HMAC_SHA2_256, .keyword = "prfsha256", .name = "HMAC-SHA2-256",
			 .len = 32 },
		.digest = "SHA256",
	},
	[PRF_SHA512] = {
		.row = { .id = PRF_HMAC_SHA2_512, .keyword = "prfsha512", .name = "HMAC-SHA2-512",
			 .len = 64 },
		.digest = "SHA512",
	},
	[PRF_SHA1] = {
		.row = { .id = PRF_HMAC_SHA1, .keyword = "prfsha1", .name = "HMAC-SHA1",
			 .len = 20, .weak = true },
		.digest = "SHA1",
	},
};

enum { PRF_PARTS_MAX = 8 };

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

static const char *prf_digest(const struct prf *prf)
{
	for (size_t i = 0; prf && i < N_PRF; i++)
		if (prf_rows[i].row.id == prf->id)
			return prf_rows[i].digest;
	return NULL;
}

enum err prf_compute(const struct prf *prf, struct span key, const struct span *parts,
		     size_t n_parts, struct key *out)
{
	const char *digest = prf_digest(prf);
	EVP_MAC_CTX *ctx = NULL;
	enum err e;

	key_wipe(out);
	if (!digest)
		return ERR_UNSUPPORTED;
	e = hmac_new(digest, key, &ctx);
	if (e == OK)
		e = hmac_parts(ctx, parts, n_parts, out->b, prf->len);
	if (e == OK)
		out->len = prf->len;
	else
		key_wipe(out);
	EVP_MAC_CTX_free(ctx);
	return e;
}

/* One round of prf+: block = prf(key, last block | seed | round), the last block being empty in
 * round 1. */
static enum err prf_plus_round(EVP_MAC_CTX *ctx, struct span *parts, size_t n_parts, uint8_t round,
			       struct key *block)
{
	uint8_t next[KEY_MAX];
	enum err e;

	parts[0] = round == 1 ? SPAN_EMPTY : key_span(block);
	parts[n_parts - 1] = span_of(&round, 1);
	e = hmac_parts(ctx, parts, n_parts, next, block->len);
	if (e == OK)
		memcpy(block->b, next, block->len);
	secret_wipe(next, sizeof(next));
	return e;
}

enum err prf_plus(const struct prf *prf, struct span key, const struct span *parts, size_t n_parts,
		  struct wr *out)
{
	struct span all[PRF_PARTS_MAX + 2] = { 0 }; /* last block | seed parts | round */
	const char *digest = prf_digest(prf);
	const struct wr before = *out;
	EVP_MAC_CTX *ctx = NULL;
	struct key block = { 0 };
	enum err e;

	if (!digest || n_parts > PRF_PARTS_MAX)
		return ERR_UNSUPPORTED;
	if (wr_left(out) > 255u * prf->len) /* the round is one byte */
		return ERR_LIMIT;
	for (size_t i = 0; i < n_parts; i++)
		all[i + 1] = parts[i];
	block.len = prf->len;
	e = hmac_new(digest, key, &ctx);
	for (uint8_t round = 1; e == OK && wr_left(out) > 0; round++) {
		e = prf_plus_round(ctx, all, n_parts + 2, round, &block);
		wr_span(out, span_head(key_span(&block), wr_left(out)));
	}
	if (e != OK) {
		*out = before;
		secret_wipe(out->p, wr_left(out));
	}
	key_wipe(&block);
	EVP_MAC_CTX_free(ctx);
	return e;
}
