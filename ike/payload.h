/* SPDX-License-Identifier: Apache-2.0 */
/* Payload bodies (RFC 7296 3.4 to 3.12), without their generic header: reader and writer side by
 * side.
 *
 * Readers fill structs of views into the caller's bytes, have no side effects and give
 * ERR_SYNTAX for what the format forbids. Writers append a body to a writer that builder_begin
 * gave (ike/message.h). The SA payload is walked by ike/offer.h, traffic selectors are read by
 * ike/narrow.h, SK and SKF by ike/protect.h.
 */
#ifndef IKE_PAYLOAD_H
#define IKE_PAYLOAD_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/identity.h"
#include "ike/wire.h"

/* 3.4. Whether the length fits the group is judged by crypto/ke. */
struct pl_ke {
	uint16_t group;
	struct span data; /* at least one byte */
};
MUST_USE enum err pl_ke_decode(struct span body, struct pl_ke *ke);
void pl_ke_encode(struct wr *w, const struct pl_ke *ke);

/* 3.5. `body` is what MACedID covers: type, RESERVED as received, data. */
struct pl_id {
	uint8_t type;	  /* enum id_type, or a stranger's */
	struct span data; /* at least one byte */
};
MUST_USE enum err pl_id_decode(struct span body, struct pl_id *id);
void pl_id_encode(struct wr *w, const struct identity *id);
/* Decodes and copies; also fails as identity_from_wire does. */
MUST_USE enum err pl_identity_decode(struct span body, struct identity *id);

/* 3.6, 3.7. Any encoding is read; the caller takes only CERT_X509_SIGNATURE. A CERTREQ may be
 * empty behind its encoding, a CERT not. */
struct pl_cert {
	uint8_t encoding;
	struct span data;
};
MUST_USE enum err pl_cert_decode(struct span body, struct pl_cert *c);
MUST_USE enum err pl_certreq_decode(struct span body, struct pl_cert *c);
void pl_cert_encode(struct wr *w, const struct pl_cert *c); /* both payloads */

/* 3.8 */
struct pl_auth {
	uint8_t method;	  /* enum auth_method, or a stranger's */
	struct span data; /* at least one byte */
};
MUST_USE enum err pl_auth_decode(struct span body, struct pl_auth *a);
void pl_auth_encode(struct wr *w, const struct pl_auth *a);

/* 3.9: 16 to 256 bytes. */
MUST_USE enum err pl_nonce_decode(struct span body, struct span *nonce);

/* 3.10 */
struct pl_notify {
	uint8_t protocol; /* PROTO_*, as on the wire */
	uint16_t type;
	struct span spi; /* empty when SPI Size is 0 */
	struct span data;
};
MUST_USE enum err pl_notify_decode(struct span body, struct pl_notify *n);
/* Breaks the writer when the SPI is longer than 255 bytes. */
void pl_notify_encode(struct wr *w, const struct pl_notify *n);

/* 3.11. For IKE: no SPI (SPI Size 0, Num of SPIs 0). For AH and ESP: SPI Size 4 and exactly n of
 * them. What else is malformed. */
struct pl_delete {
	uint8_t protocol;
	uint16_t n;
	struct span spis;
};
MUST_USE enum err pl_delete_decode(struct span body, struct pl_delete *d);
/* SPI number i < n of an AH or ESP delete; 0 behind the end. */
uint32_t pl_delete_spi(const struct pl_delete *d, uint16_t i);
/* n ESP SPIs; with PROTO_IKE none. */
void pl_delete_encode(struct wr *w, uint8_t protocol, const uint32_t *spis, uint16_t n);

/* Signature hash algorithms, data of notify 16431 (RFC 7427 4), as SIGHASH_* bits (base/jobs.h).
 * Numbers over 31 are left out. ERR_SYNTAX: empty, or an odd length. */
MUST_USE enum err sighash_decode(struct span notify_data, uint32_t *hashes);
void sighash_encode(struct wr *w, uint32_t hashes);

#endif
