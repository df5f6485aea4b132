/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's store: private keys and pre-shared keys, by connection name.
 * Lives in the signer process alone. */
#ifndef CERTS_KEYS_H
#define CERTS_KEYS_H

#include <openssl/evp.h>

#include "base/jobs.h"
#include "conf/model.h"

struct keys;

/* Takes keys and PSKs out of the configuration's files. A file that cannot be read as a key is
 * ERR_CONFIG with words in `why`, naming the file and what it holds instead. */
MUST_USE enum err keys_new(const struct conf *c, struct keys **out, char why[static 256]);
/* The first private key of a PEM text, PKCS #8 or traditional; `passphrase` may be empty. The
 * caller frees it. NULL, with words in `why`: none, damaged, not opened by the passphrase, or not
 * one that signs for IKE (crypto/signature.h). Also for `postern check`. */
EVP_PKEY *key_from_pem(struct span pem, struct span passphrase, char why[static 256]);

void keys_free(struct keys *k); /* wipes; takes NULL */

/* JOB_SIGN or JOB_PSK_MAC (AUTH of RFC 7296 2.15: prf(prf(PSK, "Key Pad for IKEv2"), octets)). The
 * result's bytes are in `buf` (SIG_MAX bytes are always enough; ERR_SPACE when not). A failure has
 * words in r->text and neither bytes, method nor scheme. ERR_NO_CREDENTIAL: no such connection, or
 * it has the other kind of credential; ERR_UNSUPPORTED: another kind of job, or an unknown PRF. */
void keys_do(struct keys *k, const struct job *j, uint8_t *buf, size_t size, struct job_result *r);

#endif
