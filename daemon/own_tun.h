/* SPDX-License-Identifier: Apache-2.0 */
/* TUN devices of route-based children that userspace ESP carries: the monitor makes them, keeps a
 * duplicate of each queue so that a new esp process gets the same ones, and hands them over.
 */
#ifndef DAEMON_OWN_TUN_H
#define DAEMON_OWN_TUN_H

#include "esp/esp.h"
#include "xfrm/host.h"

/* The esp process has room for twice as many: a reload may replace all of them. */
enum { OWN_TUNS_MAX = ESP_DEVICES_MAX / 2 };

struct own_tun;

struct own_tuns {
	struct own_tun *first;
	unsigned int n_queues; /* of each device; 0: there is no place for them yet */
};

/* Those that these children want are there afterwards; one that somebody deleted is made anew.
 * ERR_LIMIT: more than OWN_TUNS_MAX. */
MUST_USE enum err own_tuns_set(struct own_tuns *t, struct host *h, const struct host_child *v,
			       size_t n, char why[static HOST_WHY_MAX]);
/* Lets go of those that none of these children wants: host_iface_prune removes them. */
void own_tuns_prune(struct own_tuns *t, const struct host_child *v, size_t n);
void own_tuns_free(struct own_tuns *t);

/* All of them, for another monitor; and what that is given, before its first own_tuns_set: the
 * descriptors are theirs if it succeeds. ERR_NOMEM. */
typedef void own_tun_each_fn(void *ctx, const char *name, uint32_t if_id, const int *fds);
void own_tuns_each(const struct own_tuns *t, own_tun_each_fn *fn, void *ctx);
MUST_USE enum err own_tuns_take(struct own_tuns *t, const char *name, uint32_t if_id,
				const int *fds, unsigned int n);

/* Calls back for each queue that the esp process has not got yet. */
typedef void own_tun_fn(void *ctx, uint32_t if_id, unsigned int index, int fd);
void own_tuns_hand_over(struct own_tuns *t, own_tun_fn *fn, void *ctx);
/* It is a new process: it has got none. */
void own_tuns_again(struct own_tuns *t);

#endif
