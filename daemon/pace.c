/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/pace.h"

bool pace_holds(struct pace *p, size_t asked, size_t queued, mono_ns now)
{
	if (!p->full && (asked >= PACE_ASKED_MAX || queued >= PACE_QUEUED_MAX)) {
		p->full = true;
		p->since = now;
	} else if (asked < PACE_ASKED_MAX / 2 && queued < PACE_QUEUED_MAX / 2) {
		p->full = false;
	}
	return p->full && now - p->since < PACE_PATIENCE;
}
