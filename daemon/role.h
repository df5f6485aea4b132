/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of one gateway: a row for each says under which user it runs and which kinds of
 * file it may see. What a process is trusted with stands in this table and nowhere else.
 */
#ifndef DAEMON_ROLE_H
#define DAEMON_ROLE_H

#include "base/clock.h"
#include "conf/load.h"

/* SAs are without an engine for so long at most, for nobody renews them, nor ends them in time: it
 * is shorter than any lifetime of theirs. Then those in the kernel go (daemon/monitor_crew.c), and
 * those of esp (daemon/esp_process.c), and what was left for a start that comes later counts for
 * nothing (handover_is_fresh). */
#define ENGINE_PATIENCE (60 * NS_PER_S)

enum role {
	ROLE_MONITOR,
	ROLE_ENGINE,
	ROLE_SIGNER,
	ROLE_VERIFIER,
	ROLE_ESP,
	ROLE_FETCHER,
	N_ROLES
};

enum {
	ROLE_CHAN_FD = 3
}; /* where every process but the monitor finds its channel to the monitor */

struct role_row {
	const char *name;   /* of --role=, of the process (postern-NAME) and in the log */
	const char *user;   /* NULL: the monitor's own */
	uint32_t files;	    /* 1 << enum conf_file_kind: what its bundle holds */
	bool serves_engine; /* has a channel to the engine */
	bool compares;	    /* configurations: its bundle has marks of files that it may not see */
};

const struct role_row *role_row(enum role r);
bool role_find(const char *name, enum role *r);
/* Have they a channel to each other? Only then one can have sent rubbish to the other. */
bool role_meets(enum role a, enum role b);
bool role_may_see(enum role r, enum conf_file_kind kind);

#endif
