/* SPDX-License-Identifier: Apache-2.0 */
/* Is this chain good, and may its first certificate sign for IKE? Each function says no in words
 * that a person can act on, and gives nothing else of an untrusted certificate away. */
#ifndef CERTS_CHAIN_H
#define CERTS_CHAIN_H

#include <openssl/x509_vfy.h>
#include <time.h>

#include "base/bytes.h"
#include "base/err.h"

enum { CHAIN_TEXT_MAX = 256 };

/* Does the first of `chain`, by way of any of the others in any order, lead to a certificate of
 * `store` at wall-clock time `at` (RFC 5280 6.1)? ERR_CERT_*, and the text, when not. *good_s: how
 * many seconds are left until the first one of them ends, at least 1; 0 when it is no. */
MUST_USE enum err chain_judge(X509_STORE *store, STACK_OF(X509) * chain, time_t at,
			      uint64_t *good_s, char text[static CHAIN_TEXT_MAX]);

/* Do keyUsage and extendedKeyUsage, where they are present, allow signatures for IKE (RFC
 * 4945 5.1.3.2, 5.1.3.12)? ERR_CERT_INVALID, and the text, when not. */
MUST_USE enum err leaf_judge(X509 *leaf, char text[static CHAIN_TEXT_MAX]);

/* Is it signed with a hash, or does it hold a key, that we would refuse in a peer's chain? */
bool x509_is_weak(X509 *x);

#endif
