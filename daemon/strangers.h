/* SPDX-License-Identifier: Apache-2.0 */
/* The last refusals of peers that fit no connection: in no connection's status would they be found.
 */
#ifndef DAEMON_STRANGERS_H
#define DAEMON_STRANGERS_H

#include "daemon/report.h"

enum { STRANGERS_MAX = 8 };

struct strangers {
	struct ike_note note[STRANGERS_MAX];
	mono_ns at[STRANGERS_MAX];
	size_t n; /* since the start; the ring holds the last of them */
};

void strangers_keep(struct strangers *s, const struct ike_note *n);
/* An array for the status, the oldest first. */
json_t *strangers_report(const struct strangers *s, const struct report_now *now);

#endif
