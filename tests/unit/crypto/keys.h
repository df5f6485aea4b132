/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of every kind, good and bad, fixed in the tree. */
#ifndef TESTS_UNIT_CRYPTO_KEYS_H
#define TESTS_UNIT_CRYPTO_KEYS_H

#include <openssl/evp.h>

enum test_key {
	KEY_RSA_2048,
	KEY_RSA_2048_OTHER,
	KEY_RSA_1024,
	KEY_RSA_PSS_2048,
	KEY_ECDSA_256,
	KEY_ECDSA_384,
	KEY_ECDSA_521,
	KEY_ECDSA_SECP256K1,
	KEY_ED25519,
	KEY_ED448,
	KEY_X25519_ONLY,
	FIRST_PUBLIC_KEY,
	KEY_RSA_E_1 = FIRST_PUBLIC_KEY,
	KEY_RSA_E_0,
	KEY_RSA_E_EVEN,
	KEY_RSA_N_EVEN,
	KEY_RSA_2047,
	KEY_RSA_E_ABOVE_N,
	KEY_RSA_E_3,
	N_TEST_KEYS,
};

/* The caller frees it. */
EVP_PKEY *test_key(enum test_key k);

#endif
