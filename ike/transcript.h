/* SPDX-License-Identifier: Apache-2.0 */
/* The octets that AUTH signs (RFC 7296 2.15), in two forms: the classic one, where each side
 * signs its own IKE_SA_INIT message, and the full transcript (notify 16447), where each signs
 * both: eight zero bytes, the message that it received, the message that it sent. No classic
 * string begins with zeros, since SPIi is not zero. The full form is used only when both sides
 * sent the notify; then nothing of IKE_SA_INIT can be changed by somebody in the middle,
 * whichever side's offer it touches.
 */
#ifndef IKE_TRANSCRIPT_H
#define IKE_TRANSCRIPT_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"
#include "crypto/alg.h"

struct transcript {
	const struct prf *prf;
	/* the last IKE_SA_INIT request (with its COOKIE), from the first byte of the header, no
	 * marker */

	struct span request;
	struct span response; /* the IKE_SA_INIT response that was accepted */
	struct span ni, nr;   /* nonces, without their headers */
	bool full;	      /* both sent IKE_SA_INIT_FULL_TRANSCRIPT_AUTH */
};

/* Appends the octets. `id_body` is the body of the signer's ID payload as it was on the wire,
 * `sk_p` is SK_pi for the initiator's and SK_pr for the responder's. ERR_SPACE, ERR_CRYPTO.
 * transcript_len is enough room for either. */
MUST_USE enum err transcript_initiator(const struct transcript *t, const struct key *sk_pi,
				       struct span id_body, struct wr *w);
MUST_USE enum err transcript_responder(const struct transcript *t, const struct key *sk_pr,
				       struct span id_body, struct wr *w);
size_t transcript_len(const struct transcript *t);

#endif
