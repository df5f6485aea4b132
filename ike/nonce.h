/* SPDX-License-Identifier: Apache-2.0 */
/* When both ends rekey the same SA at once, the exchange that has the lowest of the four nonces
 * made the SA that goes (RFC 7296 2.8.1, 2.8.2). */
#ifndef IKE_NONCE_H
#define IKE_NONCE_H

#include "base/bytes.h"

enum { OWN_NONCE_LEN = 32 };

/* The lower nonce of an exchange, as far as it goes: one of the two that are compared is ours, and
 * what lies behind the length of that tells no two apart. */
struct low_nonce {
	uint8_t b[OWN_NONCE_LEN];
	uint8_t len;
};

/* Our own, of an exchange that shall lose: one peer of 65536 has a lower one. What else is in it is
 * far more than 128 bits at random (2.10). */
void nonce_lose(uint8_t own[OWN_NONCE_LEN]);
struct low_nonce nonce_lower(struct span a, struct span b);
/* Octet by octet; the one that ends is the lower one. Below, equal to or above zero. */
int nonce_order(const struct low_nonce *a, const struct low_nonce *b);

#endif
