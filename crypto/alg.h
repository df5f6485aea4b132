/* SPDX-License-Identifier: Apache-2.0 */
/* Every transform that we speak, as rows of const tables: the IANA number, the RFC's name, the
 * keyword of the configuration, the sizes. Proposals, parser, command and length checks follow from
 * the row.
 *
 * Rows are const and live for ever: hold pointers to them. What a row needs to work (OpenSSL names,
 * operations) stays inside the .c files.
 */
#ifndef CRYPTO_ALG_H
#define CRYPTO_ALG_H

#include "base/bytes.h"

/* IKEv2 transform types (RFC 7296 3.3.2). */
enum transform_type {
	T_ENCR = 1,
	T_PRF = 2,
	T_INTEG = 3,
	T_KE = 4,
	T_ESN = 5,
	N_TRANSFORM_TYPES = 6,
};

enum {
	ENCR_AES_CBC = 12,
	ENCR_AES_CTR = 13,
	ENCR_AES_CCM_8 = 14,
	ENCR_AES_CCM_12 = 15,
	ENCR_AES_CCM_16 = 16,
	ENCR_AES_GCM_8 = 18,
	ENCR_AES_GCM_12 = 19,
	ENCR_AES_GCM_16 = 20,
	ENCR_CHACHA20_POLY1305 = 28,

	PRF_HMAC_SHA1 = 2,
	PRF_HMAC_SHA2_256 = 5,
	PRF_HMAC_SHA2_384 = 6,
	PRF_HMAC_SHA2_512 = 7,
	PRF_AES128_CMAC = 8,

	INTEG_NONE = 0,
	INTEG_HMAC_SHA1_96 = 2,
	INTEG_AES_XCBC_96 = 5,
	INTEG_AES_CMAC_96 = 8,
	INTEG_HMAC_SHA2_256_128 = 12,
	INTEG_HMAC_SHA2_384_192 = 13,
	INTEG_HMAC_SHA2_512_256 = 14,

	KE_NONE = 0,
	KE_MODP_2048 = 14,
	KE_MODP_3072 = 15,
	KE_MODP_4096 = 16,
	KE_MODP_6144 = 17,
	KE_MODP_8192 = 18,
	KE_ECP_256 = 19,
	KE_ECP_384 = 20,
	KE_ECP_521 = 21,
	KE_BRAINPOOL_256 = 28,
	KE_BRAINPOOL_384 = 29,
	KE_BRAINPOOL_512 = 30,
	KE_CURVE25519 = 31,
	KE_CURVE448 = 32,

	ESN_NO = 0,
	ESN_YES = 1,
};

struct encr {
	uint16_t id;
	uint16_t key_bits; /* value of the Key Length attribute; 0: the attribute must be absent */
	const char *keyword; /* "aes256gcm16" */
	const char *name;    /* "AES-GCM-16-256" */
	uint8_t key_len;     /* bytes, without salt */
	uint8_t salt_len;    /* bytes of keying material behind the key (RFC 4106 8.1, RFC 4309 7.1,
			      RFC 3686 5.1, RFC 7634 2) */
	uint8_t iv_len;	     /* bytes on the wire before the ciphertext */
	uint8_t icv_len;     /* bytes; 0 when integrity is a transform of its own */
	uint8_t block_len;   /* ciphertext is a multiple of this; 1 for stream modes */
	bool aead;
	bool weak;
};

struct integ {
	uint16_t id;
	const char *keyword; /* "sha256" */
	const char *name;    /* "HMAC-SHA2-256-128" */
	uint8_t key_len;
	uint8_t icv_len;
	bool weak;
};

struct prf {
	uint16_t id;
	const char *keyword; /* "prfsha256" */
	const char *name;    /* "HMAC-SHA2-256" */
	uint8_t len;	     /* output, and preferred key length, bytes (RFC 7296 2.13) */
	uint8_t nonce_len;   /* bytes of each nonce that go into SKEYSEED's key; 0: all (2.14) */
	bool weak;
};

struct ke_group {
	uint16_t id;
	const char *keyword;  /* "x25519" */
	const char *name;     /* "Curve25519" */
	uint16_t public_len;  /* bytes of the public value on the wire */
	uint16_t secret_len;  /* bytes of g^ir (RFC 7296 2.14: MODP padded to the modulus; RFC 5903:
				 x only) */
	uint16_t private_len; /* random bytes that a private value is made from */
	bool slow;	      /* over about 2 ms: run as a job */
	bool weak;
};

enum { KE_PUBLIC_MAX = 1024, KE_SECRET_MAX = 1024, KE_PRIVATE_MAX = 72 };

/* Look-ups by wire values and by keyword; NULL when we do not speak it. */
const struct encr *encr_find(uint16_t id, uint16_t key_bits);
const struct integ *integ_find(uint16_t id);
const struct prf *prf_find(uint16_t id);
const struct ke_group *ke_find(uint16_t id);
const struct encr *encr_by_keyword(const char *kw);
const struct integ *integ_by_keyword(const char *kw);
const struct prf *prf_by_keyword(const char *kw);
const struct ke_group *ke_by_keyword(const char *kw);

/* The tables whole, for listing: row i, NULL behind the last. */
const struct encr *encr_row(size_t i);
const struct integ *integ_row(size_t i);
const struct prf *prf_row(size_t i);
const struct ke_group *ke_row(size_t i);

/* Name of any IANA transform, also of those that we refuse, for messages: "3DES", "MODP-1024", or
 * NULL when nobody knows it. */
const char *transform_name(enum transform_type type, uint16_t id);

#endif
