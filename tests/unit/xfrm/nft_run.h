/* SPDX-License-Identifier: Apache-2.0 */
/* What rules of ours do to a packet: the messages that make them, read and carried out as the
 * kernel would. Knows the expressions that chains of xfrm/nft_errors.c are made of.
 */
#ifndef TESTS_UNIT_XFRM_NFT_RUN_H
#define TESTS_UNIT_XFRM_NFT_RUN_H

#include "xfrm/nft.h"

struct nft_packet {
	sa_family_t family;
	uint8_t proto;
	uint32_t mark;
	const char *device; /* that it leaves by */
	bool encrypted;	    /* or will be, by XFRM */
	uint8_t l4[200];    /* from the transport header on */
	size_t len;
};

/* By that chain; false: it is dropped. */
bool nft_run(const struct nft *t, const char *chain, struct nft_packet *p);

#endif
