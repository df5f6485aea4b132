/* SPDX-License-Identifier: Apache-2.0 */
/* Userspace ESP (RFC 4303, RFC 3948) for the esp process: SAD, selectors, workers. The daemon hands over descriptors that
 * the monitor made, SA commands that the engine sent, and starts one thread per worker.
 *
 * The monitor owns devices, routes and rules; here are only packets.
 */
#ifndef ESP_ESP_H
#define ESP_ESP_H

#include "base/clock.h"
#include "base/sadesc.h"

struct esp;

enum { ESP_WORKERS_MAX = 64 };

struct esp_env {
	uint8_t n_workers;
	int tun_fd[ESP_WORKERS_MAX];	/* one queue each, IFF_NO_PI or IFF_VNET_HDR as tun_vnet says */
	bool tun_vnet;
	int udp4_fd[ESP_WORKERS_MAX];	/* port 4500, one of the reuseport group each; -1: no such family */
	int udp6_fd[ESP_WORKERS_MAX];
	int raw4_fd;			/* IPPROTO_ESP, one socket, given to worker 0, which hands over by owner; -1: none */
	int raw6_fd;
	/* An IKE message that a worker's socket received (marker cut off): to the engine. Called from worker threads. */
	void (*to_engine)(void *ctx, const struct path *p, struct span d);
	/* Acquire, expire, mapping, mtu. Called from worker threads. */
	void (*event)(void *ctx, const struct plane_event *ev);
	void *ctx;
};

MUST_USE enum err esp_new(const struct esp_env *env, struct esp **out);
/* Stops and joins the workers, wipes all keys. Takes NULL. */
void esp_free(struct esp *e);
MUST_USE enum err esp_start(struct esp *e);	/* starts the threads */

/* SA commands, from one thread (the channel's). Fills *done. Takes its own copy of what it keeps. */
void esp_command(struct esp *e, const struct sa_cmd *cmd, mono_ns now, struct sa_done *done);
/* All SAs away: the engine is a new one. */
void esp_flush(struct esp *e);

/* What of a packet on a path of `path_mtu` bytes is left for an inner packet: IPv4 or IPv6 outer, UDP or not, the suite's IV,
 * ICV, padding to 4 or the block, trailer. 0 when the algorithms are unknown. */
uint16_t esp_inner_mtu(const struct sa_desc *sa, uint16_t path_mtu);

#endif
