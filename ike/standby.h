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
 *
 * How long an answer may take is what the last answers of this peer have taken: far away that is
 * longer than until a question leaves for the second time, and who is only slow is not passed over.
 */
#ifndef IKE_STANDBY_H
#define IKE_STANDBY_H

#include <stdbool.h>

#include "base/clock.h"

struct ike_sa;

enum { STANDBY_ANSWERS = 3 };

struct standby {
	bool over;			   /* passed over */
	bool doubts;			   /* once the peer had time to answer it is judged */
	uint8_t hold_s;			   /* how long it has to be heard, the next time */
	uint8_t took_4ms[STANDBY_ANSWERS]; /* the last answers; 0: there was none yet */
	mono_ns told;			   /* when a plane last said that nothing comes; 0: never */
	mono_ns since;			   /* when it was last passed over; 0: never */
	mono_ns back;  /* heard again: it is used again then; NEVER: not heard */
	mono_ns asked; /* when the request that is out left first */
};

/* A data plane says that packets go to the peer and none come. */
void standby_silent(struct ike_sa *sa);
/* A request left for the first time; it was sent once more; it is answered. */
void standby_asked(struct ike_sa *sa);
void standby_sent_again(struct ike_sa *sa);
void standby_answered(struct ike_sa *sa);
/* The peer has said something. */
void standby_heard(struct ike_sa *sa);
mono_ns standby_deadline(const struct ike_sa *sa);
void standby_tick(struct ike_sa *sa);

#endif
