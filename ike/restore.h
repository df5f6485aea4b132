/* SPDX-License-Identifier: Apache-2.0 */
/* An engine that goes on where another one was stopped, at whatever moment. What that had written
 * down (snapshot.h) comes back into the tables, and then is put right with the world: data planes
 * are asked whether they have each half that there should be, and let go of those that nobody
 * asks for; workers compute again what they were asked; the peer is asked whether it lives.
 *
 * The door is ike_engine_restore and ike_engine_resume (engine.h).
 *
 * A half that is not there any more is never put in a second time: its sequence numbers would begin
 * anew under the same key. Its child is deleted at the peer, and made anew.
 */
#ifndef IKE_RESTORE_H
#define IKE_RESTORE_H

#include "ike/engine.h"

struct child_sa;
struct ike_sa;

/* What waits to go on never will: the engine ends. */
void restore_give_up(struct ike_engine *e);
/* One of them is awake, a little later. It may be gone after it. */
void restore_wake(struct ike_sa *sa);
/* The process of a plane is another one: the same for what should be in that plane. */
void restore_plane(struct ike_engine *e, enum sa_plane plane);
/* A plane has answered about a half of a restored child: it does not have it. */
void restore_missed(struct child_sa *c, enum sa_dir dir);
/* Or it has not: it could not be asked. So it is asked again, a little later. */
void restore_unheard(struct child_sa *c);

#endif
