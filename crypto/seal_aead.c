/* SPDX-License-Identifier: Apache-2.0 */
/* AEAD: AES-GCM (RFC 4106, RFC 5282) and ChaCha20-Poly1305 (RFC 7634). */
#include "crypto/ossl.h"
#include "crypto/seal_ops.h"

static bool aead_run(EVP_CIPHER_CTX *ctx, const struct seal_text *t)
{
	uint8_t none[16];
	int len = 0;

	if (t->aad.len && !ossl_ok(EVP_CipherUpdate(ctx, NULL, &len, t->aad.p, (int)t->aad.len)))
		return false;
	if (t->text_len &&
	    !ossl_ok(EVP_CipherUpdate(ctx, t->text, &len, t->text, (int)t->text_len)))
		return false;
	/* Writes nothing behind the text, as a stream has no last block; judges the ICV when
	 * opening. */
	return ossl_ok(EVP_CipherFinal_ex(ctx, none, &len)) && len == 0;
}

static enum err aead_seal(struct sealer *s, const struct seal_text *t)
{
	EVP_CIPHER_CTX *ctx = sealer_begin_aead(s, SEAL_CLOSE, t);
	const int icv_len = s->encr->row.icv_len;

	if (!ctx || !aead_run(ctx, t) ||
	    !ossl_ok(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, icv_len, t->icv)))
		return ERR_CRYPTO;
	return OK;
}

static enum err aead_unseal(struct sealer *s, const struct seal_text *t)
{
	EVP_CIPHER_CTX *ctx = sealer_begin_aead(s, SEAL_OPEN, t);
	const int icv_len = s->encr->row.icv_len;

	if (!ctx || !ossl_ok(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, icv_len, t->icv)))
		return ERR_CRYPTO;
	if (aead_run(ctx, t))
		return OK;
	secret_wipe(t->text, t->text_len); /* deciphered, but nobody's word: never to be read */
	return ERR_ICV;
}

const struct seal_ops seal_aead_ops = { .seal = aead_seal, .unseal = aead_unseal };
