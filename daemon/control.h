/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket, served by the engine: JSON lines with "v": 1, 64 KiB a line at most. Peer
 * credentials (SO_PEERCRED) decide: root may everything, others who can open the socket may read.
 *
 * The engine's process gives it the listening socket, every note, and the answers of reloads; it
 * asks through the callbacks of its environment.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "daemon/loop.h"
#include "ike/engine.h"

struct control;

struct control_env {
	struct loop *loop;
	struct ike_engine *(*engine)(void *ctx); /* NULL before the first configuration */
	const struct conf *(*conf)(void *ctx);
	/* postern up and down; `child` may be NULL. */
	void (*command)(void *ctx, bool up, const char *connection, const char *child);
	/* The answer comes by control_reloaded with the same ticket (never 0). */
	void (*reload)(void *ctx, uint64_t ticket);
	void *ctx;
};

MUST_USE enum err control_new(const struct control_env *env, struct control **c);
void control_free(struct control *c); /* closes; takes NULL */
/* Owns fd. */
MUST_USE enum err control_listen(struct control *c, int fd);
/* For watchers, and for those that wait for an `up`. */
void control_note(struct control *c, const struct ike_note *n);
void control_reloaded(struct control *c, uint64_t ticket, enum err e, struct span text);

#endif
