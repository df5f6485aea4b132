/* SPDX-License-Identifier: Apache-2.0 */
/* Our one nftables table, `inet postern`: what it holds, and putting it in place whole or taking it
 * away. */
#ifndef XFRM_NFT_TABLE_H
#define XFRM_NFT_TABLE_H

#include "xfrm/host.h"
#include "xfrm/nft.h"
#include "xfrm/policy.h"

#define NFT_TABLE "postern"

/* What the table is made for. */
struct nft_plan {
	const char *tun;
	const struct policy_list *guards; /* the plan of guards (xfrm/plan.h) of SHARE_DEVICE */
	const struct host_child *v;	  /* all children: their devices, and TCP's segments */
	size_t n;
};

/* Replaces the table in one transaction. */
MUST_USE enum err nft_table_apply(struct netlink *nl, const struct nft_plan *p, char *why);
MUST_USE enum err nft_table_remove(struct netlink *nl, char *why);
/* The transaction, for golden tests. The caller frees it. */
void nft_table_build(struct nft *t, const struct nft_plan *p);

#endif
