/* SPDX-License-Identifier: Apache-2.0 */
/* What stands for the lifted guards of IPv6 (xfrm/plan.c says why they are): a chain that drops
 * packets of the children's selectors on their way to any device but those of the tunnels. */
#ifndef XFRM_NFT_GUARD6_H
#define XFRM_NFT_GUARD6_H

#include "xfrm/nft_table.h"

/* Is there anything that it would drop? */
bool nft_guard6_needed(const struct nft_plan *p);
/* Packets that go into a tunnel are through. */
void nft_guard6_tunnels(struct nft *t, const struct nft_chain *c, const struct nft_plan *p);
/* Chain "guard6" and its rules. */
void nft_guard6_build(struct nft *t, const char *table, const struct nft_plan *p);

#endif
