/* SPDX-License-Identifier: Apache-2.0 */
/* Watching whether others take away what postern put on the host (host_watch, host_changed): a
 * firewall that flushes all tables, a network manager that removes rules it does not know, another
 * IPsec program that empties the policies at its start; and whether the host's addresses change.
 */
#ifndef XFRM_WATCH_H
#define XFRM_WATCH_H

#include <linux/netlink.h>

#include "xfrm/host.h"

enum watch_kind { WATCH_ROUTE, WATCH_POLICY, WATCH_NFT, N_WATCHES };

/* Whether the message takes something of ours away, or tells of an address. `asker`: the port of
 * our own socket; what we did ourselves is no news. Pure. */
enum host_change watch_concerns(enum watch_kind kind, const struct nlmsghdr *m, uint32_t asker);

#endif
