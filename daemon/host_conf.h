/* SPDX-License-Identifier: Apache-2.0 */
/* The children of a configuration as xfrm/host.h wants them: for the monitor's warden, and for
 * `postern guard on`, which must put up the very same guards before there is a daemon.
 */
#ifndef DAEMON_HOST_CONF_H
#define DAEMON_HOST_CONF_H

#include "conf/model.h"
#include "xfrm/host.h"

/* Children of all connections. */
size_t host_conf_count(const struct conf *c);
/* One of them; selectors and addresses stay the configuration's. `kernel`: what the kernel's data
 * plane can do, which decides the child's plane; guards are the same on either. */
struct host_child host_conf_child(const struct conf *c, const struct conf_connection *cn,
				  const struct conf_child *ch, const struct plane_caps *kernel);

#endif
