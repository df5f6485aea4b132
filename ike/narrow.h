/* SPDX-License-Identifier: Apache-2.0 */
/* Traffic selector payloads (RFC 7296 3.13) and narrowing (2.9). */
#ifndef IKE_NARROW_H
#define IKE_NARROW_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/ts.h"

/* TSi and TSr of one message. Both lists are owned: ts_pair_free. */
struct ts_pair {
	struct ts_list i; /* the initiator's side */
	struct ts_list r; /* the responder's side */
};

/* Selector types other than IPv4 and IPv6 ranges are passed over (labels, Fibre Channel), so a
 * list may come out empty; it can never be agreed on. ERR_SYNTAX: no selector at all, a count or
 * length that is wrong, an address range or port range that runs backwards (but for OPAQUE).
 * ERR_NOMEM. *l is owned by the caller. */
MUST_USE enum err ts_payload_decode(struct span body, struct ts_list *l);
void ts_payload_encode(struct wr *w, const struct ts_list *l);

/* As responder: what of the peer's offer lies in `ours` (r: our local selectors, i: our remote
 * ones). Both sides keep the order of the offer, so the specific selector of the packet that
 * started it stays first; what another selector of the result covers is left out, and so is what
 * exceeds 255, or takes more work than honest lists do. ERR_TS when a side comes out empty, or no
 * packet could have both sides (families, protocols, ICMP types). *out is owned by the caller. */
MUST_USE enum err narrow_respond(const struct ts_pair *offer, const struct ts_pair *ours,
				 struct ts_pair *out);
/* Does `ours`, and so what is made of both, hold the very first selector of each side of the offer,
 * whole? Tells a better child from a worse one when several of a connection could answer. */
bool narrow_keeps_first(const struct ts_pair *offer, const struct ts_pair *ours);
/* As initiator: every selector of the answer lies in one of our offer, on both sides; else
 * ERR_TS. */
MUST_USE enum err narrow_verify(const struct ts_pair *offer, const struct ts_pair *answer);

void ts_pair_free(struct ts_pair *p);

#endif
