/* SPDX-License-Identifier: Apache-2.0 */
/* A process that does jobs for the engine, one after the other: what signer and verifier have in
 * common. They differ in what they know (keys or trust anchors) and which kinds of job they take.
 */
#ifndef DAEMON_JOBSERVER_H
#define DAEMON_JOBSERVER_H

#include "base/jobs.h"
#include "daemon/process.h"

struct jobserver_ops {
	struct process_ops
		process; /* its prepare and discard are the server's; the rest is filled in */
	uint32_t kinds;	 /* 1 << enum job_kind */
	/* Fills *r; its bytes may lie in `buf`. */
	void (*work)(void *store, const struct job *j, uint8_t *buf, size_t size,
		     struct job_result *r);
};

int jobserver_main(const struct jobserver_ops *ops);

#endif
