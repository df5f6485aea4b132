/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz_certs.c reads and certs_seeds.c writes: method (1 byte), which identity is wanted (1),
 * type of the claimed one (1), its length (2) and bytes, length of AUTH (2) and bytes, and the
 * chain. The CA is always the same: its key is here, and Ed25519 signs without chance.
 */
#ifndef TESTS_FUZZ_CERTS_INPUT_H
#define TESTS_FUZZ_CERTS_INPUT_H

#include "tests/unit/certs/ask.h"

enum certs_wanted { WANTED_ANY, WANTED_CLAIMED, WANTED_GATEWAY, N_WANTED };

#define CERTS_GATEWAY "gw.example.org"

/* The caller frees it. */
static inline EVP_PKEY *certs_key(void)
{
	static const uint8_t secret[32] = "everybody knows this private one";
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);

	PKI_MUST(key != NULL);
	return key;
}

static inline const struct cert *certs_root(struct pki *p, EVP_PKEY *key)
{
	return pki_cert(p, &(struct cert_spec){ .subject = "O=Example,CN=Fuzz Root",
						.basic = "critical,CA:TRUE",
						.usage = "critical,keyCertSign",
						.serial = 1,
						.key = key });
}

#endif
