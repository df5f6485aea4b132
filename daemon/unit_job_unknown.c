/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "daemon/unit_job.h"

bool unit_restarts(struct unit *u, char why[static UNIT_WHY_MAX])
{
	(void)u;
	snprintf(why, UNIT_WHY_MAX, "this postern was built without libsystemd");
	return false;
}
