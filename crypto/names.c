/* SPDX-License-Identifier: Apache-2.0 */
/* Names of IANA's transforms, also of those that we refuse: a failed negotiation shall say what the
 * peer offered in words ("IKEv2 Parameters", transform types 1 to 5).
 */
#include "crypto/alg.h"

struct name {
	enum transform_type type;
	uint16_t id;
	const char *name;
};

static const struct name names[] = {
	{ T_ENCR, 1, "DES-IV64" },
	{ T_ENCR, 2, "DES" },
	{ T_ENCR, 3, "3DES" },
	{ T_ENCR, 4, "RC5" },
	{ T_ENCR, 5, "IDEA" },
	{ T_ENCR, 6, "CAST" },
	{ T_ENCR, 7, "Blowfish" },
	{ T_ENCR, 8, "3IDEA" },
	{ T_ENCR, 9, "DES-IV32" },
	{ T_ENCR, 11, "NULL" },
	{ T_ENCR, 12, "AES-CBC" },
	{ T_ENCR, 13, "AES-CTR" },
	{ T_ENCR, 14, "AES-CCM-8" },
	{ T_ENCR, 15, "AES-CCM-12" },
	{ T_ENCR, 16, "AES-CCM-16" },
	{ T_ENCR, 18, "AES-GCM-8" },
	{ T_ENCR, 19, "AES-GCM-12" },
	{ T_ENCR, 20, "AES-GCM-16" },
	{ T_ENCR, 21, "NULL-AES-GMAC" },
	{ T_ENCR, 22, "XTS-AES" },
	{ T_ENCR, 23, "Camellia-CBC" },
	{ T_ENCR, 24, "Camellia-CTR" },
	{ T_ENCR, 25, "Camellia-CCM-8" },
	{ T_ENCR, 26, "Camellia-CCM-12" },
	{ T_ENCR, 27, "Camellia-CCM-16" },
	{ T_ENCR, 28, "CHACHA20-POLY1305" },
	{ T_ENCR, 29, "AES-CCM-8-IIV" },
	{ T_ENCR, 30, "AES-GCM-16-IIV" },
	{ T_ENCR, 31, "CHACHA20-POLY1305-IIV" },
	{ T_ENCR, 32, "Kuznyechik-MGM-KTREE" },
	{ T_ENCR, 33, "Magma-MGM-KTREE" },
	{ T_ENCR, 34, "Kuznyechik-MGM-MAC-KTREE" },
	{ T_ENCR, 35, "Magma-MGM-MAC-KTREE" },

	{ T_PRF, 1, "HMAC-MD5" },
	{ T_PRF, 2, "HMAC-SHA1" },
	{ T_PRF, 3, "HMAC-Tiger" },
	{ T_PRF, 4, "AES128-XCBC" },
	{ T_PRF, 5, "HMAC-SHA2-256" },
	{ T_PRF, 6, "HMAC-SHA2-384" },
	{ T_PRF, 7, "HMAC-SHA2-512" },
	{ T_PRF, 8, "AES128-CMAC" },
	{ T_PRF, 9, "HMAC-Streebog-512" },

	{ T_INTEG, 0, "NONE" },
	{ T_INTEG, 1, "HMAC-MD5-96" },
	{ T_INTEG, 2, "HMAC-SHA1-96" },
	{ T_INTEG, 3, "DES-MAC" },
	{ T_INTEG, 4, "KPDK-MD5" },
	{ T_INTEG, 5, "AES-XCBC-96" },
	{ T_INTEG, 6, "HMAC-MD5-128" },
	{ T_INTEG, 7, "HMAC-SHA1-160" },
	{ T_INTEG, 8, "AES-CMAC-96" },
	{ T_INTEG, 9, "AES-128-GMAC" },
	{ T_INTEG, 10, "AES-192-GMAC" },
	{ T_INTEG, 11, "AES-256-GMAC" },
	{ T_INTEG, 12, "HMAC-SHA2-256-128" },
	{ T_INTEG, 13, "HMAC-SHA2-384-192" },
	{ T_INTEG, 14, "HMAC-SHA2-512-256" },

	{ T_KE, 0, "NONE" },
	{ T_KE, 1, "MODP-768" },
	{ T_KE, 2, "MODP-1024" },
	{ T_KE, 3, "EC2N-155" },
	{ T_KE, 4, "EC2N-185" },
	{ T_KE, 5, "MODP-1536" },
	{ T_KE, 14, "MODP-2048" },
	{ T_KE, 15, "MODP-3072" },
	{ T_KE, 16, "MODP-4096" },
	{ T_KE, 17, "MODP-6144" },
	{ T_KE, 18, "MODP-8192" },
	{ T_KE, 19, "ECP-256" },
	{ T_KE, 20, "ECP-384" },
	{ T_KE, 21, "ECP-521" },
	{ T_KE, 22, "MODP-1024-160" },
	{ T_KE, 23, "MODP-2048-224" },
	{ T_KE, 24, "MODP-2048-256" },
	{ T_KE, 25, "ECP-192" },
	{ T_KE, 26, "ECP-224" },
	{ T_KE, 27, "Brainpool-224" },
	{ T_KE, 28, "Brainpool-256" },
	{ T_KE, 29, "Brainpool-384" },
	{ T_KE, 30, "Brainpool-512" },
	{ T_KE, 31, "Curve25519" },
	{ T_KE, 32, "Curve448" },
	{ T_KE, 33, "GOST3410-256" },
	{ T_KE, 34, "GOST3410-512" },
	{ T_KE, 35, "ML-KEM-512" },
	{ T_KE, 36, "ML-KEM-768" },
	{ T_KE, 37, "ML-KEM-1024" },

	{ T_ESN, 0, "no ESN" },
	{ T_ESN, 1, "ESN" },
};

const char *transform_name(enum transform_type type, uint16_t id)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == type && names[i].id == id)
			return names[i].name;
	return NULL;
}
