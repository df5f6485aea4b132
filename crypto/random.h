/* SPDX-License-Identifier: Apache-2.0 */
/* Randomness is a callback, so that the simulator can replay a run from its seed. */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include "base/bytes.h"

struct random {
	/* Fills `len` bytes; false when there is no randomness: the caller then fails closed. */
	bool (*fill)(void *ctx, void *buf, size_t len);
	void *ctx;
};

MUST_USE bool random_fill(const struct random *r, void *buf, size_t len);
/* OpenSSL's generator, for the daemon. */
struct random random_system(void);

#endif
