/* SPDX-License-Identifier: Apache-2.0 */
/* AEAD: AES-GCM (RFC 4106, RFC 5282) and ChaCha20-Poly1305 (RFC 7634); and what CCM (seal_ccm.c)
 * has in common with them. The nonce is salt | IV. */
#include "crypto/ossl.h"
#include "crypto/seal_ops.h"

/* As long as the rows say; GCM and ChaCha20 have all of it, CCM 11 bytes. */
enum { NONCE_MAX = 12 };

static EVP_CIPHER_CTX *aead_begin(struct sealer *s, enum seal_dir dir, const struct seal_text *t)
{
	uint8_t nonce[NONCE_MAX];
	struct wr w = wr_into(nonce, sizeof(nonce));

	wr_span(&w, key_span(&s->salt));
	wr_span(&w, span_of(t->iv, s->encr->row.iv_len));
	return wr_ok(&w) ? sealer_begin(s, dir, nonce) : NULL;
}

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

enum err aead_seal(struct sealer *s, const struct seal_text *t)
{
	EVP_CIPHER_CTX *ctx = aead_begin(s, SEAL_CLOSE, t);
	const int icv_len = s->encr->row.icv_len;

	if (!ctx || !s->encr->ops->run(ctx, t) ||
	    !ossl_ok(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, icv_len, t->icv)))
		return ERR_CRYPTO;
	return OK;
}

enum err aead_unseal(struct sealer *s, const struct seal_text *t)
{
	EVP_CIPHER_CTX *ctx = aead_begin(s, SEAL_OPEN, t);
	const int icv_len = s->encr->row.icv_len;

	if (!ctx || !ossl_ok(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, icv_len, t->icv)))
		return ERR_CRYPTO;
	if (s->encr->ops->run(ctx, t))
		return OK;
	secret_wipe(t->text, t->text_len); /* deciphered, but nobody's word: never to be read */
	return ERR_ICV;
}

const struct seal_ops seal_aead_ops = {
	.run = aead_run,
	.seal = aead_seal,
	.unseal = aead_unseal,
};
