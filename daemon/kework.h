/* SPDX-License-Identifier: Apache-2.0 */
/* Slow Diffie-Hellman (JOB_KE) in one thread beside the engine's loop, so that a MODP group of many
 * bits does not hold up everybody else's timers.
 */
#ifndef DAEMON_KEWORK_H
#define DAEMON_KEWORK_H

#include "base/jobs.h"
#include "daemon/loop.h"

struct kework;

typedef void kework_fn(void *ctx, const struct job_result *r);

/* `done` is called within the loop; the result's bytes hold during the call and are wiped behind
 * it. */
MUST_USE enum err kework_new(struct loop *l, kework_fn *done, void *ctx, struct kework **k);
/* Waits for the computation under way. Takes NULL. */
void kework_free(struct kework *k);
/* Copies what it needs. ERR_LIMIT: too much is waiting; ERR_UNSUPPORTED: no such group, or not its
 * sizes. */
MUST_USE enum err kework_put(struct kework *k, const struct job *j);

#endif
