/* SPDX-License-Identifier: Apache-2.0 */
/* The one way of a datagram through the engine:
 *
 *	bytes -> header -> cookie and limits -> SA -> window -> fragments -> open SK -> views
 *	      -> rule -> handler -> step
 *
 * What fails before SK is open leaves no trace but a counter. What fails behind it is answered,
 * because then the peer is who holds the keys (RFC 7296 2.21.3).
 */
#ifndef IKE_RECEIVE_H
#define IKE_RECEIVE_H

#include "ike/core.h"
#include "ike/step.h"

void receive_datagram(struct ike_engine *e, const struct path *p, struct span datagram);
/* Carries out what a handler decided for the peer's request next_in (of this exchange), whether it
 * decided at once or after a job. The answer leaves along `p`. */
void receive_commit(struct ike_sa *sa, uint8_t exchange, const struct step *s,
		    struct builder *reply, const struct path *p);

#endif
