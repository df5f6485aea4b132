/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's data plane: Child SAs as XFRM states and policies, over netlink. Used by the
 * monitor, which holds CAP_NET_ADMIN; the engine's commands come to it over a channel and have
 * been checked against the configuration before.
 *
 * What stands: exceptions, policies of children that are up (exactly the negotiated selectors,
 * templates with the child's reqid) and traps of configured children (templates without a state:
 * the packet raises an ACQUIRE and waits), level by level as xfrm/flow.h says; behind them the
 * guards of xfrm/host.h. So a packet of a child is either encrypted, held, or dropped.
 *
 * Ours are known by the index range of policies and by the reqid range and the mark of states. What
 * others made is never touched.
 *
 * Lifetimes in time are the engine's own (the kernel's follow the wall clock); the kernel counts
 * bytes and packets.
 */
#ifndef XFRM_KERNEL_H
#define XFRM_KERNEL_H

#include "base/clock.h"
#include "base/sadesc.h"
#include "xfrm/host.h"

/* Whether packets that wait for an SA are lost ("1") or held, in the network namespace that we are
 * in. */
#define KERNEL_LARVAL_DROP "/proc/sys/net/core/xfrm_larval_drop"

struct kernel;
struct netlink;
struct vault;

/* Opens the sockets for requests and for events; changes nothing. ERR_UNSUPPORTED: the kernel has
 * no XFRM at all (the rest of a daemon without it still works). */
MUST_USE enum err kernel_open(struct kernel **out, char why[static HOST_WHY_MAX]);
/* ... over a netlink of the caller's, for tests against a model; events then come by kernel_event
 * alone. It stays the caller's. */
MUST_USE enum err kernel_over(struct netlink *nl, struct kernel **out);
void kernel_close(struct kernel *k); /* leaves all in place; takes NULL */

/* Tries each algorithm, family and feature with an SA that is thrown away again, and reads it
 * back where the kernel takes unknown attributes in silence. What it cannot do is in words in
 * caps->lacks. Never fails: a kernel without ESP is an answer. */
void kernel_probe(struct kernel *k, struct plane_caps *caps);

/* What takes the kernel its time, before the first SA_EXPECT needs it (xfrm/early.h). */
void kernel_prepare(struct kernel *k);

/* States, policies and traps go away, an earlier run's too; guards stay. At the start of a daemon,
 * and at a clean stop. */
MUST_USE enum err kernel_clear(struct kernel *k, char why[static HOST_WHY_MAX]);

/* What was put in before that moment (by `install`, a time) is no longer known here, unless
 * kernel_go_on says so: it is not put in again. */
void kernel_began(struct kernel *k, mono_ns now);

/* Another program goes on: what the book has, keys included, into an empty vault; and from there
 * into the book of a kernel that was just opened, instead of kernel_probe and kernel_clear. States
 * and policies are not touched but where they are not as the book says: what of ours is not in it
 * goes, and what it lacks is told with the next kernel_events. Nothing is claimed (kernel_unclaim);
 * traps are as they stand until the next kernel_traps_set. ERR_SYNTAX: that is no such vault;
 * kernel_clear then makes an end of all. */
MUST_USE enum err kernel_pass_on(const struct kernel *k, struct vault *v);
MUST_USE enum err kernel_go_on(struct kernel *k, const struct vault *v,
			       char why[static HOST_WHY_MAX]);
/* What kernel_probe found out before. */
void kernel_know(struct kernel *k, const struct plane_caps *caps);

/* Traps for those of `v` that are on this plane, and for no others; policies of children that are
 * up are left alone. Adds first, removes last; updates in place. Idempotent. `hold`: packets that
 * raised an ACQUIRE wait for the SA (xfrm_larval_drop = 0), else that setting is left alone; where
 * it cannot be set, kernel_hold_error says so and the result is OK. What others took away of ours
 * comes back, policies of children too: to be called again when the host has changed
 * (host_changed). */
MUST_USE enum err kernel_traps_set(struct kernel *k, const struct host_child *v, size_t n,
				   bool hold, char why[static HOST_WHY_MAX]);
/* errno of the last try to have packets wait; 0: they do, or were not to. */
int kernel_hold_error(const struct kernel *k);

/* One command of the engine: installs, moves, removes, counts. Fills *done, done->why too. What
 * fails half way is undone. SA_INSTALL of the inbound half puts in the state and the policies in
 * and forward; of the outbound half the state, then the policy out (or points an older policy of
 * the same selectors to it), and the larval state that asked for it goes. The last SA of a reqid
 * takes the policies with it: the trap below catches what comes. Of two SAs of one reqid with the
 * same selectors the newest has them, and the older gets them back when it goes. Of two SAs of one
 * set (base/sadesc.h) the one of the better peer has those out, and SA_PASS may change that.
 *
 * A move where the addresses change makes the state anew, with a gap in sequence numbers and a full
 * replay window. Counters and limits go on. Packets out wait for it where packets wait for a child;
 * packets in are dropped meanwhile.
 *
 * ERR_EXISTS: the SPI, or the selectors, are taken by another; ERR_UNSUPPORTED: the kernel lacks
 * the algorithm; ERR_NOT_FOUND: no such SA; ERR_NOMEM, ERR_DENIED, ERR_NO_ANSWER: as the kernel
 * said. */
void kernel_command(struct kernel *k, const struct sa_cmd *cmd, struct sa_done *done);

/* Halves of children in the book: all, and those of one connection. */
struct kernel_count {
	size_t all;
	size_t of_connection;
};
struct kernel_count kernel_count(const struct kernel *k, const char *connection);

/* The engine is gone, and with it who could renew them: all states and their policies go, traps
 * stay. */
void kernel_flush(struct kernel *k);

/* The engine is a new one, which may know of the halves that there are: it claims those, and sweeps
 * away the others (SA_CLAIM, SA_SWEEP). */
void kernel_unclaim(struct kernel *k);

/* What the kernel tells unasked. kernel_fd becomes readable; kernel_events reads what there is
 * and calls back for each that concerns SAs of ours. When the kernel lost some of them (its
 * buffer overran), all states are read and those that are gone are told as expired. */
int kernel_fd(const struct kernel *k);
typedef void kernel_event_fn(void *ctx, const struct plane_event *ev);
void kernel_events(struct kernel *k, kernel_event_fn *fn, void *ctx);
/* Looks at what a bounded number of outbound SAs have carried, and calls back (PLANE_SILENT) for
 * those by which packets went out at two looks a second apart while none came in; with a priority,
 * 0.3 s apart. To be called again after kernel_look_pause. */
void kernel_look(struct kernel *k, uint64_t now_ns, kernel_event_fn *fn, void *ctx);
uint64_t kernel_look_pause(const struct kernel *k);
/* Is the kernel perhaps not as it should be? It did not answer, refused to have something put
 * right, or lacks what the book has, and who has to know was not told yet. Each of the calls above
 * tries to put that right first; whoever has none to make calls kernel_events. */
bool kernel_doubts(const struct kernel *k);

#endif
