/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: wiped when done, compared in constant time, never printed. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/bytes.h"

/* The longest key or PRF output that we handle: HMAC-SHA2-512 (64) beside AES-256 + salt. */
#define KEY_MAX 64

/* A key by value. Whoever holds one wipes it. */
struct key {
	uint8_t len;
	uint8_t b[KEY_MAX];
};

void secret_wipe(void *p, size_t len);
/* True when equal; the time depends on the lengths alone. */
bool secret_eq(struct span a, struct span b);
/* free() after a wipe; takes NULL. */
void secret_free(void *p, size_t len);

/* Takes at most KEY_MAX bytes; a longer span gives an empty key (and false). */
bool key_set(struct key *k, struct span s);
struct span key_span(const struct key *k);
void key_wipe(struct key *k);

#endif
