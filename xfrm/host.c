/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing, and what is passed on to tun.c and iface*.c as it comes: see xfrm/host.h.
 * guard.c, plane.c and watch.c have the rest. */
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xfrm/host_inner.h"
#include "xfrm/iface.h"
#include "xfrm/tun.h"
#include "xfrm/words.h"

static enum err open_sockets(struct host *h, char *why)
{
	enum err err = netlink_open(&h->route, NETLINK_ROUTE);

	if (err != OK)
		return why_say(why, err, "cannot open a netlink socket: %s", strerror(errno));
	err = netlink_open(&h->xfrm, NETLINK_XFRM);
	if (err == ERR_UNSUPPORTED)
		return why_say(
			why, err,
			"the kernel has no IPsec policies (CONFIG_XFRM_USER); without them nothing holds "
			"packets back while a tunnel is down");
	return err == OK ? OK
			 : why_say(why, err, "cannot open a netlink socket for IPsec: %s",
				   strerror(errno));
}

static void host_blank(struct host *h)
{
	*h = (struct host){ .xfrm = { .fd = -1 },
			    .route = { .fd = -1 },
			    .nft = { .fd = -1 },
			    .watch_fd = -1 };
	for (size_t i = 0; i < N_WATCHES; i++)
		h->watch[i].fd = -1;
}

enum err host_open(struct host **out, char why[static HOST_WHY_MAX])
{
	struct host *h = malloc(sizeof(*h));
	enum err err;

	*out = NULL;
	if (h == NULL)
		return why_say(why, ERR_NOMEM, "no memory");
	host_blank(h);
	err = open_sockets(h, why);
	if (err == OK)
		*out = h;
	else
		host_close(h);
	return err;
}

void host_close(struct host *h)
{
	if (h == NULL)
		return;
	netlink_close(&h->xfrm);
	netlink_close(&h->route);
	netlink_close(&h->nft);
	for (size_t i = 0; i < N_WATCHES; i++)
		netlink_close(&h->watch[i]);
	if (h->watch_fd >= 0)
		close(h->watch_fd);
	free(h);
}

enum err host_tun_open(struct host *h, const char *name, unsigned int n_queues, int *fds,
		       char why[static HOST_WHY_MAX])
{
	const struct tun t = tun_shared(name);

	return tun_open(&h->route, &t, n_queues, fds, why);
}

enum err host_iface_open(struct host *h, const struct host_child *c, unsigned int n_queues,
			 int *fds, char why[static HOST_WHY_MAX])
{
	const struct iface want = iface_of(c);
	const struct tun t = { .name = want.name,
			       .alias = want.alias,
			       .mtu = want.mtu != 0 ? want.mtu : HOST_MTU_FIRST,
			       .stays = true };

	return tun_open(&h->route, &t, n_queues, fds, why);
}

enum err host_iface_ready(struct host *h, const struct host_child *v, size_t n,
			  char why[static HOST_WHY_MAX])
{
	return iface_ready(&h->route, v, n, why);
}

bool host_iface_probe(struct host *h)
{
	return iface_probe(&h->route);
}

enum err host_iface_prune(struct host *h, const struct host_child *v, size_t n, bool *any,
			  char why[static HOST_WHY_MAX])
{
	return iface_prune(&h->route, v, n, any, why);
}
