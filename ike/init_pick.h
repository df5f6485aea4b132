/* SPDX-License-Identifier: Apache-2.0 */
/* Whose policy answers an IKE_SA_INIT request. Who the peer is, and so which connection it will be,
 * is known only at IKE_AUTH, where the floor of that one is applied again (auth_floor_holds): a
 * suite that an easier neighbour has taken is refused there. So among several connections at one
 * address the suite is chosen that most of their floors hold, and nobody is led below his own by
 * the order of the file.
 */
#ifndef IKE_INIT_PICK_H
#define IKE_INIT_PICK_H

#include "ike/connection.h"
#include "ike/proposal.h"

/* What the connections at this address say to the offer. */
struct init_pick {
	const struct conn *c;	 /* whose policy took it; NULL: none */
	const struct conn *near; /* one at this address at least */
	const struct conn *down; /* one at this address that the operator took down */
	struct proposal_chosen chosen;
};

/* Connections that name the address come before those that take any. */
struct init_pick init_pick(const struct ike_engine *e, const struct addr *remote,
			   struct span sa_body);

#endif
