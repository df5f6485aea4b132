/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor keeps its place on the host: a firewall that flushed all tables, a network manager
 * that removed our rules, another program that emptied the IPsec policies, an address that came or
 * went. What is missing is put back a moment later, all of a burst at once, and what went in one
 * stroke without delay; but at most about every second: nobody is fought at full speed.
 */
#include <unistd.h>

#include "daemon/monitor_state.h"
#include "daemon/warden.h"

#define HOST_PAUSE  NS_PER_S
#define HOST_DELAY  (NS_PER_S / 10)
/* Segments that could be larger: no hurry, others may follow. */
#define MSS_DELAY   (5 * NS_PER_S)
/* What the kernel refused may go the next time; what somebody else is in the way of, some day. */
#define RETRY_FIRST NS_PER_S
#define RETRY_STEPS 6 /* doubled so often: about a minute at most */

/* The queues of a deleted device lead nowhere: a new one, and a process that holds it. */
static enum err tun_renew(struct monitor *m, char why[static HOST_WHY_MAX])
{
	enum err e;

	for (unsigned int i = 0; i < SOCKETS_WORKERS_MAX; i++) {
		if (m->tun[i] >= 0)
			close(m->tun[i]);
		m->tun[i] = -1;
	}
	e = warden_tun(m->warden, m->now->conf->tun_name, m->sockets.n_workers, m->tun, why);
	if (m->tun[0] >= 0)
		crew_kill(m->crew, ROLE_ESP, "its TUN device was deleted");
	return e;
}

static void again_in(struct monitor *m, mono_ns delay)
{
	mono_ns at = mono_now() + delay;

	if (at < m->host.last + HOST_PAUSE)
		at = m->host.last + HOST_PAUSE;
	if (m->host.pending && at >= m->host.at)
		return;
	m->host.pending = true;
	m->host.at = at;
	loop_timer_set(m->loop, &m->host.again, at);
}

void monitor_host_retry(struct monitor *m)
{
	unsigned int step = m->host.failures < RETRY_STEPS ? m->host.failures : RETRY_STEPS;

	m->host.lacks = true;
	again_in(m, RETRY_FIRST << step);
}

static void on_again(void *ctx)
{
	struct monitor *m = ctx;
	char why[HOST_WHY_MAX] = "";
	enum err e;

	m->host.last = mono_now();
	m->host.pending = false;
	if (warden_tun_gone(m->warden))
		e = tun_renew(m, why);
	else
		e = warden_again(m->warden, why);
	monitor_send_devices(m);
	if (e != OK)
		monitor_log(LOG_LEVEL_ERROR, "host_failed", why);
	if (monitor_kernel_again(m) && e == OK) {
		m->host.failures = 0;
		m->host.lacks = false;
		return;
	}
	m->host.failures++;
	monitor_host_retry(m);
}

static void on_event(void *ctx, uint32_t events)
{
	struct monitor *m = ctx;

	enum host_change change = warden_changed(m->warden);

	(void)events;
	if (change == HOST_SAME)
		return;
	monitor_log(LOG_LEVEL_DEBUG, "host_changed", NULL);
	again_in(m, change == HOST_EMPTIED ? 0 : HOST_DELAY);
}

void monitor_mtu_changed(struct monitor *m)
{
	switch (warden_mss(m->warden)) {
	case WARDEN_MSS_FITS:
		return;
	case WARDEN_MSS_SMALL:
		again_in(m, MSS_DELAY);
		return;
	case WARDEN_MSS_TOO_LARGE:
		again_in(m, HOST_DELAY);
		return;
	}
}

enum err monitor_watch_host(struct monitor *m, char why[static HOST_WHY_MAX])
{
	enum err e = warden_watch(m->warden, &m->host.watch.fd, why);

	m->host.watch.ready = on_event;
	m->host.watch.ctx = m;
	m->host.again = (struct loop_timer){ .fire = on_again, .ctx = m };
	return e == OK ? loop_add(m->loop, &m->host.watch, EPOLLIN) : e;
}
