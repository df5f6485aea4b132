/* SPDX-License-Identifier: Apache-2.0 */
/* One question to a verifier that trusts what it is told to: the peer is simulated whole, with its
 * chain and its signature. */
#ifndef TESTS_UNIT_CERTS_ASK_H
#define TESTS_UNIT_CERTS_ASK_H

#include "certs/verify.h"
#include "tests/unit/certs/pki.h"

struct ask {
	const struct cert *const *trust;
	const struct cert *const *chain; /* its first one signs */
	struct span raw_chain;		 /* instead of what `chain` would be */
	struct identity claimed;
	struct identity wanted;
	uint8_t method;		    /* 0: RFC 7427 */
	time_t at;		    /* 0: PKI_NOW */
	const struct cert *signer;  /* NULL: the first of the chain */
	struct span auth;	    /* instead of a signature */
	const char *signed_octets;  /* NULL: what is verified */
	const char *connection;	    /* NULL: the one that there is, "office" */
	const struct identity *own; /* as the certificate spells `claimed`; NULL: the same */
};

#define ASK_OCTETS "the signed octets"

struct job_result ask(struct pki *p, const struct ask *a);
/* The AUTH payload's body that this certificate's key makes. */
struct span ask_sign(struct pki *p, const struct cert *c, uint8_t method, const char *octets);
/* Configuration with one connection, "office", whose `me` trusts these. */
struct verifier *ask_verifier(struct pki *p, const struct cert *const *trust);

/* Passes and shows `own`. */
void ask_passes(struct pki *p, const struct ask *a);
/* Is refused with exactly this text (NULL: any), and nothing of the certificate is in the result:
 * no identity, no scheme. */
void ask_refused(struct pki *p, const struct ask *a, enum err err, const char *text);

#endif
