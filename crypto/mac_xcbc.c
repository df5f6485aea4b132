/* SPDX-License-Identifier: Apache-2.0 */
/* AES-XCBC-MAC (RFC 3566 4): CBC under K1 of the text, whose last block is mixed with K2 when it is
 * whole, and else filled up by 80 00 ... and mixed with K3. The last block of CBC is the MAC.
 *
 * The library's CBC keeps the chain between calls, so that a block goes in at a time and only the
 * newest result is kept. A block is held back until it is known not to be the last.
 */
#include "crypto/mac_xcbc.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/ossl.h"

enum { BLOCK = 16, FILL = 0x80 };

struct xcbc {
	EVP_CIPHER_CTX *cbc;  /* under K1 */
	uint8_t whole[BLOCK]; /* K2 */
	uint8_t part[BLOCK];  /* K3 */
	uint8_t held[BLOCK];
	size_t held_len;
};

static enum err cbc_begin(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, const uint8_t *key)
{
	static const uint8_t zero[BLOCK];

	return ossl_ok(EVP_EncryptInit_ex2(ctx, cipher, key, zero, NULL)) &&
			       ossl_ok(EVP_CIPHER_CTX_set_padding(ctx, 0))
		       ? OK
		       : ossl_fail(ERR_CRYPTO);
}

static enum err cbc_block(EVP_CIPHER_CTX *ctx, const uint8_t *in, uint8_t *out)
{
	int len = 0;

	return ossl_ok(EVP_EncryptUpdate(ctx, out, &len, in, BLOCK)) && len == BLOCK
		       ? OK
		       : ossl_fail(ERR_CRYPTO);
}

/* Key number n is the block n n n ... enciphered under the key itself. One block with a zero IV is
 * the bare cipher. */
static enum err derive(struct xcbc *x, const EVP_CIPHER *cipher, const uint8_t *key, uint8_t n,
		       uint8_t *out)
{
	uint8_t block[BLOCK];
	enum err e = cbc_begin(x->cbc, cipher, key);

	memset(block, n, sizeof(block));
	return e == OK ? cbc_block(x->cbc, block, out) : e;
}

static enum err set_up(struct xcbc *x, const EVP_CIPHER *cipher, struct span key)
{
	uint8_t k1[BLOCK];
	enum err e = ERR_CRYPTO;

	if (EVP_CIPHER_get_key_length(cipher) == (int)key.len && key.len == BLOCK)
		e = derive(x, cipher, key.p, 1, k1);
	if (e == OK)
		e = derive(x, cipher, key.p, 2, x->whole);
	if (e == OK)
		e = derive(x, cipher, key.p, 3, x->part);
	if (e == OK)
		e = cbc_begin(x->cbc, cipher, k1);
	secret_wipe(k1, sizeof(k1));
	return e;
}

enum err xcbc_new(const char *cipher_name, struct span key, struct xcbc **out)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, cipher_name, NULL);
	struct xcbc *x = calloc(1, sizeof(*x));
	enum err e = ERR_NOMEM;

	*out = NULL;
	if (x)
		x->cbc = EVP_CIPHER_CTX_new();
	if (cipher && x && x->cbc)
		e = set_up(x, cipher, key);
	EVP_CIPHER_free(cipher);
	if (e != OK) {
		xcbc_free(x);
		return ossl_fail(e);
	}
	*out = x;
	return OK;
}

void xcbc_free(struct xcbc *x)
{
	if (!x)
		return;
	EVP_CIPHER_CTX_free(x->cbc);
	secret_free(x, sizeof(*x));
}

static enum err take(struct xcbc *x, struct span part, uint8_t *out)
{
	struct rd r = rd_from(part);

	while (rd_left(&r) > 0) {
		const size_t room = BLOCK - x->held_len;
		const size_t n = rd_left(&r) < room ? rd_left(&r) : room;

		if (room == 0) {
			if (cbc_block(x->cbc, x->held, out) != OK)
				return ERR_CRYPTO;
			x->held_len = 0;
			continue;
		}
		rd_copy(&r, x->held + x->held_len, n);
		x->held_len += n;
	}
	return OK;
}

static enum err finish(struct xcbc *x, uint8_t *out)
{
	const bool whole = x->held_len == BLOCK;
	struct wr w = wr_into(x->held, sizeof(x->held));

	(void)wr_take(&w, x->held_len);
	if (!whole)
		wr_u8(&w, FILL);
	wr_zero(&w, wr_left(&w));
	for (size_t i = 0; i < BLOCK; i++)
		x->held[i] ^= whole ? x->whole[i] : x->part[i];
	return cbc_block(x->cbc, x->held, out);
}

enum err xcbc_parts(struct xcbc *x, const struct span *parts, size_t n_parts, uint8_t *out)
{
	enum err e = cbc_begin(x->cbc, NULL, NULL);

	x->held_len = 0;
	for (size_t i = 0; e == OK && i < n_parts; i++)
		e = take(x, parts[i], out);
	return e == OK ? finish(x, out) : e;
}
