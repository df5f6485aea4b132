/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's store: private keys and pre-shared keys, by connection name.
 * Lives in the signer process alone. */
#ifndef CERTS_KEYS_H
#define CERTS_KEYS_H

#include <openssl/evp.h>

#include "base/jobs.h"
#include "conf/model.h"

struct keys;

/* Takes keys (PEM, PKCS#8, encrypted with the passphrase) and
 * PSKs out of the configuration's files. A file that cannot be read as a key is
 * an error with words in `why`, naming the file and what it holds instead. */
MUST_USE enum err keys_new(const struct conf *c, struct keys **out, char why[static 256]);
/* A private key out of PEM text; `passphrase` may be empty. NULL: `why`. Also
 * for `postern check`. */
EVP_PKEY *key_from_pem(struct span pem, struct span passphrase, char why[static 256]);

void keys_free(struct keys *k); /* wipes; takes NULL */

/* JOB_SIGN or JOB_PSK_MAC (AUTH of RFC 7296 2.15: prf(prf(PSK, "Key Pad for
 * IKEv2"), octets)). The result's bytes are written into `buf` (SIG_MAX bytes
 * are always enough). */
void keys_do(struct keys *k, const struct job *j, uint8_t *buf, size_t size, struct job_result *r);

#endif
