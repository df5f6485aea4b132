/* SPDX-License-Identifier: Apache-2.0 */
/* How much a data plane may be asked before it answers. Behind a restore or a reload the engine
 * asks about each of its SAs at once, which is more than a channel holds, in either direction: what
 * does not fit would fail, and a half that could not be asked for is one that nobody knows of. So
 * the bridge stops handing out what the engine wants, all of it, since its order matters, until the
 * plane has come after.
 *
 * A plane that is full is so until half of that is done, and nobody waits for it any longer than
 * that may take: whoever was taken over shall not keep the engine from the other one's SAs, not
 * drop by drop either. Then commands fail, as they do when a channel is full.
 */
#ifndef DAEMON_PACE_H
#define DAEMON_PACE_H

#include "base/heap.h"
#include "daemon/chan.h"

enum { PACE_ASKED_MAX = 4096, PACE_QUEUED_MAX = CHAN_QUEUE_MAX / 4 };
#define PACE_PATIENCE (5 * NS_PER_S)

/* Of one plane; zeroed at first. */
struct pace {
	bool full;
	mono_ns since;
};

/* Has it to be waited for: so many questions are not answered, so many bytes wait in its channel.
 */
bool pace_holds(struct pace *p, size_t asked, size_t queued, mono_ns now);

#endif
