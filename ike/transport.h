/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors of transport mode (RFC 7296 2.23.1): the two ends' own addresses, as each end sees them
 * itself. A NAT between them changes the packets' addresses and not the selectors, so those are
 * made to say what packets here will have, and what stood in them is kept: the checksums that the
 * peer computes are over those.
 */
#ifndef IKE_TRANSPORT_H
#define IKE_TRANSPORT_H

#include "ike/narrow.h"
#include "ike/sa.h"

/* What the peer calls us and itself, where a NAT is on that side; else AF_UNSPEC. */
struct transport_nat {
	struct addr local;
	struct addr remote;
};

/* False: the selectors are not of two hosts, or not of these two; they may be half changed then.
 * `we_began`: TSi is our side. */
bool transport_substitute(const struct ike_sa *sa, bool we_began, struct ts_pair *ts,
			  struct transport_nat *nat);

#endif
