/* SPDX-License-Identifier: Apache-2.0 */
/* Does another child carry all that one does, over the same IKE SA or over another one with the
 * same peer? Then that one can go without anybody noticing, or waits until the other one goes.
 */
#ifndef IKE_COVER_H
#define IKE_COVER_H

#include "ike/child.h"

/* Both ends know it, and it is to stay. */
bool cover_is_agreed(const struct child_sa *c);
/* `o` carries all that `c` does. */
bool cover_by(const struct child_sa *o, struct child_sa *c);
/* Some other one does, and is at least at this stage. */
bool cover_is_there(struct child_sa *c, enum child_stage least);
/* ... over another IKE SA that is to stay, and is up. */
bool cover_is_elsewhere(struct child_sa *c);
/* ... can be sent by; not over `going`, and not `but` (either may be NULL). */
bool cover_can_send(struct child_sa *c, const struct ike_sa *going, const struct child_sa *but);
/* ... is newer, over the same one: the peer will delete `c`, or leave it to its end. */
bool cover_is_newer(struct child_sa *c);
/* The peers of the other IKE SAs that have such are asked whether they live, and the planes whether
 * anything comes by it; one has been heard, or something came while `c` was held. */
void cover_doubt(struct child_sa *c);
bool cover_is_heard(struct child_sa *c, mono_ns since);

#endif
