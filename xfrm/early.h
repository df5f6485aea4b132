/* SPDX-License-Identifier: Apache-2.0 */
/* ESP that comes before its state. Whoever asks for a Child SA names the SPI that it wants to be
 * sent to, and the peer may use it as soon as it has made the SA (RFC 7296 2.8): its first packets
 * are here before its answer has been worked on, and the kernel drops what it has no state for. So
 * packets of such an SPI wait in a queue of the kernel's (NFQUEUE) and go on, untouched, when the
 * state is there. Nobody reads them.
 *
 * That is done by a table of nftables, `inet postern-early`, which is owned by a socket of ours and
 * goes with it; there is none before early_prepare, or else the first SPI that is expected. Where
 * the kernel cannot do that, such packets are lost. They are, too, when any program takes a chain
 * of nftables away: then the kernel empties all queues.
 */
#ifndef XFRM_EARLY_H
#define XFRM_EARLY_H

#include "base/clock.h"
#include "xfrm/netlink.h"

#define EARLY_TABLE "postern-early"

enum {
	EARLY_MAX = 8, /* SPIs at a time; the oldest gives way */
	EARLY_SECONDS = 30,
	EARLY_PACKETS = 64,   /* that wait for one SPI */
	EARLY_QUEUES = 50500, /* numbers of queues from here on */
};

struct early {
	enum err (*open)(struct netlink *nl, int protocol); /* NULL: nothing ever waits */
	struct netlink table;
	bool cannot; /* the kernel refused the table */
	struct early_slot {
		uint32_t spi; /* 0: none */
		mono_ns since;
		struct netlink queue; /* stays open: to close one takes the kernel 10 ms */
		bool cannot;	      /* the queue is another program's, or there are none */
	} slot[EARLY_MAX];
};

void early_init(struct early *e, enum err (*open)(struct netlink *nl, int protocol));
/* What waits is lost. */
void early_close(struct early *e);

/* The table and a queue. The kernel may have to load modules for them, and the first answer of a
 * peer would be here sooner than these. What it cannot do, early_expect says. */
void early_prepare(struct early *e);

/* Begins, or goes on when it has begun already; the time begins anew. ERR_UNSUPPORTED: it cannot be
 * done here, and what the kernel refused is not tried again. */
MUST_USE enum err early_expect(struct early *e, uint32_t spi, mono_ns now);
/* The state is there: what waits goes on. */
void early_release(struct early *e, uint32_t spi);
/* What is older than EARLY_SECONDS is lost. early_expect does so, too. */
void early_expire(struct early *e, mono_ns now);

#endif
