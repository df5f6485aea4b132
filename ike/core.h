/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's own state, for the files of ike/ alone. */
#ifndef IKE_CORE_H
#define IKE_CORE_H

#include "ike/actions.h"
#include "ike/connection.h"
#include "ike/engine.h"
#include "ike/limits.h"
#include "ike/sa.h"
#include "ike/spi.h"
#include "ike/ticket.h"

/* Scratch for the message in hand; nothing in it outlives the input. */
enum { SCRATCH_LEN = IKE_MESSAGE_MAX + 8192 };

/* What is to be written down (ike/keep.h). */
struct keeps {
	struct keep *first, *last;
	bool open;	/* something was, and does not count yet */
	uint8_t *bytes; /* of the one that was given out; SNAPSHOT_MAX */
	size_t used;
	uint8_t key[KEEP_KEY_MAX];
};

struct ike_engine {
	struct ike_env env;
	const struct conf *conf;
	mono_ns now;		/* of the input in hand */
	struct table by_spi;	/* every IKE SA, by our SPI */
	struct table by_init;	/* half-open ones of peers */
	struct table by_peer;	/* the first SA of each proved peer of a connection */
	struct table by_ticket; /* what a job's or a data plane's answer is for */
	struct heap timers;	/* one per IKE SA, one per connection */
	struct actions actions;
	struct spi_pool spis;
	struct conn **conns; /* in the order of the configuration */
	size_t n_conns;
	struct addr addrs[IKE_ADDRS_MAX]; /* of this machine */
	size_t n_addrs;
	uint64_t events; /* births and establishments of IKE SAs, counted */
	uint64_t last_ticket;
	uint32_t last_child_id;
	struct ike_stats stats;
	struct keeps keeps;
	struct ike_sa *restored; /* that wait for ike_engine_resume, by ->next */
	size_t n_retired;	 /* ... of connections, or with children, that are others now */
	uint8_t *opened;      /* what was decrypted */
	uint8_t *built;	      /* the chain that goes into an answer or request */
	uint8_t *sealed;      /* the datagrams made from it */
	struct limits limits; /* the last: nearly all of the size, and begun and ended by itself */
};

#endif
