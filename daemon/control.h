/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket, served by the engine's process: JSON lines, `"v": 1`, 64 KiB at most each.
 *
 * A request is one line, {"v":1,"do":"status","name":"office"}; answers are lines too, and the last
 * is of kind "end". Root may do everything; others, whom the socket's mode lets in, may only look.
 * A client that does not read is closed when its backlog is full: it never holds the engine up.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "daemon/loop.h"
#include "daemon/proto.h"
#include "daemon/report.h"

struct control;

/* A new configuration, another program in our place, or one that a service manager starts. */
enum control_change { CONTROL_RELOAD, CONTROL_UPGRADE, CONTROL_RESTART };

/* What the control socket asks of the process that it lives in. */
struct control_env {
	struct loop *loop;
	struct ike_engine *(*engine)(void *ctx); /* NULL before the first configuration */
	/* postern up and down; `child` may be NULL. What follows is performed behind the loop's
	 * batch. */
	void (*command)(void *ctx, bool up, const char *connection, const char *child);
	/* postern rekey */
	void (*rekey)(void *ctx, enum ike_rekey what, const char *connection, const char *child);
	/* IKE SAs and connections that the next engine would not find; under 0: none would it */
	int64_t (*not_kept)(void *ctx);
	/* Are the counters that were asked for all there? */
	bool (*counters_fresh)(void *ctx);
	/* The answer comes by control_reloaded with the same ticket (never 0); what else is in
	 * `about` is of CONTROL_RESTART. */
	void (*change)(void *ctx, enum control_change what, const struct msg_restart *about);
	void *ctx;
};

MUST_USE enum err control_new(const struct control_env *env, struct control **out);
void control_free(struct control *c); /* closes; takes NULL */
/* Owns fd. Who asks before there is an engine waits for it. */
MUST_USE enum err control_listen(struct control *c, int fd);
/* There may be one now. */
MUST_USE enum err control_begin(struct control *c);
/* Every note, as it happens: to watchers and to those who wait. */
void control_note(struct control *c, const struct ike_note *n);
/* Behind each batch of engine calls: requests that wait for something are looked at again. */
void control_settle(struct control *c);
/* There is one now that was read then. */
void control_config(struct control *c, time_t loaded);
/* `text`: the problems of the configuration, empty when there are none. */
void control_reloaded(struct control *c, uint64_t ticket, enum err e, struct span text);
/* The engine before left for another program, which could not be executed. */
void control_not_upgraded(struct control *c, struct span why);
/* This process ends, for another program goes on: who asked for that hears it, and who asked for a
 * reload that there was none. */
void control_leave(struct control *c);

#endif
