/* SPDX-License-Identifier: Apache-2.0 */
/* Userspace ESP (RFC 4303, RFC 3948) for the esp process: SAD, selectors, workers. The daemon hands
 * over descriptors that the monitor made, SA commands that the engine sent, and starts one thread
 * per worker.
 *
 * The monitor owns devices, routes and rules; here are only packets.
 */
#ifndef ESP_ESP_H
#define ESP_ESP_H

#include "base/clock.h"
#include "base/sadesc.h"
#include "esp/drop.h"

struct esp;

/* ESP_SOCKET_BUFFER: bytes for SO_RCVBUFFORCE, some thousand packets. With the kernel's default of
 * 200 KiB a burst from one TCP connection overruns the socket while the worker is sealing. */
enum { ESP_WORKERS_MAX = 64, ESP_DEVICES_MAX = 512, ESP_SOCKET_BUFFER = 4 << 20 };

/* Of what esp_keep finds, struct tally and its place among it: it goes up with every change of
 * that. */
enum { ESP_FORMAT = 1 };

/* The descriptors stay the caller's and must outlive struct esp. Who makes the sockets sets, beside
 * what needs privilege,
 *
 * - IPv4, UDP and raw: IP_PKTINFO, IP_RECVTOS, IP_RECVTTL, IP_RECVERR to 1, IP_MTU_DISCOVER to
 *   IP_PMTUDISC_DO;
 * - IPv6, UDP and raw: IPV6_RECVPKTINFO, IPV6_RECVTCLASS, IPV6_RECVHOPLIMIT, IPV6_RECVERR to 1,
 *   IPV6_MTU_DISCOVER to IPV6_PMTUDISC_DO; UDP also IPV6_V6ONLY (which a raw socket refuses);
 * - all of them: SO_RCVBUFFORCE to ESP_SOCKET_BUFFER.
 *
 * PMTUDISC_DO sets DF on what we send. Without RECVERR path MTUs are guessed by steps; without
 * RECVTOS congestion marks of the path are lost, without RECVTTL packets of transport mode get a
 * TTL of 64. The TUN is set to O_NONBLOCK here. A datagram
 * socketpair may stand in for any of them in tests. */
struct esp_env {
	uint8_t n_workers;
	int tun_fd[ESP_WORKERS_MAX];  /* a queue each, IFF_NO_PI */
	int udp4_fd[ESP_WORKERS_MAX]; /* port 4500, a reuseport group; -1: no such family */
	int udp6_fd[ESP_WORKERS_MAX];
	int raw4_fd; /* IPPROTO_ESP, read by worker 0, which hands over by owner; -1: none */
	int raw6_fd;
	/* An IKE message that a worker's socket received (marker cut off): to the engine. Called
	 * from worker threads. */
	void (*to_engine)(void *ctx, const struct path *p, struct span d);
	/* Acquire (reqid 0: only the flow is known here), expire, mapping, mtu. Called from worker
	 * threads, also while an SA is locked: neither callback may call back into esp_ or wait for
	 * the thread that does. */
	void (*event)(void *ctx, const struct plane_event *ev);
	void *ctx;
};

/* Memory that outlives this process, for its SAs and their numbers. Zeros: a new one. */
struct esp_memory {
	void *p; /* aligned to 64 bytes; NULL: there is none */
	size_t size;
	/* This part counts no more: it shall be zeros, and need be nobody's memory. NULL: it may
	 * stay as it is. */
	void (*spare)(struct span part);
};
struct esp_kept {
	size_t restored; /* halves of SAs that are here again */
	size_t refused;	 /* ... that were not what they should be */
};

/* ERR_UNSUPPORTED: no worker, or too many. */
MUST_USE enum err esp_new(const struct esp_env *env, struct esp **out);
/* Between the two, once: SAs are kept there, and those that were are here again, unclaimed (see
 * esp_unclaim). The memory must outlive struct esp. ERR_SYNTAX: it was spoilt; it is empty now, and
 * used. ERR_SPACE, ERR_NOMEM. */
MUST_USE enum err esp_keep(struct esp *e, const struct esp_memory *m, struct esp_kept *kept);
/* Stops and joins the workers, wipes all keys. Takes NULL. */
void esp_free(struct esp *e);
MUST_USE enum err esp_start(struct esp *e); /* starts the threads */

/* A TUN of a child's own, besides the one of the env: n_workers queues, which are taken over, and
 * closed here, also on failure. One with this number goes first; `fds` NULL: it only goes. From the
 * thread of the commands. ERR_LIMIT: more than ESP_DEVICES_MAX. */
MUST_USE enum err esp_device(struct esp *e, uint32_t if_id, const int *fds);
/* All devices but those with these numbers go, and give their places back. */
void esp_devices_keep(struct esp *e, const uint32_t *if_ids, size_t n);

/* Do packets that ask for a child (PLANE_ACQUIRE) wait for it, a few and for seconds (esp/hold.h)?
 * No at first. */
void esp_hold(struct esp *e, bool hold);

/* SA commands, from one thread (the channel's). Fills *done. Takes its own copy of what it keeps.
 * An SA that is removed is wiped when this returns (it waits for the batches that are under way).
 * SA_INSTALL: ERR_EXISTS (the SPI, or the slot of an inbound one, is taken), ERR_UNSUPPORTED
 * (algorithms), ERR_CONFIG (SPI below 256 or not of this plane, no selectors, no peer address, in
 * transport mode no own one), ERR_CRYPTO (key sizes). A replay_window of 0 is the default of 1024;
 * one over 4096 is 4096. SA_REMOVE, SA_MOVE, SA_QUERY: ERR_NOT_FOUND. SA_MOVE to another address in
 * transport mode: ERR_UNSUPPORTED. Outbound SPIs are the peers' choice and may be equal: child_id
 * tells them apart, or path.remote (not with SA_MOVE, where it is new). */
void esp_command(struct esp *e, const struct sa_cmd *cmd, struct sa_done *done);
/* All SAs away: there is no engine, and there will be none. */
void esp_flush(struct esp *e);
/* The engine is a new one, which may know of the SAs that there are: it claims those, and sweeps
 * away the others. */
void esp_unclaim(struct esp *e);

/* What was dropped and why, since the start, by all workers. */
struct esp_drops {
	uint64_t n[N_DROPS];
};
void esp_drops(const struct esp *e, struct esp_drops *out);

/* What of a packet on a path of `path_mtu` bytes is left for an inner packet (in transport mode:
 * for a packet as its host makes it, its header included): IPv4 or IPv6 outer, UDP or not, the
 * suite's IV, ICV, padding to 4 or the block, trailer. 0 when the algorithms are unknown. */
uint16_t esp_inner_mtu(const struct sa_desc *sa, uint16_t path_mtu);

#endif
