/* SPDX-License-Identifier: Apache-2.0 */
/* The other processes as the monitor sees them: started, wired to each other, watched, buried and
 * started again.
 *
 * Each has a channel to the monitor; signer, verifier, esp and fetcher each have one to the engine,
 * made anew whenever either end is. The engine and esp share the SAs, and each leaves what it knows
 * of them to the next one of its kind (struct kept in monitor_state.h). Without an engine for a
 * while they go (ENGINE_PATIENCE).
 */
#ifndef DAEMON_CREW_H
#define DAEMON_CREW_H

#include "daemon/link.h"
#include "daemon/proto.h"
#include "daemon/spawn.h"

struct crew;

struct crew_env {
	struct loop *loop;
	struct spawn spawn;
	struct user_ids ids[N_ROLES];
	/* A process was started: give it its descriptors and its configuration. */
	void (*equip)(void *ctx, enum role r);
	/* A process ended, whatever the reason; it will be started again, unless all are to end. */
	void (*ended)(void *ctx, enum role r);
	/* A message of a process that fits its table. An error: it is rubbish inside, and its
	 * sender is ended. */
	enum err (*message)(void *ctx, enum role r, const struct chan_msg *m);
	/* What crew_settle asked for. */
	void (*settled)(void *ctx, enum role r);
	/* All have ended, after crew_stop or crew_leave. */
	void (*stopped)(void *ctx);
	void *ctx;
};

MUST_USE enum err crew_new(const struct crew_env *env, struct crew **c);
void crew_free(struct crew *c); /* kills what is left; takes NULL */
/* All of them. An error: one could not be started; those before it run, and those behind it were
 * not tried. */
MUST_USE enum err crew_start(struct crew *c);
/* The same behind a crew_leave, or behind another program's: one that cannot be started is tried
 * again a moment later, for there is something to go on with. */
void crew_go_on(struct crew *c);
/* To one process. Where it does not run nothing happens: it gets its configuration when it starts.
 * One to which it cannot be sent, for too much waits already, is killed. */
void crew_send(struct crew *c, enum role r, uint8_t type, struct span body, int fd);
/* The same for what may be lost: false, and nothing is sent, when that much waits for it already (1
 * MiB). So whatever comes without end neither ends a process that is busy for a while nor keeps
 * answers from it. */
MUST_USE bool crew_offer(struct crew *c, enum role r, uint8_t type, struct span body);
/* env.settled is called once that process has carried out all that was sent to it so far; not at
 * all if it ends before. */
void crew_settle(struct crew *c, enum role r);
bool crew_is_behind(const struct crew *c, enum role r); /* as crew_offer sees it */
/* It is started again as one that has died. */
void crew_kill(struct crew *c, enum role r, const char *why);
/* The same for what it has sent: nothing that it leaves is trusted. */
void crew_distrust(struct crew *c, enum role r, const char *why);
/* Was the one that runs, or ran last, killed so? */
bool crew_has_lied(const struct crew *c, enum role r);
/* After SIGCHLD: buries whoever died. */
void crew_bury(struct crew *c);
/* The engine says goodbye to its peers first, the others end behind it; those that do not in time
 * are killed. */
void crew_stop(struct crew *c);
/* The same without a word to anybody: other processes go on with what these leave. crew_go_on may
 * follow. */
void crew_leave(struct crew *c);

#endif
