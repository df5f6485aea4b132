/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CRYPTO_SIG_VECTORS_H
#define TESTS_UNIT_CRYPTO_SIG_VECTORS_H

#include "base/err.h"
#include "tests/unit/crypto/keys.h"

#define SIG_VECTOR_OCTETS "the octets that were signed"

struct sig_vector {
	const char *name;
	enum test_key key;
	enum err want;
	const char *algid;
	const char *sig;
};

enum { N_SIG_VECTORS = 91, N_SIG_VECTORS_GOOD = 18 }; /* the good ones come first */
extern const struct sig_vector sig_vectors[N_SIG_VECTORS];

#endif
