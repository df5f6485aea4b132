/* SPDX-License-Identifier: Apache-2.0 */
/* What is proposed for a child as initiator: its mode, and the selectors (RFC 7296 2.9). */
#ifndef IKE_CHILD_OFFER_H
#define IKE_CHILD_OFFER_H

#include "ike/narrow.h"
#include "ike/sa.h"

struct child_offer {
	struct ts_pair ts; /* owned */
	bool transport;	   /* with USE_TRANSPORT_MODE */
	bool pair;	   /* for the addresses of one packet alone */
};

/* The selector of the packet that asks for the child stands first, then what is configured (2.9).
 * For transport mode all of them are cut to the two ends' own addresses (2.23.1); where nothing is
 * left by that, prefer-transport offers a tunnel. Where the peer takes one pair of addresses at a
 * time, all of them are cut to the packet's. `flow` NULL: no packet asks. ERR_TS: nothing is left;
 * ERR_NOMEM. */
MUST_USE enum err child_offer_make(const struct ike_sa *sa, const struct conf_child *conf,
				   const struct flow *flow, struct child_offer *o);
void child_offer_free(struct child_offer *o);

#endif
