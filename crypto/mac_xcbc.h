/* SPDX-License-Identifier: Apache-2.0 */
/* AES-XCBC-MAC (RFC 3566), for mac.c. Some peers have no other integrity beside AES. */
#ifndef CRYPTO_MAC_XCBC_H
#define CRYPTO_MAC_XCBC_H

#include "base/bytes.h"
#include "base/err.h"

struct xcbc;

/* `cipher` is the library's name of a CBC mode of 16-byte blocks; ERR_CRYPTO when the key is not of
 * its length. */
MUST_USE enum err xcbc_new(const char *cipher, struct span key, struct xcbc **out);
void xcbc_free(struct xcbc *x);
/* `out` receives 16 bytes. */
MUST_USE enum err xcbc_parts(struct xcbc *x, const struct span *parts, size_t n_parts,
			     uint8_t *out);

#endif
