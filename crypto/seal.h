/* SPDX-License-Identifier: Apache-2.0 */
/* Protecting text: AEAD, or encryption then MAC, behind one interface, for IKE's SK payload (RFC
 * 7296 3.14, RFC 5282) and for ESP (RFC 4303). One direction of one SA.
 *
 * IVs: all take the IV from the caller (iv_len bytes, written on the wire by the caller). For AEAD
 * and CTR it must never repeat under one key: callers count. For CBC it must be unpredictable:
 * sealer_iv makes one from a counter by encrypting it under a key derived for that alone.
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include "base/err.h"
#include "base/secret.h"
#include "crypto/alg.h"

struct sealer; /* holds the prepared contexts of the library; not for two threads at once */

/* encr_key: key_len + salt_len bytes; integ and its key are NULL and empty with AEAD. */
MUST_USE enum err sealer_new(const struct encr *encr, const struct integ *integ,
			     struct span encr_key, struct span integ_key, struct sealer **out);
void sealer_free(struct sealer *s);

struct seal_text {
	struct span aad; /* AEAD: additional data. MAC: what stands before the IV and is covered */
	struct span suffix; /* MAC only: covered behind the ciphertext (high half of an ESN, RFC
			       4303 2.2.1) */
	const uint8_t *iv;  /* iv_len bytes; with MAC it is covered between aad and text */
	uint8_t *text;	    /* worked on in place */
	size_t text_len;    /* a multiple of block_len */
	uint8_t *icv;	    /* icv_len bytes: written by seal, read by open */
};

MUST_USE enum err seal(struct sealer *s, const struct seal_text *t);
/* ERR_ICV when the ICV does not fit; the text is then unusable (and not decrypted with MAC). */
MUST_USE enum err unseal(struct sealer *s, const struct seal_text *t);

/* Fills iv_len bytes from `counter`: AEAD and CTR the counter itself, big-endian; CBC:
 * unpredictable, from the counter under a key derived from encr_key for this alone. Unique per
 * counter either way. */
MUST_USE enum err sealer_iv(struct sealer *s, uint64_t counter, uint8_t *iv);

/* icv_len of encr (AEAD) or of integ. */
size_t seal_icv_len(const struct encr *encr, const struct integ *integ);

#endif
