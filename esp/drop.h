/* SPDX-License-Identifier: Apache-2.0 */
/* Why a packet went no further: every place that drops one names its reason, and every reason has a
 * counter. */
#ifndef ESP_DROP_H
#define ESP_DROP_H

#include <stddef.h>

enum drop {
	DROP_NONE = 0, /* the packet lives */

	/* datagrams from the network */
	DROP_SHORT, /* too short for an ESP packet of its SA, or not whole blocks */
	DROP_SPI,   /* no such SA */
	DROP_REPLAY,
	DROP_ICV,
	DROP_PADDING, /* pad length over the payload, or padding that is not 1, 2, 3... */
	DROP_NEXT_HEADER,
	DROP_DUMMY,    /* next header 59: discarded by design (RFC 4303 2.6) */
	DROP_INNER,    /* the inner packet is malformed */
	DROP_SELECTOR, /* the inner packet is none that this SA may carry (RFC 4301 5.2) */
	DROP_ECN,      /* CE outside, Not-ECT inside (RFC 6040 4.2) */

	/* packets from the TUN */
	DROP_NO_SA,    /* no SA has selectors for it: an acquire, and never in clear */
	DROP_TOO_BIG,  /* answered by ICMP when that is allowed */
	DROP_FRAGMENT, /* selectors cannot judge it, or its datagram did not become whole */
	DROP_HEADER, /* transport mode: a header that may not be sealed, and not be left outside */
	DROP_EXHAUSTED, /* sequence numbers are used up (RFC 4303 3.3.3) */

	/* either way */
	DROP_LIMIT,  /* hard limit of bytes or packets */
	DROP_CRYPTO, /* the library refused */
	DROP_QUEUE,  /* the owner's queue is full */
	DROP_SEND,   /* the kernel did not take it */

	N_DROPS
};

/* "replay", "icv"...: for counters that people read. Never NULL. */
const char *drop_name(enum drop d);

#endif
