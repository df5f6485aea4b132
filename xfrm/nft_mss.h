/* SPDX-License-Identifier: Apache-2.0 */
/* TCP's segment size in tunnels of both planes. */
#ifndef XFRM_NFT_MSS_H
#define XFRM_NFT_MSS_H

#include "xfrm/host.h"
#include "xfrm/nft.h"

/* Chain "mss" and its rules for those of these children that are tunnels. Nothing when there is
 * none.
 */
void nft_mss_build(struct nft *t, const char *table, const struct host_child *v, size_t n);

#endif
