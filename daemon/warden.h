/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor keeps true on the host: guards for every configured child that no operator has
 * lifted, traps of the kernel's data plane, routes and rules into the TUN device for the same
 * children, the MTU of each. Requests of the engine are about children of the configuration and
 * nothing else.
 *
 * Guards come before everything and outlive everything: no function here but warden_guard
 * (postern down) and warden_set (a child that is no longer configured) takes one away.
 */
#ifndef DAEMON_WARDEN_H
#define DAEMON_WARDEN_H

#include "conf/model.h"
#include "daemon/own_tun.h"
#include "daemon/proto.h"
#include "xfrm/host.h"
#include "xfrm/kernel.h"

enum { WARDEN_MTU_MIN = 576 };

struct warden;

/* Opens netlink; nothing is changed yet. */
MUST_USE enum err warden_new(struct warden **w, char why[static HOST_WHY_MAX]);
/* Leaves guards, takes the rest away when `plane_off`. Takes NULL. */
void warden_free(struct warden *w, bool plane_off);

/* The kernel's data plane and what it can do; `k` must outlive the warden. From the next
 * warden_set on, children of that plane have traps. */
void warden_kernel(struct warden *w, struct kernel *k, const struct plane_caps *caps);

/* Can the kernel make XFRM interfaces? Tries. */
bool warden_interfaces(struct warden *w);
/* The TUN devices of children's own, for whoever hands them to the esp process. */
struct own_tuns *warden_devices(struct warden *w);

/* The children of `c` (which must live until the next call): guards at once, and routes and rules
 * when there is a device. What was lifted and is still configured stays lifted. On failure the old
 * children hold. */
MUST_USE enum err warden_set(struct warden *w, const struct conf *c, char why[static HOST_WHY_MAX]);
/* The TUN device, and then routes and rules. warden_tun_take: it is there, from another monitor, as
 * are queues of children's own (own_tuns_take). */
MUST_USE enum err warden_tun_take(struct warden *w, const char *name, unsigned int n_queues,
				  char why[static HOST_WHY_MAX]);
MUST_USE enum err warden_tun(struct warden *w, const char *name, unsigned int n_queues, int *fds,
			     char why[static HOST_WHY_MAX]);
/* Somebody deleted the device that there was: warden_tun makes another. */
bool warden_tun_gone(const struct warden *w);
/* A new engine knows nothing of what an operator had lifted: everything is guarded again. */
MUST_USE enum err warden_guard_all(struct warden *w, char why[static HOST_WHY_MAX]);

/* MSG_GUARD and MSG_MTU. ERR_DENIED: no such child, or no such value: the engine made that up. */
MUST_USE enum err warden_guard(struct warden *w, const struct msg_child *m,
			       char why[static HOST_WHY_MAX]);
MUST_USE enum err warden_mtu(struct warden *w, const struct msg_child *m,
			     char why[static HOST_WHY_MAX]);

/* TCP's segment sizes stand in a table that is made as a whole, by warden_again: not for each MTU
 * of thousands of children, but soon after one that went down. */
enum warden_mss { WARDEN_MSS_FITS, WARDEN_MSS_SMALL, WARDEN_MSS_TOO_LARGE };
enum warden_mss warden_mss(const struct warden *w);

/* Others change the host too: see host_watch and host_changed. warden_again puts back what is
 * missing. */
MUST_USE enum err warden_watch(struct warden *w, int *fd, char why[static HOST_WHY_MAX]);
enum host_change warden_changed(struct warden *w);
MUST_USE enum err warden_again(struct warden *w, char why[static HOST_WHY_MAX]);

#endif
