/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel calls the algorithms of ESP: const tables from the numbers of IANA (transform
 * types 1 and 3 of IKEv2) to names of the kernel's crypto interface, as its net/xfrm/xfrm_algo.c
 * takes them. Every row is one that we negotiate, for each is probed, which may load modules.
 */
#ifndef XFRM_NAMES_H
#define XFRM_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct name_encr {
	uint16_t id;
	uint16_t key_bits;    /* of the Key Length attribute; 0 where there is none */
	uint16_t keymat_bits; /* what the kernel wants: the key and the salt behind it */
	uint16_t icv_bits;    /* 0: not AEAD, integrity is an algorithm of its own */
	const char *kernel;   /* "rfc4106(gcm(aes))" */
	const char *text;     /* for a person, one for each kernel name: "AES-GCM" */
};

struct name_integ {
	uint16_t id;
	uint16_t key_bits;
	uint16_t icv_bits;
	const char *kernel; /* "hmac(sha256)" */
	const char *text;   /* "HMAC-SHA2-256" */
};

/* NULL: no name is known. */
const struct name_encr *names_encr(uint16_t id, uint16_t key_bits);
const struct name_integ *names_integ(uint16_t id);

/* The tables whole: row i, NULL behind the last. The first rows of both are what a kernel that has
 * ESP at all is sure to have. */
const struct name_encr *names_encr_row(size_t i);
const struct name_integ *names_integ_row(size_t i);

#endif
