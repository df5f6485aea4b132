/* SPDX-License-Identifier: Apache-2.0 */
/* The last calls of peers that we refused, for `status` and `explain`: one a connection, and of
 * peers that fit none. The engine's own last failure of a connection (struct ike_view) is that of
 * its attempts, too, and a peer that refuses us as well would hide why we refuse it.
 *
 * Anybody can be refused. So there are few places, and the same once more takes no other one: it is
 * counted.
 */
#ifndef DAEMON_REFUSALS_H
#define DAEMON_REFUSALS_H

#include "daemon/report.h"

enum { REFUSALS_STRANGERS = 8, REFUSALS_CONNECTIONS = 64 };

struct refusal {
	struct ike_note note; /* the last one */
	mono_ns first, last;
	uint64_t times; /* 0: the place is free */
	bool over;	/* the connection has been up since */
};

struct refusals {
	struct refusal stranger[REFUSALS_STRANGERS];
	struct refusal connection[REFUSALS_CONNECTIONS];
};

/* Takes what is a refused call; and a connection that is up puts an end to its own. */
void refusals_note(struct refusals *r, const struct ike_note *n, mono_ns now);
/* An array of those that fit no connection, the oldest first; NULL without memory. */
json_t *refusals_strangers(const struct refusals *r, const struct report_now *now);
/* That of one connection, or null; NULL without memory. */
json_t *refusals_of(const struct refusals *r, const char *connection, const struct report_now *now);

#endif
