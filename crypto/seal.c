/* SPDX-License-Identifier: Apache-2.0 */
/* Sealers: what all ways to protect have in common.
 *
 * The packet path runs through here. Fetching an algorithm costs a lock and a look-up, setting a
 * key the key schedule: both are done once, and a packet only sets its IV. Most sealers work in one
 * direction of one SA, so the context of a direction is made when it is first wanted.
 */
#include "crypto/seal.h"

#include <limits.h>
#include <stdlib.h>

#include "crypto/mac.h"
#include "crypto/ossl.h"
#include "crypto/seal_ops.h"

static enum err sealer_set_up(struct sealer *s, struct span encr_key, struct span integ_key)
{
	const struct integ_impl *integ = integ_impl(s->integ);
	struct rd r = rd_from(encr_key);

	s->key.len = s->encr->row.key_len;
	rd_copy(&r, s->key.b, s->key.len);
	s->salt.len = s->encr->row.salt_len;
	rd_copy(&r, s->salt.b, s->salt.len);
	if (!rd_end(&r))
		return ERR_CRYPTO;
	s->cipher = EVP_CIPHER_fetch(NULL, s->encr->cipher, NULL);
	if (!s->cipher)
		return ossl_fail(ERR_CRYPTO);
	if (s->encr->row.aead)
		return s->integ || integ_key.len ? ERR_CRYPTO : OK;
	if (!integ || integ_key.len != integ->row.key_len)
		return ERR_CRYPTO;
	return mac_new(&integ->mac, integ_key, &s->mac);
}

enum err sealer_new(const struct encr *encr, const struct integ *integ, struct span encr_key,
		    struct span integ_key, struct sealer **out)
{
	const struct encr_impl *impl = encr_impl(encr);
	struct sealer *s;
	enum err e;

	*out = NULL;
	if (!impl)
		return ERR_UNSUPPORTED;
	s = calloc(1, sizeof(*s));
	if (!s)
		return ERR_NOMEM;
	s->encr = impl;
	s->integ = integ;
	e = sealer_set_up(s, encr_key, integ_key);
	if (e != OK) {
		sealer_free(s);
		return e;
	}
	*out = s;
	return OK;
}

void sealer_free(struct sealer *s)
{
	if (!s)
		return;
	mac_free(s->mac);
	EVP_CIPHER_CTX_free(s->iv);
	EVP_CIPHER_CTX_free(s->ctx[SEAL_OPEN]);
	EVP_CIPHER_CTX_free(s->ctx[SEAL_CLOSE]);
	EVP_CIPHER_free(s->cipher);
	secret_free(s, sizeof(*s));
}

/* Without padding: callers pad as their protocol says. */
static EVP_CIPHER_CTX *cipher_keyed(const EVP_CIPHER *cipher, const uint8_t *key, enum seal_dir dir,
				    const struct encr_impl *encr)
{
	const struct seal_ops *ops = encr ? encr->ops : NULL;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx && ossl_ok(EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, (int)dir, NULL)) &&
	    (!ops || !ops->prepare || ops->prepare(ctx, &encr->row)) &&
	    ossl_ok(EVP_CipherInit_ex2(ctx, NULL, key, NULL, (int)dir, NULL)) &&
	    ossl_ok(EVP_CIPHER_CTX_set_padding(ctx, 0)))
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

EVP_CIPHER_CTX *sealer_begin(struct sealer *s, enum seal_dir dir, const uint8_t *iv)
{
	if (!s->ctx[dir])
		s->ctx[dir] = cipher_keyed(s->cipher, s->key.b, dir, s->encr);
	if (s->ctx[dir] && ossl_ok(EVP_CipherInit_ex2(s->ctx[dir], NULL, NULL, iv, (int)dir, NULL)))
		return s->ctx[dir];
	return NULL;
}

static bool text_fits(const struct sealer *s, const struct seal_text *t)
{
	return t->text_len <= INT_MAX && t->aad.len <= INT_MAX &&
	       t->text_len % s->encr->row.block_len == 0;
}

enum err seal(struct sealer *s, const struct seal_text *t)
{
	enum err e;

	if (!text_fits(s, t))
		return ERR_CRYPTO;
	e = s->encr->ops->seal(s, t);
	return e == OK ? OK : ossl_fail(e);
}

/* A text of odd length was not sealed by anybody with the key, so it is called what it is: not
 * authentic. Any other word might be answered. */
enum err unseal(struct sealer *s, const struct seal_text *t)
{
	enum err e;

	if (!text_fits(s, t))
		return ERR_ICV;
	e = s->encr->ops->unseal(s, t);
	return e == OK ? OK : ossl_fail(e);
}

/* The key that CBC's IVs are made with: from the encryption key, but of no use to find it. */
static enum err iv_key(const struct sealer *s, uint8_t key[static 32])
{
	const struct span label = span_str("postern CBC IV");
	struct mac *mac;
	enum err e = mac_new(&hmac_sha256, key_span(&s->key), &mac);

	if (e == OK)
		e = mac_parts(mac, &label, 1, key);
	mac_free(mac);
	return e;
}

static enum err iv_begin(struct sealer *s)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, s->encr->iv_cipher, NULL);
	uint8_t key[32];
	enum err e = iv_key(s, key);

	if (e == OK && cipher)
		s->iv = cipher_keyed(cipher, key, SEAL_CLOSE, NULL);
	EVP_CIPHER_free(cipher);
	secret_wipe(key, sizeof(key));
	return s->iv ? OK : ossl_fail(ERR_CRYPTO);
}

/* CBC needs an IV that nobody can tell before the packet is made, or a stranger who chooses
 * plaintexts can test guesses of earlier ones. SP 800-38A, appendix C, first method: a nonce (here
 * the counter, in one block) enciphered under a key. Our key is another than the text's, so that no
 * text of CBC's own meets these blocks; a cipher is a permutation, so that different counters never
 * give one IV. */
static enum err iv_unpredictable(struct sealer *s, uint64_t counter, uint8_t *iv)
{
	uint8_t block[16];
	struct wr w = wr_into(block, sizeof(block));
	int len = 0;

	if (!s->iv && iv_begin(s) != OK)
		return ERR_CRYPTO;
	wr_zero(&w, 8);
	wr_u64(&w, counter);
	if (!ossl_ok(EVP_EncryptUpdate(s->iv, iv, &len, block, sizeof(block))) ||
	    len != sizeof(block))
		return ossl_fail(ERR_CRYPTO);
	return OK;
}

enum err sealer_iv(struct sealer *s, uint64_t counter, uint8_t *iv)
{
	struct wr w = wr_into(iv, s->encr->row.iv_len);

	if (s->encr->iv_cipher)
		return iv_unpredictable(s, counter, iv);
	wr_u64(&w, counter);
	return wr_ok(&w) ? OK : ERR_CRYPTO;
}

size_t seal_icv_len(const struct encr *encr, const struct integ *integ)
{
	if (encr->aead)
		return encr->icv_len;
	return integ ? integ->icv_len : 0;
}
