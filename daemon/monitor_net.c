/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor tells the engine when addresses or routes of the machine change, for tunnels that
 * live on when they do (MOBIKE). Anything that happens to a link, an address or a route is a reason
 * to look; a burst is told once, and a router that learns routes all day tells at a bounded pace.
 */
#include <linux/rtnetlink.h>

#include "daemon/monitor_state.h"
#include "xfrm/own.h"

/* An address and the routes behind it come together. */
#define BURST	  (20 * NS_PER_MS)
#define PACE	  (50 * NS_PER_MS)
#define AGAIN	  NS_PER_S
#define READS_MAX 256

static const uint32_t groups[] = {
	RTNLGRP_LINK,	    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
	RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
};

static void look_at(struct monitor *m, mono_ns at)
{
	m->net.pending = true;
	loop_timer_set(m->loop, &m->net.timer, at);
}

void monitor_net_tell(struct monitor *m)
{
	struct msg_addresses list = { .n = 0 };
	struct own_list own = { .v = NULL };
	uint8_t b[PROTO_SMALL_MAX];
	struct wr w = wr_into(b, sizeof b);
	char why[HOST_WHY_MAX] = "";

	if (own_list_read(&m->net.ask, &own, why) != OK) {
		monitor_log(LOG_LEVEL_WARNING, "addresses_unread", why);
		own_list_free(&own);
		look_at(m, mono_now() + AGAIN);
		return;
	}
	for (size_t i = 0; i < own.n && list.n < PROTO_ADDRS_MAX; i++)
		list.addr[list.n++] = own.v[i].addr;
	own_list_free(&own);
	msg_addresses_put(&w, &list);
	if (wr_ok(&w))
		crew_send(m->crew, ROLE_ENGINE, MSG_ADDRESSES, wr_done(&w), -1);
}

static void on_time(void *ctx)
{
	struct monitor *m = ctx;

	m->net.pending = false;
	m->net.told = mono_now();
	monitor_net_tell(m);
}

/* What is read is not looked at: the kernel says better what there is than how it came about. */
static void on_event(void *ctx, uint32_t events)
{
	struct monitor *m = ctx;
	mono_ns at = mono_now() + BURST;
	struct span d;

	(void)events;
	for (int i = 0; i < READS_MAX && netlink_read(&m->net.listen, &d) != ERR_NOT_FOUND; i++)
		;
	if (m->net.pending)
		return;
	if (at < m->net.told + PACE)
		at = m->net.told + PACE;
	look_at(m, at);
}

enum err monitor_net_watch(struct monitor *m)
{
	enum err e = netlink_open(&m->net.ask, NETLINK_ROUTE);

	if (e == OK)
		e = netlink_open(&m->net.listen, NETLINK_ROUTE);
	for (size_t i = 0; i < sizeof groups / sizeof groups[0] && e == OK; i++)
		e = netlink_join(&m->net.listen, groups[i]);
	m->net.timer = (struct loop_timer){ .fire = on_time, .ctx = m };
	m->net.watch = (struct loop_watch){ .fd = m->net.listen.fd, .ready = on_event, .ctx = m };
	return e == OK ? loop_add(m->loop, &m->net.watch, EPOLLIN) : e;
}

void monitor_net_close(struct monitor *m)
{
	netlink_close(&m->net.listen);
	netlink_close(&m->net.ask);
}
