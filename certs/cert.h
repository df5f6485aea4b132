/* SPDX-License-Identifier: Apache-2.0 */
/* Our own certificates: what goes into CERT and CERTREQ payloads, and what
 * `postern check` can say of them before a start.
 */
#ifndef CERTS_CERT_H
#define CERTS_CERT_H

#include <time.h>

#include "base/identity.h"
#include "conf/load.h"

/* PEM (leaf first) to the chain form of job_verify.chain; malloc'd into *chain
 * (caller frees). */
MUST_USE enum err cert_chain_from_pem(struct span pem, struct span *chain, char why[static 256]);
/* CERTREQ data: SHA-1 of each CA's SubjectPublicKeyInfo, 20 bytes each (RFC
 * 7296 3.7); malloc'd. */
MUST_USE enum err cert_authorities_from_pem(struct span pem, struct span *hashes,
					    char why[static 256]);

/* Does a certificate prove this identity, by subject or subjectAltName? DER of
 * one certificate. */
bool cert_proves(struct span der, const struct identity *id);

/* Judges certificates and keys of a loaded configuration: does each certificate
 * parse, prove me's identity, fit its key, lie in its time, lead to a CA, is
 * the trust file made of CAs; is the key file readable with its passphrase.
 * Adds to `problems`. */
void cert_check(const struct conf *c, time_t at, struct conf_problems *problems);

#endif
