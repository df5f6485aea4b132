/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypt, then MAC: AES-CBC (RFC 3602) or AES-CTR (RFC 3686, RFC 5930), under HMAC, CMAC or XCBC,
 * for SK (RFC 7296 3.14) and ESP (RFC 4303 3.3.2). The MAC covers what stands before, the IV, the
 * ciphertext, and what the packet does not carry (ESN's upper half).
 */
#include "crypto/mac.h"
#include "crypto/ossl.h"
#include "crypto/seal_ops.h"

enum { IV_LEN = 16 };

static enum err mac_text(struct sealer *s, const struct seal_text *t, uint8_t mac[static KEY_MAX])
{
	const struct span parts[] = {
		t->aad,
		span_of(t->iv, s->encr->row.iv_len),
		span_of(t->text, t->text_len),
		t->suffix,
	};

	return mac_parts(s->mac, parts, sizeof(parts) / sizeof(parts[0]), mac);
}

/* CBC has an IV of a block; CTR a block of nonce, IV and the number of the block, from 1 on (RFC
 * 3686 4). */
static EVP_CIPHER_CTX *mac_begin(struct sealer *s, enum seal_dir dir, const struct seal_text *t)
{
	uint8_t first[IV_LEN];
	struct wr w = wr_into(first, sizeof(first));

	wr_span(&w, key_span(&s->salt));
	wr_span(&w, span_of(t->iv, s->encr->row.iv_len));
	if (wr_left(&w) > 0)
		wr_u32(&w, 1);
	return wr_ok(&w) && wr_left(&w) == 0 ? sealer_begin(s, dir, first) : NULL;
}

static enum err mac_cipher(struct sealer *s, enum seal_dir dir, const struct seal_text *t)
{
	EVP_CIPHER_CTX *ctx = mac_begin(s, dir, t);
	int len = 0;

	if (!ctx || !ossl_ok(EVP_CipherUpdate(ctx, t->text, &len, t->text, (int)t->text_len)) ||
	    (size_t)len != t->text_len)
		return ERR_CRYPTO;
	return OK;
}

static enum err mac_seal(struct sealer *s, const struct seal_text *t)
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
static enum err mac_unseal(struct sealer *s, const struct seal_text *t)
{
	const size_t icv_len = s->integ->icv_len;
	uint8_t mac[KEY_MAX];
	enum err e = mac_text(s, t, mac);

	if (e == OK && !secret_eq(span_of(mac, icv_len), span_of(t->icv, icv_len)))
		e = ERR_ICV;
	secret_wipe(mac, sizeof(mac));
	return e == OK ? mac_cipher(s, SEAL_OPEN, t) : e;
}

const struct seal_ops seal_mac_ops = { .seal = mac_seal, .unseal = mac_unseal };
