/* SPDX-License-Identifier: Apache-2.0 */
/* What struct host is, for the files that implement xfrm/host.h. */
#ifndef XFRM_HOST_INNER_H
#define XFRM_HOST_INNER_H

#include "xfrm/host.h"
#include "xfrm/netlink.h"
#include "xfrm/watch.h"

struct host {
	struct netlink xfrm;
	struct netlink route;
	struct netlink nft;		 /* opened when first needed: guards work without */
	struct netlink watch[N_WATCHES]; /* they only listen; xfrm/watch.c */
	char lacks[N_HOST_LACKS][HOST_WHY_MAX]; /* see host_plane_lacks */
	char lacks_told[N_HOST_LACKS][HOST_WHY_MAX];
	int watch_fd;			 /* epoll over these; -1: not watching */
};

#endif
