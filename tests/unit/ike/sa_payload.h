/* SPDX-License-Identifier: Apache-2.0 */
/* SA payloads of a peer, written as tables. */
#ifndef TESTS_UNIT_IKE_SA_PAYLOAD_H
#define TESTS_UNIT_IKE_SA_PAYLOAD_H

#include "ike/proposal.h"

/* A peer's transform and proposal, in the order of the wire. */
struct tr {
	uint8_t type;
	uint16_t id;
	uint16_t bits;
};
enum { TR_MAX = 12, PROP_MAX = 4 };
struct prop {
	uint8_t protocol; /* 0: none behind this */
	uint8_t spi_len;
	struct tr t[TR_MAX]; /* type 0: none behind this */
};
/* clang-format off */
#define CBC(bits) { T_ENCR, ENCR_AES_CBC, bits }
#define GCM(bits) { T_ENCR, ENCR_AES_GCM_16, bits }
#define CHACHA { T_ENCR, ENCR_CHACHA20_POLY1305, 0 }
#define TDES { T_ENCR, 3, 0 }
#define P256 { T_PRF, PRF_HMAC_SHA2_256, 0 }
#define P384 { T_PRF, PRF_HMAC_SHA2_384, 0 }
#define P1 { T_PRF, PRF_HMAC_SHA1, 0 }
#define I256 { T_INTEG, INTEG_HMAC_SHA2_256_128, 0 }
#define I384 { T_INTEG, INTEG_HMAC_SHA2_384_192, 0 }
#define I1 { T_INTEG, INTEG_HMAC_SHA1_96, 0 }
#define INONE { T_INTEG, INTEG_NONE, 0 }
#define X25519 { T_KE, KE_CURVE25519, 0 }
#define E384 { T_KE, KE_ECP_384, 0 }
#define M2048 { T_KE, KE_MODP_2048, 0 }
#define M1024 { T_KE, 2, 0 }
#define KNONE { T_KE, KE_NONE, 0 }
#define ESN { T_ESN, ESN_YES, 0 }
#define NOESN { T_ESN, ESN_NO, 0 }
/* clang-format on */

/* The SA payload's body, valid until the next call; its proposals are numbered from 1, or from
 * `first`. SPIs are the first bytes of c0 01 02 03 04 05 06 07. */
struct span sa_of(const struct prop *props);
struct span sa_numbered(const struct prop *props, uint8_t first);
/* The bytes of the last one, to be changed. */
uint8_t *sa_bytes(void);

/* "modern" or "compatible", with ESN. */
struct proposal_want want_of(const char *policy, uint8_t protocol);

#endif
