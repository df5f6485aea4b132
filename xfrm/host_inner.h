/* SPDX-License-Identifier: Apache-2.0 */
/* What struct host is, for the files that implement xfrm/host.h. */
#ifndef XFRM_HOST_INNER_H
#define XFRM_HOST_INNER_H

#include "xfrm/host.h"
#include "xfrm/netlink.h"

struct host {
	struct netlink xfrm;
	struct netlink route;
	struct netlink nft; /* opened when first needed: guards work without */
};

#endif
