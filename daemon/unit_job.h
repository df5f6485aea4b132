/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd has in mind with the service that this command is part of. For `postern` alone: the
 * daemon has no D-Bus. unit_job.c asks by libsystemd; unit_job_unknown.c stands in its place
 * without. */
#ifndef DAEMON_UNIT_JOB_H
#define DAEMON_UNIT_JOB_H

#include <stdbool.h>

enum { UNIT_WHY_MAX = 256 };

/* Does the unit of the process that MAINPID names (systemd.service(5), ExecStop=) begin anew when
 * it has ended? False when that cannot be found out, and `why` says so; of a stop there is nothing
 * to say. */
bool unit_restarts(char why[static UNIT_WHY_MAX]);

#endif
