/* SPDX-License-Identifier: Apache-2.0 */
/* Our one nftables table, `inet postern`: what it holds, and putting it in place whole or taking it
 * away. */
#ifndef XFRM_NFT_TABLE_H
#define XFRM_NFT_TABLE_H

#include "xfrm/nft.h"
#include "xfrm/policy.h"

#define NFT_TABLE "postern"

/* `guards` is the plan of guards (xfrm/plan.h) of the same children. Replaces the table in one
 * transaction. */
MUST_USE enum err nft_table_apply(struct netlink *nl, const char *tun,
				  const struct policy_list *guards, char *why);
MUST_USE enum err nft_table_remove(struct netlink *nl, char *why);
/* The transaction, for golden tests. The caller frees it. */
void nft_table_build(struct nft *t, const char *tun, const struct policy_list *guards);

#endif
