/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: one thread with its TUN queue, its sockets, its buffers and its queue of handed-over
 * datagrams.
 *
 * Everything in struct worker is its own thread's, but the queue, the counters and `stop`.
 */
#ifndef ESP_WORKER_H
#define ESP_WORKER_H

#include "esp/await.h"
#include "esp/device.h"
#include "esp/esp.h"
#include "esp/hold.h"
#include "esp/limit.h"
#include "esp/queue.h"
#include "esp/reassemble.h"
#include "esp/sad.h"
#include "esp/tx.h"

/* What all workers share. Owned by struct esp, and older than every worker. */
struct plane {
	struct esp_env env;
	struct sad *sad;
	struct device_table devices; /* children's own */
	struct worker *workers;	     /* env.n_workers */
	_Atomic bool stop;
	_Atomic bool hold; /* packets that ask for a child wait for it */
	struct await_spis expected;
	_Atomic unsigned installs; /* inbound ones so far */
};

struct worker {
	struct plane *plane;
	unsigned index;
	pthread_t thread;
	bool running;
	int epoll_fd;
	int tun_fd;
	struct outer_sock sock[N_OUTER]; /* by enum outer_kind. The raw ones are read by worker 0
					    and written by all */
	struct queue queue;
	struct rx rx;
	struct tx tx;
	uint8_t *inner_buf; /* one packet from the TUN, or one of transport mode on its way there */
	uint8_t *whole_buf; /* one that was made of fragments */
	struct reassembler fragments;
	struct hold hold;   /* what asked for a child that is not up */
	struct await await; /* what came by one that is not up yet, */
	unsigned await_installs; /* ... looked at after so many installs, */
	mono_ns await_look;	 /* ... and to be looked at again then */
	mono_ns held_since; /* the packet that is worked on was there; 0: it comes from the TUN */
	uint8_t *piece_buf; /* one fragment, or one ICMP answer */
	uint32_t from;	/* the device that the packets at hand come from: its if_id; 0: tun_fd */
	struct sa *run; /* the outbound SA whose lock is held and whose packets are in tx; NULL:
			       none */
	struct limit icmp_limit;
	struct acquire_limit acquire_limit;
	mono_ns now; /* of this batch */
	_Atomic uint64_t drops[N_DROPS];
};

/* ERR_NOMEM, ERR_SYSTEM. What was made is freed by worker_free, also after a failure. */
MUST_USE enum err worker_init(struct worker *w, struct plane *plane, unsigned index);
void worker_free(struct worker *w);
MUST_USE enum err worker_start(struct worker *w);
void worker_join(struct worker *w);
/* When none runs any more: what others have handed to it, and what nobody will find in a socket. */
void worker_finish(struct worker *w);

/* From the thread that changes the table of devices. */
MUST_USE enum err worker_watch_device(struct worker *w, const struct device *d, unsigned slot);
void worker_unwatch_device(struct worker *w, const struct device *d);

/* One round of everything that is ready, without a thread: waits at most `timeout_ms`. The thread
 * is a loop of this. */
void worker_round(struct worker *w, int timeout_ms);

void worker_count(struct worker *w, enum drop why);
void worker_count_many(struct worker *w, enum drop why, size_t n);
void worker_event(struct worker *w, const struct plane_event *ev);
/* An authentic packet, the newest, came to the SA by `path`: told when it is from elsewhere than
 * the SA's own path, at most every two seconds (RFC 7296 2.23: who believes a replayed or an old
 * packet can be sent anywhere). Only with UDP, for a NAT moves ports. The lock is held. */
void worker_tell_elsewhere(struct worker *w, struct sa *sa, const struct path *path);
/* The SA came to its end by `why`: told once, and again every ten seconds in which a packet still
 * wants it, because what is told may get lost. Its lock is held. */
void worker_tell_end(struct worker *w, struct sa *sa, enum drop why);
/* A packet left by an outbound SA: when others did for a second and nothing came by the SA of the
 * other direction, that is told. The lock is held, in an epoch. */
void worker_tell_silent(struct worker *w, struct sa *sa);
/* It has carried most of what it may: the same. */
void worker_tell_soft(struct worker *w, struct sa *sa);

#endif
