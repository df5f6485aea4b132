/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP errors quote packets, and one about a packet that came out of a tunnel quotes what was
 * decrypted. They are judged by what they quote (RFC 4301 6, 8.2): such an error goes by a tunnel,
 * or not at all. */
#ifndef XFRM_NFT_ERRORS_H
#define XFRM_NFT_ERRORS_H

#include "xfrm/nft_table.h"

/* Is there anything that it would hold back? */
bool nft_errors_needed(const struct nft_plan *p);
/* The chains that lead errors of SHARE_ERRORS into the TUN, and the one that drops those which
 * leave otherwise; in the held table the latter alone. */
void nft_errors_build(struct nft *t, const char *table, const struct nft_plan *p);
void nft_errors_build_held(struct nft *t, const char *table, const struct nft_plan *p);

#endif
