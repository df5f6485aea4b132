/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge between an engine that only writes down what it hears, a monitor that does the same,
 * and an esp process that says what it likes. The world stands in the place of engine and process.
 */
#ifndef TESTS_UNIT_DAEMON_BRIDGE_WORLD_H
#define TESTS_UNIT_DAEMON_BRIDGE_WORLD_H

#include "daemon/bridge.h"

enum { N_CLAIMS = 2 * 30000 };

struct told {
	enum sa_plane from;
	struct plane_event plane;
};

struct world {
	struct loop *loop;
	struct bridge *b;
	int esp; /* its end of the channel */
	struct told heard[16];
	size_t n_heard;
	size_t n_wanted;    /* then it is enough */
	uint64_t failed[4]; /* tickets, and how much had been heard by then */
	size_t heard_before[4];
	size_t n_failed;
	const struct sa_cmd *commands;
	size_t n_commands;
	const struct ike_action *actions; /* before those */
	size_t n_actions;
	size_t n_sent;		       /* to the monitor */
	size_t n_not_done, n_computed; /* jobs and names, and of the latter key exchanges */
	/* Many: the same command by other tickets; whoever works that plane answers. */
	struct sa_cmd claim;
	size_t n_claims, n_done, queued, size; /* at the monitor; of one */
	struct link plane;
	struct loop_timer monitor;
	char mtu_of[16]; /* the children that the monitor was told an MTU of: a letter each */
	enum role accused;
	struct loop_timer patience;
};

/* Without an engine; esp is waited for so long, 0: as usual. */
void world_begin(struct world *w, mono_ns esp_patience);
void world_engine_comes(void *ctx);
void world_open(struct world *w);
void world_close(struct world *w);
struct sa_cmd outbound(enum sa_plane plane, const char *child);
/* The engine wants this. */
void command(struct world *w, const struct sa_cmd *cmd);

#endif
