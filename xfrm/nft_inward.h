/* SPDX-License-Identifier: Apache-2.0 */
/* What may come out of a child's own device: not the packets of a narrower child. */
#ifndef XFRM_NFT_INWARD_H
#define XFRM_NFT_INWARD_H

#include "xfrm/host.h"
#include "xfrm/nft.h"

/* Chain "inward" and its rules. Nothing when there is no such device beside other children. */
void nft_inward_build(struct nft *t, const char *table, const struct host_child *v, size_t n);

#endif
