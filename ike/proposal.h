/* SPDX-License-Identifier: Apache-2.0 */
/* Negotiating a suite (RFC 7296 2.7, 3.3): making our SA payload, choosing from the peer's by
 * our order, checking that an answer lies in our offer, and saying in words why nothing fits.
 *
 * Our offer: one proposal of the AEAD ciphers without integrity, then one of the others with
 * integrity, each only when the policy has such ciphers. What is not in the policy is below the
 * floor and never chosen.
 */
#ifndef IKE_PROPOSAL_H
#define IKE_PROPOSAL_H

#include "crypto/suite.h"
#include "ike/offer.h"

/* What we are ready to agree on. */
struct proposal_want {
	const struct suite_policy *policy;
	uint8_t protocol; /* PROTO_IKE or PROTO_ESP */
	/* IKE: of an existing IKE SA, so that SPIs of 8 bytes stand in the proposals */
	bool rekey;
	bool with_ke; /* ESP: with a KE payload (CREATE_CHILD_SA); IKE always has one */
	/* ESP with one: NONE stands behind the groups (RFC 7296 3.3.6), so a peer without forward
	 * secrecy of its own is agreed with, too */
	bool ke_optional;
	/* ESP: extended sequence numbers first, plain ones too; false: plain ones alone */
	bool esn;
	/* As initiator the first transform of each type is all that is offered (`propose = one`):
	 * with `esn` no plain numbers, with `with_ke` no NONE. Who answers judges by the whole. */
	bool one;
};

/* What was agreed on. */
struct proposal_chosen {
	struct suite suite;
	uint64_t spi;	 /* the peer's: ESP 32 bits, IKE rekey 64 bits, else 0 */
	uint8_t number;	 /* of the peer's (responder) or our (initiator) proposal */
	bool integ_none; /* the proposal names NONE for integrity: repeat it in the answer */
	bool ke_none;
};

/* What of it is offered: all, or with `one` that, by a policy of one suite in *room. */
struct proposal_want proposal_offered(const struct proposal_want *want, struct suite_policy *room);
/* Body of an SA payload with our offer. `spi`: ours; ignored for an initial IKE SA. */
void proposal_offer(struct wr *w, const struct proposal_want *want, uint64_t spi);

/* As responder. Among all of the peer's proposals the suite that our policy likes best
 * (encryption before integrity before PRF before group before ESN). ERR_SYNTAX: malformed;
 * ERR_NO_PROPOSAL: nothing fits. A proposal with a transform type that is unknown or foreign to
 * the protocol, without a mandatory one, or with a wrong SPI is passed over (RFC 7296 3.3.6). */
MUST_USE enum err proposal_choose(struct span sa_body, const struct proposal_want *want,
				  struct proposal_chosen *c);
/* Body of the answer: the one proposal, with our SPI. */
void proposal_answer(struct wr *w, const struct proposal_want *want,
		     const struct proposal_chosen *c, uint64_t spi);

/* As initiator. The answer must be exactly one proposal, numbered as one of ours, with exactly
 * one transform of each type, all of them in that proposal; else ERR_NO_PROPOSAL (or
 * ERR_SYNTAX). */
MUST_USE enum err proposal_verify(struct span sa_body, const struct proposal_want *want,
				  struct proposal_chosen *c);

/* The peer's KE payload must be of the chosen group; else ERR_KE_GROUP, and suite.ke->id is what
 * INVALID_KE_PAYLOAD asks for. */
MUST_USE enum err proposal_ke_check(const struct proposal_chosen *c, uint16_t group);
/* The group that an INVALID_KE_PAYLOAD (data: two bytes) asks us for, when it is one of our
 * offer and not `tried`; else NULL: not to be followed. */
const struct ke_group *proposal_ke_asked(const struct proposal_want *want, struct span notify_data,
					 uint16_t tried);

/* Texts for struct ike_note, each cut at 255 bytes. */
enum { PROPOSAL_TEXT_MAX = 256 };
struct proposal_texts {
	/* what the payload holds: "aes256 sha1 prfsha1 modp1024" */
	char offered[PROPOSAL_TEXT_MAX];
	/* what we would take: "aes256gcm16 aes128gcm16 ..." */
	char wanted[PROPOSAL_TEXT_MAX];
	/* "all but the group fits: peer offers MODP-1024, wanted x25519 ecp384" */
	char differs[PROPOSAL_TEXT_MAX];
};
void proposal_explain(struct span sa_body, const struct proposal_want *want,
		      struct proposal_texts *t);
/* Only what we want, when there is no payload of the peer (NO_PROPOSAL_CHOSEN came). */
void proposal_wanted_text(const struct proposal_want *want, char *buf, size_t size);

#endif
