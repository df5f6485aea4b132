/* SPDX-License-Identifier: Apache-2.0 */
/* Our nftables table, `inet postern`: what it holds, and putting it in place whole or taking it
 * away. Beside it stands `inet postern-held`, owned by our socket: `nft flush ruleset` passes it
 * over. That has once more what of the table holds packets back, IPv6 of selectors and ICMP errors,
 * and is there only if there is any. It goes when the daemon dies; the other one stays. */
#ifndef XFRM_NFT_TABLE_H
#define XFRM_NFT_TABLE_H

#include "xfrm/host.h"
#include "xfrm/nft.h"
#include "xfrm/policy.h"

#define NFT_TABLE      "postern"
#define NFT_TABLE_HELD "postern-held"

/* What the table is made for. */
struct nft_plan {
	const char *tun;
	const struct policy_list *guards; /* the plan of guards (xfrm/plan.h) of SHARE_DEVICE */
	const struct policy_list *all;	  /* that of all children; NULL: there are none */
	const struct policy_list *led;	  /* that of SHARE_ERRORS */
	const struct host_child *v;	  /* all children: their devices, and TCP's segments */
	size_t n;
};

/* Replaces the table in one transaction, then the held one in another. That is done without where
 * the kernel refuses it as kernels before 5.12 do, or another process holds it: then `lacks`
 * (HOST_WHY_MAX bytes) says so. */
MUST_USE enum err nft_table_apply(struct netlink *nl, const struct nft_plan *p, char *lacks,
				  char *why);
MUST_USE enum err nft_table_remove(struct netlink *nl, char *why);
/* The transactions, for golden tests. The caller frees them. */
void nft_table_build(struct nft *t, const struct nft_plan *p);
void nft_table_build_held(struct nft *t, const struct nft_plan *p);

#endif
