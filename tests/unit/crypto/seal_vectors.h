/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CRYPTO_SEAL_VECTORS_H
#define TESTS_UNIT_CRYPTO_SEAL_VECTORS_H

/* The nonce of a vector is cut into salt (its first bytes, which stand behind the key) and IV. */
struct aead_vector {
	const char *keyword;
	const char *key; /* key | salt */
	const char *iv;
	const char *aad;
	const char *text;
	const char *sealed;
	const char *icv;
};

struct mac_vector {
	const char *encr;
	const char *integ;
	const char *key; /* key | salt */
	const char *iv;
	const char *aad;
	const char *suffix;
	const char *text;
	const char *sealed;
	const char *icv;
};

/* Of the latter those with CBC come first. */
enum { N_AEAD_VECTORS = 39, N_MAC_VECTORS = 20, N_CBC_VECTORS = 11 };
extern const struct aead_vector aead_vectors[N_AEAD_VECTORS];
extern const struct mac_vector mac_vectors[N_MAC_VECTORS];

#endif
