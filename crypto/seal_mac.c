/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypt, then MAC: AES-CBC (RFC 3602) under HMAC (RFC 4868), for SK (RFC 7296 3.14) and ESP (RFC
 * 4303 3.3.2). The MAC covers what stands before, the IV, the ciphertext, and what the packet does
 * not carry (ESN's upper half).
 */
#include "crypto/hmac.h"
#include "crypto/ossl.h"
#include "crypto/seal_ops.h"

static enum err mac_text(struct sealer *s, const struct seal_text *t, uint8_t mac[static KEY_MAX])
{
	const struct span parts[] = {
		t->aad,
		span_of(t->iv, s->encr->row.iv_len),
		span_of(t->text, t->text_len),
		t->suffix,
	};

	return hmac_parts(s->mac, parts, sizeof(parts) / sizeof(parts[0]), mac, s->integ->key_len);
}

static enum err mac_cipher(struct sealer *s, enum seal_dir dir, const struct seal_text *t)
{
	EVP_CIPHER_CTX *ctx = sealer_begin(s, dir, t->iv);
	int len = 0;

	if (!ctx || !ossl_ok(EVP_CipherUpdate(ctx, t->text, &len, t->text, (int)t->text_len)) ||
	    (size_t)len != t->text_len)
		return ERR_CRYPTO;
	return OK;
}

enum err mac_seal(struct sealer *s, const struct seal_text *t)
{
	uint8_t mac[KEY_MAX];
	struct wr icv = wr_into(t->icv, s->integ->icv_len);
	enum err e = mac_cipher(s, SEAL_CLOSE, t);

	if (e == OK)
		e = mac_text(s, t, mac);
	if (e == OK)
		wr_span(&icv, span_of(mac, s->integ->icv_len));
	secret_wipe(mac, sizeof(mac));
	return e;
}

/* The MAC is judged first, so that a stranger's text is never deciphered and padding tells nothing.
 */
enum err mac_unseal(struct sealer *s, const struct seal_text *t)
{
	const size_t icv_len = s->integ->icv_len;
	uint8_t mac[KEY_MAX];
	enum err e = mac_text(s, t, mac);

	if (e == OK && !secret_eq(span_of(mac, icv_len), span_of(t->icv, icv_len)))
		e = ERR_ICV;
	secret_wipe(mac, sizeof(mac));
	return e == OK ? mac_cipher(s, SEAL_OPEN, t) : e;
}
