/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CRYPTO_KE_VECTORS_H
#define TESTS_UNIT_CRYPTO_KE_VECTORS_H

struct ke_vector {
	const char *keyword;
	const char *i; /* the initiator's private value */
	const char *gi;
	const char *r;
	const char *gr;
	const char *gir;
};

enum { N_KE_VECTORS = 13 };
extern const struct ke_vector ke_vectors[N_KE_VECTORS];

#endif
