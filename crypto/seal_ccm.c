/* SPDX-License-Identifier: Apache-2.0 */
/* AES-CCM (RFC 4309, RFC 5282). Its first block names the lengths of text and ICV, so that the
 * library wants to know both before anything else, takes the text in one call, and judges the ICV
 * in that call already.
 */
#include "crypto/ossl.h"
#include "crypto/seal_ops.h"

static bool ccm_prepare(EVP_CIPHER_CTX *ctx, const struct encr *encr)
{
	const int nonce_len = encr->salt_len + encr->iv_len;

	return ossl_ok(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, nonce_len, NULL)) &&
	       ossl_ok(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, encr->icv_len, NULL));
}

static bool ccm_run(EVP_CIPHER_CTX *ctx, const struct seal_text *t)
{
	uint8_t none[1] = { 0 }; /* a text without bytes is still one: NULL would mean none */
	uint8_t *text = t->text_len ? t->text : none;
	int len = 0;

	if (!ossl_ok(EVP_CipherUpdate(ctx, NULL, &len, NULL, (int)t->text_len)))
		return false;
	if (t->aad.len && !ossl_ok(EVP_CipherUpdate(ctx, NULL, &len, t->aad.p, (int)t->aad.len)))
		return false;
	return ossl_ok(EVP_CipherUpdate(ctx, text, &len, text, (int)t->text_len)) &&
	       (size_t)len == t->text_len;
}

const struct seal_ops seal_ccm_ops = {
	.prepare = ccm_prepare,
	.run = ccm_run,
	.seal = aead_seal,
	.unseal = aead_unseal,
};
