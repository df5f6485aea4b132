/* SPDX-License-Identifier: Apache-2.0 */
/* Our own certificates: what goes into CERT and CERTREQ payloads, and what
 * `postern check` can say of them before a start.
 */
#ifndef CERTS_CERT_H
#define CERTS_CERT_H

#include <time.h>

#include "base/identity.h"
#include "conf/load.h"

/* PEM (leaf first) to the chain form of job_verify.chain; malloc'd into *chain (caller frees).
 * ERR_CONFIG: no certificate, a damaged one, or more than ten; ERR_SPACE: over CERT_CHAIN_MAX;
 * `why` has words for every failure. */
MUST_USE enum err cert_chain_from_pem(struct span pem, struct span *chain, char why[static 256]);
/* CERTREQ data: SHA-1 of each CA's SubjectPublicKeyInfo, 20 bytes each (RFC 7296 3.7), in the order
 * of the file; malloc'd (caller frees). Fails as the one above. */
MUST_USE enum err cert_authorities_from_pem(struct span pem, struct span *hashes,
					    char why[static 256]);

/* Does a certificate prove this identity, by subject or subjectAltName? DER of
 * one certificate. */
bool cert_proves(struct span der, const struct identity *id);

/* Judges certificates and keys of a loaded configuration at wall-clock time `at`: does each
 * certificate parse, prove the identities that we use, fit its key, lie in its time, allow
 * signatures, stand in order with its chain, keep clear of weak algorithms; is the trust file made
 * of CAs; is the key file readable with its passphrase, and a key that we can use. Files without
 * bytes are passed over. Adds to `problems`. */
void cert_check(const struct conf *c, time_t at, struct conf_problems *problems);

#endif
