/* SPDX-License-Identifier: Apache-2.0 */
/* What XFRM tells unasked, as plain values. A pure function; nothing is believed beyond the length
 * of the message.
 *
 * To hear of it, a socket joins XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE and XFRMNLGRP_MAPPING. Whether
 * an event concerns a state of ours its reqid says (base/sadesc.h).
 */
#ifndef XFRM_EVENT_H
#define XFRM_EVENT_H

#include <linux/netlink.h>

#include "base/sadesc.h"

struct event {
	/* As the engine gets it: PLANE_ACQUIRE, PLANE_EXPIRE or PLANE_MAPPING. Of an EXPIRE most
	 * kernels do not say `dir`: who has the SA knows. */
	struct plane_event plane;
	/* The state: outer addresses, from the sender's to the receiver's. A MAPPING: the addresses
	 * that the state has, with the old port. */
	struct endpoint src;
	struct endpoint dst;
	enum sa_mode mode; /* ACQUIRE, EXPIRE */
	uint32_t if_id;
	/* ACQUIRE: what the policy that wanted a state has in its selector (xfrm/flow.h). */
	uint32_t policy_user;
	/* EXPIRE: of a state that an ACQUIRE left, and nobody filled. plane.acquire is its number.
	 */
	bool larval;
};

/* ERR_SYNTAX: cut or bent; ERR_UNEXPECTED: another kind of message, or not about ESP. */
MUST_USE enum err event_read(const struct nlmsghdr *m, struct event *ev);

#endif
