/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge between the protocol engine, which has no I/O, and the world: it carries out the
 * engine's actions and brings the answers back as events.
 *
 *	SEND, KEEPALIVE   the sockets
 *	JOB               signer, verifier, or the thread for slow key exchange
 *	SA                esp, or the monitor for the kernel's plane
 *	RESOLVE           fetcher, and the kernel's routing
 *	GUARD, CHILD_MTU  monitor
 *	NOTE              the log and the control socket
 *	KEEP, COMMIT      the vault, for the engine that follows this one
 *
 * Everything that is asked of another process lies on the desk until it is answered, and is
 * answered as failed when that process dies. An esp that dies is waited for: see bridge_state.h.
 */
#ifndef DAEMON_BRIDGE_H
#define DAEMON_BRIDGE_H

#include "daemon/link.h"
#include "daemon/process.h"
#include "ike/engine.h"

struct bridge;
struct restorer;

struct bridge_env {
	struct process *process;
	struct restorer *restorer; /* what the engine keeps goes there */
	/* Every note, after it was logged. */
	void (*note)(void *ctx, const struct ike_note *n);
	void *ctx;
	mono_ns esp_patience; /* so long an esp that died is waited for; 0: ten seconds */
};

MUST_USE enum err bridge_new(const struct bridge_env *env, struct bridge **b);
void bridge_free(struct bridge *b); /* takes NULL */

/* The engine and the configuration that it works with; both outlive the next call. */
void bridge_set(struct bridge *b, struct ike_engine *e, const struct conf *c);
/* The engine has what there was before it: from now on sockets and channels are read. */
MUST_USE enum err bridge_begin(struct bridge *b);
/* Sockets and channels as they come from the monitor. Nothing is read from them before
 * bridge_begin, so that what comes waits for an engine that can understand it. Own fd. */
MUST_USE enum err bridge_socket(struct bridge *b, const struct msg_socket *m, int fd);
MUST_USE enum err bridge_peer(struct bridge *b, enum role r, int fd);
/* Answers and events of the kernel's data plane, which the monitor works. */
MUST_USE enum err bridge_kernel(struct bridge *b, const struct chan_msg *m);
/* Carries out what the engine has queued, a bounded part of it, and sets its timer. What a data
 * plane has no room for (daemon/pace.h) waits, and the rest behind it: then the network is not
 * heard, either, so that what waits does not grow. Called after each turn of the loop it goes on
 * when the plane has answered. */
void bridge_drain(struct bridge *b);
/* All of it, whether there is room or not: before the end. */
void bridge_drain_all(struct bridge *b);
/* Does something asked of that process lie unanswered? */
bool bridge_waits_for(const struct bridge *b, enum role r);

#endif
