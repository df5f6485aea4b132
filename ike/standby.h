/* SPDX-License-Identifier: Apache-2.0 */
/* Several peers for the same networks (`priority`): packets go to the best of those that are heard,
 * and are taken from all of them.
 *
 * Which outbound SA a packet takes is the data plane's to see (base/sadesc.h: priority, passed).
 * The engine says who is passed over: a peer to which packets go and from which none come, and who
 * does not answer the first datagram of a question either (life.h, sa_unheard). That is much sooner
 * than it is given up, and costs nothing when it was wrong: the IKE SA and its children stay, and
 * as soon as the peer answers it is used again. One that comes and goes has to be heard for longer
 * and longer before that.
 */
#ifndef IKE_STANDBY_H
#define IKE_STANDBY_H

#include <stdbool.h>

#include "base/clock.h"

struct ike_sa;

struct standby {
	bool over;     /* passed over */
	mono_ns told;  /* when a plane last said that nothing comes; 0: never */
	mono_ns since; /* when it was last passed over; 0: never */
	mono_ns back;  /* heard again: it is used again then; NEVER: not heard */
	mono_ns hold;  /* how long it has to be heard, the next time */
};

/* A data plane says that packets go to the peer and none come. */
void standby_silent(struct ike_sa *sa);
/* A request that is out was sent once more. */
void standby_sent_again(struct ike_sa *sa);
/* The peer has said something. */
void standby_heard(struct ike_sa *sa);
mono_ns standby_deadline(const struct ike_sa *sa);
void standby_tick(struct ike_sa *sa);

#endif
