/* SPDX-License-Identifier: Apache-2.0 */
/* The SK payload (RFC 7296 3.14; AEAD: RFC 5282) and its fragments, SKF (RFC 7383 2.5).
 *
 * Keys are plain bytes, so that an IKE SA stays plain data; the cipher's context is made for a
 * call and wiped at its end. Sealing appends whole datagrams to a writer. Opening never writes
 * to the datagram: it decrypts a copy in the caller's buffer, and only once the ICV has been
 * found good is anything said about what is inside.
 */
#ifndef IKE_PROTECT_H
#define IKE_PROTECT_H

#include <netinet/in.h>

#include "base/secret.h"
#include "crypto/alg.h"
#include "ike/message.h"

enum { FRAGMENTS_MAX = 64 };

/* One direction of an IKE SA. Plain data; whoever holds it wipes it. */
struct sk_keys {
	const struct encr *encr;
	const struct integ *integ; /* NULL with AEAD */
	struct key encr_key;	   /* with the salt behind it */
	struct key integ_key;
	/* sealing: counts up with every datagram, never the same twice */
	uint64_t next_iv;
};

/* Appends one datagram: header (next and length are filled in), SK payload, ICV. ERR_SPACE when
 * it does not fit into `w` or 65535 bytes, ERR_LIMIT when the IV counter is used up. */
MUST_USE enum err protect_seal(struct sk_keys *k, const struct ike_header *h,
			       const struct inner *in, struct wr *w);
/* As protect_seal when the datagram is no longer than `max` bytes (or max is 0); otherwise
 * appends SKF datagrams, none longer than `max`, one behind the other (header_split tells them
 * apart). ERR_LIMIT: more than 64 would be needed. */
MUST_USE enum err protect_seal_fragments(struct sk_keys *k, const struct ike_header *h,
					 const struct inner *in, size_t max, struct wr *w);
/* Length of the datagram that protect_seal makes from a chain of `chain_len` bytes. */
size_t protect_len(const struct sk_keys *k, size_t chain_len);
/* Room for an IKE message in an IP packet of `packet` bytes: without IP and UDP header and, with
 * `marker`, the four zero bytes of port 4500. 0 when there is none. */
size_t protect_room(size_t packet, sa_family_t family, bool marker);

/* Opens the SK payload of a decoded datagram: decrypts into `buf`, which in->chain then points
 * to (m->raw.len bytes are always enough). ERR_UNEXPECTED: there is none; ERR_ICV: forged,
 * damaged or too short: drop without an answer; ERR_SYNTAX: impossible padding behind a good
 * ICV; ERR_SPACE, ERR_CRYPTO, ERR_NOMEM. *buf is unchanged on failure. */
MUST_USE enum err protect_open(const struct sk_keys *k, const struct message *m, struct wr *buf,
			       struct inner *in);

/* The SKF payload's own fields, not yet authenticated. ERR_SYNTAX: no SKF payload, number 0,
 * number over total, or total 0; number 1 has the type of the first inner payload, the others
 * must have 0 (RFC 7383 2.5). */
struct pl_skf {
	uint16_t number;
	uint16_t total;
	uint8_t first;
};
MUST_USE enum err protect_fragment_peek(const struct message *m, struct pl_skf *f);
/* As protect_open for one fragment; the plain piece of the chain is in *piece. */
MUST_USE enum err protect_open_fragment(const struct sk_keys *k, const struct message *m,
					struct wr *buf, struct span *piece);

void sk_keys_wipe(struct sk_keys *k);

#endif
