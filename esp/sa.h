/* SPDX-License-Identifier: Apache-2.0 */
/* One SA: made from its description, counted, ended. */
#ifndef ESP_SA_H
#define ESP_SA_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "crypto/seal.h"
#include "esp/drop.h"
#include "esp/packet.h"
#include "esp/replay.h"

/* Written under the SA's lock, read by anybody at any time. */
struct sa_stats {
	_Atomic uint64_t bytes;
	_Atomic uint64_t packets;
	_Atomic uint64_t last_ns;
	_Atomic uint64_t drops[N_DROPS];
};

/* The numbers of an SA, which its key must never outlive: whoever goes on with the one goes on with
 * the other. So they may lie in memory that the next process has, too (esp/ledger.h), and each of
 * them is stored before what it counts is done: then a process may be killed at any instruction. */
struct tally {
	_Alignas(64) _Atomic uint64_t seq; /* SA_OUT: the last number taken; atomic, so that none is
					      ever given out twice */
	uint32_t spi;			   /* whose it is */
	struct replay replay;		   /* SA_IN; under the SA's lock */
	struct sa_stats stats;
};

struct sa {
	/* these never change once the SA is published */
	enum sa_dir dir;
	enum sa_mode mode;
	uint32_t spi;
	uint32_t twin_spi; /* of the other direction */
	uint32_t child_id;
	uint32_t if_id; /* of the device that it belongs to; 0: the shared one */
	struct shape shape;
	struct ts_list local;
	struct ts_list remote;
	struct sa_headers headers;
	uint32_t reqid; /* of the configured child: the same after a rekey */
	uint8_t priority;
	bool by_ports; /* some of them ask for ports, which later fragments do not show */
	uint64_t byte_limit;
	uint64_t packet_limit;
	uint64_t byte_soft;
	uint64_t packet_soft;
	/* SA_TRANSPORT: the two hosts as they are seen here, and as the peer's checksums have them
	 * (RFC 7296 2.23.1), which is the same without a NAT. */
	struct addr host_local;
	struct addr host_remote;
	struct addr sum_local;
	struct addr sum_remote;

	_Atomic bool passed; /* SA_OUT: others go before it; the SAD's thread says so */

	_Atomic uint16_t path_mtu;	/* SA_OUT: of the outer path */
	_Atomic mono_ns path_mtu_since; /* when that was lowered; 0: not */
	struct tally *tally;		/* the pointer never changes */

	/* One thread at a time: a sealer is not for two, numbers must leave in their order (peers'
	 * windows can be as small as 32), and replay state is looked at and changed in one step. A
	 * mutex and not one sealer per worker, because only the lock keeps the order. It is nearly
	 * free: inbound SPIs have one owner, and an outbound lock is held over a run of packets. */
	pthread_mutex_t lock;
	struct sealer *sealer;
	struct path path;
	bool encap;
	mono_ns told;		/* when PLANE_EXPIRE was sent last; 0: not yet */
	mono_ns told_soft;	/* ... of a soft limit */
	mono_ns told_elsewhere; /* when PLANE_MAPPING was */
	mono_ns sent_since;	/* SA_OUT: a packet that nothing has come after; 0: none yet */
	mono_ns silence_look;	/* ... when that is looked at again */

	/* The SAD's thread: */
	struct lookup_entry *entries; /* SA_OUT: where the index has it (esp/lookup.h) */
	struct sa *next_spi;	      /* SA_OUT: of those whose SPIs have one place */
	struct sa *doomed;	      /* the next one to free */
	bool claimed;		      /* by the engine that there is now, or put in by it */
	bool own_tally;		      /* ... which ends with the SA */
	_Atomic(struct sa *) next_to; /* SA_OUT: of those whose peers have one place; readers too */
};

/* `t`: its numbers, which stay the caller's; NULL: it begins with new ones, of its own.
 * ERR_UNSUPPORTED: unknown algorithms. ERR_CONFIG: an SPI that cannot be (RFC 4303 2.1), no
 * selectors, no peer, in transport mode not exactly two hosts. ERR_CRYPTO: keys of wrong size.
 * Copies what it keeps; the keys live in the sealer alone. */
MUST_USE enum err esp_sa_new(const struct sa_desc *d, struct tally *t, struct sa **out);
/* Wipes. Takes NULL. Nobody else may know the SA any more. */
void esp_sa_free(struct sa *sa);

/* Does the flow (src is ours) run between the two hosts of a transport mode SA? True in tunnel
 * mode. */
bool sa_joins(const struct sa *sa, const struct flow *f);

/* With the lock held. */
void sa_count_packet(struct sa *sa, size_t inner_len, mono_ns now);
void sa_count_drop(struct sa *sa, enum drop why);
/* A soft limit is reached. */
bool sa_worn(const struct sa *sa);
/* Has the SA carried all that its hard limits allow, so that `inner_len` more bytes are too many?
 */
bool sa_spent(const struct sa *sa, size_t inner_len);

void sa_counters(const struct sa *sa, struct sa_counters *out);

/* The path's MTU as it is believed now; a lowered one is forgotten after ten minutes (RFC
 * 1191 6.3). */
uint16_t sa_path_mtu(struct sa *sa, mono_ns now);
/* The path is a new one. */
void sa_forget_path_mtu(struct sa *sa);
/* True when it went down by this. */
bool sa_lower_path_mtu(struct sa *sa, uint16_t mtu, mono_ns now);

#endif
