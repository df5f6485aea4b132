/* SPDX-License-Identifier: Apache-2.0 */
/* Transport mode (RFC 4303 3.1.1): between two hosts ESP stands behind the packet's own IP header,
 * so what is sealed is the packet without it, and what was opened gets one again.
 */
#ifndef ESP_TRANSPORT_H
#define ESP_TRANSPORT_H

#include "esp/inbound.h"

/* What of a packet from the TUN is sealed, and its next header. False for what cannot go in this
 * mode: a fragment (RFC 4303 3.3.4), and IPv6 hop-by-hop options and routing headers. Those stand
 * outside of ESP, and only a process with CAP_NET_RAW may have a socket write them. Destination
 * options go inside, where they are protected. `packet` is one that inner_parse has read. */
MUST_USE bool transport_payload(struct span packet, struct span *payload, uint8_t *next);

/* The header and the addresses that an opened payload gets: those of the datagram it came in, or of
 * the SA where the socket did not say. */
struct transport_head {
	struct addr src;
	struct addr dst;
	uint8_t tos;
	uint8_t ttl; /* 0: unknown */
	uint8_t next;
};

/* Writes the packet. False when it does not fit, or `next` is a header that may not stand behind
 * ESP. */
MUST_USE bool transport_rebuild(const struct transport_head *h, struct span payload, struct wr *w);

/* The IPv4 options that the header outside takes along, within the packet. False for a
 * source route: the SA was found by an address that is not where the packet goes. */
MUST_USE bool transport_options(struct span packet, const struct inner *in, struct span *options);

/* Checksums of TCP, UDP, UDP-Lite, DCCP and ICMPv6 are over addresses (RFC 3948 3.1.2): p was
 * summed with `was` where `is` stands now. A UDP checksum of zero is none and stays so; what was
 * wrong stays wrong. The packet is whole. */
void transport_mend(uint8_t *p, const struct inner *in, const struct addr *was,
		    const struct addr *is);

#endif
