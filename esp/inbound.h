/* SPDX-License-Identifier: Apache-2.0 */
/* An ESP packet becomes an inner packet (RFC 4303 3.4, RFC 4301 5.2). */
#ifndef ESP_INBOUND_H
#define ESP_INBOUND_H

#include "esp/inner.h"
#include "esp/sa.h"

/* A datagram from the network, outer headers taken off: SPI first. Its bytes are worked on in
 * place. */
struct esp_datagram {
	uint8_t *p;
	size_t len;
	uint8_t tos;	  /* of the outer header; 0 when unknown */
	uint8_t ttl;	  /* or hop limit; 0 when unknown */
	struct path path; /* where it came to and from */
};

struct opened {
	uint8_t *p; /* the inner packet, inside the datagram or `room`; in.len bytes */
	struct inner in;
	bool newest; /* it was authentic, and no later one of its SA came before */
	/* The caller's, empty: where a packet of transport mode, which has no IP header in the
	 * datagram, is made whole. */
	struct wr room;
};

/* False when the datagram is too short to have an SPI. */
MUST_USE bool inbound_spi(struct span d, uint32_t *spi);
/* Opens the datagram by the SA that its SPI names; the SA's lock is held. Counts the packet, or the
 * drop. */
enum drop inbound_open(struct sa *sa, const struct esp_datagram *d, mono_ns now, struct opened *o);

#endif
