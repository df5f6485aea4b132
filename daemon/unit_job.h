/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd has in mind with the service that this command is part of. For `postern` alone: the
 * daemon has no D-Bus. unit_job.c asks by libsystemd; unit_job_unknown.c stands in its place
 * without. */
#ifndef DAEMON_UNIT_JOB_H
#define DAEMON_UNIT_JOB_H

#include <stdbool.h>
#include <stdint.h>

enum { UNIT_WHY_MAX = 256, UNIT_COMMAND_MAX = 2048 };

/* What it says of the unit, for the daemon to judge. */
struct unit {
	uint32_t pid;  /* $MAINPID */
	uint32_t room; /* FileDescriptorStoreMax= */
	/* ExecStart=, an argument a line; "" where an argument has a `$`, which systemd fills in
	 * later, or a line's end, or where it is too long. */
	char command[UNIT_COMMAND_MAX];
};

/* Does the unit of the process that MAINPID names (systemd.service(5), ExecStop=) begin anew when
 * it has ended? Else *u is not set. False when that cannot be found out, and `why` says so; of a
 * stop there is nothing to say. */
bool unit_restarts(struct unit *u, char why[static UNIT_WHY_MAX]);

#endif
