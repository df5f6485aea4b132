/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/pace.h"

bool pace_holds(struct pace *p, size_t asked, size_t queued, mono_ns now)
{
	if (asked < PACE_ASKED_MAX && queued < PACE_QUEUED_MAX) {
		p->took = now;
		return false;
	}
	return now - p->took < PACE_PATIENCE;
}
